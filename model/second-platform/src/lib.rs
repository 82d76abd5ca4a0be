//! A small platform that shares nothing with AuditFlow: the tests of the generator and of xtask run on it.
//!
//! It has two brokers, no database, a login at the cache, and a service with rights at the Kubernetes API.

use vocabulary::{
    AmqpEnv, ApiRule, Backing, CacheEnv, CacheLogin, CallEnv, ChartVersion, EarlierClaim, EarlierServer,
    EarlierVersion, EndToEndTest, Endpoint, Environment, Exchange, Exposure, Health, HealthRoute, Image, Platform,
    PlatformName, Port, Publication, Python3, Queue, RabbitMq, Reinstallation, Resources, Scaling, ServerVersion,
    Service, ServiceName, SourceLocation, Tests, Valkey, Variable, WritablePath, autoscaled, consumes, cpu,
    exposed_at_node_port, image_tag, keys, memory, moved, of_chart, of_servers, of_services, plain, publishes,
    publishes_through, removed, renamed, setting, storage, variable, variables,
};

/// The broker of the shop.
pub const ORDERS: RabbitMq = RabbitMq::named("orders-broker");
/// The broker of the meters, with an image from another registry.
pub const METERS: RabbitMq = RabbitMq {
    image: Image::new("registry.example.org:5000/mq/rabbitmq", "4.3-management"),
    ..RabbitMq::named("meters")
};
/// The cache of sessions.
pub const SESSIONS: Valkey = Valkey::named("sessions");

/// Orders that the shop has accepted.
pub const PLACED: Queue = ORDERS.queue("orders.placed");
/// Orders that have left; a program outside of the platform consumes it.
pub const SHIPPED: Queue = ORDERS.queue("orders.shipped").consumed_externally("the carrier's own consumer");
/// Readings of the meters; programs outside of the platform publish them.
pub const READINGS: Queue = METERS.queue("readings").published_externally("the gateways in the field");
/// The exchange that the shop publishes through.
pub const ORDER_EVENTS: Exchange = ORDERS.exchange("order-events");

