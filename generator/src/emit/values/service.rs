//! The values of a service's chart.

use indexmap::IndexMap;
use k8s_openapi::api::networking::v1::{NetworkPolicyEgressRule, NetworkPolicyIngressRule};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::json;
use serde_yaml::Value;
use vocabulary::limits::NODE_PORTS;
use vocabulary::{Scaling, Setting};

use super::credentials::{self, Credentials};
use super::kubernetes::{self, ContainerResources, ImageValues, Scheduling};
use super::rules::{LABEL_OR_EMPTY, SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};
use super::tree::{Entry, Section};
use crate::graph::{Component, Graph, Service};

/// The values of a service. A field that is not there is a thing that this service cannot have.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceValues {
    /// Whether this service is installed. Off takes away its pods, its Secret, its rules at the other ends and the demand for its
    /// passwords; what it stored stays.
    pub(crate) enabled: bool,
    pub(crate) image: ImageValues,
    /// Number of pods.
    pub(crate) replicas: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) autoscaling: Option<Autoscaling>,
    resources: ContainerResources,
    /// Settings of the program.
    #[schemars(with = "Option<String>")]
    pub(crate) settings: IndexMap<String, Value>,
    /// Its credentials. No password has a default.
    #[schemars(with = "Option<String>")]
    credentials: Credentials,
    /// The Secret with its credentials, with `global.secrets.mode: existing`: the README says under which keys. Empty is
    /// `<release>-<service>-existing-r<revision>`. Another revision takes another Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: Option<String>,
    rbac: Rbac,
    network: ExtraTraffic,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exposure: Option<Exposure>,
    tests: Tests,
    #[serde(flatten)]
    scheduling: Scheduling,
}

/// What `helm test` tries as this service.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Tests {
    /// Whether everything that the service uses is tried as the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<bool>,
    /// Whether it is tried with the service's labels that every other port is closed.
    isolation: bool,
}

/// What it may do at the Kubernetes API beyond what it needs, within the release's namespace.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Rbac {
    /// Rules of its Role. With any of them its pods have a token, and may connect to `global.network.apiServerCidrs`.
    extra_rules: Vec<ApiRule>,
    /// Whether `extraRules` may have wildcards (`*`), which also grant what later versions of Kubernetes and of other software add.
    allow_wildcards: bool,
}

/// A rule of a Role: Kubernetes' own, without the URLs that only a `ClusterRole` can have.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
struct ApiRule {
    /// The groups of the kinds; `""` is the core group.
    #[schemars(length(min = 1), inner(regex(pattern = API_GROUP), length(max = SUBDOMAIN_LENGTH)))]
    api_groups: Vec<String>,
    /// The kinds, as their plural names.
    #[schemars(length(min = 1), inner(regex(pattern = API_RESOURCE), length(max = SUBDOMAIN_LENGTH)))]
    resources: Vec<String>,
    /// What may be done with them.
    #[schemars(length(min = 1))]
    verbs: Vec<Verb>,
    /// The objects that it is held to; none is all.
    #[schemars(default, inner(length(min = 1, max = SUBDOMAIN_LENGTH)))]
    resource_names: Vec<String>,
}

/// The groups of kinds that a rule names: `""`, a DNS subdomain, or the wildcard, which the template `_checks.tpl` refuses unless it is allowed.
const API_GROUP: &str = "^(\\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$";

/// The kinds that a rule names, with an optional subresource; either can be the wildcard.
const API_RESOURCE: &str = "^(\\*|[a-z0-9]([-a-z0-9.]*[a-z0-9])?)(/(\\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?))?$";

/// What a rule allows. The API server takes any word, and a misspelt one grants nothing.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[expect(dead_code, reason = "no default has rules")]
enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
    Bind,
    Escalate,
    Impersonate,
    Use,
    #[serde(rename = "*")]
    Any,
}

/// Traffic that its NetworkPolicy lets through beyond what it needs.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ExtraTraffic {
    /// Further rules of who may connect to it, as a NetworkPolicy has them.
    extra_ingress: Vec<NetworkPolicyIngressRule>,
    /// Further rules of whom it may connect to, as a NetworkPolicy has them.
    extra_egress: Vec<NetworkPolicyEgressRule>,
}

/// A number of pods that follows the load. Takes a metrics server in the cluster.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Autoscaling {
    /// Whether a HorizontalPodAutoscaler decides the number of pods. `replicas` is unused then.
    pub(crate) enabled: bool,
    /// The fewest pods.
    #[schemars(range(min = 1))]
    min_replicas: u16,
    /// The most pods.
    #[schemars(range(min = 1))]
    max_replicas: u16,
    /// The mean use of the requested processor time that is aimed at, in percent.
    #[schemars(range(min = 1, max = 100))]
    target_cpu_percent: u16,
}

