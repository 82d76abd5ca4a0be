//! The chart's README and VALUES, with tables from the graph and the values.

mod credentials;
mod environments;
mod install;
mod values;

use askama::Template;

use super::images::{self, ChartImage};
use super::publication::{file_link, link};
use super::values::Section;
use crate::addons::authentication;
use crate::addons::exporter::exporters;
use crate::addons::{backup, instrumentation};
use crate::expr::login_name_for_readers;
use crate::files::Files;
use crate::graph::{Edge, Graph, LoginName};
use crate::kinds::notes_of_kinds;
use crate::kubernetes::MINOR_VERSIONS;
use crate::names::{
    END_TO_END_TEST, NETWORK_POLICY_TEST, PROVISION, RECONCILE, TEST_AUTHENTICATION, TEST_CONNECTION, TEST_ISOLATION,
};
use crate::text::{Row, cell, code_cell, list};
use install::{Footprint, Options};

pub(super) fn files(graph: &Graph, tree: &Section, files: &mut Files) {
    let is_marked = |edge: &Edge| edge.login.as_ref().is_some_and(|login| login.name == LoginName::SqlIdentifier);
    let stateful = graph.servers().next().is_some();
    let options = Options::of(graph);
    let view = Readme {
        c: graph,
        links: Links::of(graph),
        doc: cell(graph.doc),
        longest_release_name: graph.longest_release_name,
        charts: charts(graph),
        unnamed: unnamed(graph),
        passwords: credentials::passwords(graph),
        secrets: credentials::secrets(graph),
        rotated: credentials::example(graph),
        marked: graph.edges.iter().any(is_marked),
        jobs: jobs(graph),
        tests: tests(graph),
        unprotected: unprotected(graph),
        access: access_rows(graph),
        diagram: diagram(graph),
        api: api_rows(graph),
        has_calls: graph.edges.iter().any(|edge| graph.component(edge.target).is_optional()),
        autoscaled: graph.autoscales(),
        derived: derived(graph),
        first_test: NETWORK_POLICY_TEST,
        opening: opening(graph),
        access_notes: notes_of_kinds(graph, |kind| kind.access_notes(graph)),
        disabled_notes: notes_of_kinds(graph, |kind| kind.disabled_note().map(str::to_owned)),
        test_notes: notes_of_kinds(graph, |kind| kind.test_note().map(str::to_owned)),
        watched: watched(graph),
        exposed: graph.exposed().map(|(service, _)| service).collect(),
        metrics: metrics(graph),
        traced: instrumentation::traced(graph).map(|(component, _)| component.name).collect(),
        exporters: exporters(graph).map(|(component, _)| component.name).collect(),
        exposed_ports: graph.exposed().collect(),
        versions: graph.servers().map(version_row).collect(),
        footprint: Footprint::of(graph),
        example_release: graph.example_release(),
        example_files: options.plain,
        example_files_without_passwords: options.without_passwords,
        example_files_encrypted: options.encrypted,
        environments: graph.environments.iter().map(environments::row).collect(),
        logged: environments::logged(graph).collect(),
        stored: graph.credentials().map(|credential| format!("{}.r1", credential.path.name())).collect(),
        stateful,
        backed_up: backup::names(graph),
    };
    files.umbrella("README.md", &view);
    if let Some((service, port)) = graph.exposed().next() {
        files.umbrella("EXPOSURE.md", &ExposurePage { service, port, proxy_port: authentication::PORT });
    }
    files.umbrella("VALUES.md", &ValuesPage { name: graph.name, values: values::groups(graph, tree) });
    if graph.credentials().next().is_some() {
        let kube_version = format!("1.{}", MINOR_VERSIONS.start());
        files.umbrella("existing-secrets.sh", &ExistingSecrets { kube_version });
    }
}

