//! The exporter of PostgreSQL, and the alerts about the server and its backups. The metrics are those of `postgres_exporter` 0.19.

use vocabulary::{Image, Resources, cpu, memory};

use super::super::{AddOnLogin, Exporter};
use crate::alert::{Alert, Alerts, Needs, Runbook, SERVER_DOWN, Severity, series, word};
use crate::graph::{Component, Server};
use crate::names;

/// Its login. As a member of `pg_monitor` it sees the text of running statements; of tables it reads the results of the backups only.
pub(super) const LOGIN: AddOnLogin = AddOnLogin {
    section: names::EXPORTER,
    doc: "Password of the login with which the exporter reads statistics. It cannot read tables.",
};

pub(super) const EXPORTER: Exporter = Exporter {
    image: Image::new("quay.io/prometheuscommunity/postgres-exporter", "v0.19.1"),
    image_source: "https://quay.io/repository/prometheuscommunity/postgres-exporter?tab=tags",
    measured: ["4m", "22 MiB", "3 s"],
    run_as_user: 65534,
    port: 9187,
    health: "/",
    resources: Resources::new(cpu("10m").up_to("100m"), memory("24Mi").up_to("64Mi")),
    address: ("DATA_SOURCE_URI", ["", ":5432/postgres?sslmode=disable&application_name=exporter"]),
    // Not DATA_SOURCE_PASS: the exporter stops at a space in it, and prints the whole of it in its log (0.19.1). Its driver reads this variable.
    login: ["DATA_SOURCE_USER", "PGPASSWORD"],
    backup_queries: Some("PG_EXPORTER_EXTEND_QUERY_PATH"),
};

pub(super) fn alerts(server: &Component) -> Alerts {
    let mut rules = vec![down(server.name), connections(server.name), size(server.name)];
    if server.server().is_some_and(Server::has_backups) {
        let name = server.name;
        rules.extend([missing(), old(name), failed(name), not_verified(name)]);
    }
    Alerts { rules, queues: Vec::new() }
}

fn down(name: &'static str) -> Alert {
    let up = series("pg_up", &[]);
    let summary = format!("{name} does not answer its exporter.");
    Alert::new(&SERVER_DOWN, "1m", format!("{up} == 0"), summary).needs(Needs::Exporter).sample(&up, "0x60", "1x60")
}

fn connections(name: &'static str) -> Alert {
    let used = series("pg_stat_activity_count", &[]);
    let most = series("pg_settings_max_connections", &[]);
    let summary = format!("{name} has only a few connections left: {{{{ $value | humanizePercentage }}}} are in use.");
    let expr = format!("sum({used}) / max({most}) > 0.8");
    let alert = Alert::new(&CONNECTIONS, "5m", expr, summary).needs(Needs::Exporter);
    alert.sample(&used, "90x60", "10x60").sample(&most, "100x60", "100x60")
}

/// The write-ahead log is on the same volume.
fn size(name: &'static str) -> Alert {
    let size = series("pg_database_size_bytes", &[]);
    let log = series("pg_wal_size_bytes", &[]);
    let volume = word(name, "VOLUME");
    let summary = format!("The data of {name} take {{{{ $value | humanize1024 }}}}B, and their volume is almost full.");
    let expr = format!("sum({size}) + sum({log}) > 0.8 * {volume}");
    let alert = Alert::new(&SIZE, "15m", expr, summary).needs(Needs::Exporter);
    let alert = alert.quantity(&volume, &[name, "persistence", "size"]).sample(&size, "1e15x60", "1e3x60");
    alert.sample(&log, "1e3x60", "1e3x60").also_fires(&[(&size, "1e3x60"), (&log, "1e15x60")])
}

/// A series of the results of the backups, which the exporter reads from their table.
fn result(metric: &str, action: &str, succeeded: bool) -> String {
    let matchers = [format!("action=\"{action}\""), format!("succeeded=\"{succeeded}\"")];
    series(&format!("backup_{metric}"), &matchers)
}

/// The first backup is made at the installation.
fn missing() -> Alert {
    let up = series("pg_up", &[]);
    let made = result("data_timestamp_seconds", "backup", true);
    let summary = "No backup has ever succeeded.".to_owned();
    let alert = Alert::new(&MISSING, "30m", format!("{up} == 1 unless on () {made}"), summary).needs(Needs::Backups);
    alert.sample(&up, "1x60", "1x60").sample(&made, "_x60", "0x60")
}

fn old(name: &'static str) -> Alert {
    let made = result("data_timestamp_seconds", "backup", true);
    let limit = word(name, "BACKUP_AGE");
    let summary = "The newest backup of {{ $labels.database }} is {{ $value | humanizeDuration }} old.".to_owned();
    let expr = format!("time() - max by (database) ({made}) > 3600 * {limit}");
    let alert = Alert::new(&OLD, "5m", expr, summary).needs(Needs::Backups);
    // The time of a test begins with 0.
    alert.value(&limit, &[name, "backup", "maximumAgeHours"]).sample(&made, "-1e9x60", "0x60")
}

