//! Generates different valid values for a path, from the schema.

use serde_json::{Value, json};

use super::schema::Schema;

/// Different values that the schema allows at a path, the most likely to have an effect first. Empty if the schema allows only one value.
pub(super) fn others(schema: Schema<'_>, is: &Value) -> Vec<Value> {
    if let Some(Value::Array(choices)) = schema.word("enum") {
        return choices.iter().filter(|choice| *choice != is).cloned().collect();
    }
    match is {
        Value::Bool(is) => vec![json!(!is)],
        Value::Number(number) => integers(schema, number.as_i64().unwrap_or_default()),
        Value::String(text) => texts(schema, text),
        Value::Array(_) => vec![schema.items().map_or(Value::Null, |items| json!([sample(items)]))],
        Value::Object(_) | Value::Null => vec![sample(schema)],
    }
}

fn integers(schema: Schema<'_>, is: i64) -> Vec<Value> {
    let bound = |keyword| schema.word(keyword).and_then(Value::as_i64);
    let fits = |number: &i64| {
        bound("minimum").is_none_or(|least| *number >= least) && bound("maximum").is_none_or(|most| *number <= most)
    };
    // The ends of the range come last: some numbers have an effect only within a smaller range.
    let all = [Some(is + 1), Some(is - 1), bound("minimum"), bound("maximum")];
    all.into_iter().flatten().filter(fits).filter(|number| *number != is).map(Value::from).collect()
}

fn texts(schema: Schema<'_>, is: &str) -> Vec<Value> {
    match schema.text("pattern") {
        Some(pattern) if pattern.contains("a-fA-F.:") => vec![json!("192.0.2.0/24")],
        Some(pattern) if pattern.contains("sha256") => vec![json!(format!("sha256:{}", "a".repeat(64)))],
        // An address, with a path where it may have one.
        Some(pattern) if pattern.contains("https?") && pattern.contains("(/[") => {
            vec![json!("https://changed.example.org/a")]
        }
        Some(pattern) if pattern.contains("https?") => vec![json!("https://changed.example.org")],
        // A duration.
        Some(pattern) if pattern.contains("+@") => vec![json!("changed@example.org")],
        Some(pattern) if pattern.ends_with(":[0-9]{1,5})?$") => vec![json!("changed.example.org:25")],
        Some(pattern) if pattern.starts_with("^(/var/lib") => vec![json!("/var/lib/changed/folder")],
        Some(pattern) if pattern.starts_with("^(/") => vec![json!("/changed")],
        Some(pattern) if pattern.ends_with("[sm]$") => vec![json!("59s")],
        // A fraction.
        Some(pattern) if pattern.ends_with("([.][0-9]+)?$") => vec![json!("0.2")],
        Some(pattern) if pattern.contains("}h(") => vec![json!("1h")],
        // A schedule.
        Some(pattern) if pattern.contains(") (") => vec![json!("1 2 3 4 5")],
        // An amount, such as 100m: change its number.
        Some(pattern) if pattern.contains("[KMGTPE]i)") || pattern.ends_with("m?$") => {
            let unit = is.trim_start_matches(|c: char| c.is_ascii_digit());
            let number: u64 = is[..is.len() - unit.len()].parse().unwrap_or(1);
            // A request can be equal to its limit, so that only a lower one is accepted.
            let numbers = [number.checked_add(1), number.checked_sub(1)].into_iter().flatten();
            // `0.5` can be as close to its limit that only a further decimal fits.
            let decimal = unit.starts_with('.').then(|| json!(format!("{is}1")));
            numbers.map(|number| json!(format!("{number}{unit}"))).chain(decimal).collect()
        }
        // A name, or else a password that the chart accepts.
        _ => vec![json!("changed"), json!("Kq7Zp2Vt9RbWx4Lm")],
    }
}

/// A value that the schema allows. Kubernetes types without a required field get a sample by hand, because an empty object has no effect.
fn sample(schema: Schema<'_>) -> Value {
    let expression = json!({ "matchExpressions": [{ "key": "changed", "operator": "Exists" }] });
    match schema.kubernetes_type() {
        Some("LocalObjectReference") => return json!({ "name": "changed" }),
        Some("Toleration") => return json!({ "key": "changed", "operator": "Exists" }),
        Some("Affinity") => {
            let term = json!({ "nodeSelectorTerms": [expression] });
            return json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": term } });
        }
        Some("TopologySpreadConstraint") => {
            return json!({ "maxSkew": 1, "topologyKey": "changed", "whenUnsatisfiable": "DoNotSchedule" });
        }
        Some("NetworkPolicyPeer") => return json!({ "podSelector": { "matchLabels": { "changed": "changed" } } }),
        Some("NetworkPolicyIngressRule" | "NetworkPolicyEgressRule") => return json!({ "ports": [{ "port": 7 }] }),
        _ => {}
    }
    if let Some(Value::Array(choices)) = schema.word("enum") {
        return choices.first().cloned().unwrap_or_default();
    }
    match schema.types().first().copied() {
        Some("boolean") => json!(true),
        Some("integer" | "number") => schema.word("minimum").cloned().unwrap_or(json!(1)),
        Some("array") => schema.items().map_or(json!([]), |items| json!([sample(items)])),
        Some("object") => {
            let required = schema.word("required").and_then(Value::as_array).into_iter().flatten();
            let keys =
                required.filter_map(Value::as_str).filter_map(|key| Some((key.to_owned(), sample(schema.key(key)?))));
            let mut map: serde_json::Map<String, Value> = keys.collect();
            if let Some(any) = schema.any_key().filter(|_| map.is_empty()) {
                map.insert("changed".to_owned(), sample(any));
            }
            Value::Object(map)
        }
        _ => texts(schema, "1").into_iter().next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(schema: &Value, is: &Value) -> Value {
        json!(others(Schema::new(schema), is))
    }

    #[test]
    fn another_value_is_one_that_the_schema_takes() {
        assert_eq!(of(&json!({ "enum": ["a", "b", "c"] }), &json!("b")), json!(["a", "c"]));
        assert_eq!(of(&json!({ "enum": ["a"] }), &json!("a")), json!([]));
        assert_eq!(of(&json!({ "type": "boolean" }), &json!(true)), json!([false]));
        assert_eq!(of(&json!({ "type": "integer", "minimum": 1, "maximum": 3 }), &json!(3)), json!([2, 1]));
        assert_eq!(of(&json!({ "pattern": "^[0-9]+([KMGTPE]i)?$" }), &json!("64Mi")), json!(["65Mi", "63Mi"]));
        assert_eq!(of(&json!({ "pattern": "^[0-9]+([.][0-9]+)?m?$" }), &json!("0.5")), json!(["1.5", "0.51"]));
        assert_eq!(of(&json!({ "type": "string" }), &json!("")), json!(["changed", "Kq7Zp2Vt9RbWx4Lm"]));
        assert_eq!(of(&json!({ "type": "array", "items": { "type": "string" } }), &json!([])), json!([["changed"]]));
        let map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
        assert_eq!(of(&map, &json!({})), json!([{ "changed": "changed" }]));
    }

    #[test]
    fn what_is_required_is_given() {
        let rule = json!({ "type": "object", "required": ["verbs"], "properties": { "verbs": { "type": "array", "items": { "type": "string" } }, "free": {} } });
        assert_eq!(of(&json!({ "type": "array", "items": rule }), &json!([])), json!([[{ "verbs": ["changed"] }]]));
    }
}
