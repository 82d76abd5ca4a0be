//! Values that all charts of the platform share.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use k8s_openapi::api::core::v1::LocalObjectReference;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use vocabulary::{Monitoring, SecretSource};

use super::alerts::{self, Alerts};
use super::credentials::Secrets;
use super::kubernetes::{self, ImageValues, Scheduling};
use super::rules::{LABEL, LABEL_OR_EMPTY};
use super::tracing::Tracing;
use super::tree::{Entry, Section};
use super::velero::Velero;
use crate::addons::instrumentation;
use crate::graph::{Component, Graph};

/// Values that several charts share. A parent chart can add its own keys.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Global {
    /// Prefix for the repository of every image, such as the address of a mirror. Write it without a scheme and without a trailing slash.
    /// Empty adds no prefix. Mirrors of Docker Hub usually serve official images under `<mirror>/library`.
    #[schemars(regex(pattern = REGISTRY), length(max = 200))]
    image_registry: String,
    /// Pull Secrets for private registries, each as `- name: <secret>`.
    #[schemars(extend("uniqueItems" = true))]
    image_pull_secrets: Vec<LocalObjectReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<Secrets>,
    network: Network,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Metrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alerts: Option<Alerts>,
    tests: Tests,
    // Only of a platform with services in Python.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracing: Option<Tracing>,
    // Only of a platform with servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    velero: Option<Velero>,
    #[serde(flatten)]
    servers: IndexMap<&'static str, SharedServer>,
}

/// Namespaces and addresses that the NetworkPolicies use.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Network {
    /// Namespace of the cluster DNS.
    #[schemars(regex(pattern = LABEL))]
    dns_namespace: String,
    #[serde(flatten)]
    edge: Option<Edge>,
    /// CIDR blocks of the Kubernetes API server, such as `192.0.2.10/32`. Required if a service accesses the API server; the chart cannot
    /// detect them. List them with `kubectl get endpointslices --namespace default --selector kubernetes.io/service-name=kubernetes`.
    #[schemars(schema_with = "kubernetes::cidrs")]
    api_server_cidrs: Vec<String>,
}

/// The pods of the ingress controller or gateway, the only ones that the NetworkPolicies let in with `via: Ingress` or `via: HTTPRoute`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Edge {
    /// The ingress controller or gateway that forwards traffic to exposed services. Except for `Custom`, the chart knows its pods; see the README.
    #[serde(rename = "edgeController")]
    controller: EdgeController,
    /// Namespace of its pods. Empty selects that of `edgeController`.
    #[serde(rename = "edgeNamespace")]
    #[schemars(regex(pattern = LABEL_OR_EMPTY))]
    namespace: String,
    /// Labels of its pods, all of which a pod must have. Empty selects those of `edgeController`.
    #[serde(rename = "edgePodLabels")]
    #[schemars(schema_with = "kubernetes::labels")]
    pod_labels: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) enum EdgeController {
    Custom,
    Traefik,
    Cilium,
    Istio,
    EnvoyGateway,
    HAProxy,
    HostNetwork,
}

/// A registry with an optional path. The pattern also accepts a scheme and a trailing slash, so that the template `_checks.tpl` can
/// report the remedy.
const REGISTRY: &str =
    "^([a-z]+://)?([a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*/*)?$";

/// Access to the metrics ports, and how Prometheus finds them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Metrics {
    /// Whether pods in `namespace` can connect to the metrics ports.
    enabled: bool,
    /// Namespace of the monitoring system.
    #[schemars(regex(pattern = LABEL))]
    namespace: String,
    /// How Prometheus finds the ports: `PodMonitor` objects for the Prometheus operator, `prometheus.io/*` annotations of the Services, or
    /// `None` for a configuration of your own.
    discovery: Discovery,
    /// Time between two scrapes, with `PodMonitor`.
    #[schemars(regex(pattern = "^[1-9][0-9]{0,4}[sm]$"))]
    interval: String,
    /// Labels of the `PodMonitor` objects, by which a Prometheus selects them, such as `release: kube-prometheus-stack`.
    #[schemars(schema_with = "kubernetes::labels")]
    labels: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum Discovery {
    None,
    Annotations,
    PodMonitor,
}

