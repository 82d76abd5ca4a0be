//! Checks of environments.

mod hosts;
#[cfg(test)]
mod tests;

use super::settings::Override;
use super::{amounts, calls, servers, settings};
use crate::diagnostic::{codes, repeated, sentence};
use crate::limits::NODE_PORTS;
use crate::{Backing, Change, Diagnostic, Environment, Platform, Scaling, ServiceName, Variable, VariableSource};

codes! {
    /// Several environments of one name.
    DuplicateEnvironment,
    /// Several changes of the same thing.
    DuplicateChange,
    /// A change of something that is not declared.
    NothingToChange,
    /// Zero replicas.
    NoReplicas,
    /// Node port 0.
    NodePortOutOfRange,
    /// A number of replicas that autoscaling ignores.
    ReplicasIgnored,
    /// An image tag that a digest overrides.
    TagIgnored,
    /// Several services with one node port.
    DuplicateNodePort,
    /// Several exposures at one host.
    DuplicateHost,
    /// A service that two changes expose in different ways.
    SeveralWays,
    /// An Ingress in an environment without an ingress controller.
    NoController,
}

pub(super) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let by_name = platform.environments.iter().map(|environment| (environment.name, environment.location));
    for (name, locations) in repeated(by_name) {
        diagnostics.push(
            Diagnostic::new(Code::DuplicateEnvironment, format!("several environments are named `{name}`"))
                .at_each(locations.into_iter().map(|location| ("declared", location)))
                .help("each is a file of values: rename all but one of them, or merge them"),
        );
    }
    for environment in &platform.environments {
        for change in environment.changes {
            check_change(platform, environment, *change, diagnostics);
        }
        contradictions(environment, diagnostics);
        hosts::check_ways(environment, diagnostics);
    }
    hosts::check_hosts(platform, diagnostics);
}

/// What a change changes, in words. Several changes with the same target contradict each other.
fn target(change: Change) -> String {
    match change {
        Change::Setting { service, variable, .. } => format!("setting `{variable}` of {service}"),
        Change::ImageTag { service, .. } => format!("the image tag of {service}"),
        Change::Replicas { service, .. } => format!("the replicas of {service}"),
        Change::Autoscaled { service } => format!("the autoscaling of {service}"),
        Change::NodePort { service, .. } => format!("the node port of {service}"),
        Change::Ingress { service, .. } => format!("the Ingress of {service}"),
        Change::Controller(_) => "the ingress controller".to_owned(),
        Change::ExternalSecrets(_) => "the source of the Secrets".to_owned(),
        Change::BackedUp { backing } => format!("the backups of {backing}"),
        Change::Monitored(_) => "the monitoring".to_owned(),
        Change::Logged(_) => "the log store".to_owned(),
        Change::Storage { backing, .. } => format!("the storage of {backing}"),
    }
}

/// Reports changes that are valid alone, but not together.
fn contradictions(environment: &Environment, diagnostics: &mut Vec<Diagnostic>) {
    let name = environment.name;
    let mut report = |code, summary: String, help: &str| {
        diagnostics.push(Diagnostic::new(code, summary).at("declared", environment.location).help(help));
    };
    for (target, _) in repeated(environment.changes.iter().map(|change| (target(*change), ()))) {
        let summary = format!("environment `{name}` changes {target} more than once");
        report(Code::DuplicateChange, summary, "keep one of these changes");
    }
    let node_ports = environment.changes.iter().filter_map(|change| match change {
        Change::NodePort { service, port } => Some((*port, *service)),
        _ => None,
    });
    for (port, mut services) in repeated(node_ports) {
        services.sort_unstable();
        services.dedup();
        if services.len() > 1 {
            let services = sentence(services.iter().map(|service| service.as_str()), "and");
            let summary = format!("environment `{name}` exposes {services} on the same node port, {port}");
            report(Code::DuplicateNodePort, summary, "give each of them another node port");
        }
    }
    for change in environment.changes {
        let Change::Autoscaled { service } = *change else { continue };
        let sets_replicas = |other: &Change| matches!(other, Change::Replicas { service: s, .. } if *s == service);
        if environment.changes.iter().any(sets_replicas) {
            let summary = format!("environment `{name}` sets the replicas of {service}, which its autoscaling ignores");
            report(Code::ReplicasIgnored, summary, "keep either `replicas(…)` or `autoscaled(…)`");
        }
    }
}

/// What the platform lacks for a change that concerns all of it, and what declares it.
fn lacking(platform: &Platform, change: Change) -> Option<(&'static str, &'static str)> {
    let services = || platform.services.iter();
    let is_secret = |variable: &Variable| matches!(variable.source, VariableSource::Secret(_));
    let no_server = platform.backing.is_empty();
    match change {
        Change::Controller(_) if services().all(|service| service.exposure.is_none()) => {
            Some(("no service is exposed", "declare `exposure: Some(Exposure::http(…))` at a service"))
        }
        Change::ExternalSecrets(_) if no_server && !services().flat_map(|one| one.environment).any(is_secret) => {
            Some(("no service has a credential", "declare a server or a secret variable"))
        }
        Change::Monitored(_) if no_server && services().all(|service| service.metrics.is_empty()) => {
            Some(("nothing has metrics", "declare a server, or the `metrics` of a service"))
        }
        _ => None,
    }
}

