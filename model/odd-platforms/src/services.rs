//! Platforms without a server.

use vocabulary::{
    ApiRule, CallEnv, Endpoint, Exposure, Health, HealthRoute, Image, Platform, Port, Probe, Resources, Scaling,
    Service, ServiceName, Variable, cpu, memory, variable,
};

use crate::plain_platform;

const HTTP: Port = Port::http("http", 8080);
const TCP: Port = Port::tcp("tcp", 7);

/// A service with a port, and nothing else.
#[track_caller]
const fn listener(name: &'static str, ports: &'static [Port]) -> Service {
    Service {
        ports,
        ..Service::new(
            ServiceName::new(name),
            "Listens.",
            Image::new("odd/listener", "1"),
            Health::probes(Probe::tcp(ports[0]), Probe::tcp(ports[0])),
            Resources::new(cpu("10m"), memory("16Mi")),
        )
    }
}

pub(crate) fn alone() -> Platform {
    // A service without a port needs a client that never reconnects: nothing else shows its health.
    const ONLY: Service = listener("only", &[TCP]);
    plain_platform("alone", vec![ONLY], vec![])
}

pub(crate) fn chain() -> Platform {
    const BACK: Service = listener("back", &[TCP]);
    const MIDDLE: Service = Service {
        uses: &[
            Endpoint::new(BACK.name, TCP).called(CallEnv { host: variable("BACK_HOST"), port: variable("BACK_PORT") })
        ],
        ..listener("middle", &[HTTP])
    };
    const FRONT: Service = Service {
        uses: &[Endpoint::new(MIDDLE.name, HTTP)
            .called(CallEnv { host: variable("MIDDLE_HOST"), port: variable("MIDDLE_PORT") })
            .requests("/")],
        ..listener("front", &[HTTP])
    };
    // In an order in which no service stands before all that it calls.
    plain_platform("chain", vec![MIDDLE, FRONT, BACK], vec![])
}

pub(crate) fn exposed() -> Platform {
    const ROUTE: HealthRoute = HealthRoute::new(HTTP, "/");
    const SITE: Service = Service {
        exposure: Some(Exposure::http(HTTP)),
        health: Health::probes(ROUTE.probe(), ROUTE.probe()),
        ..listener("site", &[HTTP])
    };
    const ADMIN: Service = Service {
        exposure: Some(Exposure::http(HTTP)),
        scaling: Scaling::horizontal(1, 2, 100),
        ..listener("admin", &[HTTP, TCP])
    };
    plain_platform("exposed", vec![SITE, ADMIN], vec![])
}

pub(crate) fn keeper() -> Platform {
    const KEEPER: Service = Service {
        kubernetes: &[
            ApiRule::new("Reads its own key.", "", &["secrets"], &["get"]).only(&["key"]),
            ApiRule::new("Watches what it keeps.", "apps", &["deployments"], &["get", "list", "watch"]),
        ],
        environment: &[
            Variable::secret("API_TOKEN", "The token for a system outside."),
            Variable::secret("SIGNING_KEY", "The key that it signs with."),
            Variable::integer("INTERVAL", 60, 1, 3600, "Seconds between two rounds."),
        ],
        ..listener("keeper", &[TCP])
    };
    plain_platform("keeping", vec![KEEPER], vec![])
}
