//! Checks of a service's ports, and of references to them.

#[cfg(test)]
mod tests;

use crate::diagnostic::{codes, repeated};
use crate::{Diagnostic, Port, Protocol, Service, SourceLocation};

codes! {
    /// A port that its service lists several times.
    PortListedRepeatedly,
    /// A port of one name and number that is declared as several constants.
    PortDeclaredRepeatedly,
    /// Several ports of one name.
    DuplicatePortName,
    /// Several ports of one number.
    DuplicatePortNumber,
    /// A port with number 0.
    PortZero,
    /// A reference to a port that its service does not list.
    PortNotListed,
    /// A reference that needs HTTP, to a port that does not serve it.
    PortNotHttp,
}

pub(super) fn check(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    let name = service.name;
    for port in service.ports.iter().filter(|port| port.number == 0) {
        diagnostics.push(
            Diagnostic::new(Code::PortZero, format!("port `{}` of {name} has number 0", port.name))
                .at("declared", port.location)
                .help("use the number that the program listens on, 1 to 65535"),
        );
    }
    for (_, ports) in repeated(service.ports.iter().map(|port| ((port.name, port.number, port.location), port))) {
        let port = ports[0];
        diagnostics.push(
            Diagnostic::new(
                Code::PortListedRepeatedly,
                format!("{name} lists port `{}` ({}) more than once", port.name, port.number),
            )
            .at("declared", port.location)
            .help("list each port once"),
        );
    }
    for (_, ports) in repeated(service.ports.iter().map(|port| ((port.name, port.number), port))) {
        if ports.iter().any(|port| port.location != ports[0].location) {
            diagnostics.push(declared_repeatedly(service, ports));
        }
    }
    for (port_name, ports) in repeated(service.ports.iter().map(|port| (port.name, port))) {
        if ports.iter().any(|port| port.number != ports[0].number) {
            diagnostics.push(
                Diagnostic::new(Code::DuplicatePortName, format!("several ports of {name} are named `{port_name}`"))
                    .at_each(ports.iter().map(|port| (format!("port {}", port.number), port.location)))
                    .help("the name of a port is unique within its service: rename all but one of them"),
            );
        }
    }
    for (number, ports) in repeated(service.ports.iter().map(|port| (port.number, port))) {
        if ports.iter().any(|port| port.name != ports[0].name) {
            diagnostics.push(
                Diagnostic::new(Code::DuplicatePortNumber, format!("several ports of {name} have number {number}"))
                    .at_each(ports.iter().map(|port| (port.name.as_str(), port.location)))
                    .help(
                        "a program can listen once on a port: change the numbers of all but one, or declare one port",
                    ),
            );
        }
    }
}

fn declared_repeatedly<'a>(service: &Service, ports: impl IntoIterator<Item = &'a Port>) -> Diagnostic {
    let ports: Vec<&Port> = ports.into_iter().collect();
    let (name, number) = (ports[0].name, ports[0].number);
    Diagnostic::new(
        Code::PortDeclaredRepeatedly,
        format!("port `{name}` ({number}) of {} is declared more than once", service.name),
    )
    .at_each(ports.iter().map(|port| ("declared", port.location)))
    .help("declare the port once, as a constant, and use that constant everywhere")
}

/// Reports a reference to a port that its service does not list. `reference` names what refers to it.
pub(super) fn listed(
    service: &Service,
    port: Port,
    reference: &str,
    location: SourceLocation,
    diagnostics: &mut Vec<Diagnostic>,
) -> bool {
    let is_listed = service.ports.contains(&port);
    if is_listed {
        return true;
    }
    if let Some(twin) = service.ports.iter().find(|p| (p.name, p.number) == (port.name, port.number)) {
        diagnostics.push(declared_repeatedly(service, [twin, &port]));
        return false;
    }
    let (name, number) = (port.name, port.number);
    diagnostics.push(
        Diagnostic::new(
            Code::PortNotListed,
            format!("port `{name}` ({number}) is used, but is not in the `ports` of {}", service.name),
        )
        .at("the port", port.location)
        .at(reference, location)
        .help(format!("add it to the `ports` of {}, or use a port that is listed there", service.name)),
    );
    false
}

/// Reports a reference to a port that its service does not list, or that does not serve HTTP.
pub(super) fn http_port(
    service: &Service,
    port: Port,
    reference: &str,
    location: SourceLocation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    listed(service, port, reference, location, diagnostics);
    let serves = match port.protocol {
        Protocol::Http => return,
        Protocol::Metrics => "metrics only",
        Protocol::Tcp => "another protocol than HTTP",
    };
    diagnostics.push(
        Diagnostic::new(
            Code::PortNotHttp,
            format!("port `{}` of {} is used for HTTP, but serves {serves}", port.name, service.name),
        )
        .at("the port", port.location)
        .at(reference, location)
        .help(format!("use a port of {} that is declared with `Port::http`", service.name)),
    );
}
