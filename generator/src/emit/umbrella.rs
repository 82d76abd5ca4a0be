//! The umbrella chart: what belongs to no single service.

use askama::Template;
use vocabulary::{DefaultTag, Scaling};

use super::images;
use crate::expr::{enabled, enabled_service, in_go_string, value};
use crate::files::Files;
use crate::graph::Graph;
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
    files.umbrella(
        "templates/_helpers.tpl",
        &Helpers {
            c: graph,
            backing: graph.servers().map(|(server, _)| server.name).collect(),
            libpq: graph.credentials().any(|credential| credential.recipient.as_ref().is_some_and(libpq)),
        },
    );
    let credentials = credentials(graph);
    files.umbrella(
        "templates/checks.yaml",
        &Checks {
            c: graph,
            longest_release_name: graph.longest_release_name,
            images: images(graph),
            calls: calls(graph),
            routes: routes(graph),
            autoscaled: autoscaled(graph),
            credentials: &credentials,
        },
    );
    if !credentials.is_empty() {
        files.umbrella("templates/credentials.yaml", &Source { c: graph, credentials: &credentials });
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
    files.umbrella("templates/NOTES.txt", &Notes { c: graph, exposed_ports: exposed_ports.collect() });
}

fn images(graph: &Graph) -> Vec<Image> {
    let view = |image: images::ChartImage| Image {
        name: image.name(),
        tag: image.value("tag"),
        digest: image.value("digest"),
        default: match image.image.tag {
            DefaultTag::Fixed(tag) => format!("Leave the tag out for the default, {tag}, or name another"),
            DefaultTag::Absent(why) => format!("There is no default ({}). Name one", in_go_string(why)),
        },
        enabled: image.enabled,
    };
    images::all(graph).map(view).collect()
}

fn calls(graph: &Graph) -> Vec<Call> {
    let calls = graph.edges.iter().filter(|edge| graph.component(edge.target).is_optional());
    let call = calls.map(|edge| Call {
        caller: edge.client,
        callee: edge.target,
        caller_enabled: enabled_service(edge.client),
        callee_enabled: enabled_service(edge.target),
    });
    call.collect()
}

fn routes(graph: &Graph) -> Vec<Route> {
    let exposed = graph.services().filter(|(_, service)| service.exposed.is_some());
    let route = exposed.map(|(component, _)| {
        let name = component.name;
        Route {
            service: name,
            enabled: enabled_service(name),
            via: value(&[name, "exposure", "via"]),
            host: value(&[name, "exposure", "host"]),
            gateway: value(&[name, "exposure", "httpRoute", "gateway"]),
            tls: value(&[name, "exposure", "ingress", "tlsSecretName"]),
        }
    });
    route.collect()
}

fn autoscaled(graph: &Graph) -> Vec<Scaled> {
    let scaled = graph.services().filter(|(_, service)| service.scaling != Scaling::Fixed);
    scaled.map(|(component, _)| Scaled { service: component.name, values: value(&[component.name]) }).collect()
}

fn credentials(graph: &Graph) -> Vec<Credential> {
    let view = |credential: &crate::graph::Credential| {
        let (path, section) = (&credential.path, credential.path.section());
        Credential {
            path: path.text().join("."),
            whose: path.owner.to_owned(),
            key: format!("{}.{}.r{{{{ int {}.revision }}}}", path.owner, path.key, value(&section)),
            remote_key: value(&[section.as_slice(), &["remoteRef", "key"]].concat()),
            remote_path: format!("{}.remoteRef.key", section.join(".")),
            enabled: enabled(graph.component(path.owner)),
            value: value(&path.text()),
            doc: in_go_string(&credential.doc),
        }
    };
    graph.credentials().map(view).collect()
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
    backing: Vec<&'static str>,
    libpq: bool,
}

#[derive(Template)]
#[template(path = "umbrella/templates/checks.yaml")]
struct Checks<'a> {
    c: &'a Graph,
    longest_release_name: u8,
    images: Vec<Image>,
    calls: Vec<Call>,
    routes: Vec<Route>,
    autoscaled: Vec<Scaled>,
    credentials: &'a [Credential],
}

struct Image {
    /// Where it lies in the values.
    name: String,
    /// Whether its chart is installed; none when it always is.
    enabled: Option<String>,
    tag: String,
    digest: String,
    /// What there is of a default, and what to do about it.
    default: String,
}

struct Scaled {
    service: &'static str,
    values: String,
}

struct Call {
    caller: &'static str,
    callee: &'static str,
    caller_enabled: String,
    callee_enabled: String,
}

struct Route {
    service: &'static str,
    enabled: String,
    via: String,
    host: String,
    gateway: String,
    tls: String,
}

struct Credential {
    path: String,
    /// The chart that has it.
    whose: String,
    key: String,
    /// Where it lies in a store, and the path of that value.
    remote_key: String,
    remote_path: String,
    /// Whether that is installed; none when it always is.
    enabled: Option<String>,
    value: String,
    doc: String,
}

/// What External Secrets reads, where the chart is its own source.
#[derive(Template)]
#[template(path = "umbrella/templates/credentials.yaml")]
struct Source<'a> {
    c: &'a Graph,
    credentials: &'a [Credential],
}

#[derive(Template)]
#[template(path = "umbrella/templates/NOTES.txt")]
struct Notes<'a> {
    c: &'a Graph,
    exposed_ports: Vec<ExposedPort>,
}

struct ExposedPort {
    service: &'static str,
    enabled: String,
    via: String,
    port: u16,
}
