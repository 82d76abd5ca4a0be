//! audit-event-generator: generates audit events, one every few seconds and one for each request.

use vocabulary::{
    AmqpEnv, Endpoint, Health, HealthRoute, Image, Port, Probe, Resources, Service, ServiceName, Variable,
    VariableName, cpu, memory, plain, publishes, variable,
};

use crate::rabbitmq::{AUDIT_EVENTS, RABBITMQ};

pub(crate) const NAME: ServiceName = ServiceName::new("audit-event-generator");
const HTTP: Port = Port::http("http", 5000);
pub(crate) const API: Endpoint = Endpoint::new(NAME, HTTP);
const METRICS: Port = Port::metrics("metrics", 8000);
const HEALTHZ: HealthRoute = HealthRoute::new(HTTP, "/healthz").fails_without(&[RABBITMQ.name]);
pub(crate) const INTERVAL: VariableName = variable("EVENT_GENERATION_INTERVAL_SECONDS");

pub(crate) const SERVICE: Service = Service {
    ports: &[HTTP, METRICS],
    uses: &[RABBITMQ.client(
        AmqpEnv {
            host: variable("RABBITMQ_HOST"),
            port: variable("RABBITMQ_PORT"),
            user: variable("RABBITMQ_USER"),
            password: plain("RABBITMQ_PASS"),
        },
        &[publishes(AUDIT_EVENTS, variable("RABBITMQ_QUEUE"))],
    )],
    environment: &[
        Variable::port("APP_PORT", HTTP),
        Variable::port("PROMETHEUS_PORT", METRICS),
        Variable::integer(INTERVAL.as_str(), 10, 1, 86_400, "Seconds between two events."),
    ],
    ..Service::new(
        NAME,
        "Generates audit events: one every few seconds, and one for each request.",
        Image::without_tag(
            "jojees/audit-event-generator",
            "`latest` is its only known tag, and it moves; the delivery pipeline tags each build with its commit",
        ),
        Health::probes(HEALTHZ.probe(), Probe::tcp(HTTP)),
        Resources::new(cpu("100m").up_to("200m"), memory("128Mi").up_to("256Mi")),
    )
};