/// How users outside the cluster reach this service.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exposure {
    /// Through what users outside the cluster reach it.
    pub(crate) via: Via,
    /// The host name that it is reached by, through an Ingress or an HTTPRoute, such as `www.example.org` or `*.example.org`; empty is any.
    #[schemars(regex(pattern = HOST), length(max = SUBDOMAIN_LENGTH))]
    host: String,
    /// The port of every node, with `NodePort`: 30000 to 32767; 0 lets the cluster choose one.
    #[schemars(schema_with = "node_port")]
    pub(crate) node_port: u32,
    ingress: IngressValues,
    http_route: HttpRouteValues,
}

/// A host name whose last label begins with a letter, which no IP address does, with an optional wildcard as its first label.
const HOST: &str = "^((\\*\\.)?([a-z0-9]([-a-z0-9]*[a-z0-9])?\\.)*[a-z]([-a-z0-9]*[a-z0-9])?)?$";

fn node_port(_: &mut SchemaGenerator) -> Schema {
    let (least, most) = (NODE_PORTS.start(), NODE_PORTS.end());
    json_schema!({ "anyOf": [{ "type": "integer", "minimum": least, "maximum": most }, { "enum": [0] }] })
}

/// Through what users outside the cluster reach a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "no default and no environment has them, but whoever installs may choose them")]
pub(crate) enum Via {
    None,
    NodePort,
    LoadBalancer,
    Ingress,
    #[serde(rename = "HTTPRoute")]
    HttpRoute,
}

/// The Ingress, with `via: Ingress`.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct IngressValues {
    /// The ingress class; empty is the cluster's default.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    class_name: String,
    /// Annotations, as the ingress controller wants them.
    #[schemars(schema_with = "kubernetes::annotations")]
    annotations: IndexMap<String, String>,
    /// The Secret with the certificate of `host`; empty is plain HTTP.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    tls_secret_name: String,
}

/// The HTTPRoute of the Gateway API, with `via: HTTPRoute`.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct HttpRouteValues {
    /// The Gateway that it is attached to.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    gateway: String,
    /// The Gateway's namespace; empty is the release's.
    #[schemars(regex(pattern = LABEL_OR_EMPTY))]
    gateway_namespace: String,
    /// The Gateway's listener; empty is any that takes it.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    section_name: String,
}

impl ServiceValues {
    pub(super) fn of(graph: &Graph, component: &Component, service: &Service) -> Self {
        let has_credentials = !component.credentials.is_empty();
        let has_edges = graph.edges_from(component.name).next().is_some();
        Self {
            enabled: true,
            image: ImageValues::of(component.image),
            replicas: 1,
            autoscaling: match service.scaling {
                Scaling::Fixed => None,
                Scaling::Horizontal { min, max, cpu_percent } => Some(Autoscaling {
                    enabled: false,
                    min_replicas: min,
                    max_replicas: max,
                    target_cpu_percent: cpu_percent,
                }),
            },
            resources: ContainerResources::of(component.resources, service.writable.iter().map(|folder| folder.size)),
            settings: service.settings().map(|(key, setting)| (key.to_owned(), default(setting))).collect(),
            credentials: Credentials::of(&component.credentials),
            existing_secret: has_credentials.then(String::new),
            rbac: Rbac::default(),
            network: ExtraTraffic::default(),
            exposure: service.exposed.map(|_| Exposure {
                via: Via::None,
                host: String::new(),
                node_port: 0,
                ingress: IngressValues::default(),
                http_route: HttpRouteValues::default(),
            }),
            tests: Tests { connection: has_edges.then_some(true), isolation: true },
            scheduling: Scheduling::default(),
        }
    }
}

pub(super) fn entry(component: &Component, service: &Service, values: &ServiceValues) -> Entry {
    let mut section = Section::of(values);
    section.share(|key| match key {
        "settings" | "credentials" => None,
        "tests" if values.tests.connection.is_none() => None,
        key => Some(key),
    });
    kubernetes::explain_tag(&mut section, component.image);
    let settings = service
        .settings()
        .map(|(key, setting)| Entry::leaf(key, setting.doc(), values.settings[key].clone(), setting_schema(setting)));
    section.fill("settings", Section(settings.collect()));
    section.fill("credentials", credentials::entries(&component.credentials));
    if let Some(enabled) = section.entry_mut("enabled").filter(|_| component.credentials.is_empty()) {
        enabled.document("Whether this service is installed. Off takes away its pods and its rules at the other ends.");
        enabled.definition = None;
    }
    if component.credentials.is_empty()
        && let Some(credentials) = section.entry_mut("credentials")
    {
        credentials.document("");
    }
    Entry::section(component.name, &component.doc, section)
}

fn default(setting: Setting) -> Value {
    match setting {
        Setting::Text { default, .. } | Setting::Choice { default, .. } => Value::from(default),
        Setting::Integer { default, .. } => Value::from(default),
    }
}

fn setting_schema(setting: Setting) -> serde_json::Value {
    match setting {
        Setting::Text { .. } => json!({ "type": "string" }),
        Setting::Integer { min, max, .. } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Setting::Choice { options, .. } => json!({ "enum": options }),
    }
}
