use super::CODES;
use crate::testing::{HTTP, check, diagnostics, fix, list, platform, service};
use crate::{
    Change, Environment, Exposure, Image, Platform, Scaling, Service, ServiceName, Variable, autoscaled,
    exposed_at_node_port, image_tag, replicas, setting, variable,
};

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
    check(
        "environments",
        CODES,
        vec![
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
            fix(
                "NothingToChange",
                changed(&fixed, sets_title()),
                [changed(&titled, sets_title()), changed(&fixed, [])],
            ),
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
            fix(
                "NoReplicas",
                changed(&web, [replicas(WEB, 0)]),
                [changed(&web, [replicas(WEB, 1)]), changed(&web, [])],
            ),
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
        ],
    );
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
