//! The values of earlier versions of the chart: what became of each, with paths from the top of the values.

use vocabulary::{Diagnostic, EarlierKey, Fate, Owners, Renamed, Resolved, Setting, SourceLocation};

use crate::emit::values::{Node, Section, Values};
use crate::graph::{Component, EnvValue, Graph};

/// A key that an earlier version had in its values, and this version has not.
#[derive(Clone, Debug)]
pub struct EarlierValue {
    /// The last version that had it.
    pub version: &'static str,
    /// Its path from the top of the values.
    pub path: Vec<String>,
    /// What became of it.
    pub successor: Successor,
}

/// What became of a key.
#[derive(Clone, Debug)]
pub enum Successor {
    /// The value has another key.
    Key {
        /// The path of the key.
        path: Vec<String>,
        /// Words that are written otherwise now, the old and the new one of each. If there are any, no other value can be carried over.
        words: &'static [(&'static str, &'static str)],
        /// A value without which the key has no effect: its path and its text.
        requires: Option<(Vec<String>, &'static str)>,
    },
    /// The value is a map of environment variables, or a list of `name` and `value`.
    Variables(Vec<VariableSuccessor>),
    /// None, for this reason.
    None(&'static str),
}

/// What became of an environment variable that an earlier version had in its values.
#[derive(Clone, Debug)]
pub struct VariableSuccessor {
    /// The variable.
    pub variable: &'static str,
    /// Where its value is now.
    pub value: VariableValue,
}

/// Where the value of an environment variable is.
#[derive(Clone, Debug)]
pub enum VariableValue {
    /// A setting, with the path of its key.
    Setting(Vec<String>, Setting),
    /// A password or another secret, with the path of its text.
    Secret(Vec<String>),
    /// The chart sets the variable itself.
    Derived,
}

/// A key of the chart's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuePath {
    /// Its path from the top of the values.
    pub path: Vec<String>,
    /// Whether it has fixed keys of its own.
    pub is_section: bool,
}

/// Every key of the chart's values, in the order of `values.yaml`.
#[must_use]
pub fn value_paths(platform: &Resolved) -> Vec<ValuePath> {
    fn walk(section: &Section, above: &[String], all: &mut Vec<ValuePath>) {
        for entry in &section.0 {
            let path: Vec<String> = above.iter().chain([&entry.field.key]).cloned().collect();
            all.push(ValuePath { path: path.clone(), is_section: matches!(entry.node, Node::Section(_)) });
            if let Node::Section(inner) = &entry.node {
                walk(inner, &path, all);
            }
        }
    }
    let graph = Graph::of(platform);
    let mut all = Vec::new();
    walk(&Values::of(&graph).tree(&graph), &[], &mut all);
    all
}

/// Every key of an earlier version, in the order of the declaration.
#[must_use]
pub fn earlier_values(platform: &Resolved) -> Vec<EarlierValue> {
    of(&Graph::of(platform)).into_iter().map(|(value, _)| value).collect()
}

/// What is wrong with the values of earlier versions, given the values of the chart.
pub(crate) fn mistakes_of(graph: &Graph) -> Vec<Diagnostic> {
    if graph.earlier_versions.is_empty() {
        return Vec::new();
    }
    let tree = Values::of(graph).tree(graph);
    of(graph).iter().flat_map(|(value, location)| mistakes(&tree, value, *location)).collect()
}

/// The values of the earlier versions, each with the location of its declaration.
pub(crate) fn of(graph: &Graph) -> Vec<(EarlierValue, SourceLocation)> {
    let mut all = Vec::new();
    for earlier in graph.earlier_versions {
        for group in earlier.keys {
            for section in sections(group.owners) {
                let value = |key: &EarlierKey| {
                    let value = EarlierValue {
                        version: earlier.version.as_str(),
                        path: path(section, key.key),
                        successor: successor(graph, section, key),
                    };
                    (value, key.location)
                };
                all.extend(group.keys.iter().map(value));
            }
        }
    }
    all
}

/// The names of sections of the values; empty for the top level.
pub(crate) fn sections(owners: Owners) -> Vec<&'static str> {
    match owners {
        Owners::Chart => vec![""],
        Owners::Services(services) => services.iter().map(|service| service.as_str()).collect(),
        Owners::Servers(servers) => servers.iter().map(|server| server.as_str()).collect(),
    }
}

