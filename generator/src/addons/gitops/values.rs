//! The values inside the examples.

use serde_yaml::{Mapping, Value};
use vocabulary::Environment;

use crate::emit::images;
use crate::emit::values::Values;
use crate::graph::Graph;
use crate::yaml;

/// A tag for an image without a default one: the length of a shortened commit hash.
const EXAMPLE_TAG: &str = "3f2a9c1";

/// An example: a mode of secrets, and the values for it.
pub(super) struct Example {
    /// The mode; none if the platform has no credentials.
    pub(super) mode: Option<Mode>,
    values: Value,
}

/// A mode of secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Inline,
    External,
    Existing,
}

impl Mode {
    const ALL: [Self; 3] = [Self::Inline, Self::External, Self::Existing];

    /// Its name in the values.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::External => "external",
            Self::Existing => "existing",
        }
    }
}

impl Example {
    /// What the names of its files have at their ends.
    pub(super) fn suffix(&self) -> String {
        self.mode.map_or_else(String::new, |mode| format!("-{}", mode.name()))
    }

    /// Whether it has this mode, by its name.
    pub(super) fn has_mode(&self, name: &str) -> bool {
        self.mode.is_some_and(|mode| mode.name() == name)
    }

    /// The values as YAML with this many spaces before each line; an empty text if there are none.
    pub(super) fn indented(&self, spaces: usize) -> String {
        if self.values.as_mapping().is_none_or(Mapping::is_empty) {
            return String::new();
        }
        indented(&yaml::write(&self.values), spaces)
    }
}

/// The environment of the examples: the last one, which is the closest to production.
pub(super) fn environment(graph: &Graph) -> Option<&Environment> {
    graph.environments.last()
}

/// One example for each mode, or one if the platform has no credentials.
pub(super) fn examples(graph: &Graph) -> Vec<Example> {
    if graph.credentials().next().is_none() {
        return vec![Example { mode: None, values: without_default(graph) }];
    }
    let example = |mode| Example { mode: Some(mode), values: of_mode(graph, mode) };
    Mode::ALL.map(example).into()
}

/// The values without a default, except passwords.
fn without_default(graph: &Graph) -> Value {
    let mut root = Value::Mapping(Mapping::new());
    for (image, _) in images::without_default(graph) {
        yaml::put(&mut root, &image.path("tag"), EXAMPLE_TAG.into());
    }
    if graph.services().any(|(_, service)| !service.api_rules.is_empty()) {
        // From a range reserved for documentation.
        let blocks = vec![Value::from("192.0.2.1/32")];
        yaml::put(&mut root, &["global", "network", "apiServerCidrs"], blocks.into());
    }
    root
}

fn of_mode(graph: &Graph, mode: Mode) -> Value {
    let mut secrets = Value::Mapping(Mapping::new());
    yaml::put(&mut secrets, &["global", "secrets", "mode"], mode.name().into());
    let overlay = environment(graph).map(|environment| Values::of(graph).overlay(environment));
    let names_store = overlay.is_some_and(|overlay| !overlay["global"]["secrets"]["store"].is_null());
    if mode == Mode::External {
        yaml::put(&mut secrets, &["global", "secrets", "store", "kind"], "ClusterSecretStore".into());
        yaml::put(&mut secrets, &["global", "secrets", "store", "name"], graph.name.into());
    } else if names_store {
        // The chart refuses a store in another mode.
        yaml::put(&mut secrets, &["global", "secrets", "store", "kind"], "SecretStore".into());
        yaml::put(&mut secrets, &["global", "secrets", "store", "name"], "".into());
    }
    merge(secrets, without_default(graph))
}

/// Both trees in one; the keys of the first come first.
fn merge(first: Value, second: Value) -> Value {
    match (first, second) {
        (Value::Mapping(mut first), Value::Mapping(second)) => {
            for (key, value) in second {
                let merged = match first.get(&key) {
                    Some(before) => merge(before.clone(), value),
                    None => value,
                };
                first.insert(key, merged);
            }
            Value::Mapping(first)
        }
        (_, second) => second,
    }
}

/// The values of a file without the comment at its beginning, indented.
pub(super) fn of_file(text: &str, spaces: usize) -> String {
    let lines: Vec<&str> = text.lines().skip_while(|line| line.starts_with('#')).collect();
    indented(&lines.join("\n"), spaces)
}

fn indented(text: &str, spaces: usize) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(spaces)) };
    text.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_loses_its_first_comment_alone() {
        assert_eq!(of_file("# made\n# by\na:\n  # kept\n  b: 1\n\nc: 2\n", 2), "  a:\n    # kept\n    b: 1\n\n  c: 2");
    }

    #[test]
    fn merged_trees_have_the_keys_of_both() {
        let tree = |text: &str| serde_yaml::from_str::<Value>(text).expect("YAML");
        let merged = merge(tree("{a: {b: 1}, c: 2}"), tree("{a: {d: 3}, e: 4}"));
        assert_eq!(merged, tree("{a: {b: 1, d: 3}, c: 2, e: 4}"));
    }
}
