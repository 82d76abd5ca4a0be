use super::CODES;
use crate::kinds::{postgresql, valkey};
use crate::testing::{Fix, HTTP, check, diagnostics, fix, list, platform, service};
use crate::{
    Backing, CacheLogin, Certificate, Change, EdgeController, Environment, Exposure, HostName, Image, Monitoring,
    Platform, Scaling, SecretSource, Service, ServiceName, Variable, autoscaled, backed_up, behind, exposed_at_host,
    exposed_at_node_port, external_secrets, image_tag, monitored, owns, replicas, setting, variable,
};

use postgresql::tests::SERVER;
use valkey::tests::{CACHE, client};

const WEB: ServiceName = ServiceName::new("web");
const API: ServiceName = ServiceName::new("api");
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A platform of the services `web`, as given, and `api`, which is exposed, with one environment.
#[track_caller]
fn changed(web: &Service, changes: impl Into<Vec<Change>>) -> Platform {
    let environment = Environment::new("live", "Where customers are.", list(changes));
    let api = Service { exposure: Some(Exposure::http(HTTP)), ..service("api") };
    Platform { environments: vec![environment], ..platform([*web, api]) }
}

fn at_host(service: ServiceName, host: &'static str) -> Change {
    exposed_at_host(service, HostName::new(host), "public", Certificate::secret("tls"))
}

const TRAEFIK: Change = behind(EdgeController::Traefik);

/// A platform whose environments expose `api` at these hosts.
#[track_caller]
fn at_hosts<const N: usize>(hosts: [(&'static str, &'static str); N]) -> Platform {
    let environments =
        hosts.map(|(name, host)| Environment::new(name, "Where it is tried.", list([TRAEFIK, at_host(API, host)])));
    Platform { environments: environments.into(), ..changed(&service("web"), []) }
}

/// The platform with a database server and a cache, and a service that uses them.
fn with_servers(mut platform: Platform) -> Platform {
    let database = SERVER.client(postgresql::tests::ENV, owns(SERVER.database("orders"), variable("SQL_DATABASE")));
    let uses = list([database, client(CACHE, CacheLogin::Anonymous)]);
    platform.services.push(Service { uses, ..service("shop") });
    Platform { backing: vec![Backing::PostgreSql(SERVER), Backing::Valkey(CACHE)], ..platform }
}

/// A platform without an exposed service.
#[track_caller]
fn unexposed(changes: impl Into<Vec<Change>>) -> Platform {
    Platform { services: vec![service("web")], ..changed(&service("web"), changes) }
}

