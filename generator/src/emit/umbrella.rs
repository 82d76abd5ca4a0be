//! The umbrella chart: files that concern several components.

use askama::Template;
use vocabulary::{DefaultTag, Scaling};

use super::images;
use crate::expr::{enabled_service, template_scalar, value};
use crate::files::Files;
use crate::graph::{Graph, Service};
use crate::text::scalar;

pub(super) fn files(graph: &Graph, files: &mut Files) {
    let chart = |component: &crate::graph::Component| ChartRef {
        name: component.name.to_owned(),
        is_service: component.is_optional(),
    };
    files.umbrella(
        "Chart.yaml",
        &ChartYaml {
            c: graph,
            source: graph.source,
            doc: scalar(graph.doc),
            version: graph.version,
            home: scalar(graph.home),
            charts: graph.components.iter().map(chart).collect(),
        },
    );
    files.umbrella(".helmignore", &HelmIgnore);
    let libpq = |recipient: &crate::graph::Recipient| recipient.libpq_value;
    let has_credentials = graph.credentials().next().is_some();
    files.umbrella(
        "templates/_helpers.tpl",
        &Helpers {
            c: graph,
            has_credentials,
            backing: graph.servers().map(|(server, _)| server.name).collect(),
            libpq: graph.credentials().any(|credential| credential.recipient.as_ref().is_some_and(libpq)),
        },
    );
    files.umbrella("templates/_declared.tpl", &declared(graph));
    files.umbrella(
        "templates/checks.yaml",
        &Checks {
            c: graph,
            longest_release_name: graph.longest_release_name,
            exposed: names(graph, |service| service.exposed.is_some()),
            autoscaled: names(graph, |service| service.scaling != Scaling::Fixed),
            has_credentials,
        },
    );
    files.umbrella("templates/_checks.tpl", &check_helpers(graph, has_credentials));
    if has_credentials {
        files.umbrella("templates/credentials.yaml", &Source { c: graph });
    }
    let exposed_ports = graph.services().filter_map(|(component, service)| {
        let name = component.name;
        Some(ExposedPort {
            service: name,
            enabled: enabled_service(name),
            via: value(&[name, "exposure", "via"]),
            port: service.exposed?.number,
        })
    });
    files.umbrella("templates/NOTES.txt", &Notes { c: graph, has_credentials, exposed_ports: exposed_ports.collect() });
}

/// The services for which this holds.
fn names(graph: &Graph, holds: impl Fn(&Service) -> bool) -> Vec<&'static str> {
    graph.services().filter(|(_, service)| holds(service)).map(|(component, _)| component.name).collect()
}

fn check_helpers(graph: &Graph, has_credentials: bool) -> CheckHelpers<'_> {
    CheckHelpers {
        c: graph,
        charts: graph.components.iter().map(|component| component.name).collect(),
        services: names(graph, |_| true),
        servers: graph.servers().map(|(server, _)| server.name).collect(),
        exposed: names(graph, |service| service.exposed.is_some()),
        kubernetes: names(graph, |service| !service.api_rules.is_empty()),
        with_secret: graph.components.iter().filter(|one| !one.credentials.is_empty()).map(|one| one.name).collect(),
        has_credentials,
    }
}

fn declared(graph: &Graph) -> Declared<'_> {
    let image = |image: images::ChartImage| Image {
        path: image.name(),
        remedy: template_scalar(&match image.image.tag {
            DefaultTag::Fixed(tag) => format!("Leave the tag out for the default, {tag}, or name another"),
            DefaultTag::Absent(reason) => format!("There is no default ({reason}). Name one"),
        }),
    };
    let credential = |credential: &crate::graph::Credential| Credential {
        owner: credential.path.owner,
        key: template_scalar(&credential.path.key),
        field: credential.path.field,
        purpose: template_scalar(&credential.doc),
    };
    let calls = graph.edges.iter().filter(|edge| graph.component(edge.target).is_optional());
    Declared {
        c: graph,
        credentials: graph.credentials().map(credential).collect(),
        images: images::all(graph).map(image).collect(),
        calls: calls.map(|edge| Call { caller: edge.client, callee: edge.target }).collect(),
    }
}

#[derive(Template)]
#[template(path = "umbrella/Chart.yaml")]
struct ChartYaml<'a> {
    c: &'a Graph,
    source: &'a str,
    doc: String,
    version: &'a str,
    home: String,
    charts: Vec<ChartRef>,
}

struct ChartRef {
    name: String,
    is_service: bool,
}

#[derive(Template)]
#[template(path = "umbrella/helmignore.txt")]
struct HelmIgnore;

#[derive(Template)]
#[template(path = "umbrella/templates/_helpers.tpl")]
struct Helpers<'a> {
    c: &'a Graph,
    has_credentials: bool,
    backing: Vec<&'static str>,
    libpq: bool,
}

#[derive(Template)]
#[template(path = "umbrella/templates/_declared.tpl")]
struct Declared<'a> {
    c: &'a Graph,
    credentials: Vec<Credential>,
    images: Vec<Image>,
    calls: Vec<Call>,
}

struct Credential {
    owner: &'static str,
    key: String,
    field: &'static str,
    purpose: String,
}

struct Image {
    path: String,
    remedy: String,
}

struct Call {
    caller: &'static str,
    callee: &'static str,
}

#[derive(Template)]
#[template(path = "umbrella/templates/checks.yaml")]
struct Checks<'a> {
    c: &'a Graph,
    longest_release_name: u8,
    /// The services that users outside the cluster can reach.
    exposed: Vec<&'static str>,
    /// The services that can scale by load.
    autoscaled: Vec<&'static str>,
    has_credentials: bool,
}

/// The checks that read more than a pattern can.
#[derive(Template)]
#[template(path = "umbrella/templates/_checks.tpl")]
struct CheckHelpers<'a> {
    c: &'a Graph,
    /// All charts.
    charts: Vec<&'static str>,
    services: Vec<&'static str>,
    servers: Vec<&'static str>,
    /// The services that users outside the cluster can reach.
    exposed: Vec<&'static str>,
    /// The services that may always use the Kubernetes API server.
    kubernetes: Vec<&'static str>,
    /// The charts with credentials.
    with_secret: Vec<&'static str>,
    has_credentials: bool,
}

/// The Secret and the `SecretStore` of the chart's own source for External Secrets.
#[derive(Template)]
#[template(path = "umbrella/templates/credentials.yaml")]
struct Source<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "umbrella/templates/NOTES.txt")]
struct Notes<'a> {
    c: &'a Graph,
    has_credentials: bool,
    exposed_ports: Vec<ExposedPort>,
}

struct ExposedPort {
    service: &'static str,
    enabled: String,
    via: String,
    port: u16,
}
