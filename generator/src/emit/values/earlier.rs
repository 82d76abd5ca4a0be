//! The keys of earlier versions in the schema of the values.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::schema::keep_referenced;

/// Lets these keys through the schema, whatever their values are: the schema would report them as unknown, and the template `_earlier.tpl` reports
/// their successors.
pub(crate) fn admit(schema: &mut Json, paths: impl Iterator<Item = Vec<String>>) {
    let mut paths = paths.peekable();
    if paths.peek().is_none() {
        return;
    }
    let Some(definitions) = schema["definitions"].as_object().cloned() else { return };
    for path in paths {
        admit_key(schema, &path, &definitions);
    }
    // A definition that only one section used, and that has become part of it.
    let all: BTreeMap<String, Json> = definitions.into_iter().collect();
    let mut used = Map::new();
    if let Some(root) = schema.as_object_mut() {
        root.remove("definitions");
    }
    keep_referenced(schema, &all, &mut used);
    used.sort_keys();
    schema["definitions"] = Json::Object(used);
}

fn admit_key(schema: &mut Json, path: &[String], definitions: &Map<String, Json>) {
    let Some((key, rest)) = path.split_first() else { return };
    own(schema, definitions);
    // `global` takes every key.
    if schema["additionalProperties"] != true || schema["properties"].get(key).is_some() {
        let inner = &mut schema["properties"][key.as_str()];
        if rest.is_empty() {
            // Editors strike such a key through; Helm ignores the keyword.
            *inner = json!({ "deprecated": true });
        } else {
            if inner.is_null() {
                *inner = json!({ "type": "object", "properties": {}, "additionalProperties": false });
            }
            admit_key(inner, rest, definitions);
        }
    }
}

/// Replaces a reference to a definition that several sections share by the definition itself.
fn own(schema: &mut Json, definitions: &Map<String, Json>) {
    let reference = schema.get("$ref").or_else(|| schema["allOf"].get(0)?.get("$ref")).and_then(Json::as_str);
    let name = reference.and_then(|reference| reference.strip_prefix("#/definitions/"));
    let Some(mut own) = name.and_then(|name| definitions.get(name)).cloned() else { return };
    // A description beside the reference is that of this place.
    if let Some(description) = schema.get("description") {
        own["description"] = description.clone();
    }
    *schema = own;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(properties: &Json) -> Json {
        json!({ "type": "object", "properties": properties, "additionalProperties": false })
    }

    fn admitted(paths: &[&str]) -> Json {
        let image = object(&json!({ "tag": { "type": "string" } }));
        let section = || object(&json!({ "image": { "$ref": "#/definitions/image" } }));
        let mut schema = object(&json!({ "a": section(), "b": section(), "global": { "additionalProperties": true } }));
        schema["definitions"] = json!({ "image": image });
        admit(&mut schema, paths.iter().map(|path| path.split('.').map(str::to_owned).collect()));
        schema
    }

    #[test]
    fn only_the_section_that_had_a_key_takes_it() {
        let schema = admitted(&["a.image.pull", "a.scale"]);
        let any = json!({ "deprecated": true });
        let image = object(&json!({ "tag": { "type": "string" }, "pull": any }));
        assert_eq!(schema["properties"]["a"], object(&json!({ "image": image, "scale": any })));
        assert_eq!(schema["properties"]["b"]["properties"]["image"], json!({ "$ref": "#/definitions/image" }));
        assert_eq!(schema["definitions"].as_object().map(Map::len), Some(1));
    }

    #[test]
    fn a_section_of_an_earlier_version_is_closed() {
        let schema = admitted(&["a.ports.node"]);
        assert_eq!(
            schema["properties"]["a"]["properties"]["ports"],
            object(&json!({ "node": { "deprecated": true } }))
        );
    }

    #[test]
    fn a_definition_without_references_is_dropped() {
        assert_eq!(admitted(&["a.image.pull", "b.image.pull"])["definitions"], json!({}));
    }

    #[test]
    fn global_takes_every_key_already() {
        assert_eq!(admitted(&["global.old"]), admitted(&["global.other"]));
        assert_eq!(admitted(&[])["properties"]["global"], json!({ "additionalProperties": true }));
    }
}
