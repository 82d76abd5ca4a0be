//! Platforms with servers of one kind.

use vocabulary::{
    AmqpEnv, Backing, CacheEnv, CacheLogin, Exchange, Health, Image, Platform, Port, PostgreSql, Probe, Python3, Queue,
    RabbitMq, Resources, Service, ServiceName, SqlEnv, Valkey, VariableName, consumes, cpu, keys, libpq_value, memory,
    owns, plain, publishes_through, variable,
};

use crate::plain_platform;

const HTTP: Port = Port::http("http", 8080);
const RESOURCES: Resources = Resources::new(cpu("10m"), memory("16Mi"));
const IMAGE: Image = Image::new("odd/client", "1");

pub(crate) fn exchange() -> Platform {
    const BROKER: RabbitMq = RabbitMq::named("broker");
    const NEWS: Exchange = BROKER.exchange("news");
    const LETTERS: Queue = BROKER.queue("letters");
    const ENV: AmqpEnv =
        AmqpEnv { host: variable("HOST"), port: variable("PORT"), user: variable("LOGIN"), password: plain("PASS") };
    const SENDER: Service = Service {
        ports: &[HTTP],
        uses: &[BROKER.client(ENV, &[publishes_through(NEWS, variable("EXCHANGE"), LETTERS, variable("KEY"))])],
        ..Service::new(
            ServiceName::new("sender"),
            "Sends.",
            IMAGE,
            Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP)),
            RESOURCES,
        )
    };
    const READER: Service = Service {
        uses: &[BROKER.client(ENV, &[consumes(LETTERS, variable("QUEUE"))]).never_reconnects("it exits")],
        ..Service::new(ServiceName::new("reader"), "Reads.", IMAGE, Health::by_connections(Python3), RESOURCES)
    };
    plain_platform("exchange", vec![SENDER, READER], vec![Backing::RabbitMq(BROKER)])
}

pub(crate) fn anonymous() -> Platform {
    const CACHE: Valkey = Valkey::named("cache");
    const GUEST: Service = Service {
        ports: &[HTTP],
        uses: &[CACHE.client(
            CacheEnv { host: variable("HOST"), port: variable("PORT"), login: CacheLogin::Anonymous },
            keys("*", &["get", "set"]),
        )],
        ..Service::new(
            ServiceName::new("guest"),
            "Remembers.",
            IMAGE,
            Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP)),
            RESOURCES,
        )
    };
    plain_platform("anonymous", vec![GUEST], vec![Backing::Valkey(CACHE)])
}

pub(crate) fn databases() -> Platform {
    const BOOKS: PostgreSql = PostgreSql::named("books");
    const PEOPLE: PostgreSql = PostgreSql::named("people");
    const fn env(names: [&'static str; 4]) -> SqlEnv {
        SqlEnv {
            host: variable(names[0]),
            port: variable(names[1]),
            user: variable(names[2]),
            password: libpq_value(names[3]),
        }
    }
    const DATABASE: VariableName = variable("BOOKS_NAME");
    const LIBRARY: Service = Service {
        ports: &[HTTP],
        uses: &[
            BOOKS.client(
                env(["BOOKS_HOST", "BOOKS_PORT", "BOOKS_USER", "BOOKS_PASSWORD"]),
                owns(BOOKS.database("books"), DATABASE),
            ),
            PEOPLE.client(
                env(["PEOPLE_HOST", "PEOPLE_PORT", "PEOPLE_USER", "PEOPLE_PASSWORD"]),
                owns(PEOPLE.database("people"), variable("PEOPLE_NAME")),
            ),
        ],
        ..Service::new(
            ServiceName::new("library"),
            "Lends.",
            IMAGE,
            Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP)),
            RESOURCES,
        )
    };
    plain_platform("databases", vec![LIBRARY], vec![Backing::PostgreSql(BOOKS), Backing::PostgreSql(PEOPLE)])
}
