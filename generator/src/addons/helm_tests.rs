//! The Jobs of `helm test`: each service tries what it declares and what it must not reach, an undeclared client tries every port, and the
//! end-to-end test sends something through the whole platform.

use askama::Template;
use vocabulary::EndToEndTest;

use super::{AddOn, authentication};
use crate::emit::{by_peer, connections};
use crate::expr::{
    any_of, bare, enabled, enabled_service, end_to_end_enabled, host, inert, secret_name, secret_name_in_umbrella,
    template_scalar, value,
};
use crate::files::Files;
use crate::graph::{Component, Edge, EndToEnd, Graph, HttpEnd, Port, Purpose, Runner};
use crate::kinds::{self, ScriptFile, ScriptSet};
use crate::text::{scalar, variable_value};
use crate::workloads::parts::{container_security, helper_resources, pod_security};
use crate::workloads::{EnvVar, scripts};
use crate::yaml::template_block;

/// What the Python scripts of the tests share.
const TESTING: ScriptFile = test_script("testing.py", include_str!("../../templates/addons/helm-tests/testing.py"));
const NETWORK_POLICIES: ScriptFile =
    test_script("network_policies.py", include_str!("../../templates/addons/helm-tests/network_policies.py"));
const HTTP_CALLS: ScriptFile =
    test_script("http_calls.py", include_str!("../../templates/addons/helm-tests/http_calls.py"));
const LOGIN: ScriptFile = test_script("login.py", include_str!("../../templates/addons/helm-tests/login.py"));
const END_TO_END: ScriptFile =
    test_script("end_to_end.py", include_str!("../../templates/addons/helm-tests/end_to_end.py"));

const fn test_script(name: &'static str, text: &'static str) -> ScriptFile {
    ScriptFile { set: ScriptSet::Tests, name, text }
}

/// The folder of all scripts in the Pods of the tests.
const FOLDER: &str = "/opt/tests";

/// The folder in which the end-to-end test leaves its result for the container that removes its rows.
const RESULT_FOLDER: &str = "/run/end-to-end";

/// The user and group of the Pods. Their images may have no user of this number, since nothing is written.
const USER: u32 = 10001;

/// The add-on.
pub(super) struct HelmTests;

impl AddOn for HelmTests {
    fn files(&self, graph: &Graph, files: &mut Files) {
        add_files(graph, files);
    }
}

fn add_files(graph: &Graph, files: &mut Files) {
    let scripts = test_scripts(graph);
    for script in &scripts {
        files.text(format!("files/tests/{}", script.name), script.text.to_owned());
    }
    let command = python(NETWORK_POLICIES);
    files.umbrella(
        "templates/tests/_helpers.tpl",
        &Helpers {
            c: graph,
            connections: (!connections::scripts(graph).is_empty()).then(|| connections::config_map(graph)),
            pod_security: pod_security(USER, false),
            container_security: container_security(),
            helper_resources: helper_resources(),
            isolation: &command,
        },
    );
    let proxied: Vec<_> = graph.exposed().map(|(service, _)| authentication::proxied(service)).collect();
    if !proxied.is_empty() {
        files.text(format!("files/tests/{}", LOGIN.name), LOGIN.text.to_owned());
    }
    let login = any_of(&proxied).map(|when| (LOGIN.name, Some(when)));
    let names = scripts.iter().map(|script| (script.name, None)).chain(login).collect();
    files.umbrella(
        "templates/tests/scripts.yaml",
        &Scripts { c: graph, files: names, components: listening_components(graph) },
    );
    files.umbrella("templates/tests/test-network-policies.yaml", &NetworkPolicyJob { c: graph, command: &command });
    if let Some(test) = &graph.end_to_end {
        files.umbrella("templates/tests/test-end-to-end.yaml", &end_to_end_job(graph, test));
    }
    for (component, service) in graph.services() {
        let (name, source) = (component.name, component.source);
        let containers = connection_tests(graph, name);
        if !containers.is_empty() {
            let view = ConnectionJob { c: graph, source, name, containers };
            files.subchart(name, "templates/tests/test-connection.yaml", &view);
        }
        let edges = graph.edges_from(name);
        let may = edges.flat_map(|edge| edge.ports.iter().map(|port| (edge.target, *port))).collect();
        let api = !service.api_rules.is_empty();
        let view = IsolationJob { c: graph, source, api, may };
        files.subchart(name, "templates/tests/test-isolation.yaml", &view);
    }
}

/// The scripts that this platform's tests need.
fn test_scripts(graph: &Graph) -> Vec<ScriptFile> {
    let has_calls = graph.edges.iter().any(|edge| edge.request.is_some());
    let of_kinds = kinds::client_scripts(graph, ScriptSet::Tests);
    let optional = [has_calls.then_some(HTTP_CALLS), graph.end_to_end.as_ref().map(|_| END_TO_END)];
    [TESTING, NETWORK_POLICIES].into_iter().chain(optional.into_iter().flatten()).chain(of_kinds).collect()
}

