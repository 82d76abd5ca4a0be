//! A walk over the values schema: it must allow no unknown key and no untyped value.
//!
//! Such a schema rejects every misspelt key and every value of a wrong type, at any depth. The [probes](super::probes) show that Helm applies
//! the schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::schema::Schema;

/// The objects that allow any key, with the reason.
const OPEN: [(&str, &str); 2] = [
    ("global", "a parent chart adds its own keys"),
    ("definitions.global", "Helm's copy of the top-level `global`, which is checked there"),
];

/// The remedy for an open object.
const CLOSE: &str = "list its keys, give them a pattern (`patternProperties`) where the installer chooses them, or list the object with its reason in";

/// The last parts of the paths of sections whose keys an installer may remove with `null`, with the reason.
const REMOVABLE: [(&str, &str); 2] = [
    ("resources.requests", "an amount may be null: Helm does not reliably remove a subchart's default"),
    ("resources.limits", "an amount may be null: Helm does not reliably remove a subchart's default"),
];

/// Keywords that do not restrict a value.
const NOTES: [&str; 5] = ["$schema", "title", "description", "default", "definitions"];
/// Keywords that restrict the values of a type. None of them makes a schema allow more, so this walk does not enter conditions.
const BOUNDS: [&str; 15] = [
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "propertyNames",
    "dependencies",
    "if",
    "then",
    "else",
];
/// Keywords that this walk follows.
const FOLLOWED: [&str; 9] =
    ["$ref", "allOf", "anyOf", "type", "enum", "properties", "required", "additionalProperties", "patternProperties"];

/// The result of the walk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Closed {
    /// The number of objects that allow only the keys that they list.
    pub(super) objects: usize,
    /// The number of keys that have a default and are therefore required.
    pub(super) keys: usize,
    /// The number of keys of earlier versions, whose values may be anything: the chart refuses each with its successor.
    pub(super) earlier: usize,
    /// The places where the schema allows too much.
    pub(super) wrong: Vec<String>,
}

/// Walks over a schema and the default values. `earlier` are the keys of earlier versions that the platform declares.
pub(super) fn closed(schema: &Value, defaults: &Value, earlier: &[String]) -> Closed {
    let mut walk = Walk { root: schema, earlier, seen: BTreeSet::new(), found: Closed::default() };
    walk.schema("", schema);
    for name in schema["definitions"].as_object().into_iter().flatten().map(|(name, _)| name) {
        if !walk.seen.contains(name.as_str()) {
            walk.found
                .wrong
                .push(format!("nothing refers to the definition {name}: delete it, because every release stores it"));
        }
    }
    walk.defaults("", Schema::new(schema), defaults);
    walk.found
}

struct Walk<'a> {
    root: &'a Value,
    earlier: &'a [String],
    /// The definitions that are referred to.
    seen: BTreeSet<&'a str>,
    found: Closed,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, place: &str, schema: &'a Value) {
        let Some(schema) = schema.as_object() else {
            return self.wrong(place, "is `true` or `false` instead of a schema");
        };
        if schema.len() == 1 && schema.get("deprecated") == Some(&Value::Bool(true)) {
            return if self.earlier.iter().any(|declared| declared == place) {
                self.found.earlier += 1;
            } else {
                self.wrong(place, "is let through as a key of an earlier version, which the platform does not declare");
            };
        }
        for keyword in schema.keys().map(String::as_str) {
            if keyword != "items" && ![&NOTES[..], &BOUNDS, &FOLLOWED].iter().any(|known| known.contains(&keyword)) {
                self.wrong(place, &format!("has the keyword {keyword}, which this check does not know"));
            }
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.reference(place, schema, reference);
        }
        let parts: Vec<_> = ["allOf", "anyOf"].iter().filter_map(|keyword| schema.get(*keyword)?.as_array()).collect();
        for part in parts.iter().copied().flatten() {
            self.schema(place, part);
        }
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if types.is_empty() && parts.is_empty() && !schema.contains_key("enum") {
            self.wrong(place, "allows a value of any type");
        }
        if types.contains(&"object") {
            self.object(place, schema);
        }
        if types.contains(&"array") {
            match schema.get("items") {
                Some(items) => self.schema(&format!("{place}[]"), items),
                None => self.wrong(place, "allows items of any type"),
            }
        }
    }

    fn reference(&mut self, place: &str, schema: &Map<String, Value>, reference: &'a str) {
        if schema.len() > 1 {
            self.wrong(place, "has keywords beside `$ref`, which draft-07 ignores");
        }
        let name = reference.strip_prefix("#/definitions/");
        let target = name.and_then(|name| Some((name, self.root.get("definitions")?.get(name)?)));
        match target {
            Some((name, target)) if self.seen.insert(name) => self.schema(&format!("definitions.{name}"), target),
            Some(_) => {}
            None => self.wrong(place, &format!("refers to {reference}, which does not exist")),
        }
    }

    fn object(&mut self, place: &str, schema: &'a Map<String, Value>) {
        for keyword in ["properties", "patternProperties"] {
            for (key, inner) in schema.get(keyword).and_then(Value::as_object).into_iter().flatten() {
                self.schema(&joined(place, key), inner);
            }
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => self.found.objects += 1,
            None | Some(Value::Bool(true)) if OPEN.iter().any(|(listed, _)| *listed == place) => {}
            _ => self.wrong(place, &format!("allows any key: {CLOSE} {}", file!())),
        }
    }

    /// Every key that has a default must be required, so that Helm rejects its removal and names its path.
    fn defaults(&mut self, place: &str, schema: Schema<'_>, values: &Value) {
        let required = schema.word("required").and_then(Value::as_array);
        let is_removable = REMOVABLE.iter().any(|(listed, _)| format!(".{place}").ends_with(&format!(".{listed}")));
        for (key, value) in values.as_object().into_iter().flatten() {
            let place = joined(place, key);
            let Some(inner) = schema.key(key) else {
                self.wrong(&place, "has a default but no schema");
                continue;
            };
            if required.is_some_and(|keys| keys.iter().any(|required| required == key)) {
                self.found.keys += 1;
            } else if !is_removable {
                self.wrong(&place, "has a default but is not required");
            }
            self.defaults(&place, inner, value);
        }
    }

    fn wrong(&mut self, place: &str, what: &str) {
        let place = if place.is_empty() { "the schema" } else { place };
        self.found.wrong.push(format!("{place} {what}"));
    }
}

