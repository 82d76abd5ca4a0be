//! Environment variables and settings.

use vocabulary::{
    AmqpEnv, Backing, Platform, RabbitMq, Service, Variable, consumes, libpq_value, variable,
};

use super::{amqp_env, service};

const BROKER: RabbitMq = RabbitMq::named("broker");

const COPY: RabbitMq = RabbitMq::named("copy");

const READER: Service = Service {
    uses: &[
        BROKER.client(
            AmqpEnv { password: libpq_value("AMQP_PASSWORD"), ..amqp_env() },
            &[consumes(BROKER.queue("orders").published_externally("the shop's web site"), variable("AMQP_QUEUE"))],
        ),
        COPY.client(
            amqp_env(),
            &[consumes(COPY.queue("orders").published_externally("the shop's web site"), variable("COPY_QUEUE"))],
        ),
    ],
    environment: &[
        Variable::fixed("AMQP_HOST", "localhost"),
        Variable::fixed("AMQP_QUEUE", "orders"),
        Variable::fixed("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
        Variable::text("LOG_LEVEL", "info", "How much is logged."),
        Variable::text("LOG__LEVEL", "info", "How much is logged, again."),
        Variable::secret("BROKER", "A token, whose key is the broker's."),
    ],
    ..service("reader")
};

const SETTINGS: Service = Service {
    environment: &[
        Variable::integer("RETRIES", 10, 0, 5, "Tries before it gives up."),
        Variable::integer("WORKERS", 2, 4, 1, "Orders that are handled at a time."),
        Variable::integer("TIMEOUT", 30, 1, i64::MAX, "Seconds to wait for an answer."),
        Variable::choice("COLOUR", "green", &["red", "blue", "red"], "The colour of the buttons."),
        Variable::choice("LANGUAGE", "en", &[], "The language of the pages."),
        Variable::fixed("SEPARATOR", "\0"),
    ],
    ..service("settings")
};

pub(super) fn platform() -> Platform {
    Platform { services: vec![READER, SETTINGS], backing: vec![Backing::RabbitMq(BROKER), Backing::RabbitMq(COPY)], ..super::platform() }
}