/// The variables of a client of a broker: host, port, user and password.
#[must_use]
pub const fn amqp(prefix: [&'static str; 4]) -> AmqpEnv {
    AmqpEnv {
        host: variable(prefix[0]),
        port: variable(prefix[1]),
        user: variable(prefix[2]),
        password: plain(prefix[3]),
    }
}

/// The port that users reach.
pub const WEB: Port = Port::http("web", 9000);
/// A port that does not speak HTTP.
pub const ADMIN: Port = Port::tcp("admin", 9001);
/// The name of [`SHOP_SERVICE`].
pub const SHOP: ServiceName = ServiceName::new("shop");
/// A setting of [`SHOP_SERVICE`].
pub const LIMIT: vocabulary::VariableName = variable("CART_LIMIT");

/// Takes orders: an exposed service that scales, has a secret of its own and a setting.
pub const SHOP_SERVICE: Service = Service {
    ports: &[WEB, ADMIN],
    uses: &[
        ORDERS.client(
            amqp(["MQ_HOST", "MQ_PORT", "MQ_USER", "MQ_PASSWORD"]),
            &[publishes_through(ORDER_EVENTS, variable("MQ_EXCHANGE"), PLACED, variable("MQ_KEY"))],
        ),
        SESSIONS.client(
            CacheEnv {
                host: variable("CACHE_HOST"),
                port: variable("CACHE_PORT"),
                login: CacheLogin::Own { user: variable("CACHE_USER"), password: plain("CACHE_PASSWORD") },
            },
            keys("session:*", &["get", "set", "del", "ping", "hello"]),
        ),
    ],
    environment: &[
        Variable::integer(LIMIT.as_str(), 1_000_000, 1, 10_000_000, "Articles in one cart."),
        Variable::secret("PAYMENT_TOKEN", "The token for the payment provider."),
    ],
    scaling: Scaling::horizontal(3, 10, 50),
    exposure: Some(Exposure::http(WEB)),
    writable: &[WritablePath::new("/var/cache/shop", "64Mi"), WritablePath::new("/tmp", "16Mi")],
    ..Service::new(
        SHOP,
        "Takes orders.",
        Image::new("shop/web", "2.0").digest("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        Health::probes(
            HealthRoute::new(WEB, "/ready").fails_without(&[ORDERS.name]).probe(),
            HealthRoute::new(WEB, "/live").probe(),
        ),
        Resources::new(cpu("250m").up_to("1"), memory("256Mi").up_to("512Mi")),
    )
};

/// Ships orders: a service that never reconnects to one of its brokers.
pub const SHIPPER: Service = Service {
    ports: &[ADMIN],
    uses: &[
        ORDERS
            .client(
                amqp(["BROKER_HOST", "BROKER_PORT", "BROKER_LOGIN", "BROKER_SECRET"]),
                &[consumes(PLACED, variable("IN")), publishes(SHIPPED, variable("OUT"))],
            )
            .never_reconnects("its client gives up with the first error"),
        METERS.client(
            amqp(["METER_HOST", "METER_PORT", "METER_USER", "METER_PASS"]),
            &[consumes(READINGS, variable("METER_QUEUE")).declared_passively()],
        ),
        Endpoint::new(SHOP, WEB)
            .called(CallEnv { host: variable("SHOP_HOST"), port: variable("SHOP_WEB_PORT") })
            .requests("/stock"),
        Endpoint::new(SHOP, ADMIN)
            .called(CallEnv { host: variable("SHOP_ADMIN_HOST"), port: variable("SHOP_ADMIN_PORT") }),
    ],
    kubernetes: &[
        ApiRule::new("Reads its routes.", "", &["configmaps"], &["get"]).only(&["routes"]),
        ApiRule::new("Elects a leader.", "coordination.k8s.io", &["leases"], &["get", "create", "update"]),
    ],
    run_as_user: 2000,
    ..Service::new(
        SHIPPER_NAME,
        "Ships orders.",
        Image::without_tag("shop/shipper", "whoever ships builds it"),
        Health::by_connections(Python3),
        Resources::new(cpu("50m"), memory("64Mi").up_to("128Mi")),
    )
};

/// The name of [`SHIPPER`].
pub const SHIPPER_NAME: ServiceName = ServiceName::new("shipper");

/// An environment that follows a moving tag.
pub const TRIAL: Environment =
    Environment::new("trial", "Where a build is tried.", &[image_tag(SHIPPER_NAME, "latest")]);

/// An environment that has one change of each kind but `replicas`.
pub const LIVE: Environment = Environment::new(
    "live",
    "Where customers are.",
    &[
        autoscaled(SHOP),
        setting(SHOP, LIMIT, "2000000"),
        image_tag(SHIPPER_NAME, "1.4"),
        storage(ORDERS.name, "8Gi"),
        exposed_at_node_port(SHOP, 30100),
    ],
);

/// The end-to-end test. It leaves nothing in a database, since there is none.
pub const END_TO_END: EndToEndTest = EndToEndTest::new(
    "An order is shipped.",
    Endpoint::new(SHOP, WEB).posts("/orders", r#"{"article": "{marker} {{ it's }} \u00e9"}"#),
    &[ServiceName::new("shipper")],
    Endpoint::new(SHOP, WEB).page("/shipped"),
)
.timeout_seconds(20);

/// Two versions that had other values: the first is left by a reinstallation, the second by an upgrade.
pub const EARLIER: &[EarlierVersion] = &[
    EarlierVersion::new(
        "1.0.0",
        &[
            of_services(
                &[SHOP, SHIPPER_NAME],
                &[
                    variables("env"),
                    renamed("scale", "replicas"),
                    moved("pullSecrets", "global.imagePullSecrets"),
                    removed("probes", "the chart sets the probes"),
                ],
            ),
            of_services(
                &[SHOP],
                &[
                    renamed("edge.kind", "exposure.via").words(&[("internal", "None"), ("node", "NodePort")]),
                    renamed("edge.port", "exposure.nodePort").requires("exposure.via", "NodePort"),
                ],
            ),
            of_servers(&[ORDERS.name, METERS.name], &[renamed("adminPassword", "credentials.administrator.password")]),
            of_chart(&[removed("worker", "the service does not exist any more")]),
        ],
    )
    .reinstalled(Reinstallation {
        reason: "its objects have other selectors",
        stops: &[&[SHOP], &[SHIPPER_NAME]],
        servers: &[EarlierServer {
            server: ORDERS.name,
            version: ServerVersion::new("4.1"),
            stateful_set: "mq",
            claim: Some(EarlierClaim { template: "queue", component: "mq" }),
            login: None,
        }],
    }),
    EarlierVersion::new("1.5.0", &[of_chart(&[moved("global.metricsOn", "global.metrics.enabled")])]),
];

/// The whole platform.
#[must_use]
pub fn platform() -> Platform {
    Platform {
        name: PlatformName::new("shop-floor"),
        doc: "A shop, and what ships its orders",
        version: ChartVersion::new("2.0.0-rc.1"),
        home: "https://example.org/shop",
        publication: Publication::new(),
        longest_release_name: 20,
        services: vec![SHOP_SERVICE, SHIPPER],
        backing: vec![Backing::RabbitMq(ORDERS), Backing::RabbitMq(METERS), Backing::Valkey(SESSIONS)],
        environments: vec![TRIAL, LIVE],
        tests: Tests::DEFAULT.end_to_end(END_TO_END),
        published_passwords: &["Wines-of-the-day"],
        earlier_versions: EARLIER,
        location: SourceLocation::here(),
    }
}
