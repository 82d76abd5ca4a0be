//! The sections of `UPGRADING.md` on earlier versions: their values, and how a release of one moves to this chart.

use askama::Template;
use vocabulary::{
    EarlierServer, EarlierVersion, Fate, MigrationNote, ObjectChange, Owners, Reinstallation, Renamed, Scaling,
};

use crate::earlier::{Successor, VariableValue, of, sections};
use crate::files::render;
use crate::graph::Graph;
use crate::text::{cell, list};

/// A section for the values of each version, and one for its releases if they must be reinstalled or need steps before an upgrade.
pub(in crate::emit) fn sections_of_upgrading(graph: &Graph) -> Vec<String> {
    let of_version = |earlier: &EarlierVersion| {
        let values = (!earlier.keys.is_empty()).then(|| values(graph, earlier));
        let release = earlier.reinstallation.as_ref().map(|moved| release(graph, earlier, moved));
        let migrations = (!earlier.migrations.is_empty()).then(|| migrations(earlier));
        values.into_iter().chain(release).chain(migrations)
    };
    graph.earlier_versions.iter().flat_map(of_version).map(|section| section.trim_end().to_owned()).collect()
}

fn values(graph: &Graph, earlier: &EarlierVersion) -> String {
    let version = earlier.version.as_str();
    let mut groups = Vec::new();
    for group in earlier.keys {
        let names: Vec<_> = sections(group.owners).iter().map(|name| format!("`{name}`")).collect();
        let rows = group.keys.iter().filter_map(|key| Some(Row { key: format!("`{}`", key.key), now: now(key.fate)? }));
        let rows: Vec<_> = rows.collect();
        let title =
            if matches!(group.owners, Owners::Chart) { "The top level".to_owned() } else { list(&names, "and") };
        if !rows.is_empty() {
            groups.push(ValueGroup { title, rows });
        }
    }
    let rows = variables(graph, version);
    if !rows.is_empty() {
        groups.push(ValueGroup { title: "Environment variables".to_owned(), rows });
    }
    render(&Values { version, has_credentials: graph.credentials().next().is_some(), groups })
}

/// The successors of the environment variables of an earlier version.
fn variables(graph: &Graph, version: &str) -> Vec<Row> {
    let (mut rows, mut keys) = (Vec::new(), Vec::new());
    for (value, _) in of(graph) {
        let Successor::Variables(variables) = value.successor else { continue };
        if value.version != version {
            continue;
        }
        let key = value.path.join(".");
        let set = variables.iter().filter_map(|variable| match &variable.value {
            VariableValue::Setting(path, _) | VariableValue::Secret(path) => {
                Some(Row { key: format!("`{key}`: `{}`", variable.variable), now: format!("`{}`", path.join(".")) })
            }
            VariableValue::Derived => None,
        });
        rows.extend(set);
        keys.push(format!("`{key}`"));
    }
    if !keys.is_empty() {
        rows.push(Row {
            key: format!("all others in {}", list(&keys, "and")),
            now: "none: the chart sets them".to_owned(),
        });
    }
    rows
}

/// What a key is now, as a cell; none if that depends on the section.
fn now(fate: Fate) -> Option<String> {
    match fate {
        Fate::Renamed(Renamed { to, is_absolute, words, requires }) => {
            let changed = words.iter().filter(|(old, new)| old != new);
            let changed: Vec<_> = changed.map(|(old, new)| format!("`{new}` for `{old}`")).collect();
            let with = if changed.is_empty() { String::new() } else { format!(", with {}", list(&changed, "and")) };
            let requires = requires.map_or(String::new(), |(key, value)| format!(", with `{key}: {value}`"));
            let place = if is_absolute { " at the top level" } else { "" };
            Some(format!("`{to}`{place}{with}{requires}"))
        }
        Fate::Removed(reason) => Some(format!("none: {}", cell(reason))),
        Fate::Variables => None,
    }
}

fn migrations(earlier: &EarlierVersion) -> String {
    let step = |note: &'static MigrationNote| {
        let change = match note.change {
            ObjectChange::Field(path) => format!("has another `{path}`, which Kubernetes lets nobody change"),
            ObjectChange::Removed => "is no longer in the chart".to_owned(),
        };
        let MigrationNote { kind, object, text, commands, .. } = *note;
        MigrationStep { kind, object, change, text, commands }
    };
    let steps = earlier.migrations.iter().map(step).collect();
    render(&Migrations { version: earlier.version.as_str(), steps })
}