fn joined(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A schema for the values `{"shop": {"image": {"tag": "1"}}}`, which allows no other key.
    fn schema() -> Value {
        let object = |properties: Value| {
            let required: Vec<_> = properties.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
            json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
        };
        let mut schema = object(json!({ "shop": object(json!({ "image": { "$ref": "#/definitions/image" } })) }));
        schema["definitions"] = json!({ "image": object(json!({ "tag": { "type": "string" } })) });
        schema
    }

    fn wrong(change: impl Fn(&mut Value)) -> Vec<String> {
        let mut schema = schema();
        change(&mut schema);
        closed(&schema, &json!({ "shop": { "image": { "tag": "1" } } }), &["shop.old".to_owned()]).wrong
    }

    #[test]
    fn a_closed_schema_has_nothing_wrong() {
        let found = closed(&schema(), &json!({ "shop": { "image": { "tag": "1" } } }), &[]);
        assert_eq!(found, Closed { objects: 3, keys: 3, earlier: 0, wrong: Vec::new() });
    }

    #[test]
    fn what_a_schema_takes_too_much_is_found() {
        let image = |schema: &mut Value, keyword: &str, value: Value| schema["definitions"]["image"][keyword] = value;
        let tag = |schema: &mut Value, value: Value| schema["definitions"]["image"]["properties"]["tag"] = value;
        let open = format!("allows any key: {CLOSE} {}", file!());
        let cases: [(Vec<String>, String); 10] = [
            (wrong(|s| image(s, "additionalProperties", json!(true))), format!("definitions.image {open}")),
            (
                wrong(|s| image(s, "additionalProperties", json!({ "type": "string" }))),
                format!("definitions.image {open}"),
            ),
            (wrong(|s| tag(s, json!({}))), "definitions.image.tag allows a value of any type".into()),
            (wrong(|s| tag(s, json!(true))), "definitions.image.tag is `true` or `false` instead of a schema".into()),
            (wrong(|s| tag(s, json!({ "type": "array" }))), "definitions.image.tag allows items of any type".into()),
            (
                wrong(|s| tag(s, json!({ "type": "string", "not": {} }))),
                "definitions.image.tag has the keyword not, which this check does not know".into(),
            ),
            (
                wrong(|s| tag(s, json!({ "$ref": "#/definitions/tag" }))),
                "definitions.image.tag refers to #/definitions/tag, which does not exist".into(),
            ),
            (
                wrong(|s| s["properties"]["shop"]["properties"]["image"]["type"] = json!("object")),
                "shop.image has keywords beside `$ref`, which draft-07 ignores".into(),
            ),
            (wrong(|s| image(s, "required", json!([]))), "shop.image.tag has a default but is not required".into()),
            (
                wrong(|s| s["definitions"]["other"] = json!({ "type": "string" })),
                "nothing refers to the definition other: delete it, because every release stores it".into(),
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, [expected]);
        }
        // The platform declares `shop.old` alone.
        let any = json!({ "deprecated": true });
        let shop = |s: &mut Value, key: &str| s["properties"]["shop"]["properties"][key] = any.clone();
        assert_eq!(wrong(|s| shop(s, "old")), [""; 0]);
        let undeclared =
            "shop.older is let through as a key of an earlier version, which the platform does not declare";
        assert_eq!(wrong(|s| shop(s, "older")), [undeclared]);
        // A key without a schema is reported once, not also as not required.
        let none = wrong(|schema| image(schema, "properties", json!({})));
        assert_eq!(none, ["shop.image.tag has a default but no schema"]);
    }

    #[test]
    fn listed_objects_take_names_that_an_installer_chooses() {
        let map = json!({ "type": "object", "patternProperties": { "^[a-z]+$": { "type": "string" } }, "additionalProperties": false });
        let open = json!({ "type": "object", "additionalProperties": true });
        let schema = json!({ "type": "object", "properties": { "nodeSelector": map, "global": open }, "additionalProperties": false });
        assert_eq!(closed(&schema, &json!({}), &[]), Closed { objects: 2, keys: 0, earlier: 0, wrong: Vec::new() });
        let amounts =
            json!({ "type": "object", "properties": { "cpu": { "type": "string" } }, "additionalProperties": false });
        let object = |key: &str, inner: Value| json!({ "type": "object", "properties": { key: inner }, "required": [key], "additionalProperties": false });
        let schema = object("shop", object("resources", object("limits", amounts.clone())));
        let defaults = json!({ "shop": { "resources": { "limits": { "cpu": "1" } } } });
        assert_eq!(closed(&schema, &defaults, &[]), Closed { objects: 4, keys: 3, earlier: 0, wrong: Vec::new() });
        // The `limits` section of a server holds no resource amounts.
        let found = closed(
            &object("broker", object("limits", amounts)),
            &json!({ "broker": { "limits": { "cpu": "1" } } }),
            &[],
        );
        assert_eq!(found.wrong, ["broker.limits.cpu has a default but is not required"]);
    }
}