#[track_caller]
fn environments<const N: usize>(names: [&'static str; N]) -> Platform {
    let environment = |name| Environment::new(name, "Where it is tried.", &[]);
    Platform { environments: names.map(environment).into(), ..platform([service("web")]) }
}

#[test]
fn every_help_can_be_followed() {
    let web = service("web");
    let scaling = Service { scaling: Scaling::horizontal(1, 3, 70), ..service("web") };
    let exposed = Service { exposure: Some(Exposure::http(HTTP)), ..service("web") };
    let title = list([Variable::text("TITLE", "The shop", "The title of every page.")]);
    let titled = Service { environment: title, ..service("web") };
    let fixed = Service { environment: list([Variable::fixed("TITLE", "The shop")]), ..service("web") };
    let pinned = Service { image: Image::new("example/program", "1").digest(DIGEST), ..service("web") };
    let sets_title = || [setting(WEB, variable("TITLE"), "Sale")];
    let mut all = vec![
        fix(
            "DuplicateEnvironment",
            Platform {
                environments: vec![
                    Environment::new("test", "Where it is tried.", &[]),
                    Environment::new("test", "Where it is tried again.", &[]),
                    Environment::new("test", "Where it is tried once more.", &[]),
                ],
                ..platform([web])
            },
            [environments(["test", "trial", "demo"]), environments(["test"])],
        ),
        fix(
            "DuplicateChange",
            changed(&web, [replicas(WEB, 2), replicas(WEB, 3), replicas(WEB, 2)]),
            [changed(&web, [replicas(WEB, 3)])],
        ),
        fix("NothingToChange", changed(&web, sets_title()), [changed(&titled, sets_title()), changed(&web, [])]),
        fix("NothingToChange", changed(&fixed, sets_title()), [changed(&titled, sets_title()), changed(&fixed, [])]),
        fix(
            "NothingToChange",
            changed(&web, [autoscaled(WEB)]),
            [changed(&scaling, [autoscaled(WEB)]), changed(&web, [])],
        ),
        fix(
            "NothingToChange",
            changed(&web, [exposed_at_node_port(WEB, 30080)]),
            [changed(&exposed, [exposed_at_node_port(WEB, 30080)]), changed(&web, [])],
        ),
        fix("NoReplicas", changed(&web, [replicas(WEB, 0)]), [changed(&web, [replicas(WEB, 1)]), changed(&web, [])]),
        fix(
            "NodePortOutOfRange",
            changed(&web, [exposed_at_node_port(API, 0)]),
            [changed(&web, [exposed_at_node_port(API, 30000)])],
        ),
        fix(
            "NodePortOutOfRange",
            changed(&web, [exposed_at_node_port(API, 80)]),
            [changed(&web, [exposed_at_node_port(API, 32767)])],
        ),
        fix(
            "ReplicasIgnored",
            changed(&scaling, [replicas(WEB, 2), autoscaled(WEB)]),
            [changed(&scaling, [replicas(WEB, 2)]), changed(&scaling, [autoscaled(WEB)])],
        ),
        fix(
            "TagIgnored",
            changed(&pinned, [image_tag(WEB, "2")]),
            [changed(&pinned, []), changed(&web, [image_tag(WEB, "2")])],
        ),
        fix(
            "DuplicateNodePort",
            changed(&exposed, [exposed_at_node_port(WEB, 30080), exposed_at_node_port(API, 30080)]),
            [changed(&exposed, [exposed_at_node_port(WEB, 30080), exposed_at_node_port(API, 30081)])],
        ),
    ];
    all.extend(of_all());
    check("environments", CODES, all);
}

/// Changes of hosts, and of what concerns the whole platform.
fn of_all() -> Vec<Fix> {
    let web = service("web");
    let exposed = Service { exposure: Some(Exposure::http(HTTP)), ..service("web") };
    vec![
        fix(
            "NothingToChange",
            changed(&web, [TRAEFIK, at_host(WEB, "shop.example.org")]),
            [changed(&exposed, [TRAEFIK, at_host(WEB, "shop.example.org")]), changed(&web, [])],
        ),
        fix("NothingToChange", unexposed([TRAEFIK]), [changed(&web, [TRAEFIK]), unexposed([])]),
        fix(
            "NothingToChange",
            changed(&web, [external_secrets(SecretSource::Values)]),
            [with_servers(changed(&web, [external_secrets(SecretSource::Values)])), changed(&web, [])],
        ),
        fix(
            "NothingToChange",
            changed(&web, [monitored(Monitoring::Operator)]),
            [with_servers(changed(&web, [monitored(Monitoring::Operator)])), changed(&web, [])],
        ),
        fix(
            "NothingToChange",
            with_servers(changed(&web, [backed_up(CACHE.name)])),
            [with_servers(changed(&web, [backed_up(SERVER.name)])), with_servers(changed(&web, []))],
        ),
        fix(
            "DuplicateHost",
            at_hosts([("stg", "shop.example.org"), ("live", "shop.example.org")]),
            [at_hosts([("stg", "stg.example.org"), ("live", "shop.example.org")])],
        ),
        fix(
            "DuplicateHost",
            changed(&exposed, [TRAEFIK, at_host(WEB, "shop.example.org"), at_host(API, "shop.example.org")]),
            [changed(&exposed, [TRAEFIK, at_host(WEB, "shop.example.org"), at_host(API, "api.example.org")])],
        ),
        fix(
            "SeveralWays",
            changed(&web, [TRAEFIK, at_host(API, "shop.example.org"), exposed_at_node_port(API, 30080)]),
            [
                changed(&web, [exposed_at_node_port(API, 30080)]),
                changed(&web, [TRAEFIK, at_host(API, "shop.example.org")]),
            ],
        ),
        fix(
            "NoController",
            changed(&web, [at_host(API, "shop.example.org")]),
            [changed(&web, [TRAEFIK, at_host(API, "shop.example.org")])],
        ),
        fix(
            "NoController",
            changed(&web, [behind(EdgeController::EnvoyGateway), at_host(API, "shop.example.org")]),
            [changed(&web, [TRAEFIK, at_host(API, "shop.example.org")])],
        ),
    ]
}

#[test]
fn six_environments_of_one_name_are_one_diagnostic() {
    let test = |doc| Environment::new("test", doc, &[]);
    let environments = vec![
        test("Where it is tried."),
        Environment::new("test", "First.", &[]),
        Environment::new("test", "Second.", &[]),
        Environment::new("test", "Third.", &[]),
        Environment::new("test", "Fourth.", &[]),
        Environment::new("test", "Fifth.", &[]),
    ];
    let diagnostics = diagnostics(Platform { environments, ..platform([service("web")]) });
    assert_eq!(diagnostics.as_slice().len(), 1, "{diagnostics}");
    assert_eq!(diagnostics.to_string().matches("environments/tests.rs").count(), 6, "{diagnostics}");
}
