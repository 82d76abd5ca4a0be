//! Values of the backups of a server.

use schemars::JsonSchema;
use serde::Serialize;
use vocabulary::{Quantity, Resources, cpu, memory};

use super::backing::Persistence;
use super::kubernetes::ContainerResources;

/// Backups of the databases of this server.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupValues {
    /// Whether every database is dumped to a volume, by a `CronJob`. If it becomes false, the volume stays.
    enabled: bool,
    /// When, as minute, hour, day of the month, month and day of the week (0 is Sunday), in UTC: each `*`, `*/n` or a list of numbers.
    #[schemars(regex(pattern = SCHEDULE))]
    schedule: String,
    /// Whether to make and verify no backups for now.
    suspend: bool,
    retention: Retention,
    verification: Verification,
    before_upgrade: BeforeUpgrade,
    persistence: Persistence,
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
    /// Maximum duration of the backup. Helm waits no longer than its `--timeout`, 300 seconds by default.
    #[schemars(range(min = 10, max = 86_400))]
    timeout_seconds: u32,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum OnFailure {
    Block,
    #[expect(dead_code, reason = "the other choice of the schema")]
    Continue,
}

/// Five fields of a cron expression. Ranges are left out, because a pattern cannot tell that one ends before it begins.
const SCHEDULE: &str = concat!(
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
            verification: Verification { enabled: true, schedule: "17 4 * * *".to_owned() },
            before_upgrade: BeforeUpgrade { enabled: true, on_failure: OnFailure::Block, timeout_seconds: 240 },
            persistence: Persistence::of(storage),
            resources: ContainerResources::of(RESOURCES, std::iter::empty()),
        }
    }
}
