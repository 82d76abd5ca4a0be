//! Kubernetes rules for names, numbers and selectors, as schemas.
//!
//! The types of `k8s-openapi` list the fields but not the values that the API server accepts. The rules here are those of
//! `k8s.io/apimachinery/pkg/util/validation` and `k8s.io/kubernetes/pkg/apis/{core,networking}/validation`. Rules that compare two values, such as
//! a request with its limit, are in the template `_checks.tpl`.
//!
//! The patterns use only syntax that RE2 (Helm) and ECMAScript (editors) share: no lookahead, no `\d`.

use serde_json::{Map, Value as Json, json};

/// Free text: the characters that a YAML document can contain without an escape (`nb-char` and line breaks of YAML 1.2). Helm 4 sends other
/// characters unescaped, too, and the API server then refuses the object.
pub(super) const TEXT: &str = "^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\u{feff}\u{fffe}\u{ffff}]*$";

/// An HTTP or HTTPS address with an optional path, or an empty string.
pub(super) const ENDPOINT: &str =
    r"^(https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?)?$";

/// A DNS label: the name of a namespace. At most 63 characters.
pub(super) const LABEL: &str = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";

/// A DNS label or an empty string.
pub(super) const LABEL_OR_EMPTY: &str = "^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$";

/// A DNS subdomain: the name of most objects. `maxLength` limits it to 253 characters.
pub(super) const SUBDOMAIN: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// A DNS subdomain or an empty string.
pub(super) const SUBDOMAIN_OR_EMPTY: &str = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$";

/// Maximum length of a DNS subdomain.
pub(super) const SUBDOMAIN_LENGTH: u32 = 253;

/// The key of a label or annotation: a name of at most 63 characters, with an optional prefix of a DNS subdomain and a slash.
pub(super) const KEY: &str = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$";

/// Maximum length of a key in the schema. Kubernetes allows 253 characters before the slash and 63 after it.
const KEY_LENGTH: u32 = 253;

/// The value of a label.
const LABEL_VALUE: &str = "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$";

/// A CIDR block, approximately. The template `_checks.tpl` validates it and reports errors.
const CIDR: &str = "^[0-9a-fA-F.:]{2,45}/[0-9]{1,3}$";

/// The name of a port: groups of a-z and 0-9 with single hyphens between them, and at least one letter.
const PORT_NAME: &str = "^([0-9]+-)*[0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*$";

/// An amount of CPU: a number of cores, or of millicores (`m`).
const PROCESSORS: &str = "^[0-9]{1,9}(\\.[0-9]{1,9})?m?$";

/// An amount of bytes. `256m` (thousandths) is rejected as a typo for `256Mi`.
const BYTES: &str = "^[0-9]{1,15}(\\.[0-9]{1,9})?([eE][0-9]{1,2}|[kMGTPE]|[KMGTPE]i)?$";

