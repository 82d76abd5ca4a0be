//! Traces: a chart beside the umbrella with a gateway, which decides which traces are kept, and with Jaeger, which stores and shows them.
//!
//! It is a chart of its own, because one store serves several releases of the umbrella, and outlives each of them.

mod pods;

use askama::Template;
use serde_yaml::Value;
use vocabulary::Image;

use super::logs::{COLLECTOR, COLLECTOR_SOURCE};
use super::{AddOn, instrumentation};
use crate::emit::further::{self, Further};
use crate::emit::images::reference;
use crate::emit::values::{Section, TracesValues};
use crate::files::Files;
use crate::graph::Graph;
use crate::yaml::{leaf, put};

/// Jaeger 2.
pub(super) const JAEGER: Image = Image::new("jaegertracing/jaeger", "2.13.0");

/// Where its project says that it builds the image for amd64 and arm64 (`PLATFORMS` in `Makefile`).
pub(super) const JAEGER_SOURCE: &str = "https://github.com/jaegertracing/jaeger";

/// What the chart's name has behind the platform's.
const NAME: &str = "traces";

/// The workload that has the outputs, as the templates name it.
const GATEWAY: &str = "gateway";

/// The port of OTLP over HTTP.
const OTLP: u16 = 4318;

/// The port of the health checks.
const HEALTH: u16 = 13133;

/// The port of Jaeger's user interface and its API.
const QUERY: u16 = 16686;

/// The port of Jaeger's API over gRPC.
const QUERY_GRPC: u16 = 16685;

/// The folder of Jaeger's database in the container.
const DATA: &str = "/badger";

/// How much memory spans in a queue take, as a multiple of the bytes in which they are sent.
const QUEUE_FACTOR: u16 = 3;

/// The keys of the outputs' Secrets.
const SECRET_KEYS: &[(&str, &str)] = &[("otlp", "authorization")];

/// The add-on.
pub(super) struct Traces;

impl AddOn for Traces {
    fn files(&self, graph: &Graph, files: &mut Files) {
        if !instrumentation::has_traces(graph) {
            return;
        }
        let chart = Further {
            name: NAME,
            doc: format!(
                "Traces of {}: receives those of one release, keeps those that matter, and shows them in Jaeger.",
                graph.name
            ),
            images: vec![("collector", COLLECTOR), ("jaeger", JAEGER)],
            tree: Section::of(&TracesValues::of(COLLECTOR, JAEGER)),
            ci_values: ci_values(),
            overlays: Vec::new(),
        };
        let mut files = further::files::<TracesValues>(graph, files, &chart);
        let file = |name: &str| format!("templates/{name}");
        files.view(&file("_helpers.tpl"), &Helpers::of(graph));
        files.view(&file("_gateway.tpl"), &Gateway { health: HEALTH, otlp: OTLP, workload: GATEWAY });
        files.view(
            &file("_jaeger.tpl"),
            &Jaeger { data: DATA, health: HEALTH, otlp: OTLP, query: QUERY, query_grpc: QUERY_GRPC },
        );
        let jaeger_keys = JaegerKeys::of(&chart.tree);
        files.view(&file("_checks.tpl"), &CheckHelpers { c: graph, queue_factor: QUEUE_FACTOR, jaeger_keys });
        files.view(&file("checks.yaml"), &Checks { c: graph });
        files.view(&file("configmaps.yaml"), &ConfigMaps { c: graph });
        files.view(&file("gateway.yaml"), &GatewayObjects { c: graph, otlp: OTLP, pod: pods::gateway(graph) });
        files.view(
            &file("jaeger.yaml"),
            &JaegerObjects { c: graph, otlp: OTLP, query: QUERY, pod: pods::jaeger(graph) },
        );
        files.view(&file("networkpolicies.yaml"), &NetworkPolicies { c: graph, otlp: OTLP, query: QUERY });
        files.view(&file("serviceaccounts.yaml"), &ServiceAccounts { c: graph });
        files.view(&file("NOTES.txt"), &Notes { c: graph, query: QUERY });
        let readme = Readme {
            c: graph,
            release: graph.example_release(),
            images: [(reference(COLLECTOR), COLLECTOR_SOURCE), (reference(JAEGER), JAEGER_SOURCE)],
            otlp: OTLP,
            query: QUERY,
        };
        files.view("README.md", &readme);
    }
}

