//! What can be wrong with the names of charts and with the lists of a platform.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::{
    HELM_KEYS, OBJECT_NAME, RELEASE, RELEASE_OBJECTS, RELEASE_PREFIXES, SERVER_SUFFIXES, SERVICE_SUFFIXES, SHARED_KEYS,
    YAML_WORDS,
};
use crate::{Diagnostic, Platform, SourceLocation};

pub(super) fn check(platform: &mut Platform, found: &mut Vec<Diagnostic>) {
    if platform.services.is_empty() {
        found.push(Diagnostic::NoService { platform: platform.name.to_string(), location: platform.location });
    }
    listed_twice(platform, found);
    let services =
        platform.services.iter().map(|s| Chart { name: s.name.as_str(), location: s.location, is_service: true });
    let backing =
        platform.backing.iter().map(|b| Chart { name: b.name().as_str(), location: b.location(), is_service: false });
    let charts: Vec<Chart> = services.chain(backing).collect();
    let mut seen: BTreeMap<&str, Chart> = BTreeMap::new();
    for chart in &charts {
        let Chart { name, location, is_service } = *chart;
        if let Some(before) = seen.insert(name, *chart) {
            found.push(Diagnostic::ChartTwice { name, first: before.location, second: location });
        }
        if let Some(meaning) = meaning(platform, *chart) {
            let what = if is_service { "service" } else { "backing service" };
            found.push(Diagnostic::NameReserved { name, what, meaning, location });
        }
    }
    for chart in &charts {
        for owner in seen.values() {
            let suffixes = if owner.is_service { SERVICE_SUFFIXES } else { SERVER_SUFFIXES };
            let Some(rest) = chart.name.strip_prefix(owner.name).and_then(|rest| rest.strip_prefix('-')) else {
                continue;
            };
            let Some(suffix) = suffixes.iter().find(|suffix| continues(rest, suffix)) else { continue };
            found.push(Diagnostic::NameTaken {
                name: chart.name,
                other: owner.name,
                suffix,
                location: chart.location,
                first: owner.location,
            });
        }
    }
    lengths(platform, &charts, found);
}

/// Whether a name is `start`, or `start` followed by a dash and more.
fn continues(name: &str, start: &str) -> bool {
    name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn lengths(platform: &Platform, charts: &[Chart], found: &mut Vec<Diagnostic>) {
    let release = usize::from(platform.longest_release_name);
    if release == 0 || release > RELEASE {
        found.push(Diagnostic::ReleaseNameLength { declared: release, longest: RELEASE, location: platform.location });
        return;
    }
    for &Chart { name, location, .. } in charts {
        let length = release + "-".len() + name.len();
        if length > OBJECT_NAME {
            found.push(Diagnostic::NameTooLong { name, length, limit: OBJECT_NAME, release, location });
        }
    }
}

#[derive(Clone, Copy)]
struct Chart {
    name: &'static str,
    location: SourceLocation,
    is_service: bool,
}

/// Takes out what is listed a second time: all that follows from it would be said twice.
fn listed_twice(platform: &mut Platform, found: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    let mut first = |what, list, name: &'static str, location: SourceLocation| {
        let is_first = seen.insert((list, name, location));
        if !is_first {
            found.push(Diagnostic::ListedTwice { what, name, list, location });
        }
        is_first
    };
    platform.services.retain(|s| first("service", "services", s.name.as_str(), s.location));
    platform.backing.retain(|b| first("backing service", "backing", b.name().as_str(), b.location()));
    platform.environments.retain(|e| first("environment", "environments", e.name.as_str(), e.location));
}

/// What a chart's name means already.
fn meaning(platform: &Platform, chart: Chart) -> Option<&'static str> {
    let name = chart.name;
    if HELM_KEYS.contains(&name) {
        Some("a key that Helm itself reads in the values")
    } else if YAML_WORDS.contains(&name) {
        Some("a word that YAML reads as a boolean or null")
    } else if RELEASE_OBJECTS.contains(&name) || RELEASE_PREFIXES.iter().any(|prefix| continues(name, prefix)) {
        Some("the name of an object that belongs to the whole release")
    } else if !chart.is_service && SHARED_KEYS.contains(&name) {
        Some("a key of the values that all charts share")
    } else if name == platform.name.as_str() {
        Some("the platform's own name")
    } else {
        None
    }
}
