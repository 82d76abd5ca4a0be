//! A whole platform with mistakes of many kinds: all of them are reported at once.

use insta::{Settings, assert_snapshot};
use vocabulary::{
    AmqpEnv, ApiRule, Backing, CacheEnv, CacheLogin, CallEnv, ChartVersion, Database, Endpoint, Environment, Exposure,
    Health, HealthRoute, Image, Platform, PlatformName, Port, PostgreSql, Probe, Publication, Queue, RabbitMq,
    Resources, Scaling, Service, ServiceName, SourceLocation, SqlEnv, Tests, Valkey, Variable, WritablePath,
    autoscaled, consumes, cpu, exposed_at_node_port, keys, memory, owns, plain, publishes, replicas, setting, storage,
    variable,
};

const BROKER: RabbitMq = RabbitMq::named("broker");
const ORDERS: Queue = BROKER.queue("orders");
const INVOICES: Queue = BROKER.queue("invoices");
const RETURNS: Queue = BROKER.queue("returns");

const SERVER: PostgreSql = PostgreSql {
    resources: Resources::new(cpu("1").up_to("500m"), memory("256Mi")),
    ..PostgreSql::named("postgresql")
};
const ORDERS_DB: Database = SERVER.database("orders_db");

const CARTS: Valkey = Valkey::named("carts");
const SEARCHES: Valkey = Valkey::named("searches");

const HTTP: Port = Port::http("http", 8080);
const METRICS: Port = Port::metrics("metrics", 8080);
const READY: HealthRoute = HealthRoute::new(HTTP, "/ready").fails_without(&[BROKER.name, SEARCHES.name]);

const STORE_FRONT: Service = Service {
    ports: &[HTTP, METRICS],
    uses: &[
        BROKER.client(amqp_env(), &[publishes(ORDERS, variable("AMQP_QUEUE"))]),
        CARTS.client(cache_env(CacheLogin::Anonymous), keys("cart:*", &["get", "set"])),
        Endpoint::new(PAYMENTS.name, HTTP)
            .called(CallEnv { host: variable("PAYMENTS_HOST"), port: variable("AMQP_PORT") }),
    ],
    environment: &[
        Variable::choice("CURRENCY", "EURO", &["EUR", "CHF"], "The currency of all prices."),
        Variable::text("TITLE", "The shop", "The title\nof every page."),
    ],
    exposure: Some(Exposure::http(METRICS)),
    ..Service::new(
        ServiceName::new("store-front"),
        "Shows articles, and takes orders.",
        Image::new("shop/store-front", "7"),
        Health::probes(READY.probe(), READY.probe()),
        Resources::new(cpu("100m").up_to("200m"), memory("512Mi").up_to("256Mi")),
    )
};

const PAYMENTS: Service = Service {
    run_as_user: 0,
    ..Service::new(
        ServiceName::new("payments"),
        "Talks to the bank. It is missing in the platform's list.",
        Image::new("shop/payments", "2"),
        Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP)),
        Resources::new(cpu("10m"), memory("32Mi")),
    )
};

const ORDER_TAKER: Service = Service {
    ports: &[HTTP],
    uses: &[
        BROKER.client(amqp_env(), &[consumes(ORDERS, variable("AMQP_QUEUE"))]).never_reconnects("its library gives up"),
        BROKER.client(amqp_env(), &[publishes(INVOICES, variable("AMQP_INVOICES"))]),
        SERVER.client(sql_env(), owns(ORDERS_DB, variable("SQL_DATABASE"))),
        CARTS.client(cache_env(CacheLogin::Anonymous), keys("cart:*", &["get", "del"])),
    ],
    kubernetes: &[ApiRule::new("Reads what is on sale.", "", &["*"], &["get"])],
    run_as_user: 0,
    ..Service::new(
        ServiceName::new("order-taker-and-bookkeeper"),
        "Stores orders.",
        Image::new("shop/order-taker", "3"),
        Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP)),
        Resources::new(cpu("100m"), memory("128m")),
    )
};

const WAREHOUSE: Service = Service {
    ports: &[],
    uses: &[
        BROKER.client(amqp_env(), &[consumes(RETURNS, variable("AMQP_QUEUE"))]),
        SERVER.client(sql_env(), owns(ORDERS_DB, variable("SQL_DATABASE"))),
    ],
    writable: &[WritablePath::new("/var/lib/warehouse", "1Gi"), WritablePath::new("/var/lib", "2Gi")],
    scaling: Scaling::Horizontal { min: 4, max: 2, cpu_percent: 70 },
    ..Service::new(
        ServiceName::new("warehouse"),
        "",
        Image::new("shop/warehouse", "1"),
        Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP)),
        Resources::new(cpu("100m"), memory("128Mi")),
    )
};

const LIVE: Environment = Environment::new(
    "live",
    "Where customers are.",
    &[
        autoscaled(STORE_FRONT.name),
        replicas(PAYMENTS.name, 2),
        setting(STORE_FRONT.name, variable("CURRENCY"), "USD"),
        exposed_at_node_port(STORE_FRONT.name, 30080),
        exposed_at_node_port(STORE_FRONT.name, 30081),
        storage(CARTS.name, "0Gi"),
    ],
);

fn platform() -> Platform {
    Platform {
        name: PlatformName::new("shop-platform"),
        doc: "A shop",
        version: ChartVersion::new("1.0.0"),
        home: "https://example.org",
        publication: Publication::new(),
        longest_release_name: 20,
        services: vec![STORE_FRONT, ORDER_TAKER, WAREHOUSE],
        backing: vec![
            Backing::RabbitMq(BROKER),
            Backing::PostgreSql(SERVER),
            Backing::Valkey(CARTS),
            Backing::Valkey(SEARCHES),
        ],
        environments: vec![LIVE],
        tests: Tests::DEFAULT,
        published_passwords: &[],
        earlier_versions: &[],
        location: SourceLocation::here(),
    }
}

const fn amqp_env() -> AmqpEnv {
    AmqpEnv {
        host: variable("AMQP_HOST"),
        port: variable("AMQP_PORT"),
        user: variable("AMQP_USER"),
        password: plain("AMQP_PASSWORD"),
    }
}

const fn sql_env() -> SqlEnv {
    SqlEnv {
        host: variable("SQL_HOST"),
        port: variable("SQL_PORT"),
        user: variable("SQL_USER"),
        password: plain("SQL_PASSWORD"),
    }
}

const fn cache_env(login: CacheLogin) -> CacheEnv {
    CacheEnv { host: variable("CACHE_HOST"), port: variable("CACHE_PORT"), login }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let diagnostics = platform().resolve().expect_err("the shop has mistakes");
    let mut codes: Vec<_> = diagnostics.as_slice().iter().map(vocabulary::Diagnostic::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert!(codes.len() >= 15, "only {codes:?}");
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../../../snapshots/diagnostics");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| assert_snapshot!("shop", without_lines(&diagnostics.to_string())));
}

/// A report without line numbers, which change with every edit of this file.
fn without_lines(report: &str) -> String {
    let line = |line: &str| line.split_once(".rs:").map_or(line.to_owned(), |(before, _)| format!("{before}.rs:LINE"));
    report.lines().map(line).collect::<Vec<_>>().join("\n")
}