/// Jaeger in memory, which needs nothing outside the chart.
fn ci_values() -> Value {
    let mut values = Value::Null;
    put(&mut values, &["release", "name"], "shop".into());
    put(&mut values, &["release", "namespace"], "production".into());
    values
}

#[derive(Template)]
#[template(path = "addons/traces/_helpers.tpl")]
struct Helpers<'a> {
    c: &'a Graph,
    workload: &'static str,
    secret_keys: &'static [(&'static str, &'static str)],
    example_variable: &'static str,
    otlp: u16,
}

impl<'a> Helpers<'a> {
    const fn of(c: &'a Graph) -> Self {
        Self { c, workload: GATEWAY, secret_keys: SECRET_KEYS, example_variable: "OTLP", otlp: OTLP }
    }
}

#[derive(Template)]
#[template(path = "addons/traces/_gateway.tpl")]
struct Gateway {
    health: u16,
    otlp: u16,
    workload: &'static str,
}

#[derive(Template)]
#[template(path = "addons/traces/_jaeger.tpl")]
struct Jaeger {
    data: &'static str,
    health: u16,
    otlp: u16,
    query: u16,
    query_grpc: u16,
}

#[derive(Template)]
#[template(path = "addons/traces/_checks.tpl")]
struct CheckHelpers<'a> {
    c: &'a Graph,
    queue_factor: u16,
    jaeger_keys: Vec<JaegerKeys>,
}

/// Values below `jaeger` that have an effect under one condition only.
struct JaegerKeys {
    /// The storage that they need; empty if they only need Jaeger.
    storage: &'static str,
    /// Each path with its default, as a line of YAML.
    defaults: Vec<String>,
}

impl JaegerKeys {
    /// All values below `jaeger` but its switch, each once.
    fn of(tree: &Section) -> Vec<Self> {
        let storage_of = |path: &str| match path {
            "retention.maxTraces" => "Memory",
            "retention.hours" => "Badger",
            _ if path.starts_with("persistence.") => "Badger",
            _ => "",
        };
        let leaves = tree.leaves();
        let values: Vec<(&str, String)> = leaves
            .iter()
            .filter_map(|(path, default)| Some((path.strip_prefix("jaeger.")?, leaf(default))))
            .filter(|(path, _)| *path != "enabled")
            .collect();
        let keys = |storage| {
            let own = values.iter().filter(|(path, _)| storage_of(path) == storage);
            Self { storage, defaults: own.map(|(path, default)| format!("{path}: {default}")).collect() }
        };
        ["", "Memory", "Badger"].map(keys).into()
    }
}

#[derive(Template)]
#[template(path = "addons/traces/checks.yaml")]
struct Checks<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/traces/configmaps.yaml")]
struct ConfigMaps<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/traces/gateway.yaml")]
struct GatewayObjects<'a> {
    c: &'a Graph,
    otlp: u16,
    pod: String,
}

#[derive(Template)]
#[template(path = "addons/traces/jaeger.yaml")]
struct JaegerObjects<'a> {
    c: &'a Graph,
    otlp: u16,
    query: u16,
    pod: String,
}

#[derive(Template)]
#[template(path = "addons/traces/networkpolicies.yaml")]
struct NetworkPolicies<'a> {
    c: &'a Graph,
    otlp: u16,
    query: u16,
}

#[derive(Template)]
#[template(path = "addons/traces/serviceaccounts.yaml")]
struct ServiceAccounts<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/traces/NOTES.txt")]
struct Notes<'a> {
    c: &'a Graph,
    query: u16,
}

#[derive(Template)]
#[template(path = "addons/traces/README.md")]
struct Readme<'a> {
    c: &'a Graph,
    release: &'static str,
    /// The images, and where their projects list the architectures.
    images: [(String, &'static str); 2],
    otlp: u16,
    query: u16,
}