fn check_change(platform: &Platform, environment: &Environment, change: Change, diagnostics: &mut Vec<Diagnostic>) {
    let (environment_name, location) = (environment.name, environment.location);
    let reference = format!("environment `{environment_name}`");
    let find = |service: ServiceName, diagnostics: &mut Vec<Diagnostic>| {
        calls::find(platform, service, &reference, location, diagnostics)
    };
    let diagnostic = |code, problem: String, help: String| {
        Diagnostic::new(code, format!("environment `{environment_name}` {problem}")).at("declared", location).help(help)
    };
    let nothing = |missing: String, declare: &str| {
        let problem = format!("changes {}, but {missing}", target(change));
        diagnostic(Code::NothingToChange, problem, format!("{declare}, or remove the change"))
    };
    match change {
        Change::Setting { service: name, variable, value } => {
            let Some(service) = find(name, diagnostics) else { return };
            let declared = service.environment.iter().find(|v| v.name == variable);
            if let Some((declared, setting)) = declared.and_then(|declared| match &declared.source {
                VariableSource::Setting(setting) => Some((declared, setting)),
                VariableSource::Fixed(_) | VariableSource::Port(_) | VariableSource::Secret(_) => None,
            }) {
                let changed = Override { environment: environment_name.as_str(), value };
                settings::value(service, declared, setting, Some(changed), location, diagnostics);
            } else {
                let declare = format!(
                    "declare `{variable}` in the `environment` of {name} with `Variable::text` or another setting"
                );
                diagnostics.push(nothing(format!("{name} has no such setting"), &declare));
            }
        }
        Change::ImageTag { service: name, tag } => {
            if find(name, diagnostics).is_some_and(|service| service.image.digest.is_some()) {
                diagnostics.push(diagnostic(
                    Code::TagIgnored,
                    format!("sets the image tag of {name} to `{tag}`, but the image's digest decides what is pulled"),
                    format!("remove the change, or declare the image of {name} without `.digest(…)`"),
                ));
            }
        }
        Change::Replicas { service: name, count } => {
            if find(name, diagnostics).is_some() && count == 0 {
                diagnostics.push(diagnostic(
                    Code::NoReplicas,
                    format!("sets the replicas of {name} to 0"),
                    "use at least 1, or remove the change; an installer disables a service with `enabled: false`"
                        .to_owned(),
                ));
            }
        }
        Change::Autoscaled { service: name } => {
            if find(name, diagnostics).is_some_and(|service| service.scaling == Scaling::Fixed) {
                let declare = format!("declare `scaling: Scaling::horizontal(…)` at {name}");
                diagnostics.push(nothing(format!("{name} does not scale"), &declare));
            }
        }
        Change::NodePort { service: name, port } => {
            let Some(service) = find(name, diagnostics) else { return };
            if service.exposure.is_none() {
                let declare = format!("declare `exposure: Some(Exposure::http(…))` at {name}");
                diagnostics.push(nothing(format!("{name} is not exposed"), &declare));
            } else if !NODE_PORTS.contains(&port) {
                diagnostics.push(diagnostic(
                    Code::NodePortOutOfRange,
                    format!("sets the node port of {name} to {port}"),
                    format!(
                        "use a port from {} to {}, a cluster's range of node ports",
                        NODE_PORTS.start(),
                        NODE_PORTS.end()
                    ),
                ));
            }
        }
        Change::Ingress { service: name, .. } => {
            if find(name, diagnostics).is_some_and(|service| service.exposure.is_none()) {
                let declare = format!("declare `exposure: Some(Exposure::http(…))` at {name}");
                diagnostics.push(nothing(format!("{name} is not exposed"), &declare));
            }
        }
        Change::BackedUp { backing } => {
            let found = servers::find(platform, backing, &reference, location, diagnostics);
            if found.is_some_and(|server| !matches!(server, Backing::PostgreSql(_))) {
                diagnostics.push(nothing(format!("{backing} has no backups"), "use the name of a database server"));
            }
        }
        Change::Controller(_) | Change::ExternalSecrets(_) | Change::Monitored(_) => {
            diagnostics
                .extend(lacking(platform, change).map(|(missing, declare)| nothing(missing.to_owned(), declare)));
        }
        // Every platform has the chart with the log agent.
        Change::Logged(_) => {}
        Change::Storage { backing, size } => {
            if servers::find(platform, backing, &reference, location, diagnostics).is_some() {
                let owner = format!("{backing} in environment `{environment_name}`");
                diagnostics.extend(amounts::storage(&owner, size, location));
            }
        }
    }
}
