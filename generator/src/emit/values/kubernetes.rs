//! Kubernetes types inside values, with schemas that catch a typo at any depth.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, Toleration, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use vocabulary::{DefaultTag, Image, Range, Resources, Tag};

use super::rules::{SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};
use super::tree::{Node, Section};

/// Where pods may run. Shared by every kind of pod.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scheduling {
    /// Annotations for the pods. Keys that begin with `checksum/` are the chart's own.
    #[schemars(schema_with = "annotations")]
    pod_annotations: BTreeMap<String, String>,
    /// Labels that a node must have.
    #[schemars(schema_with = "labels")]
    node_selector: BTreeMap<String, String>,
    /// Taints of nodes that are accepted.
    tolerations: Vec<Toleration>,
    /// Rules about nodes and about other pods.
    affinity: Affinity,
    /// How pods are spread over nodes and zones.
    topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// The priority class of the pods; empty is the cluster's default.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    priority_class_name: String,
}

/// Processor time, memory and room on the node's own disk for the container.
// Not Kubernetes' own type: that has a third field (claims of dynamic resources) which these programs have no use for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ContainerResources {
    /// What the scheduler sets aside.
    #[schemars(schema_with = "amounts")]
    requests: BTreeMap<String, Quantity>,
    /// The most that may be used. `cpu: null` takes that limit away.
    #[schemars(schema_with = "amounts")]
    limits: BTreeMap<String, Quantity>,
}

// Kubernetes takes any name for a resource, and ignores a misspelt one: the names of its own are listed, those of devices have a domain. `null` takes
// a default away, which Helm does not do reliably below a subchart's key.
fn amounts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/amounts" })
}

pub(super) fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/annotations" })
}

fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "$ref": "#/definitions/labels" })
}

/// What a container's log takes on the node's disk: the kubelet keeps five files of 10 MiB, and more while it turns them over. The rest is for
/// what a program writes that was not foreseen.
const LOG_MEBIBYTES: u128 = 128;

impl ContainerResources {
    /// Of a container whose writable folders on the node's disk have these sizes.
    pub(crate) fn of(resources: Resources, folders: impl Iterator<Item = vocabulary::Quantity>) -> Self {
        let room = LOG_MEBIBYTES + folders.map(|size| size.thousandths().div_ceil(1000 << 20)).sum::<u128>();
        let mut of = Self::time_and_memory(resources);
        of.requests.insert("ephemeral-storage".into(), Quantity("32Mi".into()));
        of.limits.insert("ephemeral-storage".into(), Quantity(format!("{room}Mi")));
        of
    }

    fn time_and_memory(resources: Resources) -> Self {
        let named = [("cpu", resources.cpu), ("memory", resources.memory)];
        let quantity = |q: vocabulary::Quantity| Quantity(q.to_string());
        let limit = |(name, range): (&str, Range)| range.limit.map(|l| (name.to_owned(), quantity(l)));
        Self {
            requests: named.iter().map(|(name, range)| ((*name).to_owned(), quantity(range.request))).collect(),
            limits: named.into_iter().filter_map(limit).collect(),
        }
    }
}

/// Registry and path of an image, as the reference grammar of `distribution` has them. A tag is recognized, so that the template `_checks.tpl` can
/// say where it belongs.
const REPOSITORY: &str = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_.-]+)?$";

/// The image.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageValues {
    /// Registry and path, without a tag.
    #[schemars(regex(pattern = REPOSITORY), length(max = 255))]
    repository: String,
    /// The tag; unused when there is a digest. One of the two is needed.
    #[schemars(regex(pattern = "^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$"))]
    tag: String,
    /// The digest (`sha256:…`), when the image is pinned.
    #[schemars(regex(pattern = "^(sha256:[0-9a-f]{64})?$"))]
    digest: String,
    /// When it is pulled. A tag that moves (`latest`) takes `Always`, or a node goes on with the build that it has.
    pull_policy: PullPolicy,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum PullPolicy {
    Always,
    IfNotPresent,
    #[expect(dead_code, reason = "no default, but whoever installs may choose it")]
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

    /// Another tag, and how an image of that tag is pulled.
    pub(super) fn tagged(&mut self, tag: Tag) {
        self.tag = tag.to_string();
        // A tag that moves is asked for again each time, as Kubernetes does when nothing is said.
        self.pull_policy = if tag.moves() { PullPolicy::Always } else { PullPolicy::IfNotPresent };
    }
}

/// Says at `image.tag` why there is no default, where a build has to be named.
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