/// The definitions that the schemas of this module and of [`super::kubernetes`] refer to, by name.
pub(super) fn definitions() -> [(&'static str, Json); 9] {
    let amount = |kind: &str, pattern: &str| json!({ "type": ["string", kind, "null"], "minimum": 0, "maximum": 1e15, "pattern": pattern });
    let bytes = reference("bytes");
    let amounts = json!({
        "type": "object",
        "properties": {
            "cpu": amount("number", PROCESSORS),
            "memory": bytes,
            "ephemeral-storage": bytes
        },
        // The API server prefixes the name of a device with `requests.` in a quota.
        "propertyNames": { "maxLength": KEY_LENGTH - 9 },
        "patternProperties": {
            // The API server counts the thousandths of a page's size, which 8 PiB exceed.
            "^hugepages-[1-9][0-9]{0,2}([0-9][KMG]|[KMGT])i$": amount("integer", "^[0-9]{1,9}(\\.[0-9]{1,9})?([kMGT]|[KMGT]i)?$"),
            // Devices are counted in whole numbers.
            "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$":
                amount("integer", "^[0-9]{1,9}$")
        },
        "additionalProperties": false
    });
    [
        ("amounts", amounts),
        ("annotations", map(&reference("text"))),
        ("bytes", amount("integer", BYTES)),
        (
            "cidr",
            json!({ "type": "string", "description": "A CIDR block, such as `10.96.0.1/32` or `2001:db8::/64`.", "pattern": CIDR }),
        ),
        ("key", json!({ "type": "string", "pattern": KEY, "maxLength": KEY_LENGTH })),
        ("label", json!({ "type": "string", "pattern": LABEL })),
        ("labels", map(&reference("labelValue"))),
        ("labelValue", json!({ "type": "string", "pattern": LABEL_VALUE })),
        ("text", json!({ "type": "string", "pattern": TEXT })),
    ]
}

/// A map of labels or annotations. Helm's validator reports a wrong path for `propertyNames`, so that keyword only limits the length.
fn map(values: &Json) -> Json {
    json!({
        "type": "object",
        "propertyNames": { "maxLength": KEY_LENGTH },
        "patternProperties": { KEY: values },
        "additionalProperties": false
    })
}

pub(super) fn reference(definition: &str) -> Json {
    json!({ "$ref": format!("#/definitions/{definition}") })
}

/// Adds the API server's rules to the schema of a Kubernetes type. `name` is the type's name in the schema, such as `io.k8s.api.core.v1.Toleration`.
pub(super) fn restrict(name: &str, schema: &mut Json) {
    let type_name = name.rsplit('.').next().unwrap_or_default();
    if type_name == "IntOrString" {
        // The port of a NetworkPolicy; no other value has this type.
        *schema = json!({ "type": ["integer", "string"], "minimum": 1, "maximum": 65535, "pattern": PORT_NAME, "maxLength": 15 });
        return;
    }
    let (properties, keywords) = rules(type_name);
    for (key, rule) in object(properties) {
        let place = &mut schema["properties"][&key];
        match rule {
            Json::Object(ref keywords) if keywords.contains_key("$ref") => *place = rule,
            // Rules of a list's items stay beside its type.
            Json::Object(keywords) => keywords.into_iter().for_each(|(keyword, value)| place[keyword] = value),
            _ => {}
        }
    }
    object(keywords).into_iter().for_each(|(keyword, value)| schema[keyword] = value);
}

fn object(value: Json) -> Map<String, Json> {
    if let Json::Object(map) = value { map } else { Map::new() }
}

/// The rules of a type: those of its properties, and the keywords of the type itself.
fn rules(type_name: &str) -> (Json, Json) {
    match type_name {
        "LocalObjectReference" => {
            (json!({ "name": { "pattern": SUBDOMAIN, "maxLength": SUBDOMAIN_LENGTH } }), Json::Null)
        }
        "Toleration" => toleration(),
        "NodeSelector" => (json!({ "nodeSelectorTerms": { "minItems": 1 } }), Json::Null),
        "NodeSelectorTerm" => (json!({ "matchFields": { "items": field_of_node() } }), Json::Null),
        "NodeSelectorRequirement" => node_requirement(),
        "LabelSelector" => (json!({ "matchLabels": reference("labels") }), Json::Null),
        "LabelSelectorRequirement" => (
            json!({
                "key": reference("key"),
                "operator": { "enum": ["In", "NotIn", "Exists", "DoesNotExist"] },
                "values": { "items": reference("labelValue") }
            }),
            json!({ "if": is("operator", &json!(["In", "NotIn"])), "then": listed(), "else": unlisted() }),
        ),
        "PreferredSchedulingTerm" | "WeightedPodAffinityTerm" => {
            (json!({ "weight": { "minimum": 1, "maximum": 100 } }), Json::Null)
        }
        "PodAffinityTerm" => (
            json!({
                "matchLabelKeys": label_keys(),
                "mismatchLabelKeys": label_keys(),
                "namespaces": { "items": reference("label") },
                "topologyKey": reference("key")
            }),
            json!({ "dependencies": { "matchLabelKeys": ["labelSelector"], "mismatchLabelKeys": ["labelSelector"] } }),
        ),
        "TopologySpreadConstraint" => spread(),
        "IPBlock" => (json!({ "cidr": reference("cidr"), "except": { "items": reference("cidr") } }), Json::Null),
        "NetworkPolicyPeer" => {
            (Json::Null, json!({ "minProperties": 1, "dependencies": { "ipBlock": { "maxProperties": 1 } } }))
        }
        "NetworkPolicyPort" => {
            let number = json!({ "required": ["port"], "properties": { "port": { "type": "integer" } } });
            (
                json!({ "endPort": { "minimum": 1, "maximum": 65535 }, "protocol": { "enum": ["TCP", "UDP", "SCTP"] } }),
                json!({ "dependencies": { "endPort": number } }),
            )
        }
        _ => (Json::Null, Json::Null),
    }
}

fn toleration() -> (Json, Json) {
    let properties = json!({
        "effect": { "enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"] },
        "key": reference("key"),
        "operator": { "enum": ["Exists", "Equal"] },
        "tolerationSeconds": { "minimum": 0, "maximum": i32::MAX },
        "value": reference("labelValue")
    });
    // A toleration without a key matches all taints; this requires the operator `Exists`.
    let keywords = json!({
        "if": is("operator", &json!(["Exists"])),
        "then": { "properties": { "value": { "maxLength": 0 } } },
        "else": { "required": ["key"] },
        "dependencies": { "tolerationSeconds": is("effect", &json!(["NoExecute"])) }
    });
    (properties, keywords)
}

