//! `values.schema.json`: every value typed, every object closed.

use serde_json::{Map, Value as Json, json};

use super::kubernetes::{QUANTITY, amounts_definitions};
use super::tree::{Node, Section, definitions_of, without_null};
use super::{BackingValues, Global, ServiceValues, global};

/// The schema of all values (JSON Schema draft-07, which every Helm reads).
///
/// Every key that has a default is required: taking one away with `null` is then refused by its path instead of failing somewhere in a
/// template. `global` alone takes other people's keys.
pub(crate) fn json_schema(title: &str, values: &Section) -> Json {
    let mut root = section(values);
    root["title"] = json!(title);
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    for entry in &values.0 {
        if entry.key == "global" {
            root["properties"]["global"]["additionalProperties"] = json!(true);
        } else {
            root["properties"][&entry.key]["properties"]["global"] = global::in_subchart();
        }
    }
    root["properties"]["enabled"] = json!({
        "type": "boolean",
        "description": "The condition under which a parent chart installs this one; without effect otherwise."
    });
    let mut definitions = Map::new();
    for (name, mut schema) in all_definitions() {
        close(&name, &mut schema);
        definitions.insert(name, schema);
    }
    definitions.extend(amounts_definitions().map(|(name, schema)| (name.to_owned(), schema)));
    root["definitions"] = Json::Object(definitions);
    root
}

fn section(section_of: &Section) -> Json {
    let mut properties = Map::new();
    for entry in &section_of.0 {
        let mut schema = match &entry.node {
            Node::Section(inner) => section(inner),
            Node::Leaf { schema, .. } => schema.clone(),
        };
        if let Some(object) = schema.as_object_mut() {
            if entry.doc.is_empty() {
                object.remove("description");
            } else if object.contains_key("$ref") {
                // Draft-07 ignores what stands beside a reference.
                let reference = std::mem::take(object);
                object.insert("description".into(), json!(entry.doc));
                object.insert("allOf".into(), json!([reference_alone(&reference)]));
            } else {
                object.insert("description".into(), json!(entry.doc));
            }
            object.remove("format");
        }
        properties.insert(entry.key.clone(), schema);
    }
    let required: Vec<_> = properties.keys().cloned().collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn reference_alone(schema: &Map<String, Json>) -> Json {
    json!({ "$ref": schema["$ref"] })
}

/// The Kubernetes types that the values of any chart refer to, in the order of their names.
fn all_definitions() -> std::collections::BTreeMap<String, Json> {
    let all = [definitions_of::<ServiceValues>(), definitions_of::<BackingValues>(), definitions_of::<Global>()];
    all.into_iter().flatten().collect()
}

/// Closes the schema of a Kubernetes type, and takes out of it what a release would carry for nobody.
///
/// The types' own schemas are open and long: their descriptions are Kubernetes' documentation, a hundred times the size of what they say
/// about types, and a release has to fit into a Secret.
fn close(name: &str, schema: &mut Json) {
    if name.ends_with(".Quantity") {
        // People write `cpu: 1`, and YAML makes a number of it.
        *schema = json!({ "type": ["string", "number"], "pattern": QUANTITY });
        return;
    }
    if name.ends_with(".IntOrString") {
        *schema = json!({ "type": ["integer", "string"] });
        return;
    }
    strip(schema);
}

fn strip(schema: &mut Json) {
    match schema {
        Json::Object(object) => {
            for keyword in ["description", "format", "default", "nullable", "title"] {
                // A property may be called like a keyword; a keyword's value here is never an object.
                if object.get(keyword).is_some_and(|v| !v.is_object()) {
                    object.remove(keyword);
                }
            }
            without_null(object, &["anyOf"]);
            if object.contains_key("properties") {
                object.entry("additionalProperties").or_insert(json!(false));
            }
            for (_, inner) in object.iter_mut() {
                strip(inner);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
