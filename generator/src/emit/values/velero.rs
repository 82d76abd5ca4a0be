//! Values of copies by Velero.

use schemars::JsonSchema;
use serde::Serialize;

use super::backup::SCHEDULE;
use super::rules::{LABEL, SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};

/// Copies of the objects and volumes of the release by Velero (velero.io), which must be installed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Velero {
    /// Whether to create a `Schedule` of Velero.
    enabled: bool,
    /// Namespace of Velero. Helm needs the right to create a `Schedule` there.
    #[schemars(regex(pattern = LABEL))]
    namespace: String,
    /// When, as minute, hour, day of the month, month and day of the week (0 is Sunday), in the time zone of Velero: each `*`, `*/n` or a list of
    /// numbers.
    #[schemars(regex(pattern = SCHEDULE))]
    schedule: String,
    /// How long Velero keeps a copy, as hours, minutes and seconds.
    #[schemars(regex(pattern = "^[1-9][0-9]{0,5}h([0-5]?[0-9]m([0-5]?[0-9]s)?)?$"))]
    ttl: String,
    /// Name of a `BackupStorageLocation` of Velero. Empty selects its default.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    storage_location: String,
}

impl Velero {
    /// The defaults.
    pub(super) fn off() -> Self {
        Self {
            enabled: false,
            namespace: "velero".to_owned(),
            schedule: "37 2 * * *".to_owned(),
            ttl: "720h0m0s".to_owned(),
            storage_location: String::new(),
        }
    }
}
