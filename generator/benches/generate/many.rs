//! A platform of any number of services: each publishes to its own queue and consumes that of the one before.

use generator::Resolved;
use vocabulary::{
    AmqpEnv, Backing, ChartVersion, Environment, Health, HealthRoute, Image, Platform, PlatformName, Port, Probe,
    Queue, QueueName, RabbitMq, Resources, Scaling, Service, ServiceName, SourceLocation, Tests, Variable, consumes,
    cpu, memory, plain, publishes, replicas, variable,
};

const BROKER: RabbitMq = RabbitMq::named("broker");
const HTTP: Port = Port::http("http", 8080);

/// A platform of `count` services.
pub(crate) fn platform(count: usize) -> Resolved {
    let name = |i: usize| -> &'static str { Box::leak(format!("service-{i}").into_boxed_str()) };
    let queue =
        |i: usize| Queue { name: QueueName::checked(name(i)).expect("a queue's name"), ..BROKER.queue("template") };
    let service = |i: usize| {
        let before = if i == 0 { count - 1 } else { i - 1 };
        let queues: &'static [_] =
            Box::leak(Box::new([publishes(queue(i), variable("OUT")), consumes(queue(before), variable("IN"))]));
        let env =
            AmqpEnv { host: variable("HOST"), port: variable("PORT"), user: variable("USER"), password: plain("PASS") };
        let uses: &'static [_] = Box::leak(Box::new([BROKER.client(env, queues)]));
        Service {
            ports: &[HTTP],
            uses,
            environment: const { &[Variable::port("LISTEN", HTTP), Variable::text("LEVEL", "info", "How much is logged.")] },
            scaling: Scaling::horizontal(2, 4, 70),
            ..Service::new(
                ServiceName::checked(name(i)).expect("a service's name"),
                "One of many.",
                Image::new("many/service", "1"),
                Health::probes(HealthRoute::new(HTTP, "/ready").probe(), Probe::tcp(HTTP)),
                Resources::new(cpu("10m"), memory("16Mi")),
            )
        }
    };
    let services: Vec<_> = (0..count).map(service).collect();
    let changes: &'static [_] = Box::leak(services.iter().map(|s| replicas(s.name, 2)).collect());
    let platform = Platform {
        name: PlatformName::new("many"),
        doc: "Many services",
        version: ChartVersion::new("0.1.0"),
        home: "https://example.org",
        longest_release_name: 20,
        services,
        backing: vec![Backing::RabbitMq(BROKER)],
        environments: vec![Environment::new("live", "All of them twice.", changes)],
        tests: Tests::DEFAULT,
        location: SourceLocation::here(),
    };
    platform.resolve().expect("the platform has no mistake")
}