fn charts(graph: &Graph) -> Vec<Row> {
    let row = |component: &crate::graph::Component| {
        // The name of a server's port is that of its protocol, which its description says.
        let (ports, workload) = if let Some(server) = component.server() {
            (server.kind.profile().port().to_string(), "StatefulSet, one pod, one volume")
        } else {
            let ports: Vec<_> =
                component.ports.iter().map(|port| format!("{} {}", port.number, cell(port.name))).collect();
            (ports.join(", "), "Deployment")
        };
        Row::of(&[code_cell(component.name), cell(&component.doc), ports, workload.into()])
    };
    graph.components.iter().map(row).collect()
}

/// The images without a default tag or digest.
fn unnamed(graph: &Graph) -> Vec<Row> {
    let row = |(image, reason): (ChartImage, &str)| {
        Row::of(&[code_cell(&image.name()), code_cell(image.image.repository.as_str()), cell(reason)])
    };
    images::without_default(graph).map(row).collect()
}

fn access_rows(graph: &Graph) -> Vec<Row> {
    let none = || "–".to_owned();
    let has_logins = graph.servers().next().is_some();
    // A table without logins has no columns for them.
    let row = |name, ports, user, password, rights| {
        if has_logins { Row::of(&[name, ports, user, password, rights]) } else { Row::of(&[name, ports, rights]) }
    };
    let mut rows = Vec::new();
    for (component, _) in graph.services() {
        let name = || code_cell(component.name);
        let mut edges = graph.edges_from(component.name).peekable();
        if edges.peek().is_none() {
            rows.push(row(name(), none(), none(), none(), "nothing".into()));
        }
        for edge in edges {
            let ports: Vec<String> = edge.ports.iter().map(|port| format!("`{}:{port}`", edge.target)).collect();
            let login = edge.login.as_ref();
            let user = login.map_or_else(none, |_| code_cell(&login_name_for_readers(edge)));
            let variables = login.and_then(|login| login.variables);
            let variable = variables.map_or_else(none, |variables| code_cell(variables.password.name.as_str()));
            rows.push(row(name(), ports.join(", "), user, variable, edge.rights_text.clone()));
        }
    }
    rows
}

/// A Mermaid flow chart of the same graph.
fn diagram(graph: &Graph) -> Vec<String> {
    let id = |name: &str| name.replace('-', "_");
    let nodes = graph.components.iter().map(|component| {
        let name = component.name;
        let shape = if component.is_optional() { format!("[\"{name}\"]") } else { format!("[(\"{name}\")]") };
        format!("n_{}{shape}", id(name))
    });
    let paths = graph.edges.iter().flat_map(|edge| {
        edge.ports.iter().map(move |port| format!("n_{} -->|{port}| n_{}", id(edge.client), id(edge.target)))
    });
    let users = graph.exposed().map(|(service, port)| format!("users((users)) -.->|{port}| n_{}", id(service)));
    nodes.chain(users).chain(paths).collect()
}

fn api_rows(graph: &Graph) -> Vec<Row> {
    let rules = graph.services().flat_map(|(component, service)| {
        service.api_rules.iter().map(move |rule| {
            let kinds = rule.resources.iter().map(|kind| code_cell(kind)).collect::<Vec<_>>().join(" ");
            let names =
                if rule.names.is_empty() { "all of the namespace".into() } else { code_cell(&rule.names.join(" ")) };
            Row::of(&[code_cell(component.name), rule.verbs.join(", "), kinds, names, cell(rule.reason)])
        })
    });
    rules.collect()
}

/// What is derived from the table of accesses, as the subject of a sentence.
fn derived(graph: &Graph) -> String {
    let mut derived = vec!["The NetworkPolicies".to_owned()];
    derived.extend(notes_of_kinds(graph, |kind| Some(kind.rights_noun().to_owned())));
    list(&derived, "and")
}

/// The values that open a port to more clients than the declared ones, as a list of Markdown.
fn opening(graph: &Graph) -> String {
    let mut values = Vec::new();
    if graph.exposed().next().is_some() {
        values.push("`exposure.via: NodePort` or `LoadBalancer`".to_owned());
    }
    if graph.has_metrics() {
        values.push("`global.metrics` with the release's own namespace".to_owned());
    }
    values.push("`network.extraIngress`, for all ports of that service".to_owned());
    list(&values, "or")
}