/// A requirement in `matchFields`. `metadata.name` is the only field of a node that it supports.
fn field_of_node() -> Json {
    let name = json!({ "type": "string", "pattern": SUBDOMAIN, "maxLength": SUBDOMAIN_LENGTH });
    json!({
        "type": "object",
        "properties": {
            "key": { "enum": ["metadata.name"] },
            "operator": { "enum": ["In", "NotIn"] },
            "values": { "type": "array", "items": name, "minItems": 1, "maxItems": 1 }
        },
        "required": ["key", "operator", "values"],
        "additionalProperties": false
    })
}

fn node_requirement() -> (Json, Json) {
    let properties = json!({
        "key": reference("key"),
        "operator": { "enum": ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] },
        "values": { "items": reference("labelValue") }
    });
    let number = json!({ "items": { "pattern": "^-?[0-9]{1,18}$" }, "minItems": 1, "maxItems": 1 });
    let keywords = json!({
        "if": is("operator", &json!(["In", "NotIn"])),
        "then": listed(),
        "else": {
            "if": is("operator", &json!(["Gt", "Lt"])),
            "then": { "required": ["values"], "properties": { "values": number } },
            "else": unlisted()
        }
    });
    (properties, keywords)
}

fn spread() -> (Json, Json) {
    let policy = json!({ "enum": ["Honor", "Ignore"] });
    let properties = json!({
        "matchLabelKeys": label_keys(),
        "maxSkew": { "minimum": 1, "maximum": i32::MAX },
        "minDomains": { "minimum": 1, "maximum": i32::MAX },
        "nodeAffinityPolicy": policy,
        "nodeTaintsPolicy": policy,
        "topologyKey": reference("key"),
        "whenUnsatisfiable": { "enum": ["DoNotSchedule", "ScheduleAnyway"] }
    });
    let keywords = json!({
        "dependencies": {
            "matchLabelKeys": ["labelSelector"],
            "minDomains": is("whenUnsatisfiable", &json!(["DoNotSchedule"]))
        }
    });
    (properties, keywords)
}

/// A condition: the key exists and has one of these values.
fn is(key: &str, choices: &Json) -> Json {
    json!({ "required": [key], "properties": { key: { "enum": choices } } })
}

/// An operator that requires `values`.
fn listed() -> Json {
    json!({ "required": ["values"], "properties": { "values": { "minItems": 1 } } })
}

/// An operator that forbids `values`.
fn unlisted() -> Json {
    json!({ "properties": { "values": { "maxItems": 0 } } })
}

fn label_keys() -> Json {
    json!({ "items": reference("key"), "uniqueItems": true })
}