fn path(section: &str, key: &str) -> Vec<String> {
    [section].into_iter().chain(key.split('.')).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn successor(graph: &Graph, section: &str, key: &EarlierKey) -> Successor {
    match key.fate {
        Fate::Renamed(Renamed { to, is_absolute, words, requires }) => Successor::Key {
            path: path(if is_absolute { "" } else { section }, to),
            words,
            requires: requires.map(|(key, value)| (path(section, key), value)),
        },
        Fate::Variables => Successor::Variables(variables(graph, graph.component(section))),
        Fate::Removed(reason) => Successor::None(reason),
    }
}

/// The variables of a service.
fn variables(graph: &Graph, component: &Component) -> Vec<VariableSuccessor> {
    let of_edges = graph.edges_from(component.name).flat_map(|edge| &edge.env);
    let own = component.service().into_iter().flat_map(|service| &service.env);
    let mut all: Vec<VariableSuccessor> = Vec::new();
    for binding in own.chain(of_edges) {
        let recipients = component.credentials.iter().filter_map(|credential| credential.recipient());
        let is_secret = recipients.map(|recipient| recipient.variable).any(|variable| variable == binding.variable);
        if is_secret || all.iter().any(|known| known.variable == binding.variable) {
            continue;
        }
        let value = match &binding.value {
            EnvValue::Setting { key, setting } => {
                VariableValue::Setting(path(component.name, &format!("settings.{key}")), *setting)
            }
            _ => VariableValue::Derived,
        };
        all.push(VariableSuccessor { variable: binding.variable, value });
    }
    let secrets = component.credentials.iter().filter_map(|credential| {
        let value = VariableValue::Secret(credential.path.text().map(str::to_owned).to_vec());
        Some(VariableSuccessor { variable: credential.recipient()?.variable, value })
    });
    all.extend(secrets);
    all
}

/// What is wrong with an earlier value, given the values of the chart.
fn mistakes(tree: &Section, value: &EarlierValue, location: SourceLocation) -> Vec<Diagnostic> {
    let shown = value.path.join(".");
    let mut found = Vec::new();
    match find(tree, &value.path) {
        Found::Value => found.push(
            Diagnostic::new("EarlierKeyExists", format!("the earlier key `{shown}` is a value of the chart"))
                .at("declared", location)
                .help("remove it from the platform's `earlier_versions`: the chart would refuse everyone who sets this value"),
        ),
        Found::Inside(leaf) => found.push(
            Diagnostic::new("EarlierKeyInValue", format!("the earlier key `{shown}` is a part of the value `{leaf}`"))
                .at("declared", location)
                .help("remove it from the platform's `earlier_versions`: the chart cannot tell it from a part that an installer chose"),
        ),
        Found::Nothing => {}
    }
    let Successor::Key { path, words, requires } = &value.successor else { return found };
    let required = requires.as_ref().map(|(path, text)| (path, vec![*text]));
    for (path, texts) in std::iter::once((path, words.iter().map(|(_, new)| *new).collect())).chain(required) {
        found.extend(unfit(tree, path, &texts, &shown, location));
    }
    found
}

/// What is wrong with the successor of a key, which takes these texts.
fn unfit(tree: &Section, path: &[String], texts: &[&str], of: &str, location: SourceLocation) -> Option<Diagnostic> {
    let successor = path.join(".");
    let Found::Value = find(tree, path) else {
        return Some(
            Diagnostic::new(
                "UnknownSuccessor",
                format!("the earlier key `{of}` has the successor `{successor}`, which is no value of the chart"),
            )
            .at("declared", location)
            .help(format!("name a key of `values.yaml`; {}", siblings(tree, path))),
        );
    };
    let choices = entry(tree, path).and_then(|entry| entry.field.schema["enum"].as_array().cloned());
    let wrong = texts.iter().find(|text| choices.as_ref().is_some_and(|all| !all.iter().any(|one| one == **text)))?;
    let choices: Vec<String> =
        choices.iter().flatten().filter_map(|one| Some(format!("`{}`", one.as_str()?))).collect();
    Some(
        Diagnostic::new("UnknownWord", format!("`{successor}`, the successor of `{of}`, cannot be `{wrong}`"))
            .at("declared", location)
            .help(format!("write one of {}", choices.join(", "))),
    )
}

/// The keys beside the first one of a path that does not exist, as a clause.
fn siblings(tree: &Section, path: &[String]) -> String {
    let known =
        (0..path.len()).rev().find(|length| *length == 0 || entry(tree, &path[..*length]).is_some()).unwrap_or(0);
    let section = match entry(tree, &path[..known]).map(|entry| &entry.node) {
        None => Some(tree),
        Some(Node::Section(section)) => Some(section),
        Some(Node::Leaf(_)) => None,
    };
    let above = if known == 0 { "the top level".to_owned() } else { format!("`{}`", path[..known].join(".")) };
    let Some(section) = section else { return format!("{above} has no keys of its own") };
    let keys: Vec<_> = section.0.iter().map(|entry| format!("`{}`", entry.field.key)).collect();
    format!("{above} has {}", keys.join(", "))
}

/// Where a path leads.
enum Found {
    /// To a value or a section.
    Value,
    /// Into the value with this path, whose keys an installer chooses.
    Inside(String),
    Nothing,
}

fn find(tree: &Section, path: &[String]) -> Found {
    for length in 1..=path.len() {
        match entry(tree, &path[..length]) {
            None => return Found::Nothing,
            Some(entry) => {
                if let Node::Leaf(default) = &entry.node
                    && length < path.len()
                {
                    let is_key =
                        path[length..].iter().try_fold(default, |value, key| value.get(key.as_str())).is_some();
                    return if is_key { Found::Value } else { Found::Inside(path[..length].join(".")) };
                }
            }
        }
    }
    Found::Value
}

fn entry<'a>(tree: &'a Section, path: &[String]) -> Option<&'a crate::emit::values::Entry> {
    let (key, rest) = path.split_first()?;
    let entry = tree.0.iter().find(|entry| entry.field.key == *key)?;
    match (&entry.node, rest) {
        (_, []) => Some(entry),
        (Node::Section(section), rest) => self::entry(section, rest),
        (Node::Leaf(_), _) => None,
    }
}
