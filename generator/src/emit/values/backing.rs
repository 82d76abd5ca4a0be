//! Values of a server's chart.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::backup::BackupValues;
use super::credentials::{self, Credentials};
use super::exporter::ExporterValues;
use super::kubernetes::{ContainerResources, Scheduling};
use super::rules::{SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};
use super::tree::{Entry, Section};
use crate::graph::{Component, Server};

/// Values of a server that the chart deploys.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackingValues {
    resources: ContainerResources,
    pub(crate) persistence: Persistence,
    // Only of a server with databases.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "BackupValues")]
    pub(super) backup: Option<BackupValues>,
    // Only of a server that does not report its metrics itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ExporterValues")]
    pub(super) exporter: Option<ExporterValues>,
    /// Credentials of the administrator. Services do not receive them.
    #[schemars(with = "Option<String>")]
    credentials: Credentials,
    /// Name of the Secret with the passwords of the administrator and of all logins, used with `global.secrets.mode: existing`. The
    /// README lists its keys. Empty selects `<release>-<chart>-existing`.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
    /// Values that only servers of this kind have.
    #[serde(flatten)]
    #[schemars(skip)]
    of_kind: BTreeMap<&'static str, serde_yaml::Value>,
    #[serde(flatten)]
    scheduling: Scheduling,
}

/// The volume. It outlives the release. An upgrade cannot change these values once the volume exists; see UPGRADING.md, and BACKUP.md for the
/// volume of the backups.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Persistence {
    /// Size of the volume, with a unit, such as `10Gi`.
    #[schemars(schema_with = "size")]
    pub(crate) size: Quantity,
    /// Storage class of the volume. Empty selects the cluster's default. `-` selects no storage class, for a volume that an administrator
    /// has created.
    #[schemars(regex(pattern = STORAGE_CLASS), length(max = SUBDOMAIN_LENGTH))]
    storage_class_name: String,
}

impl Persistence {
    /// A volume of this size, of the cluster's default class.
    pub(super) fn of(size: vocabulary::Quantity) -> Self {
        Self { size: Quantity(size.to_string()), storage_class_name: String::new() }
    }
}

/// Schema of a volume's size. The template `_checks.tpl` also requires a unit and at least 1Mi, and reports the remedy.
fn size(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "number"],
        "minimum": 0,
        "pattern": "^[0-9]{1,15}(\\.[0-9]{1,9})?([eE][0-9]{1,2}|[mkMGTPE]|[KMGTPE]i)?$"
    })
}

/// A storage class name, an empty string, or `-`.
const STORAGE_CLASS: &str = "^(-|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$";

/// Sizes of the server's writable folders on the node's disk. The volume is not among them.
const SCRATCH: [vocabulary::Quantity; 2] = [vocabulary::Quantity::new("64Mi"), vocabulary::Quantity::new("64Mi")];

impl BackingValues {
    pub(super) fn of(component: &Component, server: &Server) -> Self {
        let of_kind = server.kind.values().map(|(key, section)| (key, section.defaults()));
        Self {
            resources: ContainerResources::of(component.resources, SCRATCH.into_iter()),
            persistence: Persistence::of(server.storage),
            backup: server.has_backups().then(|| BackupValues::of(server.storage)),
            exporter: component.exporter().map(ExporterValues::of),
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
