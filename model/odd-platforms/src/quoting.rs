//! A platform whose texts need quotes wherever they go.

use vocabulary::{
    AmqpEnv, ApiRule, Backing, CacheEnv, CacheLogin, EndToEndTest, Endpoint, Environment, Exposure, Health,
    HealthRoute, Image, Meaning, Metric, Platform, Port, PostgreSql, Python3, Queue, RabbitMq, Resources, Service,
    ServiceName, SqlEnv, Tests, Valkey, Variable, VariableName, WritablePath, consumes, cpu, image_tag, keys, label,
    libpq_value, memory, owns, plain, publishes, setting, variable,
};

use crate::plain_platform;

const BROKER: RabbitMq = RabbitMq { image: Image::without_tag("rabbitmq", TEXT), ..RabbitMq::named("broker") };
const DATABASES: PostgreSql = PostgreSql::named("databases");
const CACHE: Valkey = Valkey::named("cache");
const QUEUE: Queue = BROKER.queue("a.b:c-d_e");
const HTTP: Port = Port::http("http", 8080);
const METRICS: Port = Port::metrics("metrics", 9090);
const MORE_METRICS: Port = Port::metrics("more-metrics", 9091);

/// One line that YAML, Go templates, askama, shell, Markdown, JSON and regular expressions each read in a way of their own.
const TEXT: &str =
    r#"- it's: "{{ fail `x` }}" [[ y ]] [% if z %] $(HOME) $$ ${A} \n | `c` <b> & #1 *d* %e é 漢 {marker}"#;
const CHOICE: VariableName = variable("CHOICE");

const FACE: Service = Service {
    ports: &[HTTP, METRICS],
    uses: &[BROKER.client(
        AmqpEnv {
            host: variable("MQ_HOST"),
            port: variable("MQ_PORT"),
            user: variable("MQ_USER"),
            password: plain("MQ_PASSWORD"),
        },
        &[publishes(QUEUE, variable("QUEUE"))],
    )],
    metrics: &[
        Metric::counter("face_requests_total", TEXT).labels(&[label("method"), label("status")]),
        Metric::counter("face_sent_bytes_total", TEXT),
        Metric::counter("face_lost_total", TEXT).means(Meaning::FailedPublishes(BROKER.name)),
        Metric::gauge("face_sessions", TEXT).labels(&[label("kind")]),
        Metric::histogram("face_request_duration_seconds", TEXT).labels(&[label("method")]),
        Metric::connection("face_broker_connected", BROKER.name),
    ],
    environment: &[
        Variable::fixed("FIXED", TEXT),
        Variable::text("TEXT", TEXT, TEXT),
        Variable::choice(CHOICE.as_str(), TEXT, &["yes", TEXT, "1e6", ""], TEXT),
        Variable::integer("NUMBER", -1, -1_000_000_000_000, 1_000_000_000_000, TEXT),
        Variable::secret("TOKEN", TEXT),
    ],
    exposure: Some(Exposure::http(HTTP)),
    kubernetes: &[ApiRule::new(TEXT, "", &["configmaps"], &["get"])],
    ..Service::new(
        ServiceName::new("face"),
        TEXT,
        Image::new("odd/face", "1e6"),
        Health::probes(
            HealthRoute::new(HTTP, "/ready~.-_").fails_without(&[BROKER.name]).probe(),
            HealthRoute::new(HTTP, "/live").probe(),
        ),
        Resources::new(cpu("0.5").up_to("1"), memory("1000000").up_to("1M")),
    )
};

const WORKER: Service = Service {
    ports: &[MORE_METRICS],
    uses: &[
        BROKER
            .client(
                AmqpEnv {
                    host: variable("MQ_HOST"),
                    port: variable("MQ_PORT"),
                    user: variable("MQ_USER"),
                    password: plain("MQ_PASSWORD"),
                },
                &[consumes(QUEUE, variable("QUEUE"))],
            )
            .never_reconnects(TEXT),
        DATABASES
            .client(
                SqlEnv {
                    host: variable("PG_HOST"),
                    port: variable("PG_PORT"),
                    user: variable("PG_USER"),
                    password: libpq_value("PG_PASSWORD"),
                },
                owns(DATABASES.database("user_data"), variable("PG_NAME")),
            )
            .never_reconnects(TEXT),
        CACHE
            .client(
                CacheEnv {
                    host: variable("CACHE_HOST"),
                    port: variable("CACHE_PORT"),
                    login: CacheLogin::Own { user: variable("CACHE_USER"), password: plain("CACHE_PASSWORD") },
                },
                keys("{{a}}~[^b]\"'\\*", &["get", "client|setinfo", "ping"]),
            )
            .never_reconnects(TEXT),
    ],
    writable: &[WritablePath::new("/var/lib/worker", "1Mi")],
    ..Service::new(
        ServiceName::new("worker"),
        TEXT,
        Image::without_tag("odd/worker", TEXT),
        Health::by_connections(Python3),
        Resources::new(cpu("1m"), memory("16Mi")),
    )
};

pub(crate) fn platform() -> Platform {
    const TRIAL: Environment = Environment::new(
        "on-trial",
        TEXT,
        &[
            image_tag(WORKER.name, "0x1F"),
            setting(FACE.name, CHOICE, "yes"),
            setting(FACE.name, variable("TEXT"), "~"),
            setting(FACE.name, variable("NUMBER"), "-1000000000000"),
        ],
    );
    const END_TO_END: EndToEndTest = EndToEndTest::new(
        TEXT,
        Endpoint::new(FACE.name, HTTP).posts("/in", TEXT),
        &[WORKER.name],
        Endpoint::new(FACE.name, HTTP).page("/out"),
    );
    let servers = vec![Backing::RabbitMq(BROKER), Backing::PostgreSql(DATABASES), Backing::Valkey(CACHE)];
    Platform {
        doc: TEXT,
        home: "https://example.org/it's#\"a\"",
        environments: vec![TRIAL],
        tests: Tests::DEFAULT.end_to_end(END_TO_END),
        ..plain_platform("quoting", vec![FACE, WORKER], servers)
    }
}
