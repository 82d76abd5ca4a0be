//! `values.schema.json`: every value typed, every object closed.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::rules::{self, reference};
use super::tree::{Entry, Node, Section, definitions_of, without_null};
use super::{BackingValues, Global, ServiceValues, global};

/// The schema of all values (JSON Schema draft-07, which every Helm reads).
///
/// Every key that has a default is required: taking one away with `null` is then refused by its path instead of failing somewhere in a
/// template. `global` alone takes other people's keys.
///
/// Helm stores the schema with each release, so values that several charts have are written once, in `definitions`. A chart's section lists its
/// keys: draft-07 cannot close an object that is put together from parts.
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
            "description": "The condition under which a parent chart installs this one; without effect otherwise."
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

/// The definition of what a subchart's section holds beside its own values.
const GLOBAL_IN_SUBCHART: &str = "global";

/// The schemas that several charts refer to, by name, each with the entry that it was made from.
#[derive(Default)]
struct Shared<'a>(BTreeMap<&'a str, (&'a Entry, Json)>);

impl<'a> Shared<'a> {
    /// The schema of an entry: a reference where it shares a definition.
    fn schema(&mut self, entry: &'a Entry) -> Json {
        let Some(name) = entry.definition.as_deref() else { return self.in_place(entry) };
        if !self.0.contains_key(name) {
            let schema = self.in_place(entry);
            self.0.insert(name, (entry, schema));
        }
        // An entry of another shape than the definition of its name needs a schema of its own.
        if self.0[name].0.has_schema_of(entry) { reference(name) } else { self.in_place(entry) }
    }

    /// The schema of an entry, written out.
    fn in_place(&mut self, entry: &'a Entry) -> Json {
        let mut schema = match &entry.node {
            Node::Section(section) => self.object(section),
            Node::Leaf(_) => entry.field.schema.clone(),
        };
        let doc = entry.field.doc.as_str();
        match schema.as_object_mut() {
            // Draft-07 ignores what stands beside a reference.
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
    // Without a server nothing refers to the types of servers' values.
    let of_servers = if has_servers { definitions_of::<BackingValues>() } else { Map::default() };
    for (name, mut schema) in of_kubernetes.into_iter().flatten().chain(of_servers) {
        close(&name, &mut schema);
        all.insert(name, schema);
    }
    all.into_iter().collect()
}

/// Closes the schema of a Kubernetes type, and takes out of it what a release would carry for nobody.
///
/// The types' own schemas are open and long: their descriptions are Kubernetes' documentation, a hundred times the size of what they say
/// about types, and a release has to fit into a Secret.
fn close(name: &str, schema: &mut Json) {
    strip(schema);
    rules::restrict(name, schema);
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
            // Without its description, a part that stands alone needs no `allOf`, and Helm names the path below it in one line.
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
