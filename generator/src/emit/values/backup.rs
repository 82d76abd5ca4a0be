//! Values of the backups of a server.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::NetworkPolicyEgressRule;
use schemars::JsonSchema;
use serde::Serialize;
use vocabulary::{Quantity, Resources, cpu, memory};

use super::backing::Persistence;
use super::kubernetes::{ContainerResources, ImageValues, annotations};
use super::rules::{SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};
use crate::addons::backup::RCLONE;

/// Backups of the databases of this server.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupValues {
    /// Whether a `CronJob` dumps every database. If it becomes false, the backups stay.
    pub(super) enabled: bool,
    /// When, as minute, hour, day of the month, month and day of the week (0 is Sunday), in UTC: each `*`, `*/n` or a list of numbers.
    #[schemars(regex(pattern = SCHEDULE))]
    schedule: String,
    /// Whether to make and verify no backups for now.
    suspend: bool,
    retention: Retention,
    /// The age of the newest backup in hours at which the alert `BackupTooOld` fires. It needs the exporter.
    #[schemars(range(min = 1, max = 100_000))]
    maximum_age_hours: u32,
    verification: Verification,
    before_upgrade: BeforeUpgrade,
    /// Where the backups lie: on a volume of the cluster, or in an object store with the S3 protocol.
    storage: Storage,
    persistence: Persistence,
    s3: S3,
    encryption: Encryption,
    service_account: ServiceAccount,
    resources: ContainerResources,
}

/// The backups of each database that are kept. The newest one that is intact is always kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Retention {
    /// Maximum number of backups.
    #[schemars(range(min = 1, max = 10_000))]
    count: u16,
    /// Maximum age in days.
    #[schemars(range(min = 1, max = 36_500))]
    days: u16,
}

/// Verification of the backups.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Verification {
    /// Whether a `CronJob` restores the newest backup of each database into a server of its own, and compares the contents.
    enabled: bool,
    /// When, in UTC, in the form of the schedule of the backups.
    #[schemars(regex(pattern = SCHEDULE))]
    schedule: String,
}

/// A backup before every `helm upgrade`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct BeforeUpgrade {
    /// Whether `helm upgrade` first makes a backup, if the installed revision has backups.
    enabled: bool,
    /// What a failed backup does to the upgrade: `Block` ends it before it changes anything, `Continue` ignores the failure.
    on_failure: OnFailure,
    /// Maximum duration of the backup, with the start and the end of its pod. Helm waits no longer than its `--timeout`, 300 seconds by default.
    #[schemars(range(min = 30, max = 86_400))]
    timeout_seconds: u32,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum OnFailure {
    Block,
    #[expect(dead_code, reason = "the other choice of the schema")]
    Continue,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum Storage {
    Volume,
    #[expect(dead_code, reason = "not a default; an installer can select it")]
    S3,
}

/// The object store, with `storage: S3`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct S3 {
    image: ImageValues,
    /// Address, such as `https://s3.eu-central-1.amazonaws.com`.
    #[schemars(regex(pattern = r"^(https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?/?)?$"))]
    endpoint: String,
    /// Region, if the store has regions.
    #[schemars(regex(pattern = "^[A-Za-z0-9-]*$"))]
    region: String,
    /// The vendor, as rclone names it, such as `AWS`, `Ceph` or `Minio`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    provider: String,
    /// The bucket. It must exist.
    #[schemars(regex(pattern = r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$"))]
    bucket: String,
    /// Folder in the bucket. Empty selects `<namespace>/<release>`.
    #[schemars(regex(pattern = r"^([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)?$"), length(max = 512))]
    prefix: String,
    /// Name of a Secret with the keys `accessKeyId` and `secretAccessKey`. Empty uses the identity of the ServiceAccount.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
    /// Name of a ConfigMap whose key `ca.crt` holds the CA certificate of the store. Empty uses the system's trust store.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    ca_config_map: String,
    /// Rules for outgoing traffic to the store, in the syntax of a NetworkPolicy. Required, since the chart does not know its addresses.
    egress: Vec<NetworkPolicyEgressRule>,
}

/// Encryption of the backups before they leave the Pod, with `storage: S3`.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Encryption {
    /// Name of a Secret whose key `password` encrypts the backups. Empty means no encryption. Without this password, nobody can read the backups.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
}

/// The ServiceAccount of the backups.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
struct ServiceAccount {
    /// Annotations, such as those by which a cloud gives it an identity.
    #[schemars(schema_with = "annotations")]
    annotations: BTreeMap<String, String>,
}

/// Five fields of a cron expression. Ranges are left out, because a pattern cannot tell that one ends before it begins.
pub(super) const SCHEDULE: &str = concat!(
    r"^(\*(/([1-9]|[1-5][0-9]))?|[1-5]?[0-9](,[1-5]?[0-9])*)",
    r" (\*(/([1-9]|1[0-9]|2[0-3]))?|(1?[0-9]|2[0-3])(,(1?[0-9]|2[0-3]))*)",
    r" (\*(/([1-9]|[12][0-9]|3[01]))?|([1-9]|[12][0-9]|3[01])(,([1-9]|[12][0-9]|3[01]))*)",
    r" (\*(/([1-9]|1[0-2]))?|([1-9]|1[0-2])(,([1-9]|1[0-2]))*)",
    r" (\*(/[1-6])?|[0-6](,[0-6])*)$"
);

/// What `pg_dump` takes: it compresses, and keeps little in memory.
const RESOURCES: Resources = Resources::new(cpu("50m").up_to("1"), memory("64Mi").up_to("512Mi"));

impl BackupValues {
    /// The defaults. `storage` is the size of the server's volume; a dump is smaller than the data.
    pub(super) fn of(storage: Quantity) -> Self {
        Self {
            enabled: false,
            schedule: "17 3 * * *".to_owned(),
            suspend: false,
            retention: Retention { count: 14, days: 30 },
            maximum_age_hours: 50,
            verification: Verification { enabled: true, schedule: "17 4 * * *".to_owned() },
            before_upgrade: BeforeUpgrade { enabled: true, on_failure: OnFailure::Block, timeout_seconds: 240 },
            storage: Storage::Volume,
            persistence: Persistence::of(storage),
            s3: S3 {
                image: ImageValues::of(RCLONE),
                endpoint: String::new(),
                region: String::new(),
                provider: "Other".to_owned(),
                bucket: String::new(),
                prefix: String::new(),
                existing_secret: String::new(),
                ca_config_map: String::new(),
                egress: Vec::new(),
            },
            encryption: Encryption::default(),
            service_account: ServiceAccount::default(),
            resources: ContainerResources::time_and_memory(RESOURCES),
        }
    }
}