fn release(graph: &Graph, earlier: &EarlierVersion, moved: &Reinstallation) -> String {
    let version = earlier.version.as_str();
    let (mut stop, mut restore, mut has_dump) = (Vec::new(), Vec::new(), false);
    let consumed = |old: &EarlierServer| {
        let server = graph.component(old.server.as_str()).server()?;
        Some((format!("`{}`", old.server), server.kind.consumed(old)?))
    };
    let (emptied, waits): (Vec<_>, Vec<_>) = moved.servers.iter().filter_map(consumed).unzip();
    for (position, group) in moved.stops.iter().enumerate() {
        if position > 0 {
            stop.extend(waits.iter().cloned());
        }
        let names: Vec<_> = group.iter().map(|service| format!("\"$RELEASE-{service}\"")).collect();
        stop.push(format!("kubectl scale deployment {} --namespace \"$NAMESPACE\" --replicas=0", names.join(" ")));
        for service in *group {
            stop.push("kubectl wait pod --namespace \"$NAMESPACE\" --for=delete --timeout=3m \\".to_owned());
            stop.push(format!("  --selector \"app.kubernetes.io/instance=$RELEASE,app.kubernetes.io/name={service}\""));
        }
    }
    let mut claims = Vec::new();
    for old in moved.servers {
        let component = graph.component(old.server.as_str());
        if let Some(claim) = old.claim {
            claims.push(OldClaim {
                name: format!("{}-$RELEASE-{}-0", claim.template, old.stateful_set),
                server: component.name,
            });
        }
        let commands = component.server().and_then(|server| server.kind.moved(graph, component, old));
        if let Some([dump, restored]) = commands {
            has_dump = true;
            stop.extend(dump);
            restore.extend(restored);
        }
    }
    render(&Release {
        c: graph,
        version,
        anchor: version.replace(['.', '+'], "").to_lowercase(),
        reason: moved.reason,
        stops: moved.stops.len() > 1,
        stop,
        restore,
        has_dump,
        has_credentials: graph.credentials().next().is_some(),
        emptied: list(&emptied, "and"),
        claims,
        services: graph
            .services()
            .map(|(component, service)| StoppedService {
                name: component.name,
                autoscaled: service.scaling != Scaling::Fixed,
            })
            .collect(),
        servers: graph.servers().map(|(server, _)| server.name).collect(),
    })
}

#[derive(Template)]
#[template(path = "partials/upgrading/values.md")]
struct Values<'a> {
    version: &'a str,
    has_credentials: bool,
    groups: Vec<ValueGroup>,
}

/// The values of some sections.
struct ValueGroup {
    title: String,
    rows: Vec<Row>,
}

/// A value of the earlier version and its successor, as cells.
struct Row {
    key: String,
    now: String,
}

#[derive(Template)]
#[template(path = "partials/upgrading/migrations.md")]
struct Migrations<'a> {
    version: &'a str,
    steps: Vec<MigrationStep>,
}

/// What an installer does about a change of an object.
struct MigrationStep {
    kind: &'static str,
    object: &'static str,
    /// What changes, as a predicate.
    change: String,
    text: &'static str,
    commands: &'static [&'static str],
}

#[derive(Template)]
#[template(path = "partials/upgrading/release.md")]
struct Release<'a> {
    c: &'a Graph,
    version: &'a str,
    /// The version in the address of a heading.
    anchor: String,
    reason: &'a str,
    /// Whether the services are stopped in a certain order.
    stops: bool,
    /// Commands that stop the services and dump the databases.
    stop: Vec<String>,
    restore: Vec<String>,
    has_dump: bool,
    has_credentials: bool,
    /// The servers whose messages are consumed first.
    emptied: String,
    claims: Vec<OldClaim>,
    services: Vec<StoppedService>,
    servers: Vec<&'static str>,
}

/// The claim of a server of the earlier version.
struct OldClaim {
    name: String,
    server: &'static str,
}

struct StoppedService {
    name: &'static str,
    autoscaled: bool,
}
