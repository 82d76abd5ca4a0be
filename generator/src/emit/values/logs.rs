//! Values of the chart with the log agent.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Affinity, LocalObjectReference, Toleration};
use k8s_openapi::api::networking::v1::{NetworkPolicyEgressRule, NetworkPolicyPeer, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::json;
use serde_yaml::Value;
use vocabulary::{Change, Environment, Image, LogStore, Resources, cpu, memory};

use super::difference;
use super::further::{Authority, ObservedRelease, OtlpRequest};
use super::kubernetes::{self, ContainerResources, ImageValues, annotations, labels};
use super::rules::{ENDPOINT, LABEL, SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY, TEXT};
use super::tree::{Field, Section};

/// All values of the chart.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogsValues {
    /// The release whose logs are collected.
    release: ObservedRelease,
    /// Services and servers whose logs are not collected, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    exclude: Option<Vec<String>>,
    /// Labels of the Pods that each record gets as attributes, `k8s.pod.label.<key>`. With a label, the agent may list the Pods in the
    /// release's namespace; without one, it has no access to the Kubernetes API.
    #[schemars(schema_with = "keys")]
    pod_labels: Vec<String>,
    privacy: Privacy,
    outputs: Outputs,
    queue: Queue,
    network: Network,
    /// Folder on each node for the positions in the log files and for the queue. Empty selects
    /// `/var/lib/<name of this chart>/<namespace>.<release>`. Must be below `/var/lib/<folder>/`; `<folder>` must not be
    /// `containerd`, `docker`, `etcd`, `kubelet` or `rancher`. Uninstalling the release does not remove it.
    #[schemars(regex(pattern = HOST_PATH), length(max = 512))]
    host_path: String,
    image: ImageValues,
    /// Secrets with the credentials of private registries.
    image_pull_secrets: Vec<LocalObjectReference>,
    resources: ContainerResources,
    /// Annotations of the Pods. Keys that begin with the name of the chart and `/` are reserved.
    #[schemars(schema_with = "annotations")]
    pod_annotations: BTreeMap<String, String>,
    /// Labels that a node must have to run an agent.
    #[schemars(schema_with = "labels")]
    node_selector: BTreeMap<String, String>,
    /// Tolerations of the Pods for node taints. The default runs an agent on every node.
    tolerations: Vec<Toleration>,
    /// Node affinity, pod affinity and pod anti-affinity.
    affinity: Affinity,
    /// Priority class of the Pods. Empty selects the cluster's default.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    priority_class_name: String,
}

/// A folder below `/var/lib/<folder>/`, or an empty string. No part of the path begins with a dot, so none is `..`.
const HOST_PATH: &str = "^(/var/lib(/[A-Za-z0-9_-][A-Za-z0-9_.-]*){2,})?$";

/// Folders below `/var/lib` whose content decides what runs on a node. An agent, which is root, must have no folder in them.
pub(crate) const RESERVED_FOLDERS: [&str; 5] = ["containerd", "docker", "etcd", "kubelet", "rancher"];

/// Personal data that the agents take out of the records, before they store or send them.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
struct Privacy {
    /// Texts that the agents replace in messages, one after the other. `pattern` is a regular expression in the syntax RE2, such as
    /// `user '[^']*'`, and `with` is the text in its place, such as `user '…'`, in which `${1}` is the first group and `$$` a dollar sign.
    #[schemars(schema_with = "replacements")]
    replace: Vec<Value>,
}

/// Replacements in messages.
fn replacements(_: &mut SchemaGenerator) -> Schema {
    let keys = json!({
        "pattern": { "type": "string", "pattern": TEXT, "minLength": 1, "maxLength": 1000 },
        "with": { "type": "string", "pattern": TEXT, "maxLength": 1000 },
    });
    let item =
        json!({ "type": "object", "additionalProperties": false, "required": ["pattern", "with"], "properties": keys });
    json_schema!({ "type": "array", "items": item })
}

/// Where the logs go: every output with an endpoint. At least one is required.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Outputs {
    otlp: Otlp,
    elasticsearch: Elasticsearch,
    splunk_hec: SplunkHec,
}

/// OTLP over HTTP: Loki from version 3, VictoriaLogs, Elastic, Grafana Cloud and others.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Otlp {
    /// Full address for logs, such as `http://loki.logs:3100/otlp/v1/logs` or
    /// `http://victoria-logs.logs:9428/insert/opentelemetry/v1/logs`. Empty switches the output off.
    #[schemars(regex(pattern = ENDPOINT), length(max = 512))]
    endpoint: String,
    #[serde(flatten)]
    request: OtlpRequest,
}

/// Elasticsearch from version 8.12. This output was not run in the tests of this chart.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Elasticsearch {
    /// Address, such as `https://elasticsearch.logs:9200`. Empty switches the output off.
    #[schemars(regex(pattern = ENDPOINT), length(max = 512))]
    endpoint: String,
    /// Index or data stream. Empty selects the data stream that Elasticsearch has for OpenTelemetry.
    #[schemars(regex(pattern = r"^([a-z0-9][a-z0-9._-]*)?$"), length(max = 200))]
    index: String,
    /// Name of a Secret whose key `apiKey` is an encoded API key. Empty sends none.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
    #[serde(flatten)]
    authority: Authority,
}

