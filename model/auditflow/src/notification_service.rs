//! notification-service: stores alerts from the queue, and serves them over HTTP.

use vocabulary::{
    AmqpEnv, Endpoint, Health, Image, Port, Python3, Resources, Runtime, Scaling, Service, ServiceName, SqlEnv,
    Variable, VariableName, consumes, cpu, libpq_value, memory, owns, plain, variable,
};

use crate::postgresql::{ALERTS_DB, POSTGRESQL};
use crate::rabbitmq::{AUDIT_ALERTS, RABBITMQ};

pub(crate) const NAME: ServiceName = ServiceName::new("notification-service");
const HTTP: Port = Port::http("http-api", 8000);
pub(crate) const API: Endpoint = Endpoint::new(NAME, HTTP);
pub(crate) const ENVIRONMENT: VariableName = variable("ENVIRONMENT");
pub(crate) const LOG_LEVEL: VariableName = variable("LOG_LEVEL");

pub(crate) const SERVICE: Service = Service {
    runtime: Runtime::Python,
    ports: &[HTTP],
    uses: &[
        RABBITMQ
            .client(
                AmqpEnv {
                    host: variable("RABBITMQ_HOST"),
                    port: variable("RABBITMQ_PORT"),
                    user: variable("RABBITMQ_USER"),
                    password: plain("RABBITMQ_PASS"),
                },
                &[consumes(AUDIT_ALERTS, variable("RABBITMQ_ALERT_QUEUE"))],
            )
            .never_reconnects("tries once when it starts, and consumes nothing after a lost connection"),
        POSTGRESQL
            .client(
                SqlEnv {
                    host: variable("PG_HOST"),
                    port: variable("PG_PORT"),
                    user: variable("PG_USER"),
                    password: libpq_value("PG_PASSWORD"),
                },
                owns(ALERTS_DB, variable("PG_DB")),
            )
            .never_reconnects("closes its connection pool with the first lost connection, and never opens another"),
    ],
    environment: &[
        Variable::fixed("SERVICE_NAME", "NotificationService"),
        Variable::text(ENVIRONMENT.as_str(), "production", "The name of the environment, as it appears in the logs."),
        Variable::choice(
            LOG_LEVEL.as_str(),
            "INFO",
            &["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
            "The lowest severity that is logged.",
        ),
        Variable::fixed("API_HOST", "0.0.0.0"),
        Variable::port("API_PORT", HTTP),
    ],
    scaling: Scaling::horizontal(2, 5, 70),
    ..Service::new(
        NAME,
        "Stores alerts, and serves them.",
        Image::new("jojees/notification-service", "0.1.6"),
        // Its `/healthz` always returns 200.
        Health::by_connections(Python3),
        Resources::new(cpu("100m").up_to("200m"), memory("128Mi").up_to("256Mi")),
    )
};
