//! The values of a backing service's chart.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::JsonSchema;
use serde::Serialize;
use vocabulary::{Backing, Kind};

use super::credentials::{self, Credentials};
use super::kubernetes::{self, ContainerResources, ImageValues, Scheduling};
use super::tree::{Entry, Section};
use crate::backing::administrator;

/// The values of a backing service that the chart brings.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackingValues {
    image: ImageValues,
    resources: ContainerResources,
    pub(crate) persistence: Persistence,
    /// Its administrator's credentials. No service has them.
    #[schemars(with = "Option<String>")]
    credentials: Credentials,
    /// The Secret with its administrator's password and those of all its logins, with `global.secrets.mode: existing`: the README says
    /// under which keys. Empty is `<release>-<chart>-existing`.
    #[schemars(regex(pattern = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"))]
    existing_secret: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<BrokerLimits>,
    #[serde(flatten)]
    scheduling: Scheduling,
}

/// The volume that its data lies on. It outlives the release. Kubernetes does not let either value change once the volume is there.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Persistence {
    /// Its size.
    pub(crate) size: Quantity,
    /// Its storage class; empty is the cluster's default.
    storage_class_name: String,
}

/// What one service can fill or use up at most, so that the others still have room.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BrokerLimits {
    /// The most messages in a queue; further ones are refused, which a publisher learns that waits for confirms.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    queue_length: u32,
    /// The most messages in a queue for dead letters; the oldest make room.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    dead_letters: u32,
    /// The most connections of one login.
    #[schemars(range(min = 1, max = 65535))]
    connections_per_user: u32,
    /// The most channels of one login.
    #[schemars(range(min = 1, max = 65535))]
    channels_per_user: u32,
}

impl BrokerLimits {
    const MODEST: Self =
        Self { queue_length: 100_000, dead_letters: 10_000, connections_per_user: 50, channels_per_user: 200 };
}

/// The sizes of the folders on the node's disk that a server writes to beside its volume.
const SCRATCH: [vocabulary::Quantity; 2] = [vocabulary::Quantity::new("64Mi"), vocabulary::Quantity::new("64Mi")];

impl BackingValues {
    pub(super) fn of(backing: &Backing) -> Self {
        Self {
            image: ImageValues::of(backing.image()),
            resources: ContainerResources::of(backing.resources(), SCRATCH.into_iter()),
            persistence: Persistence {
                size: Quantity(backing.storage().to_string()),
                storage_class_name: String::new(),
            },
            credentials: Credentials::administrator(&administrator(backing.kind())),
            existing_secret: String::new(),
            limits: (backing.kind() == Kind::RabbitMq).then_some(BrokerLimits::MODEST),
            scheduling: Scheduling::default(),
        }
    }
}

pub(super) fn entry(backing: &Backing, values: &BackingValues) -> Entry {
    let mut section = Section::of(values);
    kubernetes::explain_tag(&mut section, backing.image());
    section.fill("credentials", credentials::administrator_entry(&administrator(backing.kind())));
    let doc = format!("{}, used by the services.", backing.kind().product());
    Entry::section(backing.name().as_str(), &doc, section)
}
