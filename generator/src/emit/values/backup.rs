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
    /// Whether to make no backup for now.
    suspend: bool,
    retention: Retention,
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
            persistence: Persistence::of(storage),
            resources: ContainerResources::of(RESOURCES, std::iter::empty()),
        }
    }
}
