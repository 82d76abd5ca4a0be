//! The values that a sample changes, and the modes in which it does so.

use anyhow::Context as _;
use serde_json::{Map, Value, json};

/// A value at a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) path: Vec<String>,
    pub(super) value: Value,
}

impl Change {
    pub(super) fn dotted(&self) -> String {
        self.path.join(".")
    }

    /// Whether a message of Helm names this value by its first `keys` keys: as a path of the chart's checks, or as a pointer of the schema.
    pub(super) fn is_named(&self, message: &str, keys: usize) -> bool {
        let path = &self.path[..keys.min(self.path.len())];
        [path.join("."), format!("/{}", path.join("/"))].iter().any(|name| {
            message.match_indices(name.as_str()).any(|(position, _)| {
                let next = message[position + name.len()..].chars().next();
                next.is_none_or(|next| !next.is_ascii_alphanumeric() && next != '-')
            })
        })
    }
}

/// All changes as one tree of values.
pub(super) fn tree(changes: &[Change]) -> Value {
    let mut root = json!({});
    for Change { path, value } in changes {
        let place = path.iter().fold(&mut root, |place, key| &mut place[key.as_str()]);
        // A section and a key below it can both be changed.
        match (place.as_object_mut(), value) {
            (Some(place), Value::Object(value)) => place.extend(value.clone()),
            (Some(_), _) => {}
            (None, value) => *place = value.clone(),
        }
    }
    root
}

/// The paths of all values that an installer can set, each with its schema.
pub(super) fn leaves<'a>(schema: &'a Value, defaults: &Value) -> anyhow::Result<Vec<(Vec<String>, &'a Value)>> {
    let mut found = Vec::new();
    walk(schema, schema, defaults, &mut Vec::new(), &mut found)?;
    Ok(found)
}

fn walk<'a>(
    root: &'a Value,
    schema: &'a Value,
    defaults: &Value,
    path: &mut Vec<String>,
    found: &mut Vec<(Vec<String>, &'a Value)>,
) -> anyhow::Result<()> {
    let target = target(root, schema)?;
    let section = defaults.as_object().filter(|map| !map.is_empty());
    let (Some(section), Some(properties)) = (section, target["properties"].as_object()) else {
        found.push((path.clone(), schema));
        return Ok(());
    };
    if target.get("patternProperties").is_some() {
        found.push((path.clone(), schema));
    }
    for (key, default) in section {
        let inner = properties.get(key).with_context(|| format!("{key} has no schema"))?;
        path.push(key.clone());
        walk(root, inner, default, path, found)?;
        path.pop();
    }
    Ok(())
}

/// The schema behind references and single parts.
fn target<'a>(root: &'a Value, schema: &'a Value) -> anyhow::Result<&'a Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        let place = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target(root, place.with_context(|| format!("{reference} does not exist"))?);
    }
    match schema["allOf"].as_array().map(Vec::as_slice) {
        Some([part]) => target(root, part),
        _ => Ok(schema),
    }
}

/// A way to expose services and to provide Secrets.
#[derive(Clone, Debug)]
pub(super) struct Mode {
    pub(super) name: String,
    pub(super) values: Value,
    /// Whether Helm gets the passwords; otherwise the chart refuses them as values without effect.
    pub(super) takes_passwords: bool,
    /// The kinds of custom resources that it renders.
    pub(super) kinds: Vec<&'static str>,
}

pub(super) const EXTERNAL_SECRET: &str = "external-secrets.io/v1/ExternalSecret";
pub(super) const HTTP_ROUTE: &str = "gateway.networking.k8s.io/v1/HTTPRoute";

