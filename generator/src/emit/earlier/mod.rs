//! `_earlier.tpl`: what the chart says of values and releases of earlier versions.

mod upgrading;

use askama::Template;
use vocabulary::{Fate, Owners, Reinstallation, Renamed};

use crate::earlier::{Successor, VariableValue, of, sections};
use crate::expr::{go_string, template_scalar};
use crate::files::Files;
use crate::graph::Graph;

pub(in crate::emit) use upgrading::sections_of_upgrading;

pub(super) fn files(graph: &Graph, files: &mut Files) {
    if !has_checks(graph) {
        return;
    }
    let reinstalled = reinstalled(graph).map(|(version, reinstallation)| Reinstalled {
        version,
        reason: go_string(reinstallation.reason),
        claims: reinstallation.servers.iter().filter_map(claim).collect(),
    });
    let services = graph.services().map(|(component, _)| component.name).collect();
    files.umbrella("templates/_earlier.tpl", &Earlier { c: graph, groups: groups(graph), reinstalled, services });
}

/// Whether the chart checks values or releases of earlier versions. Migration notes alone are text for UPGRADING.md.
pub(super) fn has_checks(graph: &Graph) -> bool {
    graph.earlier_versions.iter().any(|earlier| !earlier.keys.is_empty() || earlier.reinstallation.is_some())
}

/// The version whose releases must be reinstalled, if there is one.
pub(super) fn reinstalled(graph: &Graph) -> Option<(&'static str, &'static Reinstallation)> {
    let version = |earlier: &'static vocabulary::EarlierVersion| {
        Some((earlier.version.as_str(), earlier.reinstallation.as_ref()?))
    };
    graph.earlier_versions.iter().find_map(version)
}

/// The placeholder in a remedy for the section of the values, where several sections have the same key.
const SECTION: &str = "<section>";

fn groups(graph: &Graph) -> Vec<Group> {
    let mut all = Vec::new();
    for earlier in graph.earlier_versions {
        let version = earlier.version.as_str();
        for group in earlier.keys {
            let keys = group.keys.iter().filter_map(|key| {
                Some(Key {
                    key: template_scalar(key.key),
                    remedy: template_scalar(&common_remedy(group.owners, key.fate)?),
                })
            });
            let keys: Vec<Key> = keys.collect();
            let names: Vec<_> = sections(group.owners).iter().map(|name| template_scalar(name)).collect();
            if !keys.is_empty() {
                all.push(Group { version, sections: format!("[{}]", names.join(", ")), keys });
            }
        }
        // The variables of each service have successors of their own.
        for (value, _) in of(graph).iter().filter(|(value, _)| value.version == version) {
            let (Successor::Variables(variables), Some((section, key))) = (&value.successor, value.path.split_first())
            else {
                continue;
            };
            let remedy = template_scalar(&variables_remedy(variables));
            let key = Key { key: template_scalar(&key.join(".")), remedy };
            all.push(Group { version, sections: format!("[{}]", template_scalar(section)), keys: vec![key] });
        }
    }
    all
}

/// What to do with a key, if that is the same in all sections.
fn common_remedy(owners: Owners, fate: Fate) -> Option<String> {
    let section = if matches!(owners, Owners::Chart) { String::new() } else { format!("{SECTION}.") };
    match fate {
        Fate::Renamed(Renamed { to, is_absolute, words, requires }) => {
            let changed = words.iter().filter(|(old, new)| old != new).map(|(old, new)| format!("{new} for {old}"));
            let changed: Vec<_> = changed.collect();
            let with = if changed.is_empty() { String::new() } else { format!(", with {}", changed.join(", ")) };
            let requires =
                requires.map_or(String::new(), |(key, value)| format!(", and set {section}{key} to {value}"));
            Some(format!("Use {}{to} instead{with}{requires}.", if is_absolute { "" } else { &section }))
        }
        Fate::Removed(reason) => Some(format!("Remove it: {reason}.")),
        Fate::Variables => None,
    }
}

fn variables_remedy(variables: &[crate::earlier::VariableSuccessor]) -> String {
    let set = variables.iter().filter_map(|variable| match &variable.value {
        VariableValue::Setting(path, _) | VariableValue::Secret(path) => {
            Some(format!("{SECTION}.{} for {}", path.get(1..)?.join("."), variable.variable))
        }
        VariableValue::Derived => None,
    });
    let set: Vec<_> = set.collect();
    if set.is_empty() {
        "Remove it: the chart sets all variables of the service.".to_owned()
    } else {
        format!("Use {}. The chart sets all other variables.", set.join(", "))
    }
}

fn claim(server: &vocabulary::EarlierServer) -> Option<Claim> {
    // A claim of another name does not meet one of this chart.
    let claim =
        server.claim.filter(|claim| claim.template == "data" && server.stateful_set == server.server.as_str())?;
    Some(Claim { server: server.server.as_str(), component: claim.component })
}

#[derive(Template)]
#[template(path = "umbrella/templates/_earlier.tpl")]
struct Earlier<'a> {
    c: &'a Graph,
    groups: Vec<Group>,
    reinstalled: Option<Reinstalled>,
    services: Vec<&'static str>,
}

/// Keys of an earlier version with the same remedies in several sections.
struct Group {
    version: &'static str,
    /// The sections, as a YAML list; an empty name stands for the top level.
    sections: String,
    keys: Vec<Key>,
}

/// A key and what to do with it, both as YAML scalars.
struct Key {
    key: String,
    remedy: String,
}

/// A version whose releases must be reinstalled.
struct Reinstalled {
    version: &'static str,
    /// Why, as a string literal of a template.
    reason: String,
    claims: Vec<Claim>,
}

/// A volume claim of an earlier version with the name of a claim of this chart.
struct Claim {
    server: &'static str,
    component: &'static str,
}