fn watched(graph: &Graph) -> Vec<&'static str> {
    graph
        .services()
        .filter(|(_, service)| service.is_judged_by_connections())
        .map(|(component, _)| component.name)
        .collect()
}

fn version_row((component, server): (&crate::graph::Component, &crate::graph::Server)) -> Row {
    Row::of(&[code_cell(component.name), format!("{} {}", server.product, server.version)])
}

fn metrics(graph: &Graph) -> Vec<Row> {
    let ports = graph.components.iter().flat_map(|component| {
        component
            .metrics_ports()
            .map(|(port, path)| Row::of(&[code_cell(component.name), port.number.to_string(), code_cell(path)]))
    });
    let of_exporters = exporters(graph).map(|(component, exporter)| {
        let name = format!("{} (exporter)", code_cell(component.name));
        Row::of(&[name, exporter.port.to_string(), code_cell("/metrics")])
    });
    ports.chain(of_exporters).collect()
}

/// The Jobs that manage logins, the port that each connects to, and its login.
fn jobs(graph: &Graph) -> Vec<Row> {
    let row = |(component, server): (&crate::graph::Component, &crate::graph::Server)| {
        let (name, profile) = (component.name, server.kind.profile());
        let jobs = format!("`<release>-{name}-{PROVISION}-<digest>`, `<release>-{name}-{RECONCILE}`");
        let port = profile.administration_port();
        Row::of(&[jobs, format!("`{name}:{port}`"), code_cell(profile.administrator.login)])
    };
    graph.servers().map(row).collect()
}

/// The Jobs of `helm test`, in their order.
fn tests(graph: &Graph) -> Vec<Row> {
    let row = |job: &str, identity: &str, tries: String, off: &str| {
        Row::of(&[code_cell(job), identity.to_owned(), tries, code_cell(&format!("{off}: false"))])
    };
    let job = |identity: &str| format!("<release>-{identity}");
    let every_port = "every declared port of the release; each must refuse it".to_owned();
    let mut rows = vec![row(&job(NETWORK_POLICY_TEST), "an undeclared client", every_port, "global.tests.isolation")];
    if !graph.edges.is_empty() {
        let has_logins = graph.edges.iter().any(|edge| edge.login.is_some());
        let login = if has_logins { ", with the login there" } else { "" };
        let uses = format!("its connections in the table under [Access](#access){login}");
        rows.push(row(
            &format!("<release>-<service>-{TEST_CONNECTION}"),
            "each service",
            uses,
            "<service>.tests.connection",
        ));
    }
    let rest = "with its labels, every declared port that the table does not name".to_owned();
    rows.push(row(&format!("<release>-<service>-{TEST_ISOLATION}"), "each service", rest, "<service>.tests.isolation"));
    if graph.exposed().next().is_some() {
        rows.push(Row::of(&[
            code_cell(&format!("<release>-<service>-{TEST_AUTHENTICATION}")),
            "a client without a login".to_owned(),
            "a page of the proxy, which must refuse it".to_owned(),
            code_cell("<service>.exposure.authentication.mode: None"),
        ]));
    }
    if let Some(test) = &graph.end_to_end {
        let doc = format!("the whole platform: {}", cell(test.doc));
        rows.push(row(&job(END_TO_END_TEST), "a user", doc, "global.tests.endToEnd"));
    }
    rows
}

/// The servers with a client that has no password.
fn unprotected(graph: &Graph) -> Vec<&'static str> {
    let anonymous = |edge: &&Edge| edge.login.as_ref().is_some_and(|login| login.variables.is_none());
    graph.edges.iter().filter(anonymous).map(|edge| edge.target).collect()
}

