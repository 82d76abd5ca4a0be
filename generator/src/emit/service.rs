//! A service's chart: exactly the files that the service needs.

use askama::Template;
use k8s_openapi::api::rbac::v1::PolicyRule;
use vocabulary::{Health, Scaling};

use super::chart_yaml::{chart_yaml, service_account};
use super::secret;
use crate::expr::{env_value, inert};
use crate::files::Files;
use crate::graph::{Component, EnvBinding, Graph, Service, Watch};
use crate::text::scalar;
use crate::workloads::pod_parts::{Probes, connection_command, container_security, pod_security, probes};
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
            &ServiceView { c, source, name, ports: ports(component), exposed },
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
    }
}

fn deployment<'a>(graph: &'a Graph, component: &'a Component, service: &'a Service) -> Deployment<'a> {
    let by_connections = service.is_judged_by_connections();
    let watched = watches(graph, component.name);
    let arguments: Vec<String> = watched.iter().map(|watch| argument(watch)).collect();
    let writable = service.writable.iter().map(|folder| Folder {
        volume: scalar(&folder.volume()),
        path: folder.path.as_str(),
        size: folder.size.as_str(),
    });
    Deployment {
        c: graph,
        source: component.source,
        name: component.name,
        autoscaled: service.scaling != Scaling::Fixed,
        has_secret: !component.credentials.is_empty(),
        token: !service.api_rules.is_empty(),
        pod_security: pod_security(component.run_as_user, !service.writable.is_empty()),
        container_security: container_security(),
        wait: by_connections.then(|| wait(graph, component.name, service, &watched, &arguments)),
        by_connections,
        connections_folder: Health::CONNECTIONS_FOLDER,
        ports: ports(component),
        env: variables(graph, service.env.iter()),
        probes: probes(&service.health, &arguments),
        writable: writable.collect(),
    }
}

/// What waits for these connections, with only the variables that its arguments name.
fn wait(graph: &Graph, name: &str, service: &Service, watched: &[&Watch], arguments: &[String]) -> Wait {
    let reasons = graph.edges_from(name).filter_map(|edge| {
        let reason = edge.watch.as_ref()?.reason?;
        Some(Reason { server: edge.target, text: inert(reason) })
    });
    let named: Vec<&str> = watched.iter().flat_map(|watch| watch.address.iter().chain(&watch.login).copied()).collect();
    Wait {
        command: template_block(&connection_command("wait", arguments)),
        env: variables(graph, service.env.iter().filter(|binding| named.contains(&binding.variable))),
        reasons: reasons.collect(),
    }
}

/// A service's connections under watch: those that it never opens again, then others on their ports.
fn watches<'a>(graph: &'a Graph, name: &'a str) -> Vec<&'a Watch> {
    let mut all: Vec<&Watch> = graph.edges_from(name).filter_map(|edge| edge.watch.as_ref()).collect();
    all.sort_by_key(|watch| watch.reason.is_none());
    all
}

/// The argument that names a connection to the script.
fn argument(watch: &Watch) -> String {
    if watch.reason.is_none() {
        return format!("other={}", watch.address.join(","));
    }
    format!("{}={}", watch.protocol, [&watch.address[..], &watch.login[..]].concat().join(","))
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
    token: bool,
    pod_security: String,
    container_security: String,
    wait: Option<Wait>,
    by_connections: bool,
    connections_folder: &'a str,
    ports: Vec<PortView>,
    env: Vec<Variable>,
    probes: Probes,
    writable: Vec<Folder<'a>>,
}

/// The init container that waits for logins.
struct Wait {
    command: String,
    env: Vec<Variable>,
    reasons: Vec<Reason>,
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

struct Folder<'a> {
    volume: String,
    path: &'a str,
    size: &'a str,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/service.yaml")]
struct ServiceView<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
    ports: Vec<PortView>,
    exposed: Option<PortView>,
}

/// How it is known that a connection is never opened again.
struct Reason {
    server: &'static str,
    text: String,
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
