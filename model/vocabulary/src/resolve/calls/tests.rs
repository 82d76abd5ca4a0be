use super::CODES;
use crate::testing::{HTTP, check, diagnostics, fix, list, platform, service};
use crate::{
    CallEnv, EndToEndTest, Endpoint, Environment, Platform, Port, Service, ServiceName, Tests, Use, replicas, variable,
};

const PROMETHEUS: Port = Port::metrics("prometheus", 9000);

#[track_caller]
fn call(service: &'static str, port: Port, [host, number]: [&'static str; 2]) -> Use {
    Endpoint::new(ServiceName::new(service), port).called(CallEnv { host: variable(host), port: variable(number) })
}

#[track_caller]
fn caller(uses: impl Into<Vec<Use>>) -> Service {
    Service { uses: list(uses), ..service("web") }
}

#[test]
fn every_help_can_be_followed() {
    let (first, second) = (["HOST", "PORT"], ["SECOND_HOST", "SECOND_PORT"]);
    let api = Service { ports: &[HTTP, PROMETHEUS], ..service("api") };
    let shared = Port::http("prometheus", 9000);
    let shared_api = Service { ports: list([HTTP, shared]), ..service("api") };
    check(
        "calls",
        CODES,
        vec![
            fix("CallsItself", platform([caller([call("web", HTTP, first)])]), [platform([service("web")])]),
            fix(
                "DuplicateCall",
                platform([
                    api,
                    caller([call("api", HTTP, first), call("api", HTTP, second), call("api", HTTP, first)]),
                ]),
                [platform([api, caller([call("api", HTTP, first)])])],
            ),
            fix(
                "CallToMetricsPort",
                platform([api, caller([call("api", PROMETHEUS, first)])]),
                [
                    platform([api, caller([call("api", HTTP, first)])]),
                    platform([shared_api, caller([call("api", shared, first)])]),
                ],
            ),
            fix("ServiceNotListed", everywhere([]), [everywhere([service("api")]), platform([service("web")])]),
        ],
    );
}

/// A platform in which a call, an environment and the end-to-end test refer to the service `api`.
#[track_caller]
fn everywhere(others: impl Into<Vec<Service>>) -> Platform {
    let api = ServiceName::new("api");
    let environment = |name| Environment::new(name, "Where it is tried.", list([replicas(ServiceName::new("api"), 2)]));
    let endpoint = Endpoint::new(api, HTTP);
    let request = endpoint.posts("/orders", "\"{marker}\"");
    let test = EndToEndTest::new("An order is shown.", request, list([api]), endpoint.page("/"));
    let services = [vec![caller([call("api", HTTP, ["HOST", "PORT"])])], others.into()].concat();
    Platform {
        environments: vec![environment("dev"), environment("live")],
        tests: Tests::DEFAULT.end_to_end(test),
        ..platform(services)
    }
}

#[test]
fn references_to_one_service_are_one_diagnostic() {
    let diagnostics = diagnostics(everywhere([]));
    assert_eq!(diagnostics.as_slice().len(), 1, "{diagnostics}");
    let report = diagnostics.to_string();
    for reference in [
        "called by web",
        "environment `dev`",
        "environment `live`",
        "the end-to-end test",
        "the request of the end-to-end test",
        "the page of the end-to-end test",
    ] {
        assert!(report.contains(&format!("\n     {reference} ")), "{report}");
    }
}
