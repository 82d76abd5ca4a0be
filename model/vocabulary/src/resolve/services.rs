//! What can be wrong with a service's ports, its exposure, its scaling, and the services that it calls.

use std::collections::BTreeMap;

use crate::{Diagnostic, Platform, Port, Protocol, Scaling, Service, ServiceName, SourceLocation, Use};

/// The largest number of a user that Kubernetes takes.
const LARGEST_USER: u32 = i32::MAX.cast_unsigned();

pub(super) fn check(platform: &Platform, service: &Service, found: &mut Vec<Diagnostic>) {
    let (name, location) = (service.name.as_str(), service.location);
    ports(service, found);
    calls(platform, service, found);
    if service.run_as_user == 0 {
        found.push(Diagnostic::RunsAsRoot { service: name, location });
    }
    if service.run_as_user > LARGEST_USER {
        found.push(Diagnostic::UserTooLarge {
            service: name,
            user: service.run_as_user,
            largest: LARGEST_USER,
            location,
        });
    }
    if let Some(exposure) = service.exposure {
        http_port(service, exposure.port, "the exposure", exposure.location, found);
    }
    if let Scaling::Horizontal { min, max, cpu_percent } = service.scaling {
        let mut refused = |why| found.push(Diagnostic::ScalingRefused { service: name, why, location });
        if min == 0 {
            refused("from 0 pods".to_owned());
        }
        if min > max {
            refused(format!("from {min} pods to {max}"));
        }
        if !(1..=100).contains(&cpu_percent) {
            refused(format!("at {cpu_percent} percent of the requested processor time"));
        }
    }
}

fn ports(service: &Service, found: &mut Vec<Diagnostic>) {
    let name = service.name.as_str();
    for (i, port) in service.ports.iter().enumerate() {
        if port.number == 0 {
            found.push(Diagnostic::PortZero { service: name, port: port.name.as_str(), location: port.location });
        }
        for before in &service.ports[..i] {
            let (first, second, number, port_name) = (before.location, port.location, port.number, port.name.as_str());
            match (before.name == port.name, before.number == number) {
                (true, true) => {
                    found.push(Diagnostic::PortTwice { service: name, port: port_name, number, first, second });
                }
                (true, false) => {
                    found.push(Diagnostic::PortNameTwice { service: name, port: port_name, first, second });
                }
                (false, true) => found.push(Diagnostic::PortNumberTwice { service: name, number, first, second }),
                (false, false) => {}
            }
        }
    }
}

/// Reports a reference to a port that its service does not list.
pub(super) fn listed(
    service: &Service,
    port: Port,
    by: &str,
    location: SourceLocation,
    found: &mut Vec<Diagnostic>,
) -> bool {
    let is_listed = service.ports.contains(&port);
    if !is_listed {
        found.push(Diagnostic::PortNotListed {
            service: service.name.as_str(),
            port: port.name.as_str(),
            number: port.number,
            by: by.to_owned(),
            location,
            declared: port.location,
        });
    }
    is_listed
}

/// Reports a reference to a port that its service does not list, or that speaks no HTTP.
pub(super) fn http_port(
    service: &Service,
    port: Port,
    what: &str,
    location: SourceLocation,
    found: &mut Vec<Diagnostic>,
) {
    let by = format!("{what} of {}", service.name);
    listed(service, port, &by, location, found);
    let speaks = match port.protocol {
        Protocol::Http => return,
        Protocol::Metrics => "serves metrics alone",
        Protocol::Tcp => "speaks something else",
    };
    let (service, name, declared) = (service.name.as_str(), port.name.as_str(), port.location);
    found.push(Diagnostic::PortNotHttp { service, port: name, by, speaks, location, declared });
}

fn calls(platform: &Platform, service: &Service, found: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<(ServiceName, u16), SourceLocation> = BTreeMap::new();
    for one in service.uses {
        let Use::Call(call) = one else { continue };
        let (port, location, by) = (call.endpoint.port, call.location, format!("a call of {}", service.name));
        let callee = call.endpoint.service.as_str();
        if call.endpoint.service == service.name {
            found.push(Diagnostic::CallsItself { service: service.name.as_str(), location });
        }
        match platform.services.iter().find(|s| s.name == call.endpoint.service) {
            None => found.push(Diagnostic::ServiceNotListed { service: callee, by, location }),
            Some(target) => {
                if listed(target, port, &by, location, found) && port.protocol == Protocol::Metrics {
                    let (service, port_name) = (service.name.as_str(), port.name.as_str());
                    let declared = port.location;
                    found.push(Diagnostic::CalledForMetrics { service, callee, port: port_name, location, declared });
                } else if let Some(path) = call.path {
                    http_port(target, port, &format!("a call of {} that asks `{path}`", service.name), location, found);
                }
            }
        }
        if let Some(first) = seen.insert((call.endpoint.service, port.number), location) {
            let (service, port) = (service.name.as_str(), port.name.as_str());
            found.push(Diagnostic::CalledTwice { service, callee, port, first, second: location });
        }
    }
}
