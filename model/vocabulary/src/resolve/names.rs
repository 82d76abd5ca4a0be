//! Checks of the platform's lists, and of the names of services and servers.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{codes, repeated};
use crate::limits::{
    HELM_KEYS, OBJECT_NAME, RELEASE, RELEASE_OBJECTS, RELEASE_PREFIXES, SERVER_SUFFIXES, SERVICE_SUFFIXES, SHARED_KEYS,
    WAIT_CONTAINER_PREFIX, YAML_WORDS,
};
use crate::{Diagnostic, Platform, Runtime, SourceLocation};

codes! {
    /// A platform without a service.
    NoService,
    /// One declaration that a list has several times.
    DuplicateEntry,
    /// Several services or servers of one name.
    DuplicateName,
    /// A name that means something else in the values, or to Helm.
    NameReserved,
    /// A name that an object of another service or server has.
    NameTaken,
    /// A name that leaves too little room for the names of objects.
    NameTooLong,
    /// A length that no release's name can have.
    ReleaseNameLength,
}

pub(super) fn check(platform: &mut Platform, diagnostics: &mut Vec<Diagnostic>) {
    if platform.services.is_empty() {
        diagnostics.push(
            Diagnostic::new(Code::NoService, format!("platform `{}` has no services", platform.name))
                .at("declared", platform.location)
                .help("declare a service, and add it to the platform's `services`"),
        );
    }
    remove_duplicate_entries(platform, diagnostics);
    let charts: Vec<Chart> = charts(platform).collect();
    duplicates(&charts, diagnostics);
    for chart in &charts {
        reserved(platform, *chart, diagnostics);
    }
    taken(&charts, diagnostics);
    lengths(platform, &charts, diagnostics);
}

/// A service or server: each becomes a chart of its own.
#[derive(Clone, Copy)]
struct Chart {
    name: &'static str,
    location: SourceLocation,
    is_service: bool,
}

impl Chart {
    const fn what(self) -> &'static str {
        if self.is_service { "service" } else { "server" }
    }
}

fn charts(platform: &Platform) -> impl Iterator<Item = Chart> {
    let services =
        platform.services.iter().map(|s| Chart { name: s.name.as_str(), location: s.location, is_service: true });
    let servers =
        platform.backing.iter().map(|b| Chart { name: b.name().as_str(), location: b.location(), is_service: false });
    services.chain(servers)
}

/// Removes repeated entries from the lists, so that no other check reports the same declaration again.
fn remove_duplicate_entries(platform: &mut Platform, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    let mut is_first = |what, list, name: &'static str, location: SourceLocation| {
        let is_first = seen.insert((list, name, location));
        if !is_first {
            diagnostics.push(
                Diagnostic::new(Code::DuplicateEntry, format!("the platform lists {what} `{name}` more than once"))
                    .at("declared", location)
                    .help(format!("keep one entry of `{name}` in the platform's `{list}`")),
            );
        }
        is_first
    };
    platform.services.retain(|s| is_first("service", "services", s.name.as_str(), s.location));
    platform.backing.retain(|b| is_first("server", "backing", b.name().as_str(), b.location()));
    platform.environments.retain(|e| is_first("environment", "environments", e.name.as_str(), e.location));
}

fn duplicates(charts: &[Chart], diagnostics: &mut Vec<Diagnostic>) {
    for (name, charts) in repeated(charts.iter().map(|chart| (chart.name, chart))) {
        diagnostics.push(
            Diagnostic::new(Code::DuplicateName, format!("several services or servers are named `{name}`"))
                .at_each(charts.iter().map(|chart| (chart.what(), chart.location)))
                .help("each name is a chart and a key in the values: rename all but one of them"),
        );
    }
}

fn reserved(platform: &Platform, chart: Chart, diagnostics: &mut Vec<Diagnostic>) {
    let name = chart.name;
    let reason = if HELM_KEYS.contains(&name) {
        "a key that Helm itself reads in the values"
    } else if YAML_WORDS.contains(&name) {
        "a word that YAML reads as a boolean or null"
    } else if RELEASE_OBJECTS.contains(&name) || RELEASE_PREFIXES.iter().any(|prefix| continues(name, prefix)) {
        "the name of an object that belongs to the whole release"
    } else if chart.is_service && name.starts_with(WAIT_CONTAINER_PREFIX) {
        "the name of a container that waits for a server"
    } else if chart.is_service && name == Runtime::INIT_CONTAINER {
        "the name of the container that brings the instrumentation for traces"
    } else if !chart.is_service && SHARED_KEYS.contains(&name) {
        "a key of the values that all charts share"
    } else if name == platform.name.as_str() {
        "the platform's own name"
    } else {
        return;
    };
    diagnostics.push(
        Diagnostic::new(Code::NameReserved, format!("no {} can be named `{name}`: this is {reason}", chart.what()))
            .at("declared", chart.location)
            .help("choose another name"),
    );
}

fn taken(charts: &[Chart], diagnostics: &mut Vec<Diagnostic>) {
    let by_name: BTreeMap<&str, Chart> = charts.iter().map(|chart| (chart.name, *chart)).collect();
    for chart in charts {
        // Every shorter name that this one continues with a dash and more.
        for (dash, _) in chart.name.match_indices('-') {
            let Some(owner) = by_name.get(&chart.name[..dash]) else { continue };
            let suffixes = if owner.is_service { SERVICE_SUFFIXES } else { SERVER_SUFFIXES };
            if suffixes.iter().any(|suffix| continues(&chart.name[dash + 1..], suffix)) {
                let what = owner.what();
                diagnostics.push(
                    Diagnostic::new(
                        Code::NameTaken,
                        format!("`{}` can be the name of an object of {what} `{}`", chart.name, owner.name),
                    )
                    .at(chart.name, chart.location)
                    .at(owner.name, owner.location)
                    .help("rename one of the two: objects of one kind cannot share a name"),
                );
            }
        }
    }
}

/// Whether a name is `start`, or `start` followed by a dash and more.
fn continues(name: &str, start: &str) -> bool {
    name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn lengths(platform: &Platform, charts: &[Chart], diagnostics: &mut Vec<Diagnostic>) {
    let release = usize::from(platform.longest_release_name);
    if release == 0 || release > RELEASE {
        let left = OBJECT_NAME - "-".len() - 20;
        diagnostics.push(
            Diagnostic::new(Code::ReleaseNameLength, format!("`longest_release_name` is {release}"))
                .at("declared", platform.location)
                .help(format!(
                    "use 1 to {RELEASE}, the longest release name that Helm accepts; 20 leaves {left} characters for the names of \
                     services and servers"
                )),
        );
        return;
    }
    for Chart { name, location, .. } in charts {
        let length = release + "-".len() + name.len();
        if length > OBJECT_NAME {
            diagnostics.push(
                Diagnostic::new(
                    Code::NameTooLong,
                    format!("`{name}` is too long: `<release>-{name}` has up to {length} characters, {OBJECT_NAME} are allowed"),
                )
                .at("declared", *location)
                .help(format!("shorten the name, or lower the platform's `longest_release_name`, which is {release}")),
            );
        }
    }
}
