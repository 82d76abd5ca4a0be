//! What can be wrong with the way a service's health is seen.

use super::services::{http_port, listed};
use crate::{BackingName, Diagnostic, Health, HealthRoute, Probe, Reconnects, Service, Use};

pub(super) fn check(service: &Service, found: &mut Vec<Diagnostic>) {
    let name = service.name.as_str();
    let lost = service.uses.iter().filter_map(Use::client).filter(|c| matches!(c.reconnects, Reconnects::Never(_)));
    match service.health {
        Health::Connections(_) => {
            if lost.count() == 0 {
                found.push(Diagnostic::NothingToWatch { service: name, location: service.location });
            }
        }
        Health::Probes { readiness, liveness } => {
            for client in lost {
                let (backing, client) = (client.backing.as_str(), client.location);
                found.push(Diagnostic::LossUnseen { service: name, backing, client, location: service.location });
            }
            probe(service, readiness, found);
            probe(service, liveness, found);
            if let Probe::Http(route) = liveness
                && !route.fails_without.is_empty()
            {
                found.push(Diagnostic::LivenessFollowsDependency {
                    service: name,
                    path: route.path.to_string(),
                    dependencies: route.fails_without.iter().map(|b| b.as_str()).collect::<Vec<_>>().join(" or "),
                    port: route.port.name.to_string(),
                    route: route.location,
                    location: service.location,
                });
            }
        }
    }
}

fn probe(service: &Service, probe: Probe, found: &mut Vec<Diagnostic>) {
    match probe {
        Probe::Tcp(port) => {
            let by = format!("a TCP probe of {}", service.name);
            listed(service, port, &by, service.location, found);
        }
        Probe::Http(route) => {
            http_port(service, route.port, &format!("route `{}`", route.path), route.location, found);
            route_dependencies(service, route, found);
        }
    }
}

fn route_dependencies(service: &Service, route: HealthRoute, found: &mut Vec<Diagnostic>) {
    let used = |backing: BackingName| service.uses.iter().filter_map(Use::client).any(|c| c.backing == backing);
    for backing in route.fails_without.iter().filter(|b| !used(**b)) {
        found.push(Diagnostic::RouteFollowsStranger {
            service: service.name.as_str(),
            path: route.path.to_string(),
            backing: backing.as_str(),
            location: route.location,
        });
    }
}
