//! A service's chart: exactly the files that the service needs.

use askama::Template;
use k8s_openapi::api::rbac::v1::PolicyRule;
use vocabulary::{Health, Runtime, Scaling, limits};

use super::chart_yaml::{chart_yaml, service_account};
use super::secret;
use crate::addons::instrumentation;
use crate::expr::{env_value, inert, secret_name};
use crate::files::Files;
use crate::graph::{Component, Edge, EnvBinding, Graph, Runner, Service, Watch};
use crate::text::scalar;
use crate::workloads::parts::{helper_resources, pod_security, probes};
use crate::workloads::{
    Container, ContainerImage, EnvVar, FurtherOfContainer, FurtherOfPod, Mount, Pod, Scope, Volume, scripts,
};
use crate::yaml::template_block;

pub(super) fn files(graph: &Graph, component: &Component, service: &Service, files: &mut Files) {
    let (c, name, source) = (graph, component.name, component.source);
    files.subchart(name, "Chart.yaml", &chart_yaml(graph, name, &component.doc, source));
    files.subchart(name, "templates/serviceaccount.yaml", &service_account(graph, source));
    files.subchart(name, "templates/deployment.yaml", &deployment(graph, component, service));
    files.subchart(name, "templates/role.yaml", &Role { c, source, name, rules: rules(service) });
    if !component.credentials.is_empty() {
        secret::files(graph, component, files);
    }
    if !component.ports.is_empty() {
        let exposed = service.exposed.map(|port| PortView { name: scalar(port.name), number: port.number });
        files.subchart(
            name,
            "templates/service.yaml",
            &ServiceView { c, source, name, ports: ports(component), exposed, scraped: component.scraped() },
        );
    }
    if service.scaling != Scaling::Fixed {
        files.subchart(name, "templates/horizontalpodautoscaler.yaml", &Autoscaler { c, source, name });
        files.subchart(name, "templates/poddisruptionbudget.yaml", &Budget { c, source, name });
    }
    if let Some(exposed) = service.exposed {
        let (port, number) = (scalar(exposed.name), exposed.number);
        files.subchart(name, "templates/ingress.yaml", &Ingress { c, source, name, port });
        files.subchart(name, "templates/httproute.yaml", &HttpRoute { c, source, name, number });
        files.subchart(name, "templates/gateway.yaml", &Gateway { c, source, name });
        files.subchart(name, "templates/certificate.yaml", &Certificate { c, source, name });
    }
}

fn deployment<'a>(graph: &'a Graph, component: &'a Component, service: &Service) -> Deployment<'a> {
    Deployment {
        c: graph,
        source: component.source,
        name: component.name,
        autoscaled: service.scaling != Scaling::Fixed,
        has_secret: !component.credentials.is_empty(),
        annotations: annotations(graph, service),
        pod: pod(graph, component, service).text(graph, POD_INDENT),
    }
}

