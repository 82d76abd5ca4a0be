//! Platforms of any number of services, for measurements of how a chart grows with them.
//!
//! They are no examples: names are numbers, and lists and names, which a declaration writes as constants, are made at run time and live as long
//! as the program.

use vocabulary::{
    AmqpEnv, Backing, CacheEnv, CacheLogin, CallEnv, ChartVersion, Database, DatabaseName, Endpoint, Environment,
    Health, HealthRoute, Image, Platform, PlatformName, Port, PostgreSql, Probe, Publication, Queue, QueueName,
    RabbitMq, Resolved, Resources, Scaling, Service, ServiceName, SourceLocation, SqlEnv, Tests, Use, Valkey, Variable,
    consumes, cpu, keys, memory, owns, plain, publishes, replicas, variable,
};

const BROKER: RabbitMq = RabbitMq::named("broker");
const DATABASE: PostgreSql = PostgreSql::named("database");
const CACHE: Valkey = Valkey::named("cache");
const HTTP: Port = Port::http("http", 8080);

/// A platform of `count` services and a broker. Each service publishes to its own queue and consumes the queue of the service before it.
///
/// # Panics
/// When `count` is 0, or so large that a service's number makes its name too long.
#[must_use]
pub fn one_server(count: usize) -> Resolved {
    let service = |number| Service { uses: Vec::leak(vec![broker(number, count)]), ..service(number) };
    platform(vec![Backing::RabbitMq(BROKER)], (0..count).map(service).collect())
}

/// A platform of `count` services and a server of every kind. Each service also owns a database, has a login at the cache, calls the service
/// before it, and has a setting of its own: the platform shows what a service can cost.
///
/// # Panics
/// When `count` is less than 2, or so large that a service's number makes its name too long.
#[must_use]
pub fn every_kind(count: usize) -> Resolved {
    let servers = vec![Backing::RabbitMq(BROKER), Backing::PostgreSql(DATABASE), Backing::Valkey(CACHE)];
    let service = |number| {
        let uses = vec![broker(number, count), database(number), cache(number), call(number, count)];
        let doc = String::leak(format!("Messages that service {number} handles at once."));
        let setting = Variable::integer("BATCH_SIZE", 10, 1, 1000, doc);
        let service = service(number);
        let environment = [service.environment, &[setting]].concat();
        Service { uses: Vec::leak(uses), environment: Vec::leak(environment), ..service }
    };
    platform(servers, (0..count).map(service).collect())
}

fn platform(servers: Vec<Backing>, services: Vec<Service>) -> Resolved {
    let changes: &'static [_] = Vec::leak(services.iter().map(|service| replicas(service.name, 2)).collect());
    let platform = Platform {
        name: PlatformName::new("many"),
        doc: "Many services",
        version: ChartVersion::new("0.1.0"),
        home: "https://example.org",
        publication: Publication::new(),
        longest_release_name: 20,
        services,
        backing: servers,
        environments: vec![Environment::new("live", "All of them twice.", changes)],
        tests: Tests::DEFAULT,
        published_passwords: &[],
        earlier_versions: &[],
        location: SourceLocation::here(),
    };
    platform.resolve().expect("the platform has no mistake")
}

/// A service without a use.
fn service(number: usize) -> Service {
    Service {
        ports: &[HTTP],
        environment: const { &[Variable::port("LISTEN", HTTP), Variable::text("LEVEL", "info", "How much is logged.")] },
        scaling: Scaling::horizontal(2, 4, 70),
        ..Service::new(
            name(number),
            "One of many.",
            Image::new("many/service", "1"),
            Health::probes(HealthRoute::new(HTTP, "/ready").probe(), Probe::tcp(HTTP)),
            Resources::new(cpu("10m"), memory("16Mi")),
        )
    }
}

fn broker(number: usize, count: usize) -> Use {
    let queue = |number: usize| Queue {
        name: QueueName::checked(name(number).as_str()).expect("a queue's name"),
        ..BROKER.queue("template")
    };
    let queues =
        vec![publishes(queue(number), variable("OUT")), consumes(queue(before(number, count)), variable("IN"))];
    let env =
        AmqpEnv { host: variable("HOST"), port: variable("PORT"), user: variable("USER"), password: plain("PASS") };
    BROKER.client(env, Vec::leak(queues))
}

fn database(number: usize) -> Use {
    let database = Database {
        name: DatabaseName::checked(String::leak(format!("service_{number}"))).expect("a database's name"),
        ..DATABASE.database("template")
    };
    let env = SqlEnv {
        host: variable("DATABASE_HOST"),
        port: variable("DATABASE_PORT"),
        user: variable("DATABASE_USER"),
        password: plain("DATABASE_PASSWORD"),
    };
    DATABASE.client(env, owns(database, variable("DATABASE_NAME")))
}

fn cache(number: usize) -> Use {
    let env = CacheEnv {
        host: variable("CACHE_HOST"),
        port: variable("CACHE_PORT"),
        login: CacheLogin::Own { user: variable("CACHE_USER"), password: plain("CACHE_PASSWORD") },
    };
    CACHE.client(env, keys(String::leak(format!("service-{number}:*")), &["get", "set", "expire"]))
}

fn call(number: usize, count: usize) -> Use {
    let env = CallEnv { host: variable("BEFORE_HOST"), port: variable("BEFORE_PORT") };
    Endpoint::new(name(before(number, count)), HTTP).called(env)
}

/// The service before this one; the first one follows the last.
const fn before(number: usize, count: usize) -> usize {
    (number + count - 1) % count
}

fn name(number: usize) -> ServiceName {
    ServiceName::checked(String::leak(format!("service-{number}"))).expect("a service's name")
}
