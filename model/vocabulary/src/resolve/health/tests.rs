use super::CODES;
use crate::kinds::valkey::tests::{CACHE, client};
use crate::testing::{HTTP, check, diagnostics, fix, list, platform, service};
use crate::{
    Backing, CacheEnv, CacheLogin, Health, HealthRoute, Platform, Probe, Python3, Service, Use, Valkey, keys, variable,
};

const OTHER: Valkey = Valkey::named("other");
const ALIVE: HealthRoute = HealthRoute::new(HTTP, "/alive");

/// A platform of the service `web` with this health, and of the caches that it uses.
#[track_caller]
fn with<const N: usize>(health: Health, clients: [(Valkey, Use); N]) -> Platform {
    let uses = list(clients.map(|(_, client)| client));
    Platform {
        backing: clients.map(|(cache, _)| Backing::Valkey(cache)).into(),
        ..platform([Service { health, uses, ..service("web") }])
    }
}

/// A client that reopens a lost connection.
#[track_caller]
fn reconnects(cache: Valkey) -> (Valkey, Use) {
    (cache, client(cache, CacheLogin::Anonymous))
}

/// A client of another cache, with variables of its own.
#[track_caller]
fn reconnects_to_other() -> (Valkey, Use) {
    let env = CacheEnv { host: variable("OTHER_HOST"), port: variable("OTHER_PORT"), login: CacheLogin::Anonymous };
    (OTHER, OTHER.client(env, keys("*", &["get"])))
}

/// The same client of a program that never reopens its connection.
fn never((cache, client): (Valkey, Use)) -> (Valkey, Use) {
    (cache, client.never_reconnects("its pool is created once"))
}

#[test]
fn every_help_can_be_followed() {
    let tcp = Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP));
    let by_connections = Health::by_connections(Python3);
    let ready = |servers| HealthRoute::new(HTTP, "/ready").fails_without(servers);
    let (on_cache, on_both) = (ready(list([CACHE.name])), ready(list([CACHE.name, OTHER.name])));
    check(
        "health",
        CODES,
        vec![
            fix(
                "LivenessFollowsDependency",
                with(Health::probes(on_cache.probe(), on_cache.probe()), [reconnects(CACHE)]),
                [with(Health::probes(on_cache.probe(), Probe::tcp(HTTP)), [reconnects(CACHE)])],
            ),
            fix(
                "RouteDependencyUnused",
                with(Health::probes(on_both.probe(), ALIVE.probe()), [reconnects(CACHE)]),
                [
                    with(Health::probes(on_cache.probe(), ALIVE.probe()), [reconnects(CACHE)]),
                    with(Health::probes(on_both.probe(), ALIVE.probe()), [reconnects(CACHE), reconnects_to_other()]),
                ],
            ),
            fix(
                "LostConnectionUnseen",
                with(tcp, [reconnects(CACHE), never(reconnects_to_other())]),
                [with(by_connections, [reconnects(CACHE), never(reconnects_to_other())])],
            ),
            fix(
                "NoConnectionToWatch",
                with(by_connections, [reconnects(CACHE)]),
                [with(by_connections, [never(reconnects(CACHE))]), with(tcp, [reconnects(CACHE)])],
            ),
            fix("NoConnectionToWatch", with(by_connections, []), [with(tcp, [])]),
        ],
    );
}

#[test]
fn several_clients_that_never_reconnect_are_one_diagnostic() {
    let tcp = Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP));
    let diagnostics = diagnostics(with(tcp, [never(reconnects(CACHE)), never(reconnects_to_other())]));
    assert_eq!(diagnostics.as_slice().len(), 1, "{diagnostics}");
    let report = diagnostics.to_string();
    assert!(report.contains("never reconnects to cache and other"), "{report}");
}