/// The expression of the annotations from the values, with those by which an operator finds the Pods.
fn annotations(graph: &Graph, service: &Service) -> String {
    if instrumentation::is_traced(service) {
        format!(r#"merge (include "{}.tracing.annotations" . | fromYaml) .Values.podAnnotations"#, graph.name)
    } else {
        ".Values.podAnnotations".to_owned()
    }
}

/// The indentation of a Pod's `spec` in a Deployment.
const POD_INDENT: usize = 6;

fn pod(graph: &Graph, component: &Component, service: &Service) -> Pod {
    let name = component.name;
    let by_connections = service.is_judged_by_connections();
    let has_secret = !component.credentials.is_empty();
    let scripts = by_connections.then(scripts_mount);
    let folders = service.writable.iter().map(|folder| Mount::new(&scalar(&folder.volume()), folder.path.as_str()));
    let container = Container {
        ports: component.ports.iter().map(|port| (scalar(port.name), port.number)).collect(),
        env_from: has_secret.then(|| secret_name(graph)),
        env: EnvVar::all(variables(graph, service.env.iter())).into_iter().chain(of_runtime(service)).collect(),
        probes: Some(probes(&service.health, &watched_servers(graph, name))),
        liveness_note: by_connections.then_some(
            "Fails if a required server accepts connections but the program has none to it: only then does a restart help.",
        ),
        mounts: scripts.into_iter().chain(folders).collect(),
        further: further_of_container(graph, component, service),
        ..Container::new(name)
    };
    let scripts =
        by_connections.then(|| Volume::config_map("connections", &super::connections::config_map(graph), &[]));
    let folders =
        service.writable.iter().map(|folder| Volume::scratch(&scalar(&folder.volume()), folder.size.as_str()));
    Pod {
        scope: Scope::Own,
        service_account: format!("{{{{ .Release.Name }}}}-{name}"),
        token: if service.api_rules.is_empty() {
            "{{ not (empty .Values.rbac.extraRules) }}".to_owned()
        } else {
            "true".to_owned()
        },
        no_service_links: Some(
            "Service links set variables for every Service of the namespace; some would have the names of variables that the program reads.",
        ),
        restart_policy: None,
        grace_period: None,
        security: pod_security(component.run_as_user, !service.writable.is_empty()),
        init_containers: if by_connections { wait_containers(graph, name) } else { Vec::new() },
        containers: vec![container],
        volumes: scripts.into_iter().chain(folders).collect(),
        further: further_of_pod(graph, service),
    }
}

/// The variables that the runtime of a service's program needs in a container.
fn of_runtime(service: &Service) -> Option<EnvVar> {
    match service.runtime {
        Runtime::Other => None,
        Runtime::Python => {
            Some(EnvVar::new("PYTHONUNBUFFERED", r#""1""#).note("Otherwise printed lines reach the log minutes late."))
        }
    }
}

fn further_of_pod(graph: &Graph, service: &Service) -> FurtherOfPod {
    if !instrumentation::is_traced(service) {
        return FurtherOfPod::default();
    }
    let include = |helper: &str| Some(format!(r#"include "{}.tracing.{helper}" ."#, graph.name));
    FurtherOfPod { init_containers: include("initContainer"), volumes: include("volumes") }
}

fn further_of_container(graph: &Graph, component: &Component, service: &Service) -> FurtherOfContainer {
    if !instrumentation::is_traced(service) {
        return FurtherOfContainer::default();
    }
    let include =
        |helper: &str, argument: &str| Some(format!(r#"include "{}.tracing.{helper}" {argument}"#, graph.name));
    let variables = instrumentation::variables_argument(component, service);
    FurtherOfContainer { env: include("env", &variables), mounts: include("mounts", ".") }
}

/// The mount of the scripts that connect to servers.
fn scripts_mount() -> Mount {
    Mount::new("connections", Health::CONNECTIONS_FOLDER).read_only()
}

/// The containers that wait for the logins at the servers to which the program never reconnects.
fn wait_containers(graph: &Graph, name: &str) -> Vec<Container> {
    let container = |edge: &Edge| {
        let reason = edge.watch.as_ref()?.reason?;
        let scripts = edge.scripts.as_ref()?;
        let image = match scripts.wait.runner {
            Runner::Python => None,
            Runner::ServerImage => Some(ContainerImage::of_server(graph, edge.target)),
        };
        Some(Container {
            notes: vec![
                format!("Waits until the login at {} works, because the program does not reconnect:", edge.target),
                format!("{}.", inert(reason)),
            ],
            image,
            command: Some(template_block(&scripts::command(&scripts.wait, Health::CONNECTIONS_FOLDER))),
            env: scripts::env(graph, scripts, &secret_name(graph)),
            resources: Some(helper_resources()),
            mounts: vec![scripts_mount()],
            ..Container::new(&format!("{}{}", limits::WAIT_CONTAINER_PREFIX, edge.target))
        })
    };
    graph.edges_from(name).filter_map(container).collect()
}

/// The servers of a service's watched connections, as words for the script `probe.py`: those to which it never reconnects, then others on
/// their ports.
fn watched_servers<'a>(graph: &'a Graph, name: &'a str) -> Vec<&'static str> {
    let watches = || graph.edges_from(name).filter_map(|edge| edge.watch.as_ref());
    let (probed, others): (Vec<&Watch>, Vec<&Watch>) = watches().partition(|watch| watch.reason.is_some());
    let heading = if others.is_empty() { None } else { Some("others") };
    let words = |watches: Vec<&Watch>| watches.into_iter().flat_map(|watch| watch.address).collect::<Vec<_>>();
    words(probed).into_iter().chain(heading).chain(words(others)).collect()
}

/// Variables as they are written in a template of the service's chart.
pub(crate) fn variables<'a>(graph: &Graph, bindings: impl Iterator<Item = &'a EnvBinding>) -> Vec<Variable> {
    let written = bindings.filter(|binding| !binding.is_secret());
    written
        .map(|binding| Variable { name: scalar(binding.variable), value: env_value(graph, &binding.value) })
        .collect()
}

fn rules(service: &Service) -> Vec<Rule> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let rules = service.api_rules.iter().map(|rule| Rule {
        reason: inert(rule.reason),
        rule: template_block(&PolicyRule {
            api_groups: Some(vec![rule.group.to_owned()]),
            resources: Some(owned(rule.resources)),
            verbs: owned(rule.verbs),
            resource_names: (!rule.names.is_empty()).then(|| owned(rule.names)),
            non_resource_urls: None,
        }),
    });
    rules.collect()
}

fn ports(component: &Component) -> Vec<PortView> {
    component.ports.iter().map(|port| PortView { name: scalar(port.name), number: port.number }).collect()
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/deployment.yaml")]
struct Deployment<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
    autoscaled: bool,
    has_secret: bool,
    /// The expression of the Pods' further annotations.
    annotations: String,
    pod: String,
}

/// A variable of a container, as it is written.
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

struct PortView {
    name: String,
    number: u16,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/service.yaml")]
struct ServiceView<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
    ports: Vec<PortView>,
    exposed: Option<PortView>,
    /// The port with metrics, and the path.
    scraped: Option<(u16, &'static str)>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/role.yaml")]
struct Role<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
    rules: Vec<Rule>,
}

struct Rule {
    reason: String,
    rule: String,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/horizontalpodautoscaler.yaml")]
struct Autoscaler<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/poddisruptionbudget.yaml")]
struct Budget<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/ingress.yaml")]
struct Ingress<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
    port: String,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/httproute.yaml")]
struct HttpRoute<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
    number: u16,
}

/// The Gateway of the service alone.
#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/gateway.yaml")]
struct Gateway<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/certificate.yaml")]
struct Certificate<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
}
