//! Checks of a service's health probes.

#[cfg(test)]
mod tests;

use super::ports::{http_port, listed};
use crate::diagnostic::{codes, sentence};
use crate::{BackingName, Client, Diagnostic, Health, HealthRoute, Probe, Reconnects, Service, Use};

codes! {
    /// A liveness probe on a route that depends on servers.
    LivenessFollowsDependency,
    /// A health route that depends on a server that its service does not use.
    RouteDependencyUnused,
    /// Clients that never reconnect, in a service whose probes do not check connections.
    LostConnectionUnseen,
    /// Health that is judged by connections, without a client that never reconnects.
    NoConnectionToWatch,
}

pub(super) fn check(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    let clients: Vec<&Client> = service.uses.iter().filter_map(Use::client).collect();
    let never_reconnect = clients.iter().copied().filter(|client| matches!(client.reconnects, Reconnects::Never(_)));
    let lost: Vec<&Client> = never_reconnect.collect();
    match service.health {
        Health::Connections(_) if lost.is_empty() => diagnostics.push(no_connection(service, &clients)),
        Health::Connections(_) => {}
        Health::Probes { readiness, liveness } => {
            if !lost.is_empty() {
                diagnostics.push(unseen(service, &lost));
            }
            probe(service, "readiness", readiness, diagnostics);
            probe(service, "liveness", liveness, diagnostics);
            if let Probe::Http(route) = liveness
                && !route.fails_without.is_empty()
            {
                diagnostics.push(liveness_follows(service, route));
            }
        }
    }
}

fn no_connection(service: &Service, clients: &[&Client]) -> Diagnostic {
    let probes = "use `Health::probes(readiness, liveness)` with probes of one of its ports";
    let (reason, help) = if clients.is_empty() {
        ("it has no client of a server", probes.to_owned())
    } else {
        let never = "if one of its clients never reopens a lost connection, add `.never_reconnects(\"how that is known\")` to it";
        ("each of its clients reconnects by itself", format!("{never}; otherwise {probes}"))
    };
    Diagnostic::new(
        Code::NoConnectionToWatch,
        format!("the health of {} is judged by its connections, but {reason}", service.name),
    )
    .at("declared", service.location)
    .help(help)
}

fn unseen(service: &Service, lost: &[&Client]) -> Diagnostic {
    let servers = sentence(lost.iter().map(|client| client.backing.as_str()), "and");
    Diagnostic::new(
        Code::LostConnectionUnseen,
        format!("{} never reconnects to {servers}, but its health probes do not check its connections", service.name),
    )
    .at_each(lost.iter().map(|client| (format!("the client of {}", client.backing), client.location)))
    .at("the service", service.location)
    .help("set its `health` to `Health::by_connections(Python3)`: only a restart restores a lost connection")
}

fn liveness_follows(service: &Service, route: HealthRoute) -> Diagnostic {
    let servers = sentence(route.fails_without.iter().map(|server| server.as_str()), "or");
    Diagnostic::new(
        Code::LivenessFollowsDependency,
        format!("the liveness probe of {} requests `{}`, which fails while {servers} is unavailable", service.name, route.path),
    )
    .at("the service", service.location)
    .at("the route", route.location)
    .help(format!(
        "use `Probe::tcp(…)` on port `{}` for liveness: a liveness probe that follows dependencies restarts healthy pods",
        route.port.name
    ))
}

fn probe(service: &Service, purpose: &str, probe: Probe, diagnostics: &mut Vec<Diagnostic>) {
    let reference = format!("{purpose} probe of {}", service.name);
    match probe {
        Probe::Tcp(port) => {
            listed(service, port, &reference, service.location, diagnostics);
        }
        Probe::Http(route) => {
            http_port(service, route.port, &reference, route.location, diagnostics);
            dependencies(service, route, diagnostics);
        }
    }
}

fn dependencies(service: &Service, route: HealthRoute, diagnostics: &mut Vec<Diagnostic>) {
    let is_used = |server: BackingName| service.uses.iter().filter_map(Use::client).any(|c| c.backing == server);
    let unused: Vec<&str> = route.fails_without.iter().filter(|s| !is_used(**s)).map(|s| s.as_str()).collect();
    if unused.is_empty() {
        return;
    }
    let servers = sentence(unused, "and");
    diagnostics.push(
        Diagnostic::new(
            Code::RouteDependencyUnused,
            format!(
                "route `{}` of {} fails without {servers}, which {} does not use",
                route.path, service.name, service.name
            ),
        )
        .at("the route", route.location)
        .help(format!("remove {servers} from `fails_without`, or add a client to the `uses` of {}", service.name)),
    );
}
