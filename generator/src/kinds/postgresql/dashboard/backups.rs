//! The results of backups and of their verification, which the exporter reads from their table.
//!
//! The table has one row for the last success and one for the last failure of each action and database. The query is in
//! `templates/addons/exporter/queries.yaml`. The row of a failure has the time of the attempt, and no size.

use vocabulary::{Metric, MetricName, label};

use crate::dashboard::{Panel, Query, Series, States, Unit};

const LABELS: &[MetricName] = &[label("server"), label("database"), label("action"), label("succeeded")];

const DATA: Metric = Metric::gauge("backup_data_timestamp_seconds", "The time of the data in a backup.").labels(LABELS);
const FINISHED: Metric =
    Metric::gauge("backup_finished_timestamp_seconds", "When a backup or its verification ended.").labels(LABELS);
const SIZE: Metric = Metric::gauge("backup_size_bytes", "Size of the newest backup of a database.").labels(LABELS);
const DURATION: Metric =
    Metric::gauge("backup_duration_seconds", "How long the last backup, or its verification, took.").labels(LABELS);

pub(super) const METRICS: &[Metric] = &[DATA, FINISHED, SIZE, DURATION];

const BACKUP: &str = "backup";
const VERIFICATION: &str = "verification";

/// The text of a panel without data: no backup has ended yet, or the exporter is off.
const NONE: &str = "none known";
const WHEN_NONE: &str = "None is known while the exporter or the backups are off, or the server is down.";

/// The age of the newest backup of each database.
pub(super) fn age(own: Series) -> Panel {
    stat("Newest backup", "Age of the data in the newest backup of a database.", Unit::Seconds, data_age(own, BACKUP))
}

pub(super) fn panels(own: Series) -> Vec<Panel> {
    let lines = |title, description, unit, queries| Panel::lines(title, description, unit, queries).width(8);
    let both = |metric: &Metric| {
        [(BACKUP, "{{database}}"), (VERIFICATION, "verification of {{database}}")]
            .map(|(action, legend)| Query::new(of(own, metric, action, true), legend))
            .into()
    };
    let ages = vec![
        Query::new(data_age(own, BACKUP), "{{database}}"),
        Query::new(data_age(own, VERIFICATION), "{{database}}, verified"),
    ];
    let sizes = vec![Query::new(of(own, &SIZE, BACKUP, true), "{{database}}")];
    let description = "Age of the data in the newest backup, and in the newest one that a verification restored.";
    vec![
        age(own),
        last_result(own, "Last backup", BACKUP),
        last_failure(own, "Last failed backup", BACKUP),
        stat(
            "Newest verified backup",
            "Age of the data in the newest backup that a verification restored.",
            Unit::Seconds,
            data_age(own, VERIFICATION),
        ),
        last_result(own, "Last verification", VERIFICATION),
        last_failure(own, "Last failed verification", VERIFICATION),
        lines("Age", description, Unit::Seconds, ages),
        lines("Size of backups", SIZE.help, Unit::Bytes, sizes),
        lines("Duration", DURATION.help, Unit::Seconds, both(&DURATION)),
    ]
}

/// A value of the last success, or of the last failure, by database.
fn of(own: Series, metric: &Metric, action: &str, succeeded: bool) -> String {
    let succeeded = if succeeded { "true" } else { "false" };
    own.max(metric, &[("action", action), ("succeeded", succeeded)], &["database"])
}

fn data_age(own: Series, action: &str) -> String {
    format!("time() - {}", of(own, &DATA, action, true))
}

fn stat(title: &str, description: &str, unit: Unit, expr: String) -> Panel {
    let query = Query::new(expr, "{{database}}");
    Panel::stat(title, &format!("{description} {WHEN_NONE}"), unit, States::Plain, vec![query]).without_value(NONE)
}

fn last_failure(own: Series, title: &str, action: &str) -> Panel {
    let expr = format!("time() - {}", of(own, &FINISHED, action, false));
    stat(title, "Time since the last failure. The log of its Job says why it failed.", Unit::Seconds, expr)
}

/// Of the two rows of an action, the newer one has the last result. Either of them can be missing.
fn last_result(own: Series, title: &str, action: &str) -> Panel {
    let [good, bad] = [true, false].map(|succeeded| of(own, &FINISHED, action, succeeded));
    let expr = format!("{good} >= bool {bad} or {good} ^ 0 or {bad} * 0");
    let states = States::Words { one: "succeeded", zero: "failed" };
    let description = format!("The result of the last attempt for each database. {WHEN_NONE}");
    Panel::stat(title, &description, Unit::Short, states, vec![Query::new(expr, "{{database}}")]).without_value(NONE)
}
