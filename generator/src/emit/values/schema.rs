//! `values.schema.json`: every value typed, every object closed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::{Map, Value as Json, json};

use super::rules::{self, reference};
use super::tree::{Entry, Node, Section, definitions_of, without_null};
use super::{BackingValues, Global, ServiceValues, global};

/// The schema of all values (JSON Schema draft-07, which every Helm reads).
///
/// Every key with a default is required. If an installer removes one with `null`, Helm reports its path instead of a template error.
/// Only `global` accepts unknown keys.
///
/// Helm stores the schema with each release, so `definitions` contains the schemas that several charts share. Each chart's section lists its keys,
/// because draft-07 cannot close an object that is composed with `allOf`.
pub(crate) fn json_schema(title: &str, values: &Section, has_servers: bool) -> Json {
    let mut shared = Shared::default();
    let mut charts: Vec<(String, Json)> = Vec::with_capacity(values.0.len());
    for entry in &values.0 {
        let mut chart = shared.in_place(entry);
        if entry.field.key == "global" {
            chart["additionalProperties"] = json!(true);
        } else {
            chart["properties"]["global"] = reference(GLOBAL_IN_SUBCHART);
        }
        charts.push((entry.field.key.clone(), chart));
    }
    let required: Vec<_> = charts.iter().map(|(key, _)| key.clone()).collect();
    let mut properties: Map<String, Json> = charts.into_iter().collect();
    properties.insert(
        "enabled".into(),
        json!({
            "type": "boolean",
            "description": "For the dependency condition of a parent chart. This chart ignores it."
        }),
    );
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "definitions": definitions(shared, has_servers),
    })
}

/// The same as [`json_schema`] for a chart beside the umbrella. `V` is the type of its values.
pub(crate) fn further_schema<V: JsonSchema>(title: &str, values: &Section) -> Json {
    let mut schema = Shared::default().object(values);
    schema["properties"]["global"] = global::in_subchart();
    schema["properties"]["enabled"] = json!({
        "type": "boolean",
        "description": "For the dependency condition of a parent chart. This chart ignores it."
    });
    let mut all: BTreeMap<String, Json> =
        rules::definitions().map(|(name, schema)| (name.to_owned(), schema)).into_iter().collect();
    for (name, mut schema) in definitions_of::<V>() {
        close(&name, &mut schema);
        all.insert(name, schema);
    }
    let mut used = Map::new();
    keep_referenced(&schema, &all, &mut used);
    used.sort_keys();
    let mut root = json!({ "$schema": "http://json-schema.org/draft-07/schema#", "title": title });
    if let (Some(root), Json::Object(schema)) = (root.as_object_mut(), schema) {
        root.extend(schema);
        root.insert("definitions".to_owned(), Json::Object(used));
    }
    root
}

/// Adds the definitions that a schema refers to, directly or through others, to `used`.
pub(super) fn keep_referenced(schema: &Json, all: &BTreeMap<String, Json>, used: &mut Map<String, Json>) {
    match schema {
        Json::Object(object) => {
            let name = object.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix("#/definitions/"));
            if let Some((name, definition)) = name.and_then(|name| all.get_key_value(name))
                && !used.contains_key(name)
            {
                used.insert(name.clone(), definition.clone());
                keep_referenced(definition, all, used);
            }
            object.values().for_each(|inner| keep_referenced(inner, all, used));
        }
        Json::Array(items) => items.iter().for_each(|item| keep_referenced(item, all, used)),
        _ => {}
    }
}

/// The definition of `global` in a subchart's section.
const GLOBAL_IN_SUBCHART: &str = "global";

