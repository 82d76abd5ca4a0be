//! Kubernetes types in values, with schemas that reject unknown keys at any depth.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, Toleration, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use vocabulary::{DefaultTag, Image, Range, Resources, Tag};

use super::rules::{SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};
use super::tree::{Node, Section};

/// Scheduling of pods. All pods use it.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scheduling {
    /// Annotations of the pods. Keys that begin with the name of the chart and `/` are reserved.
    #[schemars(schema_with = "annotations")]
    pod_annotations: BTreeMap<String, String>,
    /// Labels that a node must have to run the pods.
    #[schemars(schema_with = "labels")]
    node_selector: BTreeMap<String, String>,
    /// Tolerations of the pods for node taints.
    tolerations: Vec<Toleration>,
    /// Node affinity, pod affinity and pod anti-affinity.
    affinity: Affinity,
    /// Rules for spreading the pods across nodes and zones.
    topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// Priority class of the pods. Empty selects the cluster's default.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    priority_class_name: String,
}

/// CPU, memory and local disk of the container.
// Not the Kubernetes type: its third field, `claims` (dynamic resource allocation), is not supported.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ContainerResources {
    /// Amounts that the scheduler reserves on the node.
    #[schemars(schema_with = "amounts")]
    requests: BTreeMap<String, Quantity>,
    /// Upper limits. `cpu: null` removes the CPU limit.
    #[schemars(schema_with = "amounts")]
    limits: BTreeMap<String, Quantity>,
}

// Kubernetes accepts any resource name and ignores a misspelt one. The schema lists the standard names and requires a domain in device names.
// `null` removes a default; Helm itself does not do this reliably below a subchart's key.
fn amounts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/amounts" })
}

/// A number, or its text: Helm takes a fraction in `--set` for a text. The chart's checks compare it with 1, because their message can say
/// how to write a percentage as a share.
pub(super) fn fraction(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["number", "string"], "minimum": 0, "pattern": "^[0-9]+([.][0-9]+)?$" })
}

/// Free text.
pub(super) fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/text" })
}

/// CIDR blocks.
pub(super) fn cidrs(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "$ref": "#/definitions/cidr" } })
}

pub(super) fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/annotations" })
}

pub(super) fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/labels" })
}

/// Disk space for a container's log, in MiB. The kubelet keeps five files of 10 MiB, and temporarily more during rotation. The rest is
/// reserve.
const LOG_MEBIBYTES: u128 = 128;

impl ContainerResources {
    /// Resources of a container with writable folders of these sizes on the node's disk.
    pub(crate) fn of(resources: Resources, folders: impl Iterator<Item = vocabulary::Quantity>) -> Self {
        let room = LOG_MEBIBYTES + folders.map(|size| size.thousandths().div_ceil(1000 << 20)).sum::<u128>();
        let mut of = Self::time_and_memory(resources);
        of.requests.insert("ephemeral-storage".into(), Quantity("32Mi".into()));
        of.limits.insert("ephemeral-storage".into(), Quantity(format!("{room}Mi")));
        of
    }

    pub(super) fn time_and_memory(resources: Resources) -> Self {
        let named = [("cpu", resources.cpu), ("memory", resources.memory)];
        let quantity = |q: vocabulary::Quantity| Quantity(q.to_string());
        let limit = |(name, range): (&str, Range)| range.limit.map(|l| (name.to_owned(), quantity(l)));
        Self {
            requests: named.iter().map(|(name, range)| ((*name).to_owned(), quantity(range.request))).collect(),
            limits: named.into_iter().filter_map(limit).collect(),
        }
    }
}

/// Registry and path of an image, in the reference grammar of `distribution`. The pattern also accepts a tag, so that the template
/// `_checks.tpl` can report the remedy.
const REPOSITORY: &str = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_.-]+)?$";

/// Container image.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageValues {
    /// Registry and path, without a tag.
    #[schemars(regex(pattern = REPOSITORY), length(max = 255))]
    repository: String,
    /// Image tag. Ignored if `digest` is set. One of the two is required.
    #[schemars(regex(pattern = "^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$"))]
    tag: String,
    /// Image digest (`sha256:…`). Pins the image.
    #[schemars(regex(pattern = "^(sha256:[0-9a-f]{64})?$"))]
    digest: String,
    /// Image pull policy. Use `Always` for a tag that moves, such as `latest`; otherwise nodes keep running the build that they
    /// pulled first.
    pull_policy: PullPolicy,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum PullPolicy {
    Always,
    IfNotPresent,
    #[expect(dead_code, reason = "not a default; an installer can select it")]
    Never,
}

impl ImageValues {
    pub(crate) fn of(image: Image) -> Self {
        let mut values = Self {
            repository: image.repository.to_string(),
            tag: String::new(),
            digest: image.digest.map(|d| d.to_string()).unwrap_or_default(),
            pull_policy: PullPolicy::IfNotPresent,
        };
        if let DefaultTag::Fixed(tag) = image.tag {
            tag.as_str().clone_into(&mut values.tag);
        }
        values
    }

    /// Sets the tag and the matching pull policy.
    pub(super) fn tagged(&mut self, tag: Tag) {
        self.tag = tag.to_string();
        // The same default as in Kubernetes: a tag that moves is pulled at each start.
        self.pull_policy = if tag.moves() { PullPolicy::Always } else { PullPolicy::IfNotPresent };
    }
}

/// Documents at `image.tag` why there is no default, if the image has none.
pub(super) fn explain_tag(section: &mut Section, image: Image) {
    let Some(reason) = image.missing_tag_reason() else { return };
    let Some(entry) = section.entry_mut("image") else { return };
    entry.definition = None;
    if let Node::Section(image) = &mut entry.node
        && let Some(tag) = image.entry_mut("tag")
    {
        tag.document(&format!("{} There is no default: {reason}.", tag.field.doc));
    }
}
