//! The one module that writes YAML, and the one that reads it.
//!
//! `serde_yaml` turns typed values and text into trees. This module writes trees itself, because the writer of `serde_yaml` leaves words
//! unquoted that Helm's parser (YAML 1.1) reads as booleans or numbers.

use std::fmt::Write;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_yaml::Value;

use crate::expr::inert;
use crate::text::scalar;

/// A typed value as a tree.
///
/// # Panics
/// For a value that YAML cannot represent, such as a map with maps as keys. No type of this crate has one.
#[must_use]
pub fn tree<T: Serialize>(value: &T) -> Value {
    serde_yaml::to_value(value).expect("the types of values and Kubernetes objects have strings as keys")
}

/// A tree as a block of YAML, without a line break at its end.
#[must_use]
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Mapping(map) if !map.is_empty() => mapping(&mut out, map, 0),
        Value::Sequence(items) if !items.is_empty() => sequence(&mut out, items, 0),
        _ => out.push_str(&leaf(value)),
    }
    out
}

/// A typed value as a block of YAML in which Helm finds no action.
#[must_use]
pub fn template_block<T: Serialize>(value: &T) -> String {
    inert(&write(&tree(value)))
}

/// Puts a value at a path and creates the mappings that lead there. A scalar or list on the way is replaced.
pub fn put(tree: &mut Value, path: &[impl AsRef<str>], value: Value) {
    let Some((key, rest)) = path.split_first() else {
        *tree = value;
        return;
    };
    if !tree.is_mapping() {
        *tree = Value::Mapping(serde_yaml::Mapping::new());
    }
    if let Value::Mapping(map) = tree {
        put(map.entry(key.as_ref().into()).or_insert(Value::Null), rest, value);
    }
}

/// Every document of a stream, without empty ones.
///
/// # Errors
/// When the text is not YAML, or a document is not of this type.
pub fn read_all<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, serde_yaml::Error> {
    let mut all = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Value::deserialize(document)?;
        if !value.is_null() {
            all.push(serde_yaml::from_value(value)?);
        }
    }
    Ok(all)
}

/// A scalar, or an empty collection, on one line.
pub(crate) fn leaf(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Sequence(items) if items.is_empty() => "[]".to_owned(),
        Value::Sequence(items) => format!("[{}]", items.iter().map(leaf).collect::<Vec<_>>().join(", ")),
        Value::Mapping(map) => {
            let pairs = map.iter().map(|(k, v)| format!("{}: {}", leaf(k), leaf(v)));
            let pairs = pairs.collect::<Vec<_>>().join(", ");
            if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {pairs} }}") }
        }
        Value::Null => "null".to_owned(),
        Value::Tagged(tagged) => leaf(&tagged.value),
    }
}

/// Whether a value is written below its key, not behind it.
pub(crate) fn is_block(value: &Value) -> bool {
    match value {
        Value::Mapping(map) => !map.is_empty(),
        // A list of words reads better on one line: verbs, capabilities, arguments without a line break.
        Value::Sequence(items) => !items.is_empty() && !items.iter().all(is_word),
        _ => false,
    }
}

fn is_word(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= 40 && !scalar(text).contains([',', '[', ']', '{', '}', ' ', '\n']),
        Value::Number(_) | Value::Bool(_) => true,
        _ => false,
    }
}

fn mapping(out: &mut String, map: &serde_yaml::Mapping, depth: usize) {
    for (i, (key, value)) in map.iter().enumerate() {
        if i > 0 {
            out.push('\n');
            out.push_str(&" ".repeat(depth));
        }
        let _ = write!(out, "{}:", leaf(key));
        entry(out, value, depth);
    }
}

fn sequence(out: &mut String, items: &[Value], depth: usize) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push('\n');
            out.push_str(&" ".repeat(depth));
        }
        out.push_str("- ");
        match item {
            Value::Mapping(map) if !map.is_empty() => mapping(out, map, depth + 2),
            _ => out.push_str(&leaf(item)),
        }
    }
}

/// Writes the value of a key.
fn entry(out: &mut String, value: &Value, depth: usize) {
    if is_block(value) {
        let _ = write!(out, "\n{}", " ".repeat(depth + 2));
        match value {
            Value::Mapping(map) => mapping(out, map, depth + 2),
            Value::Sequence(items) => sequence(out, items, depth + 2),
            _ => {}
        }
    } else {
        out.push(' ');
        out.push_str(&leaf(value));
    }
}

#[cfg(test)]
mod tests {
    use serde_yaml::Value;

    use super::{put, write};

    #[test]
    fn values_are_put_at_their_paths() {
        let mut values = Value::Null;
        put(&mut values, &["a", "b", "password"], "x".into());
        put(&mut values, &["a", "b", "revision"], 2.into());
        assert_eq!(write(&values), "a:\n  b:\n    password: x\n    revision: 2");
    }
}
