//! Names of charts, and lists of them.

use vocabulary::{Backing, CacheLogin, Environment, Platform, Service, Use, Valkey, keys};

use super::{cache_env, service};

const CACHE: Valkey = Valkey::named("cache");
const METRICS: Valkey = Valkey::named("metrics");
const LONG: Valkey = Valkey::named("cache-of-everything-there");

const USER: Service = Service { uses: &[client(CACHE)], ..service("credentials") };
const ANOTHER: Service = Service { uses: &[client(METRICS)], ..service("web") };
const WEB: Service = Service { uses: &[client(LONG)], ..service("web") };
const UMBRELLA: Service = service("shop-platform");
const HEADLESS: Service = service("cache-headless");
const LENGTHY: Service = service("store-front-for-everybody");

const TEST: Environment = Environment::new("test", "Where it is tried.", &[]);
const SECOND_TEST: Environment = Environment::new("test", "Where it is tried again.", &[]);

const fn client(cache: Valkey) -> Use {
    cache.client(cache_env(CacheLogin::Anonymous), keys("*", &["get"]))
}

pub(super) fn platform() -> Platform {
    Platform {
        services: vec![USER, WEB, WEB, ANOTHER, UMBRELLA, HEADLESS, LENGTHY],
        backing: vec![
            Backing::Valkey(CACHE),
            Backing::Valkey(CACHE),
            Backing::Valkey(METRICS),
            Backing::Valkey(LONG),
        ],
        environments: vec![TEST, TEST, SECOND_TEST],
        ..super::platform()
    }
}
