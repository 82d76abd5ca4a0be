//! Processor time, memory, and folders.

use vocabulary::{
    Backing, CacheLogin, Health, Platform, Python3, Quantity, Resources, Service, Valkey, WritablePath, cpu, keys,
    memory,
};

use super::{cache_env, service};

const CACHE: Valkey = Valkey { storage: Quantity::new("1000m"), ..Valkey::named("cache") };

const SWAPPED: Service =
    Service { resources: Resources::new(memory("64Mi").up_to("128Mi"), cpu("100m").up_to("1")), ..service("swapped") };

const MEBICORES: Service = Service { resources: Resources::new(cpu("100Mi"), memory("64Mi")), ..service("mebicores") };

const MILLIBYTES: Service =
    Service { resources: Resources::new(cpu("0"), memory("64Mi").up_to("128m")), ..service("millibytes") };

const UPSIDE_DOWN: Service =
    Service { resources: Resources::new(cpu("500m").up_to("0.2"), memory("1Gi").up_to("1G")), ..service("upside-down") };

const WRITER: Service = Service {
    uses: &[CACHE
        .client(cache_env(CacheLogin::Anonymous), keys("*", &["get"]))
        .never_reconnects("its pool is made once")],
    health: Health::by_connections(Python3),
    writable: &[
        WritablePath::new("/tmp/uploads", "1Gi"),
        WritablePath::new("/tmp", "0Mi"),
        WritablePath::new("/var/cache/web-1", "0.5"),
        WritablePath::new("/var/cache/web.1", "1Gi"),
        WritablePath::new("/dev/shm", "64Mi"),
        WritablePath::new("/run/secrets/kubernetes.io", "1Mi"),
        WritablePath::new("/opt/connections/log", "1Mi"),
        WritablePath::new("/connections", "1Mi"),
        WritablePath::new("/__", "1Mi"),
        WritablePath::new("/srv/a-folder-with-a-name-that-goes-on-and-on/and-one-within-it-too", "1Mi"),
    ],
    ..service("writer")
};

pub(super) fn platform() -> Platform {
    Platform {
        services: vec![SWAPPED, MEBICORES, MILLIBYTES, UPSIDE_DOWN, WRITER],
        backing: vec![Backing::Valkey(CACHE)],
        ..super::platform()
    }
}
