//! Environments.

use vocabulary::{
    Backing, BackingName, CacheLogin, Environment, Exposure, Image, Platform, Scaling, Service, ServiceName, Valkey, Variable,
    autoscaled, exposed_at_node_port, image_tag, keys, replicas, setting, storage, variable,
};

use super::{HTTP, cache_env, service};

const CACHE: Valkey = Valkey::named("cache");

const WEB: Service = Service {
    uses: &[CACHE.client(cache_env(CacheLogin::Anonymous), keys("*", &["get"]))],
    environment: &[
        Variable::integer("RETRIES", 3, 0, 5, "Tries before it gives up."),
        Variable::choice("COLOUR", "green", &["red", "green"], "The colour of the buttons."),
        Variable::text("TITLE", "The shop", "What stands above every page."),
        Variable::fixed("LISTEN", "0.0.0.0"),
    ],
    scaling: Scaling::horizontal(2, 4, 70),
    exposure: Some(Exposure::http(HTTP)),
    ..service("web")
};

const API: Service = Service { exposure: Some(Exposure::http(HTTP)), ..service("api") };
const WORKER: Service = Service { image: PINNED, ..service("worker") };
const PINNED: Image = Image::new("example/worker", "1")
    .digest("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");

const SETTINGS: Environment = Environment::new(
    "settings",
    "Where settings are wrong.",
    &[
        setting(WEB.name, variable("RETRIES"), "007"),
        setting(WEB.name, variable("COLOUR"), "\0"),
        setting(WEB.name, variable("TITLE"), "The\0shop"),
        setting(WEB.name, variable("LISTEN"), "127.0.0.1"),
        setting(WORKER.name, variable("TITLE"), "The worker"),
    ],
);

const SIZES: Environment = Environment::new(
    "sizes",
    "Where sizes are wrong.",
    &[
        replicas(API.name, 0),
        replicas(WEB.name, 2),
        replicas(WEB.name, 3),
        autoscaled(WEB.name),
        autoscaled(WORKER.name),
        storage(CACHE.name, "512m"),
        storage(BackingName::new("nowhere"), "1Gi"),
    ],
);

const PORTS: Environment = Environment::new(
    "ports",
    "Where ports are wrong.",
    &[
        exposed_at_node_port(WEB.name, 30080),
        exposed_at_node_port(API.name, 30080),
        exposed_at_node_port(API.name, 0),
        exposed_at_node_port(WORKER.name, 30081),
        exposed_at_node_port(ServiceName::new("nobody"), 30082),
    ],
);

const TAGS: Environment = Environment::new(
    "tags",
    "Where tags are wrong.",
    &[
        image_tag(WEB.name, "latest"),
        image_tag(WEB.name, "2"),
        image_tag(WORKER.name, "2"),
        image_tag(ServiceName::new("nobody"), "2"),
    ],
);

pub(super) fn platform() -> Platform {
    Platform {
        services: vec![WEB, API, WORKER],
        backing: vec![Backing::Valkey(CACHE)],
        environments: vec![SETTINGS, SIZES, PORTS, TAGS],
        ..super::platform()
    }
}
