//! Checks of the ways in which an environment exposes services.

use super::Code;
use crate::diagnostic::{repeated, sentence};
use crate::{Change, Diagnostic, EdgeController, Environment, Platform, ServiceName};

/// Reports hosts that users cannot tell apart: two services of one environment, or two environments.
pub(super) fn check_hosts(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let exposed = platform.environments.iter().flat_map(|environment| {
        environment.changes.iter().filter_map(move |change| match change {
            Change::Ingress { service, host, .. } => Some((*host, (environment, *service))),
            _ => None,
        })
    });
    for (host, mut users) in repeated(exposed) {
        users.dedup_by_key(|(environment, service)| (environment.name, *service));
        if users.len() > 1 {
            let named = users.iter().map(|(environment, service)| format!("{service} in `{}`", environment.name));
            let named: Vec<_> = named.collect();
            let summary =
                format!("{} are exposed at the same host, `{host}`", sentence(named.iter().map(String::as_str), "and"));
            diagnostics.push(
                Diagnostic::new(Code::DuplicateHost, summary)
                    .at_each(users.into_iter().map(|(environment, _)| ("declared", environment.location)))
                    .help("give each of them another host"),
            );
        }
    }
}

/// Reports services that are exposed in two ways, and an Ingress that no controller serves.
pub(super) fn check_ways(environment: &Environment, diagnostics: &mut Vec<Diagnostic>) {
    let name = environment.name;
    let mut report = |code, summary: String, help: &str| {
        diagnostics.push(Diagnostic::new(code, summary).at("declared", environment.location).help(help));
    };
    let ingresses = environment.changes.iter().filter_map(|change| match change {
        Change::Ingress { service, .. } => Some(*service),
        _ => None,
    });
    let at_port = |service| {
        environment
            .changes
            .iter()
            .any(|change| matches!(change, Change::NodePort { service: other, .. } if *other == service))
    };
    let ingresses: Vec<ServiceName> = ingresses.collect();
    for service in ingresses.iter().filter(|service| at_port(**service)) {
        let summary = format!("environment `{name}` exposes {service} at a node port and at a host");
        report(Code::SeveralWays, summary, "keep either `exposed_at_node_port(…)` or `exposed_at_host(…)`");
    }
    let controller = environment.changes.iter().find_map(|change| match change {
        Change::Controller(controller) => Some(*controller),
        _ => None,
    });
    let Some(service) = ingresses.first() else { return };
    let help = "add `behind(…)` with the ingress controller of the cluster, such as `EdgeController::Traefik`";
    match controller {
        None => {
            let summary = format!("environment `{name}` exposes {service} at a host, but names no ingress controller");
            report(Code::NoController, summary, help);
        }
        Some(EdgeController::EnvoyGateway) => {
            let summary =
                format!("environment `{name}` exposes {service} by an Ingress, which Envoy Gateway does not serve");
            report(Code::NoController, summary, "name another controller in `behind(…)`");
        }
        Some(_) => {}
    }
}
