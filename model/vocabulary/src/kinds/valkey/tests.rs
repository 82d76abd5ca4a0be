use super::check::CODES;
use super::{CacheEnv, CacheLogin, KeyPattern, KeyUse, Valkey, keys};
use crate::testing::{check, diagnostics, fix, list, platform, service};
use crate::{Backing, Platform, Service, Use, plain, variable};

pub(crate) const CACHE: Valkey = Valkey::named("cache");
const SESSIONS: Valkey = Valkey::named("sessions");
const PRICES: Valkey = Valkey::named("prices");

const OWN: CacheLogin = CacheLogin::Own { user: variable("CACHE_USER"), password: plain("CACHE_PASSWORD") };

pub(crate) const fn env(login: CacheLogin) -> CacheEnv {
    CacheEnv { host: variable("CACHE_HOST"), port: variable("CACHE_PORT"), login }
}

/// A client that logs in, or not, and reads every key.
#[track_caller]
pub(crate) const fn client(cache: Valkey, login: CacheLogin) -> Use {
    cache.client(env(login), keys("*", &["get"]))
}

#[track_caller]
fn user(name: &'static str, client: Use) -> Service {
    Service { uses: list([client]), ..service(name) }
}

fn shop<const N: usize>(caches: [Valkey; N], services: impl Into<Vec<Service>>) -> Platform {
    Platform { backing: caches.map(Backing::Valkey).into(), ..platform(services) }
}

fn sends(commands: &'static [&'static str]) -> Platform {
    let keys = KeyUse { pattern: KeyPattern::new("*"), commands };
    shop([CACHE], [user("shop", CACHE.client(env(OWN), keys))])
}

#[test]
fn every_help_can_be_followed() {
    let anonymous = |name, cache| user(name, client(cache, CacheLogin::Anonymous));
    let own = |name| user(name, client(CACHE, OWN));
    check(
        "valkey",
        CODES,
        vec![
            fix(
                "SeveralAnonymousClients",
                shop([CACHE], ["shop", "billing", "search"].map(|name| anonymous(name, CACHE))),
                [
                    shop([CACHE], [anonymous("shop", CACHE), own("billing"), own("search")]),
                    shop(
                        [CACHE, SESSIONS, PRICES],
                        [anonymous("shop", CACHE), anonymous("billing", SESSIONS), anonymous("search", PRICES)],
                    ),
                    shop([CACHE, PRICES], [anonymous("shop", CACHE), own("billing"), anonymous("search", PRICES)]),
                ],
            ),
            fix(
                "UserNameReserved",
                shop([CACHE], [own("exporter")]),
                [shop([CACHE], [own("shop")]), shop([CACHE], [anonymous("exporter", CACHE)])],
            ),
            fix("CommandInvalid", sends(&["get", "+@all", "SET"]), [sends(&["get", "set"])]),
        ],
    );
}

#[test]
fn six_anonymous_clients_of_a_cache_are_one_diagnostic() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let services = names.map(|name| user(name, client(CACHE, CacheLogin::Anonymous)));
    let diagnostics = diagnostics(shop([CACHE], services));
    assert_eq!(diagnostics.as_slice().len(), 1, "{diagnostics}");
    let report = diagnostics.to_string();
    assert!(names.iter().all(|name| report.contains(&format!("\n     {name} "))), "{report}");
}
