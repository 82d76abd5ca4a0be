//! What can be wrong with the way a service's health is seen.

use super::services::{http_port, listed};
use crate::{BackingName, Health, HealthRoute, Mistake, Probe, Reconnects, Service, Use};

pub(super) fn check(service: &Service, found: &mut Vec<Mistake>) {
    let name = service.name.as_str();
    let lost = service.uses.iter().filter_map(Use::client).filter(|c| matches!(c.reconnects, Reconnects::Never(_)));
    match service.health {
        Health::Connections(_) => {
            if lost.count() == 0 {
                found.push(Mistake::NothingToWatch { service: name, place: service.place });
            }
        }
        Health::Probes { readiness, liveness } => {
            for client in lost {
                let (backing, client) = (client.backing.as_str(), client.place);
                found.push(Mistake::LossUnseen { service: name, backing, client, place: service.place });
            }
            probe(service, readiness, found);
            probe(service, liveness, found);
            if let Probe::Http(route) = liveness
                && !route.fails_without.is_empty()
            {
                found.push(Mistake::LivenessFollowsDependency {
                    service: name,
                    path: route.path.to_string(),
                    dependencies: route.fails_without.iter().map(|b| b.as_str()).collect::<Vec<_>>().join(" or "),
                    port: route.port.name.to_string(),
                    route: route.place,
                    place: service.place,
                });
            }
        }
    }
}

fn probe(service: &Service, probe: Probe, found: &mut Vec<Mistake>) {
    match probe {
        Probe::Tcp(port) => {
            let by = format!("a TCP probe of {}", service.name);
            listed(service, port, &by, service.place, found);
        }
        Probe::Http(route) => {
            http_port(service, route.port, &format!("route `{}`", route.path), route.place, found);
            route_dependencies(service, route, found);
        }
    }
}

fn route_dependencies(service: &Service, route: HealthRoute, found: &mut Vec<Mistake>) {
    let used = |backing: BackingName| service.uses.iter().filter_map(Use::client).any(|c| c.backing == backing);
    for backing in route.fails_without.iter().filter(|b| !used(**b)) {
        found.push(Mistake::RouteFollowsStranger {
            service: service.name.as_str(),
            path: route.path.to_string(),
            backing: backing.as_str(),
            place: route.place,
        });
    }
}
