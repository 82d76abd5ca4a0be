//! The values of a backing service's chart.

use indexmap::IndexMap;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::JsonSchema;
use serde::Serialize;
use serde_yaml::Value;
use vocabulary::Backing;

use super::kubernetes::{ContainerResources, ImageValues, Scheduling};
use super::service::password_schema;
use super::tree::{Entry, Section};
use crate::backing::administrator;

/// The values of a backing service that the chart brings.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct BackingValues {
    image: ImageValues,
    resources: ContainerResources,
    pub(crate) persistence: Persistence,
    /// Its administrator's credentials. No service has them.
    #[schemars(with = "Option<String>")]
    credentials: IndexMap<&'static str, IndexMap<&'static str, &'static str>>,
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

impl BackingValues {
    pub(super) fn of(backing: &Backing) -> Self {
        Self {
            image: ImageValues::of(backing.image()),
            resources: ContainerResources::of(backing.resources()),
            persistence: Persistence {
                size: Quantity(backing.storage().to_string()),
                storage_class_name: String::new(),
            },
            credentials: IndexMap::from([(administrator(backing.kind()).key, IndexMap::from([("password", "")]))]),
            scheduling: Scheduling::default(),
        }
    }
}

pub(super) fn entry(backing: &Backing, values: &BackingValues) -> Entry {
    let mut section = Section::of(values);
    let administrator = administrator(backing.kind());
    let password = Entry::leaf("password", administrator.doc, Value::from(""), password_schema());
    let credential = Entry::section(administrator.key, "", Section(vec![password]));
    section.fill("credentials", Section(vec![credential]));
    let doc = format!("{}, used by the services.", backing.kind().product());
    Entry::section(backing.name().as_str(), &doc, section)
}
