//! What `helm test` runs against a release: what each service declares tried as that service, what it may not reach tried as well, what
//! nobody may reach, and the one thing that goes through all of it.

use askama::Template;

use super::AddOn;
use crate::emit::by_peer;
use crate::emit::service::{Variable, variables};
use crate::expr::{bare, enabled, end_to_end_enabled, go_string, inert, value};
use crate::files::Files;
use crate::graph::{Check, Component, Edge, EndToEnd, Graph, HttpEnd, Port, Purpose, Service};
use crate::text::scalar;
use crate::workloads::parts::{container_security, helper_resources, pod_security};
use crate::yaml::template_block;

/// What the test pods run, by name; all of it lies in one folder there.
const SCRIPTS: &[(&str, &str)] = &[
    ("tests.py", include_str!("../../templates/umbrella/files/tests/tests.py")),
    ("access.py", include_str!("../../templates/umbrella/files/tests/access.py")),
    ("isolation.py", include_str!("../../templates/umbrella/files/tests/isolation.py")),
    ("journey.py", include_str!("../../templates/umbrella/files/tests/journey.py")),
    ("sessions.py", include_str!("../../templates/umbrella/files/tests/sessions.py")),
    ("support.py", include_str!("../../templates/umbrella/files/tests/support.py")),
];
const CONNECTIONS_SCRIPT: &str = include_str!("../../templates/umbrella/files/connections.py");

/// The user and group of the test pods, whose image may have none of that number: nothing is written.
const USER: u32 = 10001;

/// The add-on.
pub(super) struct HelmTests;

impl AddOn for HelmTests {
    fn files(&self, graph: &Graph, files: &mut Files) {
        add_files(graph, files);
    }
}

fn add_files(graph: &Graph, files: &mut Files) {
    files.text("files/connections.py", CONNECTIONS_SCRIPT.to_owned());
    files.umbrella("templates/connections.yaml", &Connections { c: graph });
    for (name, script) in SCRIPTS {
        files.text(format!("files/tests/{name}"), (*script).to_owned());
    }
    files.umbrella(
        "templates/tests/_helpers.tpl",
        &Helpers {
            c: graph,
            pod_security: pod_security(USER, false),
            container_security: container_security(),
            helper_resources: helper_resources(),
        },
    );
    let end_to_end = graph.end_to_end.as_ref().map(|test| instructions(graph, test));
    files.umbrella(
        "templates/tests/scripts.yaml",
        &Scripts {
            c: graph,
            files: SCRIPTS.iter().map(|(name, _)| *name).collect(),
            targets: targets(graph),
            end_to_end,
        },
    );
    files.umbrella("templates/tests/test-network-policies.yaml", &NetworkPolicyJob { c: graph });
    if let Some(test) = &graph.end_to_end {
        files.umbrella("templates/tests/test-end-to-end.yaml", &end_to_end_job(graph, test));
    }
    for (component, service) in graph.services() {
        let (name, source) = (component.name, component.source);
        let edges = || graph.edges_from(name);
        let checks = || edges().flat_map(|edge| &edge.checks);
        if checks().next().is_some() {
            let arguments: Vec<String> = std::iter::once("access".to_owned()).chain(checks().map(argument)).collect();
            let view = ConnectionJob {
                c: graph,
                source,
                name,
                arguments: template_block(&arguments),
                keys: edges().flat_map(keys).collect(),
                env: named(graph, service, checks()),
            };
            files.subchart(name, "templates/tests/test-connection.yaml", &view);
        }
        let may = edges().flat_map(|edge| edge.ports.iter().map(|port| (edge.target, *port))).collect();
        let view = IsolationJob { c: graph, source, name, api: !service.api_rules.is_empty(), may };
        files.subchart(name, "templates/tests/test-isolation.yaml", &view);
    }
}

/// The argument with which the script tries something.
fn argument(check: &Check) -> String {
    let path = check.path.map(|path| format!("={path}")).unwrap_or_default();
    format!("{}={}{path}", check.verb, check.variables.join(","))
}

/// Those of a service's variables that these checks read.
fn named<'a>(graph: &Graph, service: &Service, checks: impl Iterator<Item = &'a Check>) -> Vec<Variable> {
    let named: Vec<&str> = checks.flat_map(|check| check.variables.iter().copied()).collect();
    variables(graph, service.env.iter().filter(|binding| named.contains(&binding.variable)))
}

/// The keys of the service's Secret with an edge's login.
fn keys(edge: &Edge) -> Vec<String> {
    edge.secret_variables().into_iter().map(scalar).collect()
}

