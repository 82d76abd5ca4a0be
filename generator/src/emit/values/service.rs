//! Values of a service's chart.

use indexmap::IndexMap;
use k8s_openapi::api::networking::v1::{NetworkPolicyEgressRule, NetworkPolicyIngressRule};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use serde_yaml::Value;
use vocabulary::{Scaling, Setting};

use super::credentials::{self, Credentials};
use super::exposure::Exposure;
use super::kubernetes::{self, ContainerResources, ImageValues, Scheduling};
use super::rules::{SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY, TEXT};
use super::tree::{Entry, Section};
use crate::graph::{Component, Graph, Service};

/// Values of a service. A field is absent if it does not apply to the service.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceValues {
    /// Whether to deploy this service. `false` removes its pods, its Secret and its entries in the NetworkPolicies of other components,
    /// and its passwords are no longer required. Data that it has stored remains.
    pub(crate) enabled: bool,
    pub(crate) image: ImageValues,
    /// Number of pods.
    pub(crate) replicas: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) autoscaling: Option<Autoscaling>,
    resources: ContainerResources,
    /// Application settings.
    #[schemars(with = "Option<String>")]
    pub(crate) settings: IndexMap<String, Value>,
    /// Credentials of the service. Passwords have no default.
    #[schemars(with = "Option<String>")]
    credentials: Credentials,
    /// Name of the Secret with the service's credentials, used with `global.secrets.mode: existing`. The README lists its keys. Empty
    /// selects `<release>-<service>-existing-r<revisions>`: the revisions, joined by dots. Each set of revisions needs its own Secret.
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

/// Tests of this service in `helm test`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Tests {
    /// Whether to test that the service can use all its dependencies.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<bool>,
    /// Whether to test that a pod with the service's labels cannot connect to any other port.
    isolation: bool,
}

/// Additional permissions of the service in the Kubernetes API, limited to the release's namespace.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Rbac {
    /// Additional rules of the service's Role. With any rule, the pods mount an API token and can connect to
    /// `global.network.apiServerCidrs`.
    extra_rules: Vec<ApiRule>,
    /// Whether `extraRules` can contain wildcards (`*`). A wildcard also grants permissions that later versions of Kubernetes and other
    /// software add.
    allow_wildcards: bool,
}

/// A rule of a Role. It is the Kubernetes type without non-resource URLs, which only a `ClusterRole` can have.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
struct ApiRule {
    /// API groups of the resources; `""` is the core group.
    #[schemars(length(min = 1), inner(regex(pattern = API_GROUP), length(max = SUBDOMAIN_LENGTH)))]
    api_groups: Vec<String>,
    /// Resource types, as plural names.
    #[schemars(length(min = 1), inner(regex(pattern = API_RESOURCE), length(max = SUBDOMAIN_LENGTH)))]
    resources: Vec<String>,
    /// Permitted verbs.
    #[schemars(length(min = 1))]
    verbs: Vec<Verb>,
    /// Names of the objects that the rule applies to. Empty means all.
    #[schemars(default, inner(regex(pattern = TEXT), length(min = 1, max = SUBDOMAIN_LENGTH)))]
    resource_names: Vec<String>,
}

/// API groups of a rule: `""`, a DNS subdomain, or the wildcard, which the template `_checks.tpl` rejects unless `allowWildcards` is
/// true.
const API_GROUP: &str = "^(\\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$";

/// Resource types of a rule, with an optional subresource. Both can be the wildcard.
const API_RESOURCE: &str = "^(\\*|[a-z0-9]([-a-z0-9.]*[a-z0-9])?)(/(\\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?))?$";

/// Verb of a rule. The API server accepts any word, and a misspelt one grants nothing.
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

/// Additional traffic that the service's NetworkPolicy allows.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ExtraTraffic {
    /// Additional rules for incoming traffic, in the syntax of a NetworkPolicy.
    extra_ingress: Vec<NetworkPolicyIngressRule>,
    /// Additional rules for outgoing traffic, in the syntax of a NetworkPolicy.
    extra_egress: Vec<NetworkPolicyEgressRule>,
}

/// Autoscaling by CPU usage. Requires a metrics server in the cluster.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Autoscaling {
    /// Whether a HorizontalPodAutoscaler sets the number of pods. If true, `replicas` is ignored.
    pub(crate) enabled: bool,
    /// Minimum number of pods.
    #[schemars(range(min = 1))]
    min_replicas: u16,
    /// Maximum number of pods.
    #[schemars(range(min = 1))]
    max_replicas: u16,
    /// Target average CPU usage, in percent of the CPU request.
    #[schemars(range(min = 1, max = 100))]
    target_cpu_percent: u16,
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
            exposure: service.exposed.map(|_| Exposure::none()),
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
        enabled.document("Whether to deploy this service. `false` removes its pods and its entries in the NetworkPolicies of other components.");
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

/// Linux limits a variable to 128 KiB, with its name. A character has up to four bytes.
const LONGEST_TEXT: usize = 32_000;

fn setting_schema(setting: Setting) -> serde_json::Value {
    match setting {
        Setting::Text { .. } => json!({ "type": "string", "pattern": TEXT, "maxLength": LONGEST_TEXT }),
        Setting::Integer { min, max, .. } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Setting::Choice { options, .. } => json!({ "enum": options }),
    }
}
