//! The step `earlier`: Helm 3 and 4 refuse all values of earlier versions at once and name the successor of each, and `migrate-values` converts them.

use anyhow::Context as _;
use generator::{EarlierValue, Resolved, Successor, VariableValue};
use serde_json::{Value, json};

use super::{at, render};
use crate::context::VerifyContext;
use crate::report::Outcome;

/// The step `earlier`.
pub(in super::super) fn earlier(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let earlier = &context.earlier_values;
    if earlier.is_empty() {
        return Ok(Outcome::of("the platform declares no earlier version".to_owned()));
    }
    let case = context.cases.first().context("the chart has no case to render")?;
    let valid = context.values(case)?;
    let mut values = valid.clone();
    for value in earlier {
        // A check for the value alone would take an empty text for absent.
        set(&mut values, &value.path, json!(""));
    }
    let mut wrong = unconverted(&context.platform, earlier, &valid)?;
    for helm in context.helms()? {
        let message = render(helm, &case.chart, &case.release, &values, &[])?.err();
        let found = unreported(earlier, message.as_deref().unwrap_or_default());
        wrong.extend(found.into_iter().map(|what| format!("{} {} {what}", helm.tool.title(), helm.version)));
    }
    let mut versions: Vec<&str> = earlier.iter().map(|value| value.version).collect();
    versions.dedup();
    let summary = format!("{} values of version {}", earlier.len(), versions.join(", "));
    Ok(Outcome::of(summary).with(wrong))
}

/// The values of a file with all values of earlier versions that `migrate-values` does not convert into `valid` values.
fn unconverted(platform: &Resolved, earlier: &[EarlierValue], valid: &Value) -> anyhow::Result<Vec<String>> {
    let mut old = json!({});
    let mut expected: Vec<(String, &[String], Value)> = Vec::new();
    for value in earlier {
        let from = value.path.join(".");
        let sample =
            |path: &[String]| at(valid, path).cloned().with_context(|| format!("{} has no default", path.join(".")));
        match &value.successor {
            Successor::Key { path, words, .. } => {
                let new = words.first().map_or_else(|| sample(path), |(_, new)| Ok(json!(new)))?;
                set(&mut old, &value.path, words.first().map_or_else(|| new.clone(), |(old, _)| json!(old)));
                expected.push((from, path, new));
            }
            Successor::Variables(variables) => {
                let mut map = serde_json::Map::new();
                for variable in variables {
                    if let VariableValue::Setting(path, _) | VariableValue::Secret(path) = &variable.value {
                        let new = sample(path)?;
                        map.insert(variable.variable.to_owned(), new.clone());
                        expected.push((format!("{from}.{}", variable.variable), path, new));
                    }
                }
                set(&mut old, &value.path, Value::Object(map));
            }
            Successor::None(_) => set(&mut old, &value.path, json!("")),
        }
    }
    let old: serde_yaml::Mapping = serde_yaml::from_value(serde_yaml::to_value(&old)?)?;
    let converted = migrate_values::convert(platform, &old);
    let new = serde_json::to_value(&converted.values)?;
    let mut wrong = Vec::new();
    for (from, to, value) in &expected {
        if at(&new, to) != Some(value) {
            wrong.push(format!("migrate-values does not carry {from} over to {}", to.join(".")));
        }
    }
    let removed: Vec<String> = earlier
        .iter()
        .filter(|value| matches!(value.successor, Successor::None(_)))
        .map(|value| value.path.join("."))
        .collect();
    let reported: Vec<&String> = converted.left.iter().map(|left| &left.path).collect();
    let silent = removed.iter().filter(|path| !reported.contains(path));
    wrong.extend(silent.map(|path| format!("migrate-values drops {path} without a word")));
    Ok(wrong)
}

fn set(values: &mut Value, path: &[String], value: Value) {
    let place = path.iter().fold(values, |place, key| {
        if !place.is_object() {
            *place = json!({});
        }
        &mut place[key.as_str()]
    });
    *place = value;
}

/// What a message lacks of the values that are set.
fn unreported(earlier: &[EarlierValue], message: &str) -> Vec<String> {
    const IS: &str = " is a value of version ";
    let mut found = Vec::new();
    for value in earlier {
        let beginning = format!("  * {}{IS}{} of this chart. ", value.path.join("."), value.version);
        let Some(remedy) = message.lines().find_map(|line| line.strip_prefix(beginning.as_str())) else {
            found.push(format!("does not refuse {}", value.path.join(".")));
            continue;
        };
        let missing = successors(&value.successor).into_iter().filter(|path| !names(remedy, path));
        found.extend(
            missing.map(|path| format!("refuses {}, but does not name {path}: {remedy}", value.path.join("."))),
        );
    }
    let reported = message.lines().filter(|line| line.contains(IS)).count();
    if reported > earlier.len() {
        found.push(format!("refuses {reported} values, more than the {} that are set", earlier.len()));
    }
    found
}

/// The paths and reasons that a message must contain.
fn successors(successor: &Successor) -> Vec<String> {
    match successor {
        Successor::Key { path, requires, .. } => {
            std::iter::once(path.join(".")).chain(requires.as_ref().map(|(path, _)| path.join("."))).collect()
        }
        Successor::Variables(variables) => {
            let path = |value: &VariableValue| match value {
                VariableValue::Setting(path, _) | VariableValue::Secret(path) => Some(path.join(".")),
                VariableValue::Derived => None,
            };
            variables.iter().filter_map(|variable| path(&variable.value)).collect()
        }
        Successor::None(reason) => vec![format!("Remove it: {reason}.")],
    }
}

/// Whether a text contains a path, not only the beginning of a longer one.
fn names(text: &str, path: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
    text.match_indices(path).any(|(position, _)| ends(&text[position + path.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn a_value_without_its_successor_is_found() {
        let renamed = Successor::Key { path: path("web.replicas"), words: &[], requires: None };
        let earlier = [
            EarlierValue { version: "0.1.0", path: path("web.replicaCount"), successor: renamed },
            EarlierValue { version: "0.1.0", path: path("web.waitFor"), successor: Successor::None("pods wait") },
        ];
        let message = |renamed: &str, removed: &str| {
            format!(
                "wrong:\n\n  * web.replicaCount is a value of version 0.1.0 of this chart. {renamed}\n  * web.waitFor is a value of version 0.1.0 of this chart. {removed}\n"
            )
        };
        let removed = "Remove it: pods wait.";
        assert_eq!(unreported(&earlier, &message("Use web.replicas instead.", removed)), [""; 0]);
        assert_eq!(
            unreported(&earlier, &message("Use web.replicasNow.", "")),
            [
                "refuses web.replicaCount, but does not name web.replicas: Use web.replicasNow.",
                "refuses web.waitFor, but does not name Remove it: pods wait.: "
            ]
        );
        assert_eq!(unreported(&earlier, ""), ["does not refuse web.replicaCount", "does not refuse web.waitFor"]);
        let further = format!(
            "{}  * web.env is a value of version 0.1.0 of this chart.",
            message("Use web.replicas instead.", removed)
        );
        assert_eq!(unreported(&earlier, &further), ["refuses 3 values, more than the 2 that are set"]);
    }

    #[test]
    fn a_value_is_set_below_sections_that_do_not_exist() {
        let mut values = json!({ "web": { "replicas": 1 } });
        set(&mut values, &path("web.ports.node"), json!(""));
        assert_eq!(values, json!({ "web": { "replicas": 1, "ports": { "node": "" } } }));
    }
}