/// Every declared port of the release's pods, by chart.
fn targets(graph: &Graph) -> Vec<Target> {
    let listening = graph.components.iter().filter(|component| !component.ports.is_empty());
    let target = listening.map(|component| Target {
        name: component.name,
        enabled: enabled(component).as_deref().map(bare),
        ports: component.ports.iter().map(|port| target_port(component, *port)).collect(),
    });
    target.collect()
}

fn target_port(component: &Component, port: Port) -> TargetPort {
    let metrics = if port.purpose == Purpose::Metrics { r#" "metrics" true"# } else { "" };
    let Some(service) = component.service() else {
        let opened = (!metrics.is_empty()).then(|| format!(r#"dict "root" ${metrics}"#));
        return TargetPort { number: port.number, opened };
    };
    let name = component.name;
    let mut opened = format!(r#"dict "root" $ "network" {}{metrics}"#, value(&[name, "network"]));
    if service.exposed.is_some_and(|exposed| exposed.number == port.number) {
        opened += &[r#" "exposure" "#, &value(&[name, "exposure"])].concat();
    }
    TargetPort { number: port.number, opened: Some(opened) }
}

/// What the script is told about an end-to-end test.
fn instructions(graph: &Graph, test: &EndToEnd) -> Instructions {
    let end = |end: &HttpEnd| EndView { host: end.service, port: end.port, path: go_string(end.path) };
    let forget = test.cleanup(&graph.edges).map(|(leftovers, edge)| {
        let arguments: String = edge.checks.iter().map(argument).collect();
        (go_string(&arguments), go_string(leftovers.statement))
    });
    Instructions {
        enabled: end_to_end_enabled(test),
        doc: go_string(test.doc),
        sent: end(&test.sent),
        body: go_string(test.body),
        seen: end(&test.seen),
        through: test.way.iter().map(|service| go_string(service)).collect::<Vec<_>>().join(" "),
        within_seconds: test.within_seconds,
        forget,
    }
}

fn end_to_end_job<'a>(graph: &'a Graph, test: &'a EndToEnd) -> EndToEndJob<'a> {
    let leftovers = test.cleanup(&graph.edges).map(|(leftovers, edge)| {
        let service = graph.component(leftovers.owner).service();
        LeftoversView {
            owner: leftovers.owner,
            env: service.map_or_else(Vec::new, |service| named(graph, service, edge.checks.iter())),
            keys: keys(edge),
        }
    });
    let ends = by_peer(test.paths.iter().copied());
    EndToEndJob {
        c: graph,
        source: test.source,
        doc: inert(test.doc),
        enabled: end_to_end_enabled(test),
        leftovers,
        ends,
    }
}

#[derive(Template)]
#[template(path = "umbrella/templates/connections.yaml")]
struct Connections<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "umbrella/templates/tests/_helpers.tpl")]
struct Helpers<'a> {
    c: &'a Graph,
    pod_security: String,
    container_security: String,
    helper_resources: String,
}

#[derive(Template)]
#[template(path = "umbrella/templates/tests/scripts.yaml")]
struct Scripts<'a> {
    c: &'a Graph,
    files: Vec<&'static str>,
    targets: Vec<Target>,
    end_to_end: Option<Instructions>,
}

/// The ports of a chart.
struct Target {
    name: &'static str,
    /// Whether it is installed; none when it always is.
    enabled: Option<String>,
    ports: Vec<TargetPort>,
}

struct TargetPort {
    number: u16,
    /// What tells whether the values let others in; none when they cannot.
    opened: Option<String>,
}

/// What the script is told about a journey; texts as string literals of a template.
struct Instructions {
    enabled: String,
    doc: String,
    sent: EndView,
    body: String,
    seen: EndView,
    through: String,
    within_seconds: u16,
    /// The argument that names server and login, and the statement.
    forget: Option<(String, String)>,
}

struct EndView {
    host: &'static str,
    port: u16,
    path: String,
}

#[derive(Template)]
#[template(path = "umbrella/templates/tests/test-network-policies.yaml")]
struct NetworkPolicyJob<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "umbrella/templates/tests/test-end-to-end.yaml")]
struct EndToEndJob<'a> {
    c: &'a Graph,
    source: &'a str,
    doc: String,
    enabled: String,
    leftovers: Option<LeftoversView>,
    ends: Vec<(&'a str, Vec<u16>)>,
}

/// As whom, and where, a journey removes what it left.
struct LeftoversView {
    owner: &'static str,
    env: Vec<Variable>,
    keys: Vec<String>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/tests/test-connection.yaml")]
struct ConnectionJob<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
    arguments: String,
    env: Vec<Variable>,
    /// The keys of its Secret that are logins; others are none of a test's business.
    keys: Vec<String>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/tests/test-isolation.yaml")]
struct IsolationJob<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
    /// Whether it may connect to the Kubernetes API server.
    api: bool,
    may: Vec<(&'static str, u16)>,
}
