//! What can be wrong with a service's ports, its exposure, its scaling, and the services that it calls.

use std::collections::BTreeMap;

use crate::{Mistake, Place, Platform, Port, Protocol, Scaling, Service, ServiceName, Use};

/// The largest number of a user that Kubernetes takes.
const LARGEST_USER: u32 = i32::MAX.cast_unsigned();

pub(super) fn check(platform: &Platform, service: &Service, found: &mut Vec<Mistake>) {
    let (name, place) = (service.name.as_str(), service.place);
    ports(service, found);
    calls(platform, service, found);
    if service.user == 0 {
        found.push(Mistake::RunsAsRoot { service: name, place });
    }
    if service.user > LARGEST_USER {
        found.push(Mistake::UserTooLarge { service: name, user: service.user, largest: LARGEST_USER, place });
    }
    if let Some(exposure) = service.exposure {
        http_port(service, exposure.port, "the exposure", exposure.place, found);
    }
    if let Scaling::Horizontal { min, max, cpu_percent } = service.scaling {
        let mut refused = |why| found.push(Mistake::ScalingRefused { service: name, why, place });
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

fn ports(service: &Service, found: &mut Vec<Mistake>) {
    let name = service.name.as_str();
    for (i, port) in service.ports.iter().enumerate() {
        if port.number == 0 {
            found.push(Mistake::PortZero { service: name, port: port.name.as_str(), place: port.place });
        }
        for before in &service.ports[..i] {
            let (first, second, number, port_name) = (before.place, port.place, port.number, port.name.as_str());
            match (before.name == port.name, before.number == number) {
                (true, true) => {
                    found.push(Mistake::PortTwice { service: name, port: port_name, number, first, second });
                }
                (true, false) => found.push(Mistake::PortNameTwice { service: name, port: port_name, first, second }),
                (false, true) => found.push(Mistake::PortNumberTwice { service: name, number, first, second }),
                (false, false) => {}
            }
        }
    }
}

/// Reports a reference to a port that its service does not list.
pub(super) fn listed(service: &Service, port: Port, by: &str, place: Place, found: &mut Vec<Mistake>) -> bool {
    let is_listed = service.ports.contains(&port);
    if !is_listed {
        found.push(Mistake::PortNotListed {
            service: service.name.as_str(),
            port: port.name.as_str(),
            number: port.number,
            by: by.to_owned(),
            place,
            declared: port.place,
        });
    }
    is_listed
}

/// Reports a reference to a port that its service does not list, or that speaks no HTTP.
pub(super) fn http_port(service: &Service, port: Port, what: &str, place: Place, found: &mut Vec<Mistake>) {
    let by = format!("{what} of {}", service.name);
    listed(service, port, &by, place, found);
    let speaks = match port.protocol {
        Protocol::Http => return,
        Protocol::Metrics => "serves metrics alone",
        Protocol::Tcp => "speaks something else",
    };
    let (service, name, declared) = (service.name.as_str(), port.name.as_str(), port.place);
    found.push(Mistake::PortNotHttp { service, port: name, by, speaks, place, declared });
}

fn calls(platform: &Platform, service: &Service, found: &mut Vec<Mistake>) {
    let mut seen: BTreeMap<(ServiceName, u16), Place> = BTreeMap::new();
    for one in service.uses {
        let Use::Call(call) = one else { continue };
        let (port, place, by) = (call.endpoint.port, call.place, format!("a call of {}", service.name));
        let callee = call.endpoint.service.as_str();
        if call.endpoint.service == service.name {
            found.push(Mistake::CallsItself { service: service.name.as_str(), place });
        }
        match platform.services.iter().find(|s| s.name == call.endpoint.service) {
            None => found.push(Mistake::ServiceNotListed { service: callee, by, place }),
            Some(target) => {
                if listed(target, port, &by, place, found) && port.protocol == Protocol::Metrics {
                    let (service, port_name) = (service.name.as_str(), port.name.as_str());
                    let declared = port.place;
                    found.push(Mistake::CalledForMetrics { service, callee, port: port_name, place, declared });
                } else if let Some(path) = call.path {
                    http_port(target, port, &format!("a call of {} that asks `{path}`", service.name), place, found);
                }
            }
        }
        if let Some(first) = seen.insert((call.endpoint.service, port.number), place) {
            let (service, port) = (service.name.as_str(), port.name.as_str());
            found.push(Mistake::CalledTwice { service, callee, port, first, second: place });
        }
    }
}
