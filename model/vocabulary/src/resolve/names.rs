//! What can be wrong with the names of charts and with the lists of a platform.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Diagnostic, Platform, SourceLocation};

/// What is put behind `<release>-<service>-` to name a service's further objects.
const OF_SERVICE: &[&str] = &["external"];

/// What is put behind `<release>-<backing service>-` to name its further objects.
const OF_BACKING: &[&str] = &["headless", "provisioning"];

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
        let Some((stem, suffix)) = chart.name.rsplit_once('-') else { continue };
        let Some(owner) = seen.get(stem) else { continue };
        let suffixes = if owner.is_service { OF_SERVICE } else { OF_BACKING };
        if suffixes.contains(&suffix) {
            found.push(Diagnostic::NameTaken {
                name: chart.name,
                other: owner.name,
                suffix,
                location: chart.location,
                first: owner.location,
            });
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
    match name {
        "global" => Some("where Helm keeps the values that all charts share"),
        "enabled" => Some("what a parent chart switches this one off by"),
        "tags" | "exports" | "import-values" => Some("a key of Helm's own in the values"),
        "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null" => {
            Some("a word that YAML reads as something else")
        }
        "default" => Some("what the policy for everything else is called"),
        "secrets" | "network" | "metrics" if !chart.is_service => Some("a key of the values that all charts share"),
        "credentials" | "credentials-reader" => Some("what the objects that External Secrets reads are called"),
        "connections" | "tests" => Some("what a ConfigMap of the whole release is called"),
        _ if name.starts_with("network-policy-test") || name.starts_with("end-to-end-test") => {
            Some("what the objects of the release's tests are called")
        }
        _ if name == platform.name.as_str() => Some("the platform's own name"),
        _ => None,
    }
}
