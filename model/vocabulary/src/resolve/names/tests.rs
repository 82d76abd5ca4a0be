use super::CODES;
use crate::kinds::rabbitmq;
use crate::kinds::valkey::tests::client;
use crate::testing::{HTTP, check, diagnostics, fix, list, platform, service};
use crate::{
    Backing, CacheLogin, CallEnv, Diagnostic, Endpoint, Health, Platform, Port, Probe, RabbitMq, Service, ServiceName,
    Valkey, publishes, variable,
};

const CACHE: Valkey = Valkey::named("cache");
const METRICS: Valkey = Valkey::named("metrics");
const STATISTICS: Valkey = Valkey::named("statistics");

/// Services of one name, each declared in a line of its own.
const NAMESAKES: [Service; 6] = [
    service("web"),
    Service { doc: "Does other work.", ..service("web") },
    Service { doc: "Does more work.", ..service("web") },
    Service { doc: "Does most of the work.", ..service("web") },
    Service { doc: "Does the rest of the work.", ..service("web") },
    Service { doc: "Does no work.", ..service("web") },
];

/// A platform with a cache, which service `web` uses.
#[track_caller]
fn cached(cache: Valkey, services: impl Into<Vec<Service>>) -> Platform {
    let web = Service { uses: list([client(cache, CacheLogin::Anonymous)]), ..service("web") };
    let services = [vec![web], services.into()].concat();
    Platform { backing: vec![Backing::Valkey(cache)], ..platform(services) }
}

#[test]
fn every_help_can_be_followed() {
    let (web, api) = (service("web"), service("api"));
    let length = |longest_release_name| Platform { longest_release_name, ..platform([web]) };
    check(
        "names",
        CODES,
        vec![
            fix("NoService", platform([]), [platform([web])]),
            fix("DuplicateEntry", platform([web, web, web]), [platform([web])]),
            fix("DuplicateName", platform(&NAMESAKES[..3]), [platform([web, api, service("shop")])]),
            fix("NameReserved", platform([service("global")]), [platform([web])]),
            fix("NameReserved", platform([service("yes")]), [platform([web])]),
            fix("NameReserved", platform([service("credentials-reader")]), [platform([web])]),
            fix("NameReserved", platform([service("end-to-end-test-of-web")]), [platform([web])]),
            fix("NameReserved", platform([service("wait-for-cache")]), [platform([web])]),
            fix("NameReserved", platform([service("instrumentation")]), [platform([web])]),
            fix("NameReserved", platform([service("shop-platform")]), [platform([web])]),
            fix("NameReserved", cached(METRICS, []), [cached(STATISTICS, [])]),
            fix("NameTaken", cached(CACHE, [service("cache-headless")]), [cached(CACHE, [api])]),
            fix("NameTaken", cached(CACHE, [service("cache-provision-again")]), [cached(CACHE, [api])]),
            fix("NameTaken", platform([web, service("web-test-connection")]), [platform([web, api])]),
            fix(
                "NameTooLong",
                platform([service("store-front-for-everybody")]),
                [
                    platform([service("store-front")]),
                    Platform { longest_release_name: 17, ..platform([service("store-front-for-everybody")]) },
                ],
            ),
            fix(
                "ReleaseNameLength",
                length(60),
                [length(20), length(1), Platform { longest_release_name: 39, ..platform([web]) }],
            ),
            fix("ReleaseNameLength", length(0), [length(20)]),
        ],
    );
}

#[test]
fn a_suffix_is_reserved_as_a_whole_word_and_where_it_is_used() {
    assert!(
        cached(CACHE, [service("cache-headlessly"), service("cache-external"), service("web-headless")])
            .resolve()
            .is_ok()
    );
}

#[test]
fn names_have_as_many_characters_as_the_help_says() {
    let report = diagnostics(Platform { longest_release_name: 54, ..platform([service("web")]) }).to_string();
    assert!(report.contains("20 leaves 22 characters"), "{report}");
    let with = |name| Platform { longest_release_name: 20, ..platform([service(name)]) }.resolve();
    assert!(with("abcdefghijklmnopqrstuv").is_ok());
    assert!(with("abcdefghijklmnopqrstuvw").is_err());
}

#[test]
fn a_shared_name_is_no_further_mistake_of_what_refers_to_it() {
    let metrics = Port::metrics("metrics", 9090);
    let cache = Valkey::named("data");
    let broker = RabbitMq::named("data");
    let env = CallEnv { host: variable("API_HOST"), port: variable("API_PORT") };
    let other = Port::http("other", 9000);
    let call = Endpoint::new(ServiceName::new("api"), other).called(env);
    let first = Service { ports: list([HTTP, metrics]), ..service("api") };
    let second = Service {
        ports: list([other]),
        health: Health::probes(Probe::tcp(other), Probe::tcp(other)),
        ..service("api")
    };
    let web = Service { uses: list([client(cache, CacheLogin::Anonymous), call]), ..service("web") };
    let queue = broker.queue("orders").consumed_externally("a partner");
    let publisher = broker.client(rabbitmq::tests::ENV, list([publishes(queue, variable("QUEUE"))]));
    let shop = Service { uses: list([publisher]), ..service("shop") };
    let backing = vec![Backing::RabbitMq(broker), Backing::Valkey(cache)];
    let diagnostics = diagnostics(Platform { backing, ..platform([first, second, web, shop]) });
    let codes: Vec<_> = diagnostics.as_slice().iter().map(Diagnostic::code).collect();
    assert_eq!(codes, ["DuplicateName", "DuplicateName"], "{diagnostics}");
}

#[test]
fn six_services_of_one_name_are_one_diagnostic() {
    let diagnostics = diagnostics(platform(NAMESAKES));
    assert_eq!(diagnostics.as_slice().len(), 1, "{diagnostics}");
    assert_eq!(diagnostics.to_string().matches("names/tests.rs").count(), 6, "{diagnostics}");
}