/// The schemas that several charts share, by name, each with its source entry.
#[derive(Default)]
struct Shared<'a>(BTreeMap<&'a str, (&'a Entry, Json)>);

impl<'a> Shared<'a> {
    /// The schema of an entry: a reference if it shares a definition.
    fn schema(&mut self, entry: &'a Entry) -> Json {
        let Some(name) = entry.definition.as_deref() else { return self.in_place(entry) };
        if !self.0.contains_key(name) {
            let schema = self.in_place(entry);
            self.0.insert(name, (entry, schema));
        }
        // An entry that differs from the definition of its name gets its own schema.
        if self.0[name].0.has_schema_of(entry) { reference(name) } else { self.in_place(entry) }
    }

    /// The schema of an entry, inline.
    fn in_place(&mut self, entry: &'a Entry) -> Json {
        let mut schema = match &entry.node {
            Node::Section(section) => self.object(section),
            Node::Leaf(_) => entry.field.schema.clone(),
        };
        let doc = entry.field.doc.as_str();
        match schema.as_object_mut() {
            // Draft-07 ignores keywords beside `$ref`.
            Some(object) if !doc.is_empty() && object.contains_key("$ref") => {
                schema = json!({ "description": doc, "allOf": [schema] });
            }
            Some(object) if !doc.is_empty() => {
                object.insert("description".into(), doc.into());
            }
            _ => {}
        }
        schema
    }

    /// An object with these keys and no others.
    fn object(&mut self, section: &'a Section) -> Json {
        let properties: Map<String, Json> =
            section.0.iter().map(|entry| (entry.field.key.clone(), self.schema(entry))).collect();
        let required: Vec<_> = section.0.iter().map(|entry| entry.field.key.as_str()).collect();
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    }
}

/// All definitions: those that charts share, and the Kubernetes types that their values refer to.
fn definitions(shared: Shared<'_>, has_servers: bool) -> Map<String, Json> {
    let mut all: BTreeMap<String, Json> =
        shared.0.into_iter().map(|(name, (_, schema))| (name.to_owned(), schema)).collect();
    all.insert(GLOBAL_IN_SUBCHART.to_owned(), global::in_subchart());
    all.extend(rules::definitions().map(|(name, schema)| (name.to_owned(), schema)));
    let of_kubernetes = [definitions_of::<ServiceValues>(), definitions_of::<Global>()];
    // Without a server, no value refers to the types of server values.
    let of_servers = if has_servers { definitions_of::<BackingValues>() } else { Map::default() };
    for (name, mut schema) in of_kubernetes.into_iter().flatten().chain(of_servers) {
        close(&name, &mut schema);
        all.insert(name, schema);
    }
    all.into_iter().collect()
}

/// Closes the schema of a Kubernetes type and removes its annotations.
///
/// The original schemas accept unknown keys, and their descriptions are a hundred times the size of the rest. A release must fit into a Secret.
fn close(name: &str, schema: &mut Json) {
    strip(schema);
    rules::restrict(name, schema);
}

fn strip(schema: &mut Json) {
    match schema {
        Json::Object(object) => {
            for keyword in ["description", "format", "default", "nullable", "title"] {
                // A property can have the name of a keyword. The value of these keywords is never an object.
                if object.get(keyword).is_some_and(|v| !v.is_object()) {
                    object.remove(keyword);
                }
            }
            // A single alternative needs no `allOf`; without it, Helm reports errors below it in one line.
            without_null(object, &["anyOf", "allOf"]);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(name: &str, tag: &str) -> Entry {
        let tag = Entry::leaf("tag", tag, "".into(), json!({ "type": "string" }));
        let mut image = Entry::section("image", "The image.", Section(vec![tag]));
        image.definition = Some("image".to_owned());
        Entry::section(name, "A chart.", Section(vec![image]))
    }

    #[test]
    fn charts_share_definitions_and_what_differs_stands_in_its_place() {
        let values =
            Section(vec![chart("a", "The tag."), chart("b", "The tag."), chart("c", "A tag without a default.")]);
        let schema = json_schema("Values", &values, false);
        let image = |chart: &str| schema["properties"][chart]["properties"]["image"].clone();
        let own = |doc: &str| {
            json!({
                "type": "object",
                "properties": { "tag": { "type": "string", "description": doc } },
                "required": ["tag"],
                "additionalProperties": false,
                "description": "The image.",
            })
        };
        assert_eq!([image("a"), image("b")], [reference("image"), reference("image")]);
        assert_eq!(schema["definitions"]["image"], own("The tag."));
        assert_eq!(image("c"), own("A tag without a default."));
    }
}