/// Splunk's HTTP event collector. This output was not run in the tests of this chart.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SplunkHec {
    /// Address, such as `https://splunk.example.org:8088/services/collector`. Empty switches the output off.
    #[schemars(regex(pattern = ENDPOINT), length(max = 512))]
    endpoint: String,
    /// Index. Empty selects the default of the token.
    #[schemars(regex(pattern = r"^([a-z0-9][a-z0-9_-]*)?$"), length(max = 200))]
    index: String,
    /// Name of a Secret whose key `token` is the token of the event collector. Required with an endpoint.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
    #[serde(flatten)]
    authority: Authority,
}

/// The records on the disk of each node that an output has not taken yet.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Queue {
    /// Maximum size in MiB, for each output. When it is full, the agent stops reading until the output takes records again; the
    /// kubelet may then delete log files before they are read.
    #[schemars(range(min = 16, max = 65_536))]
    max_mebibytes: u32,
}

/// The agent's traffic. All other traffic is blocked.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Network {
    /// Rules for outgoing traffic to the outputs, in the syntax of a NetworkPolicy. Required, since the chart does not know their
    /// addresses.
    egress: Vec<NetworkPolicyEgressRule>,
    /// Namespace of the cluster DNS.
    #[schemars(regex(pattern = LABEL))]
    dns_namespace: String,
    /// CIDR blocks of the Kubernetes API server, such as `192.0.2.10/32`. Required with `podLabels`. List them with
    /// `kubectl get endpointslices --namespace default --selector kubernetes.io/service-name=kubernetes`.
    #[schemars(schema_with = "kubernetes::cidrs")]
    api_server_cidrs: Vec<String>,
}

fn keys(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "$ref": "#/definitions/key" }, "uniqueItems": true })
}

/// What an agent takes that reads 600 lines a second: 25m CPU and 75 MiB, measured.
const RESOURCES: Resources = Resources::new(cpu("25m").up_to("500m"), memory("96Mi").up_to("160Mi"));

impl LogsValues {
    /// Every value with its documentation and its schema; `names` are those of the services and servers.
    pub(crate) fn tree(mut self, names: impl Iterator<Item = &'static str>) -> Section {
        let names: Vec<_> = names.collect();
        // What is left without the only component is nothing.
        self.exclude = (names.len() > 1).then(Vec::new);
        let mut tree = Section::of(&self);
        if let Some(entry) = tree.entry_mut("exclude") {
            let items = json!({ "type": "string", "enum": names });
            let schema = json!({ "type": "array", "items": items, "uniqueItems": true });
            entry.field = Arc::new(Field { schema, ..Field::clone(&entry.field) });
        }
        tree
    }

    /// The values of an environment that differ from the defaults: the content of its overlay file. `None` if the environment names no log store.
    pub(crate) fn overlay(&self, environment: &Environment) -> Option<Value> {
        let store = environment.changes.iter().find_map(|change| match change {
            Change::Logged(store) => Some(*store),
            _ => None,
        })?;
        let mut changed = self.clone();
        changed.send_to(store);
        difference(&crate::yaml::tree(self), &crate::yaml::tree(&changed))
    }

    fn send_to(&mut self, store: LogStore) {
        let (service, port, path) = match store {
            LogStore::Loki(service) => (service, 3100, "/otlp/v1/logs"),
            LogStore::VictoriaLogs(service) => (service, 9428, "/insert/opentelemetry/v1/logs"),
        };
        self.outputs.otlp.endpoint = format!("http://{}.{}:{port}{path}", service.name, service.namespace);
        let namespace = BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), service.namespace.to_string())]);
        let selector = LabelSelector { match_labels: Some(namespace), ..LabelSelector::default() };
        let peer = NetworkPolicyPeer { namespace_selector: Some(selector), ..NetworkPolicyPeer::default() };
        let port = NetworkPolicyPort { port: Some(IntOrString::Int(port)), ..NetworkPolicyPort::default() };
        self.network.egress = vec![NetworkPolicyEgressRule { to: Some(vec![peer]), ports: Some(vec![port]) }];
    }

    /// The defaults.
    pub(crate) fn of(image: Image) -> Self {
        Self {
            release: ObservedRelease::default(),
            exclude: None,
            pod_labels: Vec::new(),
            privacy: Privacy::default(),
            outputs: Outputs::default(),
            queue: Queue { max_mebibytes: 256 },
            network: Network { egress: Vec::new(), dns_namespace: "kube-system".into(), api_server_cidrs: Vec::new() },
            host_path: String::new(),
            image: ImageValues::of(image),
            image_pull_secrets: Vec::new(),
            resources: ContainerResources::of(RESOURCES, std::iter::empty()),
            pod_annotations: BTreeMap::new(),
            node_selector: BTreeMap::new(),
            tolerations: vec![Toleration { operator: Some("Exists".to_owned()), ..Toleration::default() }],
            affinity: Affinity::default(),
            priority_class_name: String::new(),
        }
    }
}
