use super::CODES;
use crate::testing::{HTTP, check, diagnostics, fix, list, platform, service};
use crate::{Diagnostic, Exposure, Health, HealthRoute, Platform, Port, Probe, Service, Variable};

const ADMIN: Port = Port::http("admin", 9000);
const WIRE: Port = Port::tcp("wire", 7000);

#[track_caller]
fn listens(ports: impl Into<Vec<Port>>) -> Platform {
    platform([Service { ports: list(ports), ..service("web") }])
}

/// A service with these ports, of which `port` is checked and given to the program.
#[track_caller]
fn refers(ports: impl Into<Vec<Port>>, port: Port) -> Platform {
    platform([Service {
        ports: list(ports),
        health: Health::probes(Probe::tcp(port), Probe::tcp(port)),
        environment: list([Variable::port("LISTEN", port)]),
        ..service("web")
    }])
}

/// A service with these ports, of which `port` is exposed and serves its health route.
#[track_caller]
fn serves(ports: impl Into<Vec<Port>>, port: Port) -> Platform {
    platform([Service {
        ports: list(ports),
        health: Health::probes(HealthRoute::new(port, "/ready").probe(), Probe::tcp(port)),
        exposure: Some(Exposure::http(port)),
        ..service("web")
    }])
}

#[test]
fn every_help_can_be_followed() {
    let http_again = Port::http("http", 8080);
    let zero = Port { number: 0, ..Port::tcp("wire", 1) };
    check(
        "ports",
        CODES,
        vec![
            fix("PortListedRepeatedly", listens([HTTP, HTTP, ADMIN, HTTP]), [listens([HTTP, ADMIN])]),
            fix("PortDeclaredRepeatedly", listens([HTTP, http_again]), [listens([HTTP])]),
            fix("PortDeclaredRepeatedly", refers([HTTP], http_again), [refers([HTTP], HTTP)]),
            fix(
                "DuplicatePortName",
                listens([HTTP, Port::tcp("admin", 9443), ADMIN, Port::tcp("admin", 9444)]),
                [listens([HTTP, Port::tcp("admin-tls", 9443), ADMIN, Port::tcp("admin-tls2", 9444)])],
            ),
            fix(
                "DuplicatePortNumber",
                listens([HTTP, Port::metrics("metrics", 8080), Port::tcp("grpc", 8080)]),
                [listens([HTTP, Port::metrics("metrics", 9090), Port::tcp("grpc", 9000)]), listens([HTTP])],
            ),
            fix("PortZero", listens([HTTP, zero]), [listens([HTTP, WIRE])]),
            fix("PortNotListed", refers([HTTP], ADMIN), [refers([HTTP, ADMIN], ADMIN), refers([HTTP], HTTP)]),
            fix("PortNotHttp", serves([HTTP, WIRE], WIRE), [serves([HTTP, WIRE], HTTP)]),
        ],
    );
}

#[test]
fn a_port_listed_six_times_is_one_diagnostic() {
    for ports in [
        vec![HTTP; 6],
        vec![
            HTTP,
            Port::http("http", 8080),
            Port::http("http", 8080),
            Port::http("http", 8080),
            Port::http("http", 8080),
        ],
        vec![
            HTTP,
            Port::http("http", 8081),
            Port::http("http", 8082),
            Port::http("http", 8083),
            Port::http("http", 8084),
        ],
        vec![HTTP, Port::http("b", 8080), Port::http("c", 8080), Port::http("d", 8080), Port::http("e", 8080)],
    ] {
        let diagnostics = diagnostics(listens(ports));
        assert_eq!(diagnostics.as_slice().len(), 1, "{diagnostics}");
    }
}

#[test]
fn references_to_one_port_are_one_diagnostic() {
    let diagnostics = diagnostics(refers([HTTP], ADMIN));
    let report = diagnostics.to_string();
    for reference in ["readiness probe of web", "liveness probe of web", "variable `LISTEN` of web"] {
        assert!(report.contains(reference), "{report}");
    }
    assert_eq!(diagnostics.as_slice().iter().map(Diagnostic::code).collect::<Vec<_>>(), ["PortNotListed"]);
}