#[derive(Template)]
#[template(path = "umbrella/README.md")]
struct Readme<'a> {
    c: &'a Graph,
    links: Links,
    doc: String,
    longest_release_name: u8,
    charts: Vec<Row>,
    unnamed: Vec<Row>,
    passwords: String,
    access: Vec<Row>,
    diagram: Vec<String>,
    api: Vec<Row>,
    /// Whether a service calls another one.
    has_calls: bool,
    /// Whether a service can scale by load.
    autoscaled: bool,
    /// What is derived from the table of accesses.
    derived: String,
    /// The test that every chart has.
    first_test: &'static str,
    /// The values that open a port to further clients.
    opening: String,
    access_notes: Vec<String>,
    /// The servers that can have backups.
    backed_up: Vec<&'static str>,
    disabled_notes: Vec<String>,
    test_notes: Vec<String>,
    watched: Vec<&'static str>,
    exposed: Vec<&'static str>,
    metrics: Vec<Row>,
    /// The services that can send traces.
    traced: Vec<&'static str>,
    /// The servers with an exporter.
    exporters: Vec<&'static str>,
    environments: Vec<Row>,
    /// The environments with values for the chart with the log agent.
    logged: Vec<&'static str>,
    secrets: Vec<Row>,
    /// The properties of a store with the passwords.
    stored: Vec<String>,
    rotated: Option<credentials::Example>,
    marked: bool,
    jobs: Vec<Row>,
    tests: Vec<Row>,
    unprotected: Vec<&'static str>,
    stateful: bool,
    /// The ports that users outside the cluster can reach, each with its service.
    exposed_ports: Vec<(&'static str, u16)>,
    /// The version of each server.
    versions: Vec<Row>,
    footprint: Footprint,
    example_release: &'static str,
    example_files: String,
    example_files_without_passwords: String,
    example_files_encrypted: String,
}

/// References to files that the package omits.
struct Links {
    values: String,
    exposure: String,
    /// The section about the pods of ingress controllers and gateways.
    controllers: String,
    /// The section about authentication.
    authentication: String,
    /// The same, about the proxy.
    proxy: String,
    environments: String,
    sops: String,
    observability: String,
    gitops: String,
}

impl Links {
    fn of(graph: &Graph) -> Self {
        let own = |name: &str| format!("{}/{name}", graph.name);
        let controllers = own("EXPOSURE.md#which-pods-are-let-in");
        let authentication = own("EXPOSURE.md#authentication");
        Self {
            values: file_link(graph, &own("VALUES.md")),
            exposure: file_link(graph, &own("EXPOSURE.md")),
            controllers: link(graph, "namespace and labels", &controllers),
            authentication: link(graph, "log in at an OpenID Connect provider", &authentication),
            proxy: link(graph, "the proxy", &authentication),
            environments: link(graph, "the sources of the chart", "environments"),
            sops: file_link(graph, ".sops.yaml.example"),
            observability: file_link(graph, "OBSERVABILITY.md"),
            gitops: file_link(graph, "GITOPS.md"),
        }
    }
}

/// The page about access from outside the cluster, with an exposed service as example.
#[derive(Template)]
#[template(path = "umbrella/EXPOSURE.md")]
struct ExposurePage<'a> {
    service: &'a str,
    port: u16,
    /// The port of a proxy.
    proxy_port: u16,
}

#[derive(Template)]
#[template(path = "umbrella/VALUES.md")]
pub(super) struct ValuesPage<'a> {
    /// The chart's.
    name: &'a str,
    values: Vec<values::Group>,
}

impl<'a> ValuesPage<'a> {
    /// The page of a chart beside the umbrella.
    pub(super) fn of_chart(name: &'a str, tree: &Section) -> Self {
        Self { name, values: vec![values::of_chart(tree)] }
    }
}

#[derive(Template)]
#[template(path = "umbrella/existing-secrets.sh", escape = "none")]
struct ExistingSecrets {
    /// The oldest supported version of Kubernetes. Older versions of Helm render for one that the chart refuses.
    kube_version: String,
}
