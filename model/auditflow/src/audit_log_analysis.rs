//! audit-log-analysis: detects attacks in the events, and raises alerts.

use vocabulary::{
    AmqpEnv, CacheEnv, CacheLogin, Health, HealthRoute, Image, Meaning, Metric, Port, Probe, Resources, Runtime,
    Scaling, Service, ServiceName, Variable, VariableName, consumes, cpu, keys, label, memory, plain, publishes,
    variable,
};

use crate::rabbitmq::{AUDIT_ALERTS, AUDIT_EVENTS, RABBITMQ};
use crate::redis::REDIS;

pub(crate) const NAME: ServiceName = ServiceName::new("audit-log-analysis");
pub(crate) const ENVIRONMENT: VariableName = variable("ENVIRONMENT");
const HTTP: Port = Port::http("http", 5001);
const METRICS: Port = Port::metrics("metrics", 8001);
const HEALTHZ: HealthRoute = HealthRoute::new(HTTP, "/healthz").fails_without(&[RABBITMQ.name, REDIS.name]);

pub(crate) const SERVICE: Service = Service {
    runtime: Runtime::Python,
    ports: &[HTTP, METRICS],
    uses: &[
        RABBITMQ.client(
            AmqpEnv {
                host: variable("RABBITMQ_HOST"),
                port: variable("RABBITMQ_PORT"),
                user: variable("RABBITMQ_USER"),
                password: plain("RABBITMQ_PASS"),
            },
            &[
                consumes(AUDIT_EVENTS, variable("RABBITMQ_QUEUE")),
                publishes(AUDIT_ALERTS, variable("RABBITMQ_ALERT_QUEUE")),
            ],
        ),
        REDIS.client(
            CacheEnv {
                host: variable("REDIS_HOST"),
                port: variable("REDIS_PORT"),
                // The program has no variable for a password.
                login: CacheLogin::Anonymous,
            },
            // One sorted set per user and host, in one transaction. Its client library sends the last two commands.
            keys(
                "failed_logins_zset:*",
                &[
                    "ping",
                    "zadd",
                    "zremrangebyscore",
                    "zcard",
                    "expire",
                    "multi",
                    "exec",
                    "discard",
                    "client|setinfo",
                    "client|setname",
                ],
            ),
        ),
    ],
    metrics: &[
        Metric::counter("audit_analysis_processed_total", "Events that were analysed, redeliveries included."),
        Metric::counter(
            "audit_analysis_rabbitmq_messages_consumed_total",
            "Messages that the broker has delivered, redeliveries included.",
        ),
        Metric::counter("audit_analysis_alerts_total", "Security alerts that were raised.")
            .labels(&[label("alert_type"), label("severity"), label("user_id"), label("server_hostname")])
            .personal(&[label("user_id"), label("server_hostname")])
            .means(Meaning::Findings),
        Metric::connection("audit_analysis_rabbitmq_consumer_connection_status", RABBITMQ.name),
        Metric::connection("audit_analysis_redis_connection_status", REDIS.name),
    ],
    personal_log: Some("names of users and hosts, in received events and in alerts"),
    environment: &[
        Variable::port("APP_PORT", HTTP),
        Variable::port("PROMETHEUS_PORT", METRICS),
        Variable::text(
            ENVIRONMENT.as_str(),
            "production",
            "The name of the environment, which is copied into each alert.",
        ),
    ],
    scaling: Scaling::horizontal(2, 5, 70),
    ..Service::new(
        NAME,
        "Detects attacks in the events, and raises alerts.",
        Image::new("jojees/audit-log-analysis", "ph3.6"),
        Health::probes(HEALTHZ.probe(), Probe::tcp(HTTP)),
        Resources::new(cpu("100m").up_to("200m"), memory("256Mi").up_to("512Mi")),
    )
};