/// Every way to expose the services in every mode of secrets, as far as the chart has them.
pub(super) fn modes(defaults: &Value) -> Vec<Mode> {
    let sections = || defaults.as_object().into_iter().flatten();
    let exposed: Vec<&String> =
        sections().filter(|(_, section)| section.get("exposure").is_some()).map(|(name, _)| name).collect();
    let ways =
        if exposed.is_empty() { &["None"][..] } else { &["None", "NodePort", "LoadBalancer", "Ingress", "HTTPRoute"] };
    let store = json!({ "kind": "ClusterSecretStore", "name": "store" });
    let secrets = [
        ("inline", json!({ "mode": "inline" })),
        ("external", json!({ "mode": "external" })),
        ("store", json!({ "mode": "external", "store": store })),
        ("existing", json!({ "mode": "existing" })),
    ];
    let secrets = if defaults["global"].get("secrets").is_some() { &secrets[..] } else { &[] };
    let secrets: Vec<(&str, Option<&Value>)> = if secrets.is_empty() {
        vec![("no secrets", None)]
    } else {
        secrets.iter().map(|(name, one)| (*name, Some(one))).collect()
    };
    let mut modes = Vec::new();
    for way in ways {
        for (name, secrets) in &secrets {
            let mut global = json!({ "network": { "apiServerCidrs": ["192.0.2.1/32"], "edgeController": "Traefik" } });
            if let Some(secrets) = secrets {
                global["secrets"] = (*secrets).clone();
            }
            let mut values = Map::from_iter([("global".to_owned(), global)]);
            for service in &exposed {
                let route = if *way == "HTTPRoute" {
                    json!({ "gateway": "public", "verifyGateway": false })
                } else {
                    json!({})
                };
                values.insert((*service).clone(), json!({ "exposure": { "via": way, "httpRoute": route } }));
            }
            let route = (*way == "HTTPRoute").then_some(HTTP_ROUTE);
            let secret = ["external", "store"].contains(name).then_some(EXTERNAL_SECRET);
            let kinds = route.into_iter().chain(secret).collect();
            let takes_passwords = !["store", "existing"].contains(name);
            modes.push(Mode { name: format!("{way}, {name}"), values: Value::Object(values), takes_passwords, kinds });
        }
    }
    modes
}

/// Whether the mode decides this value.
pub(super) fn is_of_mode(path: &[String]) -> bool {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(words.as_slice(), ["global", "secrets", ..] | [_, "exposure", "via"])
}

/// Whether Helm accepts this value, or others because of it, in some modes only, so that it is part of each sample.
pub(super) fn depends_on_mode(path: &[String]) -> bool {
    path.iter().any(|key| ["exposure", "existingSecret", "remoteRef", "allowWildcards"].contains(&key.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, value: Value) -> Change {
        Change { path: path.split('.').map(str::to_owned).collect(), value }
    }

    #[test]
    fn a_value_is_named_by_checks_and_by_the_schema() {
        let one = change("shop.image.tag", json!("x"));
        assert!(one.is_named("  * shop.image.tag is wrong", 9) && one.is_named("- at '/shop/image/tag': wrong", 9));
        assert!(!one.is_named("shop.image.tags", 9) && !one.is_named("at '/shop/image-x/tag'", 9));
        assert!(one.is_named("at '/shop/image': wrong", 2) && !one.is_named("at '/shop-x/image': wrong", 1));
    }

    #[test]
    fn leaves_are_what_an_installer_sets() {
        let schema = json!({
            "properties": { "shop": { "allOf": [{ "$ref": "#/definitions/shop" }] } },
            "definitions": { "shop": { "properties": {
                "limits": { "properties": { "cpu": {} }, "patternProperties": { "/": {} } },
                "affinity": { "properties": { "pods": {} } }
            } } }
        });
        let defaults = json!({ "shop": { "limits": { "cpu": 1 }, "affinity": {} } });
        let paths: Vec<_> =
            leaves(&schema, &defaults).expect("a schema").into_iter().map(|(path, _)| path.join(".")).collect();
        assert_eq!(paths, ["shop.limits", "shop.limits.cpu", "shop.affinity"]);
        let tree = tree(&[change("shop.limits", json!({ "a/b": 1 })), change("shop.limits.cpu", json!(2))]);
        assert_eq!(tree, json!({ "shop": { "limits": { "a/b": 1, "cpu": 2 } } }));
    }

    #[test]
    fn modes_are_those_that_the_chart_has() {
        let names = |defaults: &Value| modes(defaults).into_iter().map(|mode| mode.name).collect::<Vec<_>>();
        assert_eq!(names(&json!({ "global": {}, "shop": {} })), ["None, no secrets"]);
        assert_eq!(names(&json!({ "global": { "secrets": {} }, "shop": { "exposure": {} } })).len(), 20);
    }
}
