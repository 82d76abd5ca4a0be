//! Lookups in a JSON schema: the keywords, types and sub-schemas that apply at a path of the values.

use serde_json::Value;

/// A schema, and the document that its references point into.
#[derive(Clone, Copy)]
pub(super) struct Schema<'a> {
    root: &'a Value,
    here: &'a Value,
}

impl<'a> Schema<'a> {
    pub(super) const fn new(root: &'a Value) -> Self {
        Self { root, here: root }
    }

    /// The first value of this keyword: in the schema itself, behind its `$ref`, or in a part (`allOf`, the first of `anyOf`).
    pub(super) fn word(self, keyword: &str) -> Option<&'a Value> {
        if let Some(value) = self.here.get(keyword) {
            return Some(value);
        }
        self.parts().into_iter().find_map(|part| part.word(keyword))
    }

    pub(super) fn text(self, keyword: &str) -> Option<&'a str> {
        self.word(keyword).and_then(Value::as_str)
    }

    /// The last part of the name of the Kubernetes type that the schema refers to, such as `Toleration`.
    pub(super) fn kubernetes_type(self) -> Option<&'a str> {
        let reference = self.here.get("$ref").and_then(Value::as_str);
        let own = reference.and_then(|reference| reference.strip_prefix("#/definitions/io.k8s."));
        own.and_then(|name| name.rsplit('.').next())
            .or_else(|| self.parts().into_iter().find_map(Self::kubernetes_type))
    }

    /// The allowed types.
    pub(super) fn types(self) -> Vec<&'a str> {
        match self.word("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The schema of a key of an object.
    pub(super) fn key(self, key: &str) -> Option<Self> {
        if let Some(here) = self.here.get("properties").and_then(|all| all.get(key)) {
            return Some(self.at(here));
        }
        self.parts().into_iter().find_map(|part| part.key(key)).or_else(|| self.any_key())
    }

    /// The schema of the keys that the object does not list, if it allows them: of keys of any form, or of those with the first pattern.
    pub(super) fn any_key(self) -> Option<Self> {
        let patterns = self.word("patternProperties").and_then(Value::as_object);
        let first = patterns.and_then(|patterns| patterns.values().next());
        let any = self.word("additionalProperties").filter(|value| value.is_object());
        any.or(first).map(|here| self.at(here))
    }

    /// The schema of the items of a list.
    pub(super) fn items(self) -> Option<Self> {
        self.word("items").map(|here| self.at(here))
    }

    pub(super) fn path(self, path: &[String]) -> Option<Self> {
        path.iter().try_fold(self, |schema, key| schema.key(key))
    }

    fn at(self, here: &'a Value) -> Self {
        Self { here, ..self }
    }

    fn parts(self) -> Vec<Self> {
        let reference =
            self.here.get("$ref").and_then(Value::as_str).and_then(|r| self.root.pointer(r.strip_prefix('#')?));
        let list = |keyword: &str| self.here.get(keyword).and_then(Value::as_array);
        let all = list("allOf").into_iter().flatten();
        let any = list("anyOf").into_iter().flatten().take(1);
        reference.into_iter().chain(all).chain(any).map(|here| self.at(here)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_found_through_references() {
        let root = json!({
            "properties": { "a": { "$ref": "#/definitions/a" }, "m": { "additionalProperties": { "type": "string" } }, "p": { "patternProperties": { "^[a-z]+$": { "type": "integer" } }, "additionalProperties": false } },
            "definitions": { "a": { "allOf": [{ "$ref": "#/definitions/io.k8s.Thing" }], "description": "d" }, "io.k8s.Thing": { "type": "object", "properties": { "n": { "type": ["integer", "null"], "minimum": 3 } }, "additionalProperties": false } },
        });
        let schema = Schema::new(&root);
        let n = schema.path(&["a".to_owned(), "n".to_owned()]).expect("a place");
        assert_eq!((n.types(), n.word("minimum")), (vec!["integer", "null"], Some(&json!(3))));
        assert_eq!(schema.key("a").and_then(Schema::kubernetes_type), Some("Thing"));
        assert!(schema.path(&["a".to_owned(), "x".to_owned()]).is_none());
        assert_eq!(schema.path(&["m".to_owned(), "any".to_owned()]).map(Schema::types), Some(vec!["string"]));
        assert_eq!(schema.path(&["p".to_owned(), "any".to_owned()]).map(Schema::types), Some(vec!["integer"]));
    }
}
