//! What can be wrong with an environment.

use std::collections::BTreeMap;

use super::amounts::space;
use super::variables::refusal;
use crate::{Change, Diagnostic, Environment, Platform, Scaling, Service, ServiceName, SourceLocation, VariableSource};

pub(super) fn check(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<&str, SourceLocation> = BTreeMap::new();
    for environment in &platform.environments {
        let name = environment.name.as_str();
        if let Some(first) = seen.insert(name, environment.location) {
            found.push(Diagnostic::EnvironmentTwice { name, first, second: environment.location });
        }
        for change in environment.changes {
            check_change(platform, environment, *change, found);
        }
        contradictions(environment, found);
    }
}

/// What a change changes, in words; two changes with the same target contradict each other.
fn target(change: Change) -> String {
    match change {
        Change::Setting { service, variable, .. } => format!("setting `{variable}` of {service}"),
        Change::ImageTag { service, .. } => format!("the image tag of {service}"),
        Change::Replicas { service, .. } => format!("the replicas of {service}"),
        Change::Autoscaled { service } => format!("the autoscaling of {service}"),
        Change::NodePort { service, .. } => format!("the node port of {service}"),
        Change::Storage { backing, .. } => format!("the storage of {backing}"),
    }
}

/// Changes that are right each, but not together.
fn contradictions(environment: &Environment, found: &mut Vec<Diagnostic>) {
    let (name, location) = (environment.name.as_str(), environment.location);
    let mut targets: BTreeMap<String, Change> = BTreeMap::new();
    let mut node_ports: BTreeMap<u16, ServiceName> = BTreeMap::new();
    for change in environment.changes {
        let what = target(*change);
        if targets.insert(what.clone(), *change).is_some() {
            found.push(Diagnostic::ChangedTwice { environment: name, what, location });
        }
        let Change::NodePort { service, port } = *change else { continue };
        let one = *node_ports.entry(port).or_insert(service);
        if one != service {
            let (one, other) = (one.as_str(), service.as_str());
            found.push(Diagnostic::NodePortTwice { environment: name, port, one, other, location });
        }
    }
    for change in environment.changes {
        let Change::Autoscaled { service } = *change else { continue };
        if targets.contains_key(&target(Change::Replicas { service, count: 1 })) {
            found.push(Diagnostic::ReplicasUnused { environment: name, service: service.as_str(), location });
        }
    }
}

fn check_change(platform: &Platform, environment: &Environment, change: Change, found: &mut Vec<Diagnostic>) {
    let (name, location) = (environment.name.as_str(), environment.location);
    let nothing = |why: String| Diagnostic::NothingToChange { environment: name, what: target(change), why, location };
    let refused = |value, allowed| Diagnostic::ChangeRefused {
        environment: name,
        what: target(change),
        value,
        allowed,
        location,
    };
    let service = |wanted: ServiceName, found: &mut Vec<Diagnostic>| -> Option<&Service> {
        let service = platform.services.iter().find(|s| s.name == wanted);
        if service.is_none() {
            let by = format!("environment `{name}`");
            found.push(Diagnostic::ServiceNotListed { service: wanted.as_str(), by, location });
        }
        service
    };
    match change {
        Change::Setting { service: of, variable, value } => {
            let Some(service) = service(of, found) else { return };
            let declared = service.environment.iter().find(|v| v.name == variable).map(|v| v.source);
            let Some(VariableSource::Setting(setting)) = declared else {
                found.push(nothing(format!("{of} has no setting of that name")));
                return;
            };
            if let Some((value, allowed)) = refusal(&setting, Some(value)) {
                let (service, variable) = (of.as_str(), variable.as_str());
                let (what, at) = ("value", format!(" in environment `{name}`"));
                found.push(Diagnostic::SettingRefuses { what, variable, service, at, value, allowed, location });
            }
        }
        Change::ImageTag { service: of, tag } => {
            if service(of, found).is_some_and(|s| s.image.digest.is_some()) {
                let (service, tag) = (of.as_str(), tag.as_str());
                found.push(Diagnostic::TagUnused { environment: name, service, tag, location });
            }
        }
        Change::Replicas { service: of, count } => {
            if service(of, found).is_some() && count == 0 {
                found.push(refused(
                    0,
                    "at least one pod runs; whoever installs switches a service off by `enabled: false`",
                ));
            }
        }
        Change::Autoscaled { service: of } => {
            if service(of, found).is_some_and(|s| s.scaling == Scaling::Fixed) {
                found.push(nothing(format!("{of} does not declare how it scales (`Scaling::horizontal`)")));
            }
        }
        Change::NodePort { service: of, port } => {
            let Some(service) = service(of, found) else { return };
            if service.exposure.is_none() {
                found.push(nothing(format!("{of} is not exposed (`exposure`)")));
            } else if port == 0 {
                found.push(refused(0, "a port's number is 1 to 65535, on most clusters 30000 to 32767 for node ports"));
            }
        }
        Change::Storage { backing, size } => {
            if platform.backing.iter().any(|b| b.name() == backing) {
                found.extend(space(format!("{backing} in environment `{name}`"), size, location));
            } else {
                let (what, by) = ("backing service", format!("environment `{name}`"));
                found.push(Diagnostic::BackingNotListed { backing: backing.as_str(), what, by, location });
            }
        }
    }
}
