use super::CODES;
use crate::kinds::valkey::tests::client;
use crate::testing::{check, fix, list, platform, service};
use crate::{
    Backing, CacheLogin, Environment, Platform, Quantity, Range, Resources, Service, Valkey, cpu, memory, storage,
};

#[track_caller]
fn takes(cpu: Range, memory: Range) -> Platform {
    platform([Service { resources: Resources::new(cpu, memory), ..service("web") }])
}

/// A platform with a cache of this size, and of another in an environment.
#[track_caller]
fn stores(size: &'static str, live: &'static str) -> Platform {
    let cache = Valkey { storage: Quantity::new(size), ..Valkey::named("cache") };
    let changes = list([storage(cache.name, live)]);
    Platform {
        backing: vec![Backing::Valkey(cache)],
        environments: vec![Environment::new("live", "Where customers are.", changes)],
        ..platform([Service { uses: list([client(cache, CacheLogin::Anonymous)]), ..service("web") }])
    }
}

#[test]
fn every_help_can_be_followed() {
    check(
        "amounts",
        CODES,
        vec![
            fix(
                "LimitBelowRequest",
                takes(cpu("500m").up_to("0.2"), memory("64Mi")),
                [takes(cpu("500m").up_to("500m"), memory("64Mi")), takes(cpu("200m").up_to("0.2"), memory("64Mi"))],
            ),
            fix(
                "LimitBelowRequest",
                takes(cpu("1"), memory("1Gi").up_to("1G")),
                [takes(cpu("1"), memory("1Gi").up_to("1Gi"))],
            ),
            fix("AmountZero", takes(cpu("0"), memory("64Mi")), [takes(cpu("10m"), memory("64Mi"))]),
            fix("AmountZero", stores("1Gi", "0Gi"), [stores("1Gi", "2Gi")]),
            fix(
                "AmountFraction",
                takes(cpu("1"), memory("64Mi").up_to("128m")),
                [takes(cpu("1"), memory("64Mi").up_to("128Mi"))],
            ),
            fix("AmountFraction", stores("1000m", "2Gi"), [stores("1000Mi", "2Gi")]),
            fix("AmountFraction", stores("1.5", "2Gi"), [stores("1.5Mi", "2Gi")]),
            fix("VolumeTooSmall", stores("1023Ki", "2Gi"), [stores("1Mi", "2Gi"), stores("10Gi", "2Gi")]),
            fix("VolumeTooSmall", stores("2Gi", "214748364"), [stores("2Gi", "10Gi")]),
            fix(
                "CpuInBytes",
                takes(cpu("100Mi"), memory("64Mi")),
                [takes(cpu("2"), memory("64Mi")), takes(cpu("500m"), memory("64Mi"))],
            ),
            fix(
                "ResourcesSwapped",
                takes(memory("64Mi").up_to("128Mi"), cpu("100m").up_to("1")),
                [takes(cpu("100m").up_to("1"), memory("64Mi").up_to("128Mi"))],
            ),
        ],
    );
}
