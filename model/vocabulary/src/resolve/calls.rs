//! Checks of calls to services, and of other references to them.

#[cfg(test)]
mod tests;

use super::ports::{http_port, listed};
use crate::diagnostic::{codes, repeated};
use crate::{Call, Diagnostic, Endpoint, Platform, Protocol, Service, ServiceName, SourceLocation, Use};

codes! {
    /// A service that calls itself.
    CallsItself,
    /// Several calls of a service to one port.
    DuplicateCall,
    /// A call to a port for metrics.
    CallToMetricsPort,
    /// A reference to a service that the platform does not list.
    ServiceNotListed,
}

pub(super) fn check(platform: &Platform, service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    let name = service.name;
    let calls: Vec<&Call> = service
        .uses
        .iter()
        .filter_map(|service_use| if let Use::Call(call) = service_use { Some(call) } else { None })
        .collect();
    for call in &calls {
        check_call(platform, service, call, diagnostics);
    }
    let others = calls.iter().filter(|call| call.endpoint.service != name);
    for ((callee, _), calls) in repeated(others.map(|call| ((call.endpoint.service, call.endpoint.port.number), call)))
    {
        let port = calls[0].endpoint.port.name;
        diagnostics.push(
            Diagnostic::new(Code::DuplicateCall, format!("{name} calls port `{port}` of {callee} more than once"))
                .at_each(calls.iter().map(|call| ("a call", call.location)))
                .help("keep one call: it declares the address, and the program can request any route there"),
        );
    }
}

fn check_call(platform: &Platform, service: &Service, call: &Call, diagnostics: &mut Vec<Diagnostic>) {
    let (name, callee, port, location) = (service.name, call.endpoint.service, call.endpoint.port, call.location);
    if callee == name {
        diagnostics.push(
            Diagnostic::new(Code::CallsItself, format!("{name} calls itself"))
                .at("the call", location)
                .help("remove the call: a pod reaches its own ports on localhost"),
        );
        return;
    }
    let reference = format!("called by {name}");
    let Some(target) = find_endpoint(platform, call.endpoint, &reference, location, diagnostics) else { return };
    if listed(target, port, &reference, location, diagnostics) && port.protocol == Protocol::Metrics {
        diagnostics.push(
            Diagnostic::new(
                Code::CallToMetricsPort,
                format!("{name} calls port `{}` of {callee}, which is for monitoring only", port.name),
            )
            .at("the call", location)
            .at("the port", port.location)
            .help(format!(
                "call a port of {callee} that is declared with `Port::http` or `Port::tcp`; if services use this port too, declare it with one of \
                 these"
            )),
        );
    } else if let Some(path) = call.path {
        http_port(target, port, &format!("called by {name}, which requests `{path}`"), location, diagnostics);
    }
}

/// Finds the service of an endpoint; among several of one name, which is another mistake, the one that lists the port.
pub(super) fn find_endpoint<'a>(
    platform: &'a Platform,
    endpoint: Endpoint,
    reference: &str,
    location: SourceLocation,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<&'a Service> {
    let lists_port = |s: &&Service| s.name == endpoint.service && s.ports.contains(&endpoint.port);
    platform
        .services
        .iter()
        .find(lists_port)
        .or_else(|| find(platform, endpoint.service, reference, location, diagnostics))
}

/// Finds a service by name, and reports a reference to one that the platform does not list. `reference` names what refers to it.
pub(super) fn find<'a>(
    platform: &'a Platform,
    name: ServiceName,
    reference: &str,
    location: SourceLocation,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<&'a Service> {
    let service = platform.services.iter().find(|service| service.name == name);
    if service.is_none() {
        diagnostics.push(
            Diagnostic::new(
                Code::ServiceNotListed,
                format!("service `{name}` is used, but is not in the platform's `services`"),
            )
            .at(reference, location)
            .help("add it to `services`, or remove every reference to it"),
        );
    }
    service
}
