//! How a service's health is seen, who it runs as, and how it scales.

use vocabulary::{
    Backing, CacheLogin, Health, HealthRoute, Platform, Probe, Python3, Scaling, Service, Valkey, keys,
};

use super::{HTTP, cache_env, service};

const CACHE: Valkey = Valkey::named("cache");
const OTHER: Valkey = Valkey::named("other");

const READY: HealthRoute = HealthRoute::new(HTTP, "/ready").fails_without(&[CACHE.name, OTHER.name]);

const FORGETFUL: Service = Service {
    uses: &[CACHE
        .client(cache_env(CacheLogin::Anonymous), keys("*", &["get"]))
        .never_reconnects("its pool is made once")],
    health: Health::probes(READY.probe(), READY.probe()),
    run_as_user: 0,
    ..service("forgetful")
};

const RESILIENT: Service = Service {
    uses: &[OTHER.client(cache_env(CacheLogin::Anonymous), keys("*", &["get"]))],
    health: Health::by_connections(Python3),
    run_as_user: 4_000_000_000,
    scaling: Scaling::Horizontal { min: 0, max: 3, cpu_percent: 150 },
    ..service("resilient")
};

const SHRINKING: Service = Service {
    health: Health::probes(Probe::tcp(HTTP), Probe::tcp(HTTP)),
    scaling: Scaling::Horizontal { min: 5, max: 2, cpu_percent: 70 },
    ..service("shrinking")
};

pub(super) fn platform() -> Platform {
    Platform {
        services: vec![FORGETFUL, RESILIENT, SHRINKING],
        backing: vec![Backing::Valkey(CACHE), Backing::Valkey(OTHER)],
        ..super::platform()
    }
}