/// Of the two rows of an action, the newer one has the last result.
fn last_failed(action: &str) -> (String, [String; 2]) {
    let [good, bad] = [true, false].map(|succeeded| result("finished_timestamp_seconds", action, succeeded));
    let times = [&good, &bad].map(|series| format!("max by (database) ({series})"));
    let [last_good, last_bad] = times;
    (format!("{last_bad} > {last_good} or {last_bad} unless {last_good}"), [good, bad])
}

fn failed(name: &'static str) -> Alert {
    let (expr, [good, bad]) = last_failed("backup");
    let summary = format!("The last backup of {{{{ $labels.database }}}} at {name} has failed.");
    let alert = Alert::new(&FAILED, "0m", expr, summary).needs(Needs::Backups);
    let alert = alert.sample(&good, "100x60", "200x60").sample(&bad, "200x60", "100x60");
    alert.also_fires(&[(&bad, "100x60")])
}

/// A verification that has failed, or that has not succeeded for a day longer than a backup may be old.
fn not_verified(name: &'static str) -> Alert {
    let (failed, [good, bad]) = last_failed("verification");
    let limit = word(name, "BACKUP_AGE");
    let expr = format!("{failed} or time() - max by (database) ({good}) > 3600 * (24 + {limit})");
    let summary = format!(
        "No backup of {{{{ $labels.database }}}} at {name} was verified lately, or the last verification has failed."
    );
    let alert = Alert::new(&NOT_VERIFIED, "0m", expr, summary).needs(Needs::Verification);
    let alert = alert.value(&limit, &[name, "backup", "maximumAgeHours"]);
    let alert = alert.sample(&good, "100x60", "200x60").sample(&bad, "200x60", "100x60");
    alert.also_fires(&[(&bad, "100x60")]).also_fires(&[(&good, "-1e9x60")])
}

const CONNECTIONS: Runbook = Runbook {
    name: "ConnectionsRunOut",
    severity: Severity::Warning,
    meaning: "More than 80 % of the server's connections are in use. When none is left, services cannot connect.",
    steps: &[
        "See who holds them: `kubectl exec <release>-<component>-0 --namespace <namespace> --container postgresql -- psql --username postgres --command 'SELECT usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC'`.",
        "Many `idle` connections of one login are a leak: restart the service. Otherwise lower the service's replicas.",
    ],
    inhibits: &[],
};

const SIZE: Runbook = Runbook {
    name: "DatabasesFillVolume",
    severity: Severity::Warning,
    meaning: "The databases and the write-ahead log take more than 80 % of the volume. When it is full, the server stops, and does not start again before there is room.",
    steps: &[
        "See which database and which table has grown: `kubectl exec <release>-<component>-0 --namespace <namespace> --container postgresql -- psql --username postgres --command '\\l+'`.",
        "Delete what is not needed and run `VACUUM`, or enlarge the volume (UPGRADING.md, “Larger volume”).",
    ],
    inhibits: &[],
};

const MISSING: Runbook = Runbook {
    name: "BackupMissing",
    severity: Severity::Critical,
    meaning: "Backups are switched on, and for half an hour there has been no backup at all.",
    steps: &[
        "See why the first one does not succeed: `kubectl get jobs,pods --namespace <namespace> --selector app.kubernetes.io/instance=<release>,app.kubernetes.io/name=<component>`. `kubectl describe` shows a pod that cannot start, and its log what fails.",
        "Mend the cause, and make a backup: BACKUP.md, “Back up now”.",
    ],
    inhibits: &[],
};

const OLD: Runbook = Runbook {
    name: "BackupTooOld",
    severity: Severity::Critical,
    meaning: "No backup has succeeded for `<component>.backup.maximumAgeHours`. What has been written since then would be lost with the volume.",
    steps: &[
        "See whether the backups ran: `kubectl get cronjobs,jobs --namespace <namespace> --selector app.kubernetes.io/instance=<release>`. A suspended CronJob makes none (`<component>.backup.suspend`).",
        "Read the log of the last one, and make one now: BACKUP.md, “Back up now”.",
    ],
    inhibits: &[],
};

const FAILED: Runbook = Runbook {
    name: "BackupFailed",
    severity: Severity::Warning,
    meaning: "The last backup of a database has failed. Older backups are intact.",
    steps: &[
        "Print the last results with the command in BACKUP.md, “Verify”; the log of the Job says why.",
        "Mend the cause, and make a backup: BACKUP.md, “Back up now”.",
    ],
    inhibits: &[],
};

const NOT_VERIFIED: Runbook = Runbook {
    name: "BackupNotVerified",
    severity: Severity::Critical,
    meaning: "The newest backup could not be restored into an empty server, its contents differ from what was backed up, or no verification has run for a day longer than `<component>.backup.maximumAgeHours`. Do not rely on the backup.",
    steps: &[
        "Print the last results with the command in BACKUP.md, “Verify”; the log of the Job says why.",
        "Make another backup and verify it: BACKUP.md, “Back up now” and “Verify”. If that fails, too, keep the older backups: raise `<component>.backup.retention`.",
    ],
    inhibits: &[],
};
