use super::CODES;
use crate::testing::{HTTP, check, fix, list, platform, service};
use crate::{
    AmqpEnv, Backing, BackingName, Meaning, Metric, MetricName, Platform, Port, RabbitMq, Service, Use, consumes,
    plain, publishes, variable,
};

const METRICS: Port = Port::metrics("metrics", 9000);
const BROKER: RabbitMq = RabbitMq::named("broker");
const ORDERS: Metric = Metric::counter("orders_total", "Orders.");

/// A service with these metrics, and a port for them.
#[track_caller]
fn measured(name: &'static str, metrics: impl Into<Vec<Metric>>) -> Service {
    Service { ports: &[HTTP, METRICS], metrics: list(metrics), ..service(name) }
}

#[track_caller]
fn shop(metrics: impl Into<Vec<Metric>>) -> Platform {
    platform([measured("shop", metrics)])
}

#[track_caller]
fn labels(names: &[&'static str]) -> &'static [MetricName] {
    list(names.iter().map(|name| MetricName::new(name)).collect::<Vec<_>>())
}

/// A platform with a service that uses the broker, and one that has a metric about it, with these uses.
#[track_caller]
fn connected(uses: impl Into<Vec<Use>>, client: Use) -> Platform {
    let connection = Metric::connection("broker_connection_status", BackingName::new("broker"));
    let shop = Service { uses: list(uses), ..measured("shop", [connection]) };
    let other = Service { uses: list([client]), ..service("warehouse") };
    Platform { backing: vec![Backing::RabbitMq(BROKER)], ..platform([shop, other]) }
}

#[test]
fn every_help_can_be_followed() {
    let env = AmqpEnv {
        host: variable("HOST"),
        port: variable("PORT"),
        user: variable("AMQP_USER"),
        password: plain("AMQP_PASSWORD"),
    };
    let queue = BROKER.queue("orders");
    let uses = BROKER.client(env, list([publishes(queue, variable("TO")), consumes(queue, variable("FROM"))]));
    let by_country = ORDERS.labels(labels(&["country"]));
    let shown = Metric::gauge("orders", "Orders that wait.");
    let waits = Metric::histogram("wait_seconds", "Waits.");
    check(
        "metrics",
        CODES,
        vec![
            fix(
                "MetricsWithoutPort",
                platform([Service { metrics: list([ORDERS]), ..service("shop") }]),
                [shop([ORDERS]), shop([])],
            ),
            fix("DuplicateMetric", shop([ORDERS, shown, ORDERS]), [shop([ORDERS, shown])]),
            fix(
                "MetricDiffers",
                platform([measured("shop", [ORDERS]), measured("web", [by_country])]),
                [
                    platform([measured("shop", [ORDERS]), measured("web", [ORDERS])]),
                    platform([
                        measured("shop", [ORDERS]),
                        measured("web", [Metric::counter("web_orders_total", "Orders.")]),
                    ]),
                ],
            ),
            fix("MetricSuffix", shop([Metric::counter("orders", "Orders.")]), [shop([ORDERS]), shop([shown])]),
            fix("MetricSuffix", shop([Metric::gauge("orders_total", "Orders.")]), [shop([ORDERS]), shop([shown])]),
            fix("MetricSuffix", shop([Metric::histogram("seconds_total", "Waits.")]), [shop([waits]), shop([ORDERS])]),
            fix("MetricSuffix", shop([Metric::histogram("wait_seconds_sum", "Waits.")]), [shop([waits])]),
            fix("MetricLabel", shop([ORDERS.labels(labels(&["country", "country"]))]), [shop([by_country])]),
            fix("MetricLabel", shop([ORDERS.labels(labels(&["pod"]))]), [shop([by_country])]),
            fix(
                "PersonalLabel",
                shop([by_country.personal(labels(&["user"]))]),
                [
                    shop([ORDERS.labels(labels(&["country", "user"])).personal(labels(&["user"]))]),
                    shop([by_country.personal(labels(&["country"]))]),
                ],
            ),
            fix(
                "MetricMeaning",
                shop([shown.means(Meaning::Findings)]),
                [shop([ORDERS.means(Meaning::Findings)]), shop([shown])],
            ),
            fix("MetricOfUnusedServer", connected([], uses), [connected([uses], uses)]),
        ],
    );
}

#[test]
fn two_services_may_have_the_same_metric() {
    let both = platform([measured("shop", [ORDERS]), measured("web", [ORDERS])]);
    assert!(both.resolve().is_ok());
}
