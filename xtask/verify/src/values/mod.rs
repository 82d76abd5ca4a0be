//! The steps about values: `values`, `keys` and `schema`.

mod closed;
mod earlier;
mod effects;
mod keys;
mod other;
mod probes;
mod schema;
mod scope;

use std::fs;
use std::io::Write as _;

use anyhow::Context as _;
use camino::Utf8Path;
use serde_json::Value;
use tools::{Template, ToolBinary};

pub(super) use earlier::earlier;
pub(super) use effects::effects;
pub(super) use keys::keys;
pub(super) use probes::schema;

/// The path of a value, from the top of the umbrella chart's values.
type Path = Vec<String>;

/// The paths of all values that are not sections: scalars, lists and empty maps.
fn leaves(values: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    walk(values, &mut Vec::new(), &mut |path, value| {
        if !is_section(value) {
            found.push(path.clone());
        }
    });
    found
}

fn is_section(value: &Value) -> bool {
    value.as_object().is_some_and(|map| !map.is_empty())
}

fn walk(value: &Value, path: &mut Path, visit: &mut impl FnMut(&Path, &Value)) {
    for (key, value) in value.as_object().into_iter().flatten() {
        path.push(key.clone());
        visit(path, value);
        walk(value, path, visit);
        path.pop();
    }
}

/// A chart's schema and its default values.
fn schema_and_defaults(chart: &Utf8Path) -> anyhow::Result<(Value, Value)> {
    let read = |name: &str| {
        let file = chart.join(name);
        fs::read_to_string(&file).with_context(|| file.to_string())
    };
    Ok((serde_json::from_str(&read("values.schema.json")?)?, serde_yaml::from_str(&read("values.yaml")?)?))
}

/// Renders the chart with these values, for a release of this name.
fn render(
    helm: &ToolBinary,
    chart: &Utf8Path,
    release: &str,
    values: &Value,
    arguments: &[&str],
) -> anyhow::Result<tools::Rendered> {
    let mut file = tempfile::Builder::new().suffix(".json").tempfile()?;
    file.write_all(&serde_json::to_vec(values)?)?;
    let path = Utf8Path::from_path(file.path()).context("the path of the temporary folder is not UTF-8")?;
    Ok(helm.template(&Template { chart, release, values: &[path], arguments })?)
}

/// The value at a path.
pub(super) fn at<'a>(values: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(values, |value, key| value.get(key))
}

/// The values, with the value at this path replaced.
fn with(values: &Value, path: &[String], value: Value) -> Value {
    let mut changed = values.clone();
    let place = path.iter().fold(&mut changed, |place, key| &mut place[key.as_str()]);
    *place = value;
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_found_and_changed() {
        let values = json!({ "a": { "b": 1, "c": {}, "d": { "e": [] } }, "f": null });
        let words = |paths: Vec<Path>| paths.iter().map(|path| path.join(".")).collect::<Vec<_>>();
        assert_eq!(words(leaves(&values)), ["a.b", "a.c", "a.d.e", "f"]);
        let path = ["a", "d", "e"].map(str::to_owned);
        assert_eq!(at(&values, &path), Some(&json!([])));
        assert_eq!(at(&with(&values, &path, json!(7)), &path), Some(&json!(7)));
    }
}
