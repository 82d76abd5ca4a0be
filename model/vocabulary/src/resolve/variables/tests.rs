use super::CODES;
use crate::kinds::rabbitmq::tests::{BROKER, ENV};
use crate::testing::{check, diagnostics, fix, list, platform, service};
use crate::{AmqpEnv, Backing, Platform, Queue, RabbitMq, Runtime, Service, Use, Variable, plain, publishes, variable};

const COPY: RabbitMq = RabbitMq::named("copy");

#[track_caller]
fn sets(variables: impl Into<Vec<Variable>>) -> Platform {
    platform([Service { environment: list(variables), ..service("web") }])
}

#[track_caller]
fn in_python(runtime: Runtime, variable: &'static str) -> Platform {
    let environment = list([Variable::fixed(variable, "web")]);
    platform([Service { runtime, environment, ..service("web") }])
}

#[track_caller]
fn publisher(broker: RabbitMq, env: AmqpEnv, queue_variable: &'static str) -> Use {
    let queue: Queue = broker.queue("orders").consumed_externally("a partner");
    broker.client(env, list([publishes(queue, variable(queue_variable))]))
}

/// A service that publishes to two brokers.
#[track_caller]
fn two_brokers(copy: AmqpEnv, copy_queue: &'static str) -> Platform {
    let uses = list([publisher(BROKER, ENV, "AMQP_QUEUE"), publisher(COPY, copy, copy_queue)]);
    Platform {
        backing: vec![Backing::RabbitMq(BROKER), Backing::RabbitMq(COPY)],
        ..platform([Service { uses, ..service("web") }])
    }
}

/// A service that publishes to a broker and has a secret of its own.
#[track_caller]
fn with_secret(name: &'static str) -> Platform {
    let environment = list([Variable::secret(name, "A token.")]);
    let uses = list([publisher(BROKER, ENV, "AMQP_QUEUE")]);
    Platform { backing: vec![Backing::RabbitMq(BROKER)], ..platform([Service { uses, environment, ..service("web") }]) }
}

#[test]
fn every_help_can_be_followed() {
    let other = AmqpEnv {
        host: variable("COPY_HOST"),
        port: variable("COPY_PORT"),
        user: variable("COPY_USER"),
        password: plain("COPY_PASSWORD"),
    };
    let level = |name| Variable::text(name, "info", "How much is logged.");
    check(
        "variables",
        CODES,
        vec![
            fix(
                "VariableSetRepeatedly",
                sets([Variable::fixed("MODE", "a"), Variable::fixed("MODE", "b"), Variable::fixed("MODE", "c")]),
                [
                    sets([Variable::fixed("MODE", "a")]),
                    sets([Variable::fixed("MODE", "a"), Variable::fixed("SUBMODE", "b")]),
                ],
            ),
            fix("VariableSetRepeatedly", two_brokers(ENV, "COPY_QUEUE"), [two_brokers(other, "COPY_QUEUE")]),
            fix(
                "VariableReserved",
                sets([Variable::fixed("KUBERNETES_SERVICE_HOST", "10.0.0.1")]),
                [sets([Variable::fixed("API_HOST", "10.0.0.1")])],
            ),
            fix(
                "VariableReserved",
                in_python(Runtime::Python, "OTEL_SERVICE_NAME"),
                [in_python(Runtime::Other, "OTEL_SERVICE_NAME"), in_python(Runtime::Python, "SERVICE_NAME")],
            ),
            fix(
                "DuplicateKey",
                sets([level("LOG_LEVEL"), level("LOG__LEVEL"), level("_LOG_LEVEL")]),
                [sets([level("LOG_LEVEL"), level("LIBRARY_LOG_LEVEL"), level("DRIVER_LOG_LEVEL")])],
            ),
            fix("DuplicateKey", with_secret("BROKER"), [with_secret("BROKER_TOKEN")]),
        ],
    );
}

#[test]
fn a_variable_set_six_times_and_a_copied_client_are_one_diagnostic_each() {
    let diagnostics = |platform| {
        let diagnostics = diagnostics(platform);
        assert_eq!(diagnostics.as_slice().len(), 1, "{diagnostics}");
        diagnostics.to_string()
    };
    let set = || Variable::fixed("MODE", "a");
    diagnostics(sets([set(), set(), set(), set(), set(), set()]));
    let report = diagnostics(two_brokers(ENV, "AMQP_QUEUE"));
    assert!(report.contains("`AMQP_HOST`, `AMQP_PORT`, `AMQP_USER`, `AMQP_PASSWORD` and `AMQP_QUEUE`"), "{report}");
}

#[test]
fn one_client_that_sets_a_variable_twice_is_a_mistake() {
    let env = AmqpEnv { port: variable("AMQP_HOST"), ..ENV };
    let service = Service { uses: list([publisher(BROKER, env, "AMQP_QUEUE")]), ..service("web") };
    let report = diagnostics(Platform { backing: vec![Backing::RabbitMq(BROKER)], ..platform([service]) }).to_string();
    assert!(report.contains("web sets `AMQP_HOST` more than once"), "{report}");
}
