//! What Helm accepts, the API server accepts: values that it refused after other objects existed, and values that it takes.
//!
//! The scenario `values` of `cargo xtask e2e` samples the schema on a real API server. These lists are its fast part, without a cluster.

use serde_json::{Value, json};
use tools::{Tool, ToolBinary};

use crate::refusals::render;

/// Values by their paths, as `--set` has them.
pub(crate) type Values<'a> = &'a [(&'a str, Value)];

fn both() -> [ToolBinary; 2] {
    [Tool::BatchHelm3, Tool::BatchHelm4].map(|tool| tool.ensure().expect("Helm is there or can be built"))
}

/// Renders the sets of values together.
fn render_all(helm: &ToolBinary, sets: &[Values<'_>]) -> Result<String, String> {
    let pairs = sets.iter().flat_map(|set| set.iter());
    let arguments: Vec<String> = pairs.map(|(path, value)| format!("--set-json={path}={value}")).collect();
    render(helm, "afp", true, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Groups the sets so that no two sets of a group have values in the same section, such as `redis.resources`. Helm takes a tenth of a second per group.
fn groups<'a, T>(all: impl IntoIterator<Item = T>, values: impl Fn(&T) -> Values<'a>) -> Vec<Vec<T>> {
    let section = |path: &'a str| path.splitn(3, '.').take(2).collect::<Vec<_>>();
    let meet = |one: Values<'a>, other: Values<'a>| {
        one.iter().any(|(path, _)| other.iter().any(|(taken, _)| section(path) == section(taken)))
    };
    let mut groups: Vec<Vec<T>> = Vec::new();
    for set in all {
        match groups.iter_mut().find(|group| !group.iter().any(|member| meet(values(&set), values(member)))) {
            Some(group) => group.push(set),
            None => groups.push(vec![set]),
        }
    }
    groups
}

/// Fails unless both Helms refuse each set of values with a message that contains its text.
pub(crate) fn refused(wrong: &[(Values<'_>, &str)]) {
    let [three, four] = both();
    let mut found = Vec::new();
    // Helm 4 judges each set alone. The checks run only on values that fit the schema, so Helm 3 judges those of either kind together.
    let mut kinds = [Vec::new(), Vec::new()];
    for case @ (values, says) in wrong {
        match render_all(&four, &[values]) {
            Ok(_) => found.push(format!("{} accepts {values:?}", four.version)),
            Err(message) if !message.contains(says) => {
                found.push(format!("{} refuses {values:?} without `{says}`: {message}", four.version));
            }
            Err(message) => kinds[usize::from(message.contains("meet the specifications of the schema"))].push(case),
        }
    }
    for group in kinds.into_iter().flat_map(|kind| groups(kind, |case| case.0)) {
        let sets: Vec<Values<'_>> = group.iter().map(|case| case.0).collect();
        let message = render_all(&three, &sets).err().unwrap_or_default();
        let missing = group.iter().filter(|(_, says)| !message.contains(says));
        found.extend(missing.map(|(values, says)| {
            format!("{} refuses {values:?} without `{says}`, or accepts it: {message}", three.version)
        }));
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

/// Fails unless both Helms accept each set of values.
pub(crate) fn accepted(right: &[Values<'_>]) {
    let refusal = |sets: Vec<Values<'_>>| {
        both().iter().find_map(|helm| {
            let message = render_all(helm, &sets).err()?;
            Some(format!("{} refuses one of {sets:?}: {message}", helm.version))
        })
    };
    let found: Vec<String> = groups(right.iter().copied(), |set| *set).into_iter().filter_map(refusal).collect();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

const CIDRS: &str = "global.network.apiServerCidrs";
const EGRESS: &str = "notification-service.network.extraEgress";
const RULES: &str = "notification-service.rbac.extraRules";
pub(crate) const VIA: &str = "event-audit-dashboard.exposure.via";
pub(crate) const HOST: &str = "event-audit-dashboard.exposure.host";
const NODE_PORT: &str = "event-audit-dashboard.exposure.nodePort";
const PREFERRED: &str = "redis.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution";

fn to(peer: &Value, ports: &Value) -> Value {
    json!([{ "to": [peer], "ports": ports }])
}

fn api(groups: &[&str], resources: &[&str], verbs: &[&str]) -> Value {
    json!([{ "apiGroups": groups, "resources": resources, "verbs": verbs }])
}

#[test]
fn hosts() {
    let controller = ("global.network.edgeController", json!("Traefik"));
    let ingress = |host: &str| [(VIA, json!("Ingress")), (HOST, json!(host)), controller.clone()];
    let is_refused_by_schema = "at '/event-audit-dashboard/exposure/host'";
    let is_malformed = "is not a DNS name. Write it in lower case, without a scheme, port or path";
    let not_printable = ["a b", "\u{fc}.example.org", "a\nb"].map(ingress);
    let malformed = [
        "*.*",
        "*",
        "*.",
        "www.*",
        "banana..x",
        ".a",
        "a.",
        "-a",
        "A.b",
        "::1",
        "10.0.0.1:80",
        "a_b",
        "https://a.example.org/",
        "a.example.org/x",
        "\"}}",
        "%s",
        "{{fail}}",
    ]
    .map(ingress);
    let too_long = ["a".repeat(254), format!("*.{}", "a".repeat(252))].map(|host| ingress(&host));
    let addresses = ["10.0.0.1", "255.255.255.255", "010.0.0.001"].map(ingress);
    let wrong: Vec<(Values, &str)> = malformed
        .iter()
        .map(|values| (&values[..], is_malformed))
        .chain(too_long.iter().chain(&not_printable).map(|values| (&values[..], is_refused_by_schema)))
        .chain(addresses.iter().map(|values| (&values[..], "event-audit-dashboard.exposure.host is an IP address")))
        .collect();
    refused(&wrong);
    let names = [
        "app.1password",
        "10.example.org",
        "10",
        "1e3",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.1.5",
        "*.10.0.0.1",
        "*.example.org",
    ];
    let longest = ["a".repeat(253), format!("*.{}", "a".repeat(251))];
    let right: Vec<_> = names.into_iter().chain(longest.iter().map(String::as_str)).map(ingress).collect();
    accepted(&right.iter().map(|values| &values[..]).collect::<Vec<_>>());
}

#[test]
fn address_blocks_and_ports() {
    let block = |cidr: &str, except: &[&str]| to(&json!({ "ipBlock": { "cidr": cidr, "except": except } }), &json!([]));
    let port = |port: Value| to(&json!({ "podSelector": {} }), &json!([port]));
    let peer = "/notification-service/network/extraEgress/0/to/0";
    let path = "notification-service.network.extraEgress[0].to[0].ipBlock";
    let wrong: &[(Values, &str)] = &[
        (&[(CIDRS, json!(["banana"]))], "at '/global/network/apiServerCidrs/0'"),
        (&[(CIDRS, json!(["10.0.0.1"]))], "at '/global/network/apiServerCidrs/0'"),
        (
            &[(CIDRS, json!(["::/0", "10.0.0.256/32"]))],
            "global.network.apiServerCidrs[1]: 10.0.0.256/32 has no address",
        ),
        (
            &[(CIDRS, json!(["10.0.0.0/33"]))],
            "global.network.apiServerCidrs[0]: 10.0.0.0/33 has no prefix length from 0 to 32",
        ),
        (&[(CIDRS, json!(["10.0.0.0/08"]))], "global.network.apiServerCidrs[0]: 10.0.0.0/08 has no prefix length"),
        (&[(CIDRS, json!(["10.0.0.1/24"]))], "10.0.0.1/24 has host bits set after the prefix length 24"),
        (&[(CIDRS, json!(["2001:db8::1/64"]))], "write 2001:db8::1/128 for this address alone"),
        (&[(CIDRS, json!(["1:2:3/64"]))], "1:2:3/64 has no address"),
        (&[(CIDRS, json!(["1:2:3:4:5:6:7::8/128"]))], "1:2:3:4:5:6:7::8/128 has no address"),
        (&[(CIDRS, json!(["::ffff:102:304/128"]))], "is an IPv4 address in IPv6"),
        (&[(EGRESS, block("banana", &[]))], "at '/notification-service/network/extraEgress/0/to/0/ipBlock/cidr'"),
        (&[(EGRESS, block("10.0.0.0/8", &["11.0.0.0/16"]))], &format!("{path}.except[0]: 11.0.0.0/16 is not inside")),
        (&[(EGRESS, block("10.0.0.0/8", &["10.0.0.0/8"]))], &format!("{path}.except[0]: 10.0.0.0/8 is not inside")),
        (&[(EGRESS, block("::/0", &["10.0.0.0/8"]))], &format!("{path}.except[0]: 10.0.0.0/8 is not inside")),
        (&[(EGRESS, to(&json!({}), &json!([])))], &format!("at '{peer}': minProperties")),
        (
            &[(EGRESS, to(&json!({ "podSelector": {}, "ipBlock": { "cidr": "::/0" } }), &json!([])))],
            &format!("at '{peer}': maxProperties"),
        ),
        (&[(EGRESS, port(json!({ "port": "8080" })))], "at '/notification-service/network/extraEgress/0/ports/0/port'"),
        (&[(EGRESS, port(json!({ "port": 0 })))], "at '/notification-service/network/extraEgress/0/ports/0/port'"),
        (&[(EGRESS, port(json!({ "port": "web", "endPort": 9 })))], "got string, want integer"),
        (&[(EGRESS, port(json!({ "endPort": 9 })))], "missing property 'port'"),
        (&[(EGRESS, port(json!({ "port": 9, "endPort": 8 })))], "extraEgress[0].ports[0].endPort is less than port"),
        (&[(EGRESS, port(json!({ "port": 9, "protocol": "tcp" })))], "value must be one of 'TCP', 'UDP', 'SCTP'"),
        (&[("global.network.dnsNamespace", json!("Kube System"))], "at '/global/network/dnsNamespace'"),
        (&[(VIA, json!("NodePort")), (NODE_PORT, json!(80))], "at '/event-audit-dashboard/exposure/nodePort'"),
    ];
    refused(wrong);
    let blocks = ["::/0", "0.0.0.0/0", "10.0.0.1/32", "2001:db8::/32", "::1/128", "1:2:3:4:5:6:7:8/128", "fe80::/10"];
    let right: &[Values] = &[
        &[(CIDRS, json!(blocks))],
        &[(EGRESS, json!([{ "ports": [{ "port": 7 }] }, {}]))],
        &[(EGRESS, block("10.0.0.0/8", &["10.1.0.0/16", "10.255.255.255/32"]))],
        &[(EGRESS, block("2001:db8::/32", &["2001:db8:ff::/48"]))],
        &[(EGRESS, port(json!({ "port": 1, "endPort": 65535 })))],
        &[(EGRESS, port(json!({ "port": "http-alt", "protocol": "SCTP" })))],
        &[(EGRESS, port(json!({ "port": "9-p2p" })))],
        &[(
            EGRESS,
            to(&json!({ "podSelector": {}, "namespaceSelector": { "matchLabels": { "a.b/c": "d" } } }), &json!([])),
        )],
        &[(VIA, json!("NodePort")), (NODE_PORT, json!(30000))],
        &[(VIA, json!("NodePort")), (NODE_PORT, json!(32767))],
    ];
    accepted(right);
}

#[test]
fn amounts_and_sizes() {
    let requests = |key: &str| format!("redis.resources.requests.{key}");
    let limits = |key: &str| format!("redis.resources.limits.{key}");
    let (request, limit, cpu) = (requests("memory"), limits("memory"), limits("cpu"));
    let size = "redis.persistence.size";
    let wrong: &[(Values, &str)] = &[
        (&[(&limit, json!("256m"))], "at '/redis/resources/limits/memory'"),
        (&[(&limit, json!(0.5))], "at '/redis/resources/limits/memory'"),
        (&[(&limit, json!(-1))], "at '/redis/resources/limits/memory'"),
        (&[(&limit, json!(1e30))], "at '/redis/resources/limits/memory'"),
        (&[(&cpu, json!(1e19))], "at '/redis/resources/limits/cpu'"),
        (
            &[("redis.resources.limits", json!({ "example.com/gpu": 1e20 }))],
            "at '/redis/resources/limits/example.com~1gpu'",
        ),
        (
            &[("redis.resources.limits", json!({ "hugepages-2Mi": "1e30" }))],
            "at '/redis/resources/limits/hugepages-2Mi'",
        ),
        (
            // Of such a page, the API server takes no amount as a multiple.
            &[("redis.resources.limits", json!({ "hugepages-9999Ti": 0 }))],
            "additional properties 'hugepages-9999Ti' not allowed",
        ),
        (
            &[("redis.resources.limits", json!({ format!("{}/gpu", "a".repeat(245)): 1 }))],
            "at '/redis/resources/limits'",
        ),
        (
            &[
                ("audit-log-analysis.autoscaling.enabled", json!(true)),
                ("audit-log-analysis.resources.requests.cpu", json!("0m")),
            ],
            "audit-log-analysis.resources.requests.cpu is not set, but the autoscaler",
        ),
        (&[(&cpu, json!("200M"))], "at '/redis/resources/limits/cpu'"),
        (&[(&cpu, json!("1Gi"))], "at '/redis/resources/limits/cpu'"),
        (&[(&limit, json!("1Mi"))], "redis.resources.requests.memory is 64Mi, more than limits.memory, which is 1Mi"),
        (
            &[("redis.exporter.enabled", json!(true)), ("redis.exporter.resources.requests.memory", json!("64Gi"))],
            "redis.exporter.resources.requests.memory is 64Gi, more than limits.memory, which is",
        ),
        (
            &[("postgresql.backup.enabled", json!(true)), ("postgresql.backup.resources.requests.cpu", json!("64"))],
            "postgresql.backup.resources.requests.cpu is 64, more than limits.cpu, which is",
        ),
        (&[(&request, json!("64Gi"))], "redis.resources.requests.memory is 64Gi, more than limits.memory"),
        (&[(&request, json!("1e12"))], "redis.resources.requests.memory is 1e12, more than limits.memory"),
        (&[(&cpu, json!(0.001))], "redis.resources.requests.cpu is 50m, more than limits.cpu, which is 0.001"),
        (&[("redis.resources.limits", json!({ "hugepages-2Mi": "3Mi" }))], "limits.hugepages-2Mi is not a multiple of"),
        (
            &[("redis.resources.requests", json!({ "hugepages-2Mi": "2Mi" }))],
            "requests.hugepages-2Mi is 2Mi, but limits",
        ),
        (&[("redis.resources.requests", json!({ "example.com/gpu": 1 }))], "requests.example.com/gpu is 1, but limits"),
        (
            &[("redis.resources.limits", json!({ "example.com/gpu": 0.5 }))],
            "at '/redis/resources/limits/example.com~1gpu'",
        ),
        (&[(size, json!("0"))], "redis.persistence.size is 0, a number of bytes. Write it with a unit, such as 10Gi"),
        (&[(size, json!(10))], "redis.persistence.size is 10, a number of bytes. Write it with a unit, such as 10Gi"),
        (&[(size, json!("1e9"))], "redis.persistence.size is 1e9, a number of bytes"),
        (&[(size, json!("1000m"))], "redis.persistence.size is 1000m, less than 1Mi. Write a size such as 10Gi"),
        (&[(size, json!("1023Ki"))], "redis.persistence.size is 1023Ki, less than 1Mi"),
        (&[(size, json!("ten"))], "at '/redis/persistence/size'"),
    ];
    refused(wrong);
    let pair = json!({ "example.com/gpu": 2, "hugepages-2Mi": "4Mi" });
    let right: &[Values] = &[
        &[(&cpu, json!(1))],
        &[(&cpu, json!(0.5))],
        &[(&cpu, json!("1.5"))],
        &[(&limit, json!("1Gi"))],
        &[(&limit, json!("0.5Gi"))],
        &[(&limit, json!("1e9"))],
        &[(&limit, json!("64M")), (&request, json!("64000k"))],
        &[(&limit, json!(1_500_000_000))],
        &[("redis.resources.requests", pair.clone()), ("redis.resources.limits", pair)],
        &[(size, json!("1Mi"))],
        &[(size, json!("1.5Ti"))],
        &[(size, json!("2G"))],
    ];
    accepted(right);
}

#[test]
fn places_and_names() {
    let tolerated = |one: Value| [("redis.tolerations", json!([one]))];
    let preferred =
        |expression: Value| [(PREFERRED, json!([{ "weight": 1, "preference": { "matchExpressions": [expression] } }]))];
    let near =
        |term: Value| [("redis.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution", json!([term]))];
    let spread = |keys: Value| {
        let mut constraint = json!({ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway" });
        keys.as_object().expect("keys").iter().for_each(|(key, value)| constraint[key] = value.clone());
        constraint
    };
    let spreads = |all: &[Value]| [("redis.topologySpreadConstraints", json!(all))];
    let selected = json!({ "matchLabels": { "a": "b" } });
    let (place, term) =
        ("/redis/tolerations/0", "redis.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]");
    let wrong: &[(Values, &str)] = &[
        (
            &tolerated(json!({ "key": "a", "operator": "exists" })),
            &format!("at '{place}/operator': value must be one of"),
        ),
        (&tolerated(json!({ "key": "a", "operator": "Exists", "value": "x" })), &format!("at '{place}/value'")),
        (&tolerated(json!({ "operator": "Equal", "value": "x" })), &format!("at '{place}': missing property 'key'")),
        (
            &tolerated(json!({ "key": "a", "tolerationSeconds": 3 })),
            &format!("at '{place}': missing property 'effect'"),
        ),
        (&tolerated(json!({ "key": "a", "effect": "NoStart" })), &format!("at '{place}/effect': value must be one of")),
        (&[(PREFERRED, json!([{ "weight": 200, "preference": {} }]))], "/0/weight': maximum: got 200, want 100"),
        (&preferred(json!({ "key": "a", "operator": "In" })), "missing property 'values'"),
        (&preferred(json!({ "key": "a", "operator": "Exists", "values": ["b"] })), "maxItems: got 1, want 0"),
        (&preferred(json!({ "key": "a b", "operator": "Exists" })), "/0/preference/matchExpressions/0/key'"),
        (&preferred(json!({ "key": "a", "operator": "Gt", "values": ["b"] })), "/matchExpressions/0/values/0'"),
        (&near(json!({ "topologyKey": "" })), "/0/topologyKey'"),
        (&near(json!({ "topologyKey": "zone", "matchLabelKeys": ["a"] })), "if 'matchLabelKeys' exists"),
        (
            &near(json!({ "topologyKey": "zone", "labelSelector": selected, "matchLabelKeys": ["a"] })),
            &format!("{term}.matchLabelKeys has the key a"),
        ),
        (
            &spreads(&[spread(json!({})), spread(json!({}))]),
            "redis.topologySpreadConstraints[1] repeats the constraint",
        ),
        (&spreads(&[spread(json!({ "minDomains": 2 }))]), "at '/redis/topologySpreadConstraints/0/whenUnsatisfiable'"),
        (&spreads(&[spread(json!({ "maxSkew": 0 }))]), "at '/redis/topologySpreadConstraints/0/maxSkew'"),
        (&[("redis.podAnnotations", json!({ "a b": "c" }))], "at '/redis/podAnnotations': additional properties 'a b'"),
        (&[("redis.nodeSelector", json!({ "-a": "b" }))], "at '/redis/nodeSelector': additional properties '-a'"),
        (&[("redis.nodeSelector", json!({ "a": "b c" }))], "at '/redis/nodeSelector/a'"),
        (&[("redis.priorityClassName", json!("a b"))], "at '/redis/priorityClassName'"),
        (&[("redis.persistence.storageClassName", json!("Fast"))], "at '/redis/persistence/storageClassName'"),
        (&[("global.imagePullSecrets", json!([{ "name": "a b" }]))], "at '/global/imagePullSecrets/0/name'"),
        (&[("global.imagePullSecrets", json!([{ "name": "a" }, { "name": "a" }]))], "at '/global/imagePullSecrets'"),
        (&[("global.secrets.store.name", json!("a b"))], "at '/global/secrets/store/name'"),
        (
            &[(VIA, json!("Ingress")), ("event-audit-dashboard.exposure.ingress.annotations", json!({ "a b": "c" }))],
            "at '/event-audit-dashboard/exposure/ingress/annotations': additional properties 'a b'",
        ),
        (
            &[("redis.podAnnotations", json!({ "kubernetes.io/config.mirror": "x" }))],
            "redis.podAnnotations has the key",
        ),
    ];
    refused(wrong);
    let right: &[Values] = &[
        &tolerated(json!({ "operator": "Exists" })),
        &tolerated(json!({ "key": "a/b", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0 })),
        &tolerated(json!({ "key": "a", "value": "b" })),
        &preferred(json!({ "key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"] })),
        &preferred(json!({ "key": "disk", "operator": "Gt", "values": ["100"] })),
        &near(json!({ "topologyKey": "zone", "labelSelector": selected, "matchLabelKeys": ["pod-template-hash"] })),
        &spreads(&[spread(json!({ "labelSelector": selected })), spread(json!({ "topologyKey": "host" }))]),
        &[("redis.podAnnotations", json!({ "example.org/Note": "a: b\n- c", "x_y": "" }))],
    ];
    accepted(right);
}

#[test]
fn rules_of_roles() {
    let cidrs = || (CIDRS, json!(["192.0.2.1/32"]));
    let wildcards = ("notification-service.rbac.allowWildcards", json!(true));
    let refusal = "notification-service.rbac.extraRules[0] has a wildcard";
    let wrong: &[(Values, &str)] = &[
        (&[(RULES, api(&[""], &["pods"], &["gett"])), cidrs()], "at '/notification-service/rbac/extraRules/0/verbs/0'"),
        (&[(RULES, api(&[""], &["pods"], &["*"])), cidrs()], refusal),
        (&[(RULES, api(&[""], &["*"], &["get"])), cidrs()], refusal),
        (&[(RULES, api(&[""], &["pods/*"], &["get"])), cidrs()], refusal),
        (&[(RULES, api(&["*"], &["pods"], &["get"])), cidrs()], refusal),
        (
            &[(RULES, api(&["Apps"], &["pods"], &["get"])), cidrs()],
            "at '/notification-service/rbac/extraRules/0/apiGroups/0'",
        ),
        (
            &[(RULES, api(&[""], &["pods"], &["get"]))],
            "global.network.apiServerCidrs is empty, so the NetworkPolicy would block notification-service from",
        ),
        (&[(RULES, api(&[""], &["pods"], &["get"]))], "kubectl get endpointslices --namespace default"),
    ];
    refused(wrong);
    let disabled = ["audit-event-generator", "audit-log-analysis", "notification-service", "event-audit-dashboard"]
        .map(|service| format!("{service}.enabled"));
    let off = disabled.each_ref().map(|path| (path.as_str(), json!(false)));
    let off_with_rules = [&off[..], &[(RULES, api(&[""], &["pods"], &["get"]))]].concat();
    let right: &[Values] = &[
        &[(RULES, api(&["", "apps"], &["pods", "deployments/scale"], &["get", "list", "watch"])), cidrs()],
        &[(RULES, api(&["*"], &["*"], &["*"])), cidrs(), wildcards],
        &off_with_rules,
    ];
    accepted(right);
}

/// `-` stands for no storage class, as in many charts; nothing stands for the cluster's default.
#[test]
fn a_hyphen_is_no_storage_class() {
    for helm in both() {
        let class = |value: &str| {
            let argument = format!("--set-json=redis.persistence.storageClassName={value:?}");
            let manifest = render(&helm, "afp", true, &[&argument]).expect("it renders");
            let objects = render::objects(&manifest).expect("objects");
            let server = objects.into_iter().find(|one| one.kind == "StatefulSet" && one.name == "afp-redis");
            server.expect("the cache").value["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"].clone()
        };
        assert_eq!([class("-"), class(""), class("fast")], [json!(""), Value::Null, json!("fast")]);
    }
}
