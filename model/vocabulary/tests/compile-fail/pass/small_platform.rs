//! A small platform of valid declarations: it compiles, and has no mistake.

use vocabulary::*;

const BROKER: RabbitMq = RabbitMq::named("broker");
const ORDERS: Queue = BROKER.queue("orders").published_externally("the shop's web site");
const HTTP: Port = Port::http("http", 8080);

const ENV: AmqpEnv = AmqpEnv {
    host: variable("AMQP_HOST"),
    port: variable("AMQP_PORT"),
    user: variable("AMQP_USER"),
    password: plain("AMQP_PASSWORD"),
};

const WAREHOUSE: Service = Service {
    ports: &[HTTP],
    uses: &[BROKER.client(ENV, &[consumes(ORDERS, variable("AMQP_QUEUE"))])],
    scaling: Scaling::horizontal(1, 3, 70),
    ..Service::new(
        ServiceName::new("warehouse"),
        "Packs orders.",
        Image::new("shop/warehouse", "1.0"),
        Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP)),
        Resources::new(cpu("100m").up_to("200m"), memory("64Mi").up_to("128Mi")),
    )
};

const PRINTER: Service = Service {
    ports: &[HTTP],
    ..Service::new(
        ServiceName::new("printer"),
        "Prints labels.",
        Image::without_tag("shop/printer", "its builds are known by commit alone"),
        Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP)),
        Resources::new(cpu("10m"), memory("16Mi")),
    )
};

const TRIAL: Environment = Environment::new("trial", "Where a change is tried.", &[image_tag(PRINTER.name, "latest")]);
const LIVE: Environment = Environment::new("live", "Where customers are.", &[replicas(WAREHOUSE.name, 2)]);

fn main() {
    let platform = Platform {
        name: PlatformName::new("shop"),
        doc: "A shop",
        version: ChartVersion::new("1.0.0"),
        home: "https://example.org",
        publication: Publication::new(),
        longest_release_name: 20,
        services: vec![WAREHOUSE, PRINTER],
        backing: vec![Backing::RabbitMq(BROKER)],
        environments: vec![TRIAL, LIVE],
        tests: vocabulary::Tests::DEFAULT,
        published_passwords: &[],
        earlier_versions: &[],
        location: SourceLocation::here(),
    };
    let resolved: Resolved = platform.resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    assert_eq!(resolved.queues(BROKER.name).len(), 1);
}
