//! Texts that explain something: one line each.

use vocabulary::{
    ApiRule, Backing, Environment, Health, Image, Platform, Python3, RabbitMq, Service, Variable, consumes, variable,
};

use super::{amqp_env, service};

const BROKER: RabbitMq =
    RabbitMq { image: Image::without_tag("example/broker", " "), ..RabbitMq::named("broker") };

const READER: Service = Service {
    doc: "Reads.\nAnd writes.",
    image: Image::without_tag("example/reader", "nobody\nknows"),
    uses: &[BROKER
        .client(
            amqp_env(),
            &[consumes(BROKER.queue("orders").published_externally("\u{feff}the shop"), variable("AMQP_QUEUE"))],
        )
        .never_reconnects("")],
    health: Health::by_connections(Python3),
    environment: &[
        Variable::text("TITLE", "The shop\nis open", "\t"),
        Variable::secret("TOKEN", "A token.\r\n"),
    ],
    kubernetes: &[ApiRule::new("", "", &["configmaps"], &["get"])],
    ..service("reader")
};

pub(super) fn platform() -> Platform {
    Platform {
        doc: "",
        home: "https://example.org\u{2028}",
        services: vec![READER],
        backing: vec![Backing::RabbitMq(BROKER)],
        environments: vec![Environment::new("test", "\u{1b}[31mred", &[])],
        ..super::platform()
    }
}
