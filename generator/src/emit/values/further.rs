//! Values that several charts beside the umbrella have.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, Toleration};
use schemars::JsonSchema;
use serde::Serialize;

use super::kubernetes::{annotations, labels};
use super::rules::{LABEL_OR_EMPTY, SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};

/// The release of the umbrella chart that a chart observes.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(super) struct ObservedRelease {
    /// Name of the release. Required.
    #[schemars(regex(pattern = LABEL_OR_EMPTY))]
    name: String,
    /// Its namespace. Required.
    #[schemars(regex(pattern = LABEL_OR_EMPTY))]
    namespace: String,
}

/// The authority of an output's certificate.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Authority {
    /// Name of a ConfigMap whose key `ca.crt` holds the CA certificate of the server. Empty uses the system's trust store.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    ca_config_map: String,
}

/// What a request of OTLP over HTTP has beside its address.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OtlpRequest {
    /// Headers of each request that are no secrets, such as `X-Scope-OrgID`.
    #[schemars(schema_with = "annotations")]
    headers: BTreeMap<String, String>,
    /// Name of a Secret whose key `authorization` is the value of the header `Authorization`, such as `Basic …` or `ApiKey …`. Empty
    /// sends no such header.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
    #[serde(flatten)]
    authority: Authority,
}

/// Scheduling of a program with one Pod.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SinglePod {
    /// Annotations of the Pod. Keys that begin with the name of the chart and `/` are reserved.
    #[schemars(schema_with = "annotations")]
    pod_annotations: BTreeMap<String, String>,
    /// Labels that a node must have to run the Pod.
    #[schemars(schema_with = "labels")]
    node_selector: BTreeMap<String, String>,
    /// Tolerations of the Pod for node taints.
    tolerations: Vec<Toleration>,
    /// Node affinity, pod affinity and pod anti-affinity.
    affinity: Affinity,
    /// Priority class of the Pod. Empty selects the cluster's default.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    priority_class_name: String,
}
