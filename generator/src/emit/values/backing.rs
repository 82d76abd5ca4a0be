//! The values of a backing service's chart.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::credentials::{self, Credentials};
use super::kubernetes::{ContainerResources, Scheduling};
use super::rules::{SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};
use super::tree::{Entry, Section};
use crate::graph::{Component, Server};

/// The values of a backing service that the chart brings.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackingValues {
    resources: ContainerResources,
    pub(crate) persistence: Persistence,
    /// Its administrator's credentials. No service has them.
    #[schemars(with = "Option<String>")]
    credentials: Credentials,
    /// The Secret with its administrator's password and those of all its logins, with `global.secrets.mode: existing`: the README says
    /// under which keys. Empty is `<release>-<chart>-existing`.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
    /// What only servers of this kind have.
    #[serde(flatten)]
    #[schemars(skip)]
    of_kind: BTreeMap<&'static str, serde_yaml::Value>,
    #[serde(flatten)]
    scheduling: Scheduling,
}

/// The volume that its data lies on. It outlives the release. Kubernetes does not let either value change once the volume is there.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Persistence {
    /// Its size, with a unit: `10Gi`.
    #[schemars(schema_with = "size")]
    pub(crate) size: Quantity,
    /// Its storage class; empty is the cluster's default, and `-` is none: a volume that an administrator has made.
    #[schemars(regex(pattern = STORAGE_CLASS), length(max = SUBDOMAIN_LENGTH))]
    storage_class_name: String,
}

/// The size of a volume, as far as the schema checks it. The template `_checks.tpl` demands a unit and at least 1Mi, and says what to write.
fn size(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "number"],
        "minimum": 0,
        "pattern": "^[0-9]{1,15}(\\.[0-9]{1,9})?([eE][0-9]{1,2}|[mkMGTPE]|[KMGTPE]i)?$"
    })
}

/// The name of a storage class, nothing, or `-`.
const STORAGE_CLASS: &str = "^(-|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$";

/// The sizes of the folders on the node's disk that a server writes to beside its volume.
const SCRATCH: [vocabulary::Quantity; 2] = [vocabulary::Quantity::new("64Mi"), vocabulary::Quantity::new("64Mi")];

impl BackingValues {
    pub(super) fn of(component: &Component, server: &Server) -> Self {
        let of_kind = server.kind.values().map(|(key, section)| (key, section.defaults()));
        Self {
            resources: ContainerResources::of(component.resources, SCRATCH.into_iter()),
            persistence: Persistence { size: Quantity(server.storage.to_string()), storage_class_name: String::new() },
            credentials: Credentials::of(&component.credentials),
            existing_secret: String::new(),
            of_kind: of_kind.into_iter().collect(),
            scheduling: Scheduling::default(),
        }
    }
}

pub(super) fn entry(component: &Component, server: &Server, values: &BackingValues) -> Entry {
    let mut section = Section::of(values);
    section.share(|key| match key {
        "credentials" => None,
        "existingSecret" => Some("server.existingSecret"),
        key => Some(key),
    });
    section.fill("credentials", credentials::entries(&component.credentials));
    if let Some((key, of_kind)) = server.kind.values() {
        section.insert_after("existingSecret", Entry::section(key, server.kind.values_doc(), of_kind));
    }
    Entry::section(component.name, &component.doc, section)
}
