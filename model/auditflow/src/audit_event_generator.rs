//! audit-event-generator: generates audit events, one every few seconds and one for each request.

use vocabulary::{
    AmqpEnv, Endpoint, Health, HealthRoute, Image, Meaning, Metric, Port, Probe, Resources, Runtime, Service,
    ServiceName, Variable, VariableName, cpu, label, memory, plain, publishes, variable,
};

use crate::rabbitmq::{AUDIT_EVENTS, RABBITMQ};

pub(crate) const NAME: ServiceName = ServiceName::new("audit-event-generator");
const HTTP: Port = Port::http("http", 5000);
pub(crate) const API: Endpoint = Endpoint::new(NAME, HTTP);
const METRICS: Port = Port::metrics("metrics", 8000);
const HEALTHZ: HealthRoute = HealthRoute::new(HTTP, "/healthz").fails_without(&[RABBITMQ.name]);
pub(crate) const INTERVAL: VariableName = variable("EVENT_GENERATION_INTERVAL_SECONDS");

pub(crate) const SERVICE: Service = Service {
    runtime: Runtime::Python,
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
    metrics: &[
        Metric::counter("audit_event_generator_events_total", "Generated events.")
            .labels(&[label("event_type"), label("server_hostname"), label("action_result")])
            .personal(&[label("server_hostname")]),
        Metric::counter("audit_event_generator_published_success_total", "Events that the broker has taken."),
        Metric::counter(
            "audit_event_generator_published_failure_total",
            "Events that could not be published, and are lost.",
        )
        .means(Meaning::FailedPublishes(RABBITMQ.name)),
        Metric::connection("audit_event_generator_rabbitmq_connection_status", RABBITMQ.name),
    ],
    personal_log: Some("each event in full: names of users and hosts, and addresses of clients"),
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
