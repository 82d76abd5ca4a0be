use super::check::CODES;
use super::{AmqpEnv, Exchange, Queue, QueueUse, RabbitMq, consumes, publishes, publishes_through};
use crate::testing::{check, diagnostics, fix, list, platform, service};
use crate::{Backing, Platform, Service, plain, variable};

pub(crate) const BROKER: RabbitMq = RabbitMq::named("broker");

pub(crate) const ENV: AmqpEnv = AmqpEnv {
    host: variable("AMQP_HOST"),
    port: variable("AMQP_PORT"),
    user: variable("AMQP_USER"),
    password: plain("AMQP_PASSWORD"),
};

const ORDERS: Queue = BROKER.queue("orders");
const EVENTS: Queue = BROKER.queue("events").consumed_externally("the auditors");
const DEAD: Queue = BROKER.queue("orders.dead-letters").consumed_externally("an operator");
const REJECTED: Queue = BROKER.queue("rejected-orders").consumed_externally("an operator");
const EXCHANGE: Exchange = BROKER.exchange("orders-exchange");
const EXCHANGE_AS_QUEUE: Exchange = BROKER.exchange("events");

/// A service that uses queues of the broker in this way.
#[track_caller]
fn user(name: &'static str, queues: impl Into<Vec<QueueUse>>) -> Service {
    Service { uses: list([BROKER.client(ENV, list(queues))]), ..service(name) }
}

#[track_caller]
fn shop(services: impl Into<Vec<Service>>) -> Platform {
    Platform { backing: vec![Backing::RabbitMq(BROKER)], ..platform(services) }
}

#[test]
fn every_help_can_be_followed() {
    let queue = variable("QUEUE");
    let publisher = user("shop", [publishes(ORDERS, queue)]);
    let consumer = user("warehouse", [consumes(ORDERS, queue)]);
    let complete = || shop([publisher, consumer]);
    check(
        "rabbitmq",
        CODES,
        vec![
            fix(
                "QueueNeverConsumed",
                shop([publisher]),
                [complete(), shop([user("shop", [publishes(ORDERS.consumed_externally("a partner"), queue)])])],
            ),
            fix(
                "QueueNeverPublished",
                shop([consumer]),
                [complete(), shop([user("warehouse", [consumes(ORDERS.published_externally("a partner"), queue)])])],
            ),
            fix(
                "DuplicateQueueUse",
                shop([user("shop", [publishes(EVENTS, queue), publishes(EVENTS, variable("SAME_QUEUE"))])]),
                [shop([user("shop", [publishes(EVENTS, queue)])])],
            ),
            fix(
                "DeadLetterName",
                shop([user("shop", [publishes(DEAD, queue)])]),
                [shop([user("shop", [publishes(REJECTED, queue)])])],
            ),
            fix(
                "QueueNamedAsExchange",
                shop([user("shop", [publishes_through(EXCHANGE_AS_QUEUE, variable("EXCHANGE"), EVENTS, queue)])]),
                [shop([user("shop", [publishes_through(EXCHANGE, variable("EXCHANGE"), EVENTS, queue)])])],
            ),
        ],
    );
}

#[test]
fn a_queue_without_a_consumer_is_one_diagnostic_however_many_services_publish_to_it() {
    let services: Vec<Service> =
        ["a", "b", "c", "d", "e"].map(|name| user(name, [publishes(ORDERS, variable("QUEUE"))])).into();
    let diagnostics = diagnostics(shop(services));
    assert_eq!(diagnostics.as_slice().len(), 1, "{diagnostics}");
    let report = diagnostics.to_string();
    assert!(
        ["a", "b", "c", "d", "e"].iter().all(|name| report.contains(&format!("published to by {name} "))),
        "{report}"
    );
}
