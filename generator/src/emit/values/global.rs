//! The values that every chart of the platform sees.

use indexmap::IndexMap;
use k8s_openapi::api::core::v1::LocalObjectReference;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::json;

use super::credentials::Secrets;
use super::kubernetes::{self, ImageValues, Scheduling};
use super::rules::LABEL;
use super::tree::{Entry, Section};
use crate::graph::{Component, Graph};

/// Values that several charts need. A parent chart may add keys of its own.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Global {
    /// Put before the repository of every image, such as a mirror's address (a mirror of Docker Hub's official images is mostly
    /// `<mirror>/library`), without a scheme and without a slash at its end; empty leaves them as they are.
    #[schemars(regex(pattern = REGISTRY), length(max = 200))]
    image_registry: String,
    /// Secrets for private registries, as `- name: …`.
    #[schemars(extend("uniqueItems" = true))]
    image_pull_secrets: Vec<LocalObjectReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<Secrets>,
    network: Network,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Metrics>,
    tests: Tests,
    #[serde(flatten)]
    servers: IndexMap<&'static str, SharedServer>,
}

/// Where the traffic that the NetworkPolicies let in and out comes from and goes to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Network {
    /// The namespace of the cluster's DNS.
    #[schemars(regex(pattern = LABEL))]
    dns_namespace: String,
    /// The namespace of the ingress controller or gateway that exposed services are reached through.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = LABEL))]
    edge_namespace: Option<String>,
    /// The addresses of the Kubernetes API server, as blocks such as `192.0.2.10/32`, for services that may use it. `kubectl get endpointslices
    /// --namespace default --selector kubernetes.io/service-name=kubernetes` lists them. A policy cannot find them by itself, so there is no default,
    /// and a service that may use the API server needs them.
    #[schemars(schema_with = "cidrs")]
    api_server_cidrs: Vec<String>,
}

fn cidrs(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "$ref": "#/definitions/cidr" } })
}

/// A registry, with a path. A scheme and a slash at the end are recognized, so that the template `_checks.tpl` can say what is wrong.
const REGISTRY: &str =
    "^([a-z]+://)?([a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*/*)?$";

/// Who may read the programs' metrics.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Metrics {
    /// Whether the metrics ports can be reached from `namespace`.
    enabled: bool,
    /// The namespace of the monitoring.
    #[schemars(regex(pattern = LABEL))]
    namespace: String,
}

/// What `helm test` runs. Each service has switches for its own tests.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Tests {
    /// The image that the test pods run: any with `python3` (3.8 or later) on its path.
    image: ImageValues,
    /// The most that one test may take, in seconds, once its program has started. Its image has three minutes more; what exceeds five
    /// together takes a `--timeout` of Helm.
    #[schemars(range(min = 90, max = 3600))]
    timeout_seconds: u16,
    /// Whether it is tried that closed ports are closed: by a pod that belongs to no service, and as each service whose own
    /// `tests.isolation` says so.
    isolation: bool,
    /// Whether something is followed through the whole platform, from one end to the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_to_end: Option<bool>,
    #[serde(flatten)]
    scheduling: Scheduling,
}

/// What the charts of a server's clients need to know of the server.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct SharedServer {
    /// `embedded`: the chart brings it, as one pod with a volume.
    mode: BackingMode,
    /// The image of the server. The client programs in it wait for the logins of services, and try them in `helm test`.
    image: ImageValues,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum BackingMode {
    Embedded,
}

impl Global {
    pub(super) fn of(graph: &Graph) -> Self {
        let metrics = graph.components.iter().any(|component| component.metrics_ports().next().is_some());
        let exposed = graph.services().any(|(_, service)| service.exposed.is_some());
        Self {
            image_registry: String::new(),
            image_pull_secrets: Vec::new(),
            secrets: graph.credentials().next().map(|_| Secrets::inline()),
            network: Network {
                dns_namespace: "kube-system".into(),
                edge_namespace: exposed.then(|| "ingress".into()),
                api_server_cidrs: Vec::new(),
            },
            metrics: metrics.then(|| Metrics { enabled: false, namespace: "monitoring".into() }),
            tests: Tests {
                image: ImageValues::of(graph.test_image),
                timeout_seconds: 100,
                isolation: true,
                end_to_end: graph.end_to_end.as_ref().map(|_| true),
                scheduling: Scheduling::default(),
            },
            servers: graph.servers().map(|(server, _)| (server.name, SharedServer::of(server))).collect(),
        }
    }
}

impl SharedServer {
    fn of(server: &Component) -> Self {
        Self { mode: BackingMode::Embedded, image: ImageValues::of(server.image) }
    }
}

pub(super) fn entry(graph: &Graph, global: &Global) -> Entry {
    let mut section = Section::of(global);
    for (name, server) in &global.servers {
        let doc = format!("Where {name} runs, and its image.");
        let mut of_server = Section::of(server);
        of_server.share(|key| (key == "image").then_some("server.image"));
        kubernetes::explain_tag(&mut of_server, graph.component(name).image);
        section.0.push(Entry::section(name, &doc, of_server));
    }
    Entry::section("global", "Values that all charts of the platform share.", section)
}

/// What a subchart's section holds beside its own values: Helm puts `global` there.
pub(super) fn in_subchart() -> serde_json::Value {
    json!({ "type": "object", "description": "Helm's copy of the top-level `global`." })
}