/// Settings of `helm test`. Each service also has switches for its own tests.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Tests {
    /// Image of the test pods. It must contain `python3` (3.8 or later) on its `PATH`.
    image: ImageValues,
    /// Time limit of one test in seconds, counted from the start of its program. A further 180 seconds are reserved for pulling the
    /// image. If the sum exceeds 300 seconds, pass a longer `--timeout` to `helm test`.
    #[schemars(range(min = 90, max = 3600))]
    timeout_seconds: u16,
    /// Whether `helm test` checks that undeclared connections are blocked: from a pod without a service's labels, and with the labels of
    /// each service whose `tests.isolation` is true.
    isolation: bool,
    /// Whether `helm test` runs the end-to-end test through the whole platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_to_end: Option<bool>,
    #[serde(flatten)]
    scheduling: Scheduling,
}

/// Values of a server that the charts of its clients also use.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct SharedServer {
    /// `embedded`: the chart deploys the server as one pod with a volume.
    mode: BackingMode,
    /// Image of the server. Init containers of services and `helm test` can also run its client programs.
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
        let metrics = graph.has_metrics();
        let exposed = graph.exposed().next().is_some();
        Self {
            image_registry: String::new(),
            image_pull_secrets: Vec::new(),
            secrets: graph.has_secrets().then(Secrets::inline),
            network: Network {
                dns_namespace: "kube-system".into(),
                edge: exposed.then(Edge::unknown),
                api_server_cidrs: Vec::new(),
            },
            metrics: metrics.then(|| Metrics {
                enabled: false,
                namespace: "monitoring".into(),
                discovery: Discovery::None,
                interval: "30s".into(),
                labels: BTreeMap::new(),
            }),
            alerts: metrics.then(Alerts::off),
            tests: Tests {
                image: ImageValues::of(graph.test_image),
                timeout_seconds: 100,
                isolation: true,
                end_to_end: graph.end_to_end.as_ref().map(|_| true),
                scheduling: Scheduling::default(),
            },
            tracing: instrumentation::has_traces(graph).then(Tracing::off),
            velero: graph.servers().next().map(|_| Velero::off()),
            servers: graph.servers().map(|(server, _)| (server.name, SharedServer::of(server))).collect(),
        }
    }
}

/// The changes of an environment.
impl Global {
    pub(super) fn forwarded_by(&mut self, controller: vocabulary::EdgeController) {
        if let Some(edge) = self.network.edge.as_mut() {
            edge.controller = match controller {
                vocabulary::EdgeController::Traefik => EdgeController::Traefik,
                vocabulary::EdgeController::Cilium => EdgeController::Cilium,
                vocabulary::EdgeController::Istio => EdgeController::Istio,
                vocabulary::EdgeController::EnvoyGateway => EdgeController::EnvoyGateway,
                vocabulary::EdgeController::HAProxy => EdgeController::HAProxy,
                vocabulary::EdgeController::HostNetwork => EdgeController::HostNetwork,
            };
        }
    }

    pub(super) fn take_secrets_from(&mut self, source: SecretSource) {
        if let Some(secrets) = self.secrets.as_mut() {
            *secrets = Secrets::external(source);
        }
    }

    pub(super) fn monitor_by(&mut self, monitoring: Monitoring) {
        let (discovery, format) = match monitoring {
            Monitoring::Annotations => (Discovery::Annotations, alerts::Format::ConfigMap),
            Monitoring::Operator | Monitoring::KubePrometheusStack(_) => {
                (Discovery::PodMonitor, alerts::Format::PrometheusRule)
            }
        };
        let labels = match monitoring {
            Monitoring::KubePrometheusStack(release) => {
                BTreeMap::from([("release".to_owned(), release.as_str().to_owned())])
            }
            Monitoring::Annotations | Monitoring::Operator => BTreeMap::new(),
        };
        if let Some(metrics) = self.metrics.as_mut() {
            metrics.enabled = true;
            metrics.discovery = discovery;
            metrics.labels.clone_from(&labels);
        }
        if let Some(alerts) = self.alerts.as_mut() {
            alerts.enabled = true;
            alerts.format = format;
            alerts.labels = labels;
        }
    }
}

impl Edge {
    fn unknown() -> Self {
        Self { controller: EdgeController::Custom, namespace: String::new(), pod_labels: BTreeMap::new() }
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
        let doc = format!("Mode and image of {name}.");
        let mut of_server = Section::of(server);
        of_server.share(|key| (key == "image").then_some("server.image"));
        kubernetes::explain_tag(&mut of_server, graph.component(name).image);
        section.0.push(Entry::section(name, &doc, of_server));
    }
    Entry::section("global", "Values that all charts of the platform share.", section)
}

/// Schema of `global` in a subchart's section. Helm copies the top-level `global` there.
pub(super) fn in_subchart() -> serde_json::Value {
    json!({ "type": "object", "description": "Helm's copy of the top-level `global`." })
}
