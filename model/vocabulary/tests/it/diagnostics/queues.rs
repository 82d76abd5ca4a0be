//! Queues and exchanges.

use vocabulary::{
    AmqpEnv, Backing, Exchange, Platform, Queue, RabbitMq, Service, consumes, plain, publishes, publishes_through,
    variable,
};

use super::{amqp_env, service};

const BROKER: RabbitMq = RabbitMq::named("broker");
const OTHER: RabbitMq = RabbitMq::named("other");
const ORDERS: Queue = BROKER.queue("orders");
const ORDERS_AGAIN: Queue = BROKER.queue("orders");
const EVENTS: Queue = BROKER.queue("events");
const NEVER_FILLED: Queue = BROKER.queue("never-filled");
const ELSEWHERE: Queue = OTHER.queue("elsewhere").published_externally("the carrier");
const FOREIGN: Queue = OTHER.queue("foreign").published_externally("the carrier");
const DEAD: Queue = BROKER.queue("orders.dead-letters").consumed_externally("an operator");
const EVENTS_EXCHANGE: Exchange = BROKER.exchange("events");
const EVENTS_EXCHANGE_AGAIN: Exchange = BROKER.exchange("events");

const SHOP: Service = Service {
    uses: &[BROKER.client(
        amqp_env(),
        &[
            publishes(ORDERS, variable("ORDERS")),
            publishes(ORDERS, variable("ORDERS_ONCE_MORE")),
            publishes(DEAD, variable("DEAD")),
            publishes_through(EVENTS_EXCHANGE, variable("EXCHANGE"), EVENTS, variable("EVENTS")),
        ],
    )],
    ..service("shop")
};

const CASHIER: Service = Service {
    uses: &[BROKER.client(
        amqp_env(),
        &[publishes_through(EVENTS_EXCHANGE_AGAIN, variable("EXCHANGE"), EVENTS, variable("EVENTS"))],
    )],
    ..service("cashier")
};

const WAREHOUSE: Service = Service {
    uses: &[
        OTHER.client(
            AmqpEnv {
                host: variable("OTHER_HOST"),
                port: variable("OTHER_PORT"),
                user: variable("OTHER_USER"),
                password: plain("OTHER_PASSWORD"),
            },
            &[consumes(ELSEWHERE, variable("ELSEWHERE"))],
        ),
        BROKER.client(
            amqp_env(),
            &[
                consumes(ORDERS_AGAIN, variable("ORDERS")),
                consumes(ORDERS_AGAIN, variable("ORDERS_ONCE_MORE")),
                consumes(NEVER_FILLED, variable("NEVER_FILLED")),
                consumes(FOREIGN, variable("FOREIGN")),
            ],
        ),
    ],
    ..service("warehouse")
};

pub(super) fn platform() -> Platform {
    Platform {
        services: vec![SHOP, CASHIER, WAREHOUSE],
        backing: vec![Backing::RabbitMq(BROKER), Backing::RabbitMq(OTHER)],
        ..super::platform()
    }
}
