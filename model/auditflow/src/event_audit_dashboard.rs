//! event-audit-dashboard: shows the alerts to users.

use vocabulary::{
    CallEnv, Endpoint, Exposure, Health, HealthRoute, Image, Port, Resources, Runtime, Scaling, Service, ServiceName,
    WritablePath, cpu, memory, variable,
};

use crate::notification_service;

pub(crate) const NAME: ServiceName = ServiceName::new("event-audit-dashboard");
const HTTP: Port = Port::http("http", 8080);
pub(crate) const PAGES: Endpoint = Endpoint::new(NAME, HTTP);
const HEALTHZ: HealthRoute = HealthRoute::new(HTTP, "/healthz");

pub(crate) const SERVICE: Service = Service {
    runtime: Runtime::Python,
    ports: &[HTTP],
    uses: &[notification_service::API
        .called(CallEnv { host: variable("NOTIFICATION_SERVICE_HOST"), port: variable("NOTIFICATION_SERVICE_PORT") })
        .requests("/alerts")],
    // gunicorn keeps the heartbeat of its workers in files there.
    writable: &[WritablePath::new("/tmp", "16Mi")],
    scaling: Scaling::horizontal(2, 3, 70),
    exposure: Some(Exposure::http(HTTP)),
    ..Service::new(
        NAME,
        "Shows the alerts to users.",
        Image::new("jojees/event-audit-dashboard", "v1.0.2"),
        // The route does not depend on the called service, and the program recovers by itself when that is available again.
        Health::probes(HEALTHZ.probe(), HEALTHZ.probe()),
        Resources::new(cpu("50m").up_to("200m"), memory("64Mi").up_to("128Mi")),
    )
};