/// The words that run a script in Python.
fn program(script: ScriptFile) -> Vec<String> {
    scripts::PYTHON.iter().map(ToString::to_string).chain([format!("{FOLDER}/{}", script.name)]).collect()
}

/// The command of a test in Python, as a list on one line.
fn python(script: ScriptFile) -> String {
    format!("[{}]", program(script).join(", "))
}

/// The command of the test that requests a page of a proxy, as a list on one line.
pub(super) fn login() -> String {
    python(LOGIN)
}

/// The containers that try what a service declares: one for each server, and one for all of its calls.
fn connection_tests(graph: &Graph, service: &str) -> Vec<TestContainer> {
    let at_server = |edge: &Edge| {
        let login_scripts = edge.scripts.as_ref()?;
        let is_python = login_scripts.test.runner == Runner::Python;
        let time_limit = is_python.then(test_seconds);
        let login = scripts::env(graph, login_scripts, &secret_name(graph));
        Some(TestContainer {
            name: format!("test-{}", edge.target),
            image_section: if is_python { "tests" } else { edge.target },
            command: template_block(&scripts::command(&login_scripts.test, FOLDER)),
            env: time_limit.into_iter().chain(login).map(|variable| variable.text()).collect(),
        })
    };
    let requests = graph.edges_from(service).filter_map(|edge| Some((edge, edge.request.as_ref()?)));
    let words = requests.flat_map(|(edge, request)| {
        let expectation = if request.path.is_some() { "expect-2xx" } else { "expect-below-500" };
        let port = edge.ports.first().copied().unwrap_or_default();
        [expectation.to_owned(), url(graph, edge.target, port, request.path.unwrap_or("/"))]
    });
    let words: Vec<String> = words.collect();
    let calls = (!words.is_empty()).then(|| TestContainer {
        name: "calls".to_owned(),
        image_section: "tests",
        command: format!("- {}", [program(HTTP_CALLS), words].concat().join("\n- ")),
        env: vec![test_seconds().text()],
    });
    graph.edges_from(service).filter_map(at_server).chain(calls).collect()
}

