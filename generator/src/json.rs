//! The one writer of JSON files.

use serde_json::{Map, Value};

/// The longest line that an object or a list is kept on.
const WIDTH: usize = 120;

/// A value as text, without a line break at its end. An object or a list stands on one line where it fits, and has a line for each of its
/// items otherwise.
pub(crate) fn write(value: &Value) -> String {
    let mut out = Vec::new();
    item(&mut out, value, 0);
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// An object as text, with a line for each of its keys, and for each item of a list directly below it. A release stores such a text in three
/// quarters of the space of that of [`write()`].
pub(crate) fn write_lines(object: &Map<String, Value>) -> String {
    let line = |value: &Value| value.to_string();
    let entry = |(key, value): (&String, &Value)| {
        let value = match value {
            Value::Array(items) if items.len() > 1 => {
                format!("[\n{}\n]", items.iter().map(line).collect::<Vec<_>>().join(",\n"))
            }
            _ => line(value),
        };
        format!("{}:{value}", line(&Value::String(key.clone())))
    };
    let text = format!("{{\n{}\n}}", object.iter().map(entry).collect::<Vec<_>>().join(",\n"));
    let mut out = Vec::new();
    escape(&mut out, &text);
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn item(out: &mut Vec<u8>, value: &Value, depth: usize) {
    let lines = (depth + length(value) > WIDTH).then_some(depth);
    match value {
        Value::Object(object) if !object.is_empty() => {
            out.push(b'{');
            for (position, (key, value)) in object.iter().enumerate() {
                separate(out, position, lines);
                scalar(out, key);
                out.extend_from_slice(b": ");
                item(out, value, depth + 2);
            }
            end(out, lines);
            out.push(b'}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push(b'[');
            for (position, value) in items.iter().enumerate() {
                separate(out, position, lines);
                item(out, value, depth + 2);
            }
            end(out, lines);
            out.push(b']');
        }
        _ => scalar(out, value),
    }
}

/// What stands before the item at this position: on lines of their own, below the given depth, or on one line.
fn separate(out: &mut Vec<u8>, position: usize, lines: Option<usize>) {
    if position > 0 {
        out.push(b',');
    }
    match lines {
        Some(depth) => line_break(out, depth + 2),
        None if position > 0 => out.push(b' '),
        None => {}
    }
}

fn end(out: &mut Vec<u8>, lines: Option<usize>) {
    if let Some(depth) = lines {
        line_break(out, depth);
    }
}

fn line_break(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.extend(std::iter::repeat_n(b' ', depth));
}

fn scalar(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    escape(out, &serde_json::to_string(value).expect("a JSON value is always JSON"));
}

/// Adds JSON with escapes for characters that can only be within its strings.
fn escape(out: &mut Vec<u8>, json: &str) {
    for c in json.chars() {
        match c {
            // No editor shows these, and YAML reads some of them as line breaks.
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                out.extend(format!("\\u{:04x}", u32::from(c)).bytes());
            }
            _ => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
}

/// The length of a value on one line; characters that need an escape count as one.
fn length(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.iter().map(|(key, value)| key.len() + 6 + length(value)).sum::<usize>().max(2),
        Value::Array(items) => items.iter().map(|item| length(item) + 2).sum::<usize>().max(2),
        Value::String(text) => text.len() + 2,
        Value::Number(_) => 4,
        Value::Bool(_) | Value::Null => 5,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{write, write_lines};

    #[test]
    fn what_fits_stands_on_one_line() {
        let long = "x".repeat(super::WIDTH);
        let value =
            json!({ "short": { "a": [1, true, null], "b": {} }, "long": [long], "quoted": "a\"b\n\u{85}\u{feff}" });
        let expected = format!(
            "{{\n  \"short\": {{\"a\": [1, true, null], \"b\": {{}}}},\n  \"long\": [\n    \"{long}\"\n  ],\n  \"quoted\": \"a\\\"b\\n\\u0085\\ufeff\"\n}}"
        );
        assert_eq!(write(&value), expected);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&write(&value)).expect("JSON"), value);
    }

    #[test]
    fn a_list_at_the_top_has_a_line_for_each_item() {
        let value = json!({ "list": [{ "a": [1, 2] }, "\u{2028}"], "one": [{}] });
        let object = value.as_object().expect("an object");
        assert_eq!(write_lines(object), "{\n\"list\":[\n{\"a\":[1,2]},\n\"\\u2028\"\n],\n\"one\":[{}]\n}");
    }
}
