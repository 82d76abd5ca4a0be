//! Platforms at the bounds of names.

use vocabulary::{
    AmqpEnv, Backing, CacheEnv, CacheLogin, CallEnv, ChartVersion, EndToEndTest, Endpoint, Environment, Exchange,
    Exposure, Health, HealthRoute, Image, Platform, PlatformName, Port, PostgreSql, Python3, Queue, RabbitMq,
    Resources, Scaling, Service, ServiceName, SqlEnv, Tests, Valkey, Variable, autoscaled, consumes, cpu,
    exposed_at_node_port, keys, memory, owns, plain, publishes, publishes_through, setting, variable,
};

use crate::plain_platform;

pub(crate) fn brief() -> Platform {
    const LETTERS: Valkey = Valkey::named("b");
    const A: Service = Service {
        uses: &[LETTERS
            .client(
                CacheEnv {
                    host: variable("H"),
                    port: variable("P"),
                    login: CacheLogin::Own { user: variable("U"), password: plain("W") },
                },
                keys("*", &["get"]),
            )
            .never_reconnects("it is short of breath")],
        ..Service::new(
            ServiceName::new("a"),
            "A.",
            Image::without_tag("a", "it has no builds yet"),
            Health::by_connections(Python3),
            Resources::new(cpu("1m"), memory("1Mi")),
        )
    };
    Platform { longest_release_name: 2, ..plain_platform("c", vec![A], vec![Backing::Valkey(LETTERS)]) }
}

const HTTP: Port = Port::http("http-xxxxxxxxxz", 65535);
const METRICS: Port = Port::metrics("metrics-xxxxxxz", 65534);
const BROKER: RabbitMq = RabbitMq::named("broker-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz");
const DATABASES: PostgreSql = PostgreSql::named("databases-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxz");
const CACHE: Valkey = Valkey::named("cache-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz");
const CALLER_NAME: ServiceName = ServiceName::new("caller-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz");
const CALLED_NAME: ServiceName = ServiceName::new("called-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz");
const QUEUE: Queue = BROKER.queue("queue.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz");
const OTHER: Queue = BROKER.queue("other.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz");
const EXCHANGE: Exchange = BROKER.exchange("exchange.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz");
const TEXT: &str = "TEXT_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ";

const fn amqp() -> AmqpEnv {
    AmqpEnv {
        host: variable(
            "MQ_HOST_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ",
        ),
        port: variable(
            "MQ_PORT_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ",
        ),
        user: variable(
            "MQ_USER_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ",
        ),
        password: plain(
            "MQ_PASSWORD_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ",
        ),
    }
}

const CALLED: Service = Service {
    ports: &[HTTP, METRICS],
    uses: &[
        BROKER.client(
            amqp(),
            &[
                publishes_through(
                    EXCHANGE,
                    variable("EXCHANGE_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
                    QUEUE,
                    variable("ROUTING_KEY_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
                ),
                publishes(OTHER, variable("OTHER_QUEUE_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ")),
            ],
        ),
        CACHE.client(
            CacheEnv {
                host: variable("CACHE_HOST_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
                port: variable("CACHE_PORT_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
                login: CacheLogin::Own {
                    user: variable("CACHE_USER_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
                    password: plain("CACHE_PASSWORD_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
                },
            },
            keys("pattern:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz", &["getxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz"]),
        ),
    ],
    environment: &[
        Variable::text(TEXT, "text", "A text."),
        Variable::secret("SECRET_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ", "A secret."),
    ],
    scaling: Scaling::horizontal(65534, 65535, 100),
    exposure: Some(Exposure::http(HTTP)),
    ..Service::new(
        CALLED_NAME,
        "Is called.",
        Image::new("repository/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz", "tagxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz"),
        Health::probes(ROUTE.probe(), ROUTE.probe()),
        Resources::new(cpu("1"), memory("1Gi")),
    )
};

const ROUTE: HealthRoute = HealthRoute::new(
    HTTP,
    "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz",
);

const CALLER: Service = Service {
    uses: &[
        BROKER
            .client(
                amqp(),
                &[
                    consumes(QUEUE, variable("QUEUE_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ")),
                    consumes(OTHER, variable("OTHER_QUEUE_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ")),
                ],
            )
            .never_reconnects("it was never finished"),
        DATABASES.client(
            SqlEnv {
                host: variable("PG_HOST_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
                port: variable("PG_PORT_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
                user: variable("PG_USER_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
                password: plain("PG_PASSWORD_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
            },
            owns(
                DATABASES.database("database_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz"),
                variable("PG_DATABASE_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
            ),
        ),
        Endpoint::new(CALLED_NAME, HTTP)
            .called(CallEnv {
                host: variable("CALLED_HOST_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
                port: variable("CALLED_PORT_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXZ"),
            })
            .requests("/askedxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz"),
    ],
    ..Service::new(
        CALLER_NAME,
        "Calls.",
        Image::without_tag("odd/caller", "nobody builds it"),
        Health::by_connections(Python3),
        Resources::new(cpu("1"), memory("1Gi")),
    )
};

pub(crate) fn longest() -> Platform {
    const ENVIRONMENT: Environment = Environment::new(
        "environment-xxxxxxxxxxxxxxxxxxxxxxxxxxxz",
        "Where names are long.",
        &[
            autoscaled(CALLED_NAME),
            setting(CALLED_NAME, variable(TEXT), "other"),
            exposed_at_node_port(CALLED_NAME, 30000),
        ],
    );
    const END_TO_END: EndToEndTest = EndToEndTest::new(
        "A long name arrives.",
        Endpoint::new(CALLED_NAME, HTTP).posts("/sentxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz", "{marker}"),
        &[CALLER_NAME],
        Endpoint::new(CALLED_NAME, HTTP).page("/seenxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz"),
    );
    let servers = vec![Backing::RabbitMq(BROKER), Backing::PostgreSql(DATABASES), Backing::Valkey(CACHE)];
    Platform {
        name: PlatformName::new("platform-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz"),
        version: ChartVersion::new("999999999.999999999.999999999-pre.releas"),
        longest_release_name: 2,
        environments: vec![ENVIRONMENT],
        tests: Tests::DEFAULT.end_to_end(END_TO_END),
        ..plain_platform("longest", vec![CALLER, CALLED], servers)
    }
}