/// The address of a route, as a YAML scalar in a template.
fn url(graph: &Graph, service: &str, port: u16, path: &str) -> String {
    format!(r#""http://{}:{port}{}""#, host(graph, service), variable_value(path))
}

/// The time limit of the tests in Python.
pub(super) fn test_seconds() -> EnvVar {
    EnvVar::new("TEST_SECONDS", "{{ .Values.global.tests.timeoutSeconds | quote }}")
}

/// Every declared port of the release's Pods, by component.
fn listening_components(graph: &Graph) -> Vec<ListeningComponent> {
    let listening = graph.components.iter().filter(|component| !component.ports.is_empty());
    let view = listening.map(|component| ListeningComponent {
        name: component.name.to_owned(),
        enabled: enabled(component).as_deref().map(bare),
        ports: component.ports.iter().map(|port| listening_port(component, *port)).collect(),
    });
    view.chain(graph.exposed().map(|(service, number)| listening_proxy(service, number))).collect()
}

/// The proxy in front of a service, at the port of its Service.
fn listening_proxy(service: &str, number: u16) -> ListeningComponent {
    let exposure = value(&[service, "exposure"]);
    let network = value(&[service, "exposure", "authentication", "network"]);
    let opened = format!(r#"dict "root" $ "network" {network} "exposure" {exposure} "isProxy" true"#);
    ListeningComponent {
        name: authentication::identity(service),
        enabled: Some(format!("and {} {}", enabled_service(service), authentication::proxied(service))),
        ports: vec![ListeningPort { number, opened: Some(opened) }],
    }
}

fn listening_port(component: &Component, port: Port) -> ListeningPort {
    let metrics = if matches!(port.purpose, Purpose::Metrics(_)) { r#" "metrics" true"# } else { "" };
    let Some(service) = component.service() else {
        let opened = (!metrics.is_empty()).then(|| format!(r#"dict "root" ${metrics}"#));
        return ListeningPort { number: port.number, opened };
    };
    let name = component.name;
    let mut opened = format!(r#"dict "root" $ "network" {}{metrics}"#, value(&[name, "network"]));
    if service.exposed.is_some_and(|exposed| exposed.number == port.number) {
        opened += &[r#" "exposure" "#, &value(&[name, "exposure"])].concat();
    }
    ListeningPort { number: port.number, opened: Some(opened) }
}

fn end_to_end_job<'a>(graph: &'a Graph, test: &'a EndToEnd) -> EndToEndJob<'a> {
    let clean_up = test.cleanup(&graph.edges).and_then(|(leftovers, edge)| {
        let login_scripts = edge.scripts.as_ref()?;
        let statement = EnvVar::new("STATEMENT", with_marker(leftovers.statement));
        let login = scripts::env(graph, login_scripts, &secret_name_in_umbrella(graph, leftovers.owner));
        let env = marker().into_iter().chain([statement, result_file(), test_seconds()]).chain(login);
        Some(CleanUp {
            owner: leftovers.owner,
            server: leftovers.server,
            command: template_block(&scripts::command(login_scripts.clean_up.as_ref()?, FOLDER)),
            env: env.map(|variable| variable.text()).collect(),
        })
    });
    let end = |end: &HttpEnd| url(graph, end.service, end.port, end.path);
    let own = [
        EnvVar::new("DESCRIPTION", template_scalar(&variable_value(test.doc))),
        EnvVar::new("SEND_URL", end(&test.sent)),
        EnvVar::new("SEND_BODY", with_marker(test.body)),
        EnvVar::new("PAGE_URL", end(&test.seen)),
        EnvVar::new("WITHIN_SECONDS", scalar(&test.within_seconds.to_string())),
        EnvVar::new("SERVICES", scalar(&test.way.join(", "))),
        test_seconds(),
    ];
    let env = marker().into_iter().chain(own).chain(clean_up.as_ref().map(|_| result_file()));
    EndToEndJob {
        c: graph,
        source: test.source,
        doc: inert(test.doc),
        enabled: end_to_end_enabled(test),
        command: python(END_TO_END),
        env: env.map(|variable| variable.text()).collect(),
        clean_up,
        result_folder: RESULT_FOLDER,
        ends: by_peer(test.paths.iter().copied()),
    }
}

/// The marker of a run, which no other run has.
fn marker() -> [EnvVar; 2] {
    [EnvVar::of_field("POD_UID", "metadata.uid"), EnvVar::new("MARKER", "helm-test-$(POD_UID)")]
}

/// A declared text in which the kubelet puts the marker of the run, as a YAML scalar in a template. Every dollar sign of the text is doubled,
/// since one before the marker would make the kubelet take the reference for text.
fn with_marker(text: &str) -> String {
    template_scalar(&text.replace('$', "$$").replace(EndToEndTest::MARKER, "$(MARKER)"))
}

fn result_file() -> EnvVar {
    EnvVar::new("RESULT_FILE", format!("{RESULT_FOLDER}/result"))
}

#[derive(Template)]
#[template(path = "addons/helm-tests/_helpers.tpl")]
struct Helpers<'a> {
    c: &'a Graph,
    /// The name of the ConfigMap with the scripts that connect to servers, if the release has any.
    connections: Option<String>,
    pod_security: String,
    container_security: String,
    helper_resources: String,
    /// The command of the tests of isolation.
    isolation: &'a str,
}

#[derive(Template)]
#[template(path = "addons/helm-tests/scripts.yaml")]
struct Scripts<'a> {
    c: &'a Graph,
    /// The names of the scripts, each with the condition of the values under which a test needs it.
    files: Vec<(&'static str, Option<String>)>,
    components: Vec<ListeningComponent>,
}

/// A component and its ports.
struct ListeningComponent {
    name: String,
    /// Whether it is installed; none when it always is.
    enabled: Option<String>,
    ports: Vec<ListeningPort>,
}

struct ListeningPort {
    number: u16,
    /// The arguments that tell which value opens it; none when no value can.
    opened: Option<String>,
}

#[derive(Template)]
#[template(path = "addons/helm-tests/test-network-policies.yaml")]
struct NetworkPolicyJob<'a> {
    c: &'a Graph,
    command: &'a str,
}

#[derive(Template)]
#[template(path = "addons/helm-tests/test-end-to-end.yaml")]
struct EndToEndJob<'a> {
    c: &'a Graph,
    source: &'a str,
    doc: String,
    enabled: String,
    command: String,
    env: Vec<String>,
    clean_up: Option<CleanUp>,
    result_folder: &'static str,
    ends: Vec<(&'a str, Vec<u16>)>,
}

/// The container that removes the rows of the end-to-end test.
struct CleanUp {
    /// The service whose login it has.
    owner: &'static str,
    /// The server, whose image it runs in.
    server: &'static str,
    command: String,
    env: Vec<String>,
}

#[derive(Template)]
#[template(path = "addons/helm-tests/test-connection.yaml")]
struct ConnectionJob<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
    containers: Vec<TestContainer>,
}

/// A container that tries something a service declares.
struct TestContainer {
    name: String,
    /// The section of `global` whose image it runs in.
    image_section: &'static str,
    command: String,
    env: Vec<String>,
}

#[derive(Template)]
#[template(path = "addons/helm-tests/test-isolation.yaml")]
struct IsolationJob<'a> {
    c: &'a Graph,
    source: &'a str,
    /// Whether it may connect to the Kubernetes API server.
    api: bool,
    may: Vec<(&'static str, u16)>,
}
