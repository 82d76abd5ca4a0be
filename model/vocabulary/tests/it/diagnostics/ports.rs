//! Ports, and who refers to them.

use vocabulary::{
    CallEnv, Endpoint, Exposure, Health, HealthRoute, Platform, Port, Probe, Service, ServiceName, Use, Variable,
    variable,
};

use super::{HTTP, service};

const HTTP_AGAIN: Port = Port::http("http", 8080);
const ADMIN: Port = Port::http("admin", 9000);
const ADMIN_TLS: Port = Port::tcp("admin", 9443);
const PROMETHEUS: Port = Port::metrics("prometheus", 9000);
const NOTHING: Port = Port { number: 0, ..Port::tcp("nothing", 1) };
const ELSEWHERE: Port = Port::http("elsewhere", 7000);
const HEALTH: HealthRoute = HealthRoute::new(PROMETHEUS, "/healthz");
const GRPC: Port = Port::tcp("grpc", 9090);

const WEB: Service = Service {
    ports: &[HTTP, HTTP_AGAIN, ADMIN, ADMIN_TLS, PROMETHEUS, NOTHING],
    health: Health::probes(HEALTH.probe(), Probe::tcp(HTTP)),
    ..service("web")
};

const API: Service = Service {
    ports: &[GRPC],
    health: Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP)),
    exposure: Some(Exposure::http(GRPC)),
    environment: &[Variable::port("LISTEN", ELSEWHERE)],
    ..service("api")
};

const CLIENT: Service = Service {
    uses: &[
        call(WEB.name, HTTP, ["WEB", "WEB_PORT"]),
        call(WEB.name, HTTP, ["WEB_AGAIN", "WEB_AGAIN_PORT"]),
        call(WEB.name, PROMETHEUS, ["WEB_METRICS", "WEB_METRICS_PORT"]),
        call(WEB.name, ELSEWHERE, ["WEB_ELSEWHERE", "WEB_ELSEWHERE_PORT"]),
        call(ServiceName::new("client"), HTTP, ["SELF", "SELF_PORT"]),
        call(ServiceName::new("nobody"), HTTP, ["NETWORK_POLICY", "NOBODY_PORT"]),
    ],
    ..service("client")
};

#[track_caller]
const fn call(service: ServiceName, port: Port, env: [&'static str; 2]) -> Use {
    Endpoint::new(service, port).called(CallEnv { host: variable(env[0]), port: variable(env[1]) })
}

pub(super) fn platform() -> Platform {
    Platform { services: vec![WEB, API, CLIENT], ..super::platform() }
}
