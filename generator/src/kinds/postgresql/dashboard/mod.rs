//! The dashboards of a database server. The metrics are those of `postgres_exporter` 0.19 with PostgreSQL 18.

mod backups;

use vocabulary::{Metric, MetricName, label};

use super::Grants;
use crate::dashboard::{Panel, Query, Row, Series, ServerDashboards, States, Unit};
use crate::graph::{Component, Edge, Graph, Server};

pub(super) struct Dashboards;

const NAME: &[MetricName] = &[label("datname")];
const DATABASE: &[MetricName] = &[label("datid"), label("datname")];
const SERVER: &[MetricName] = &[label("server")];
const SESSION: &[MetricName] = &[
    label("server"),
    label("datname"),
    label("state"),
    label("usename"),
    label("application_name"),
    label("backend_type"),
    label("wait_event_type"),
    label("wait_event"),
];

const UP: Metric = Metric::gauge("pg_up", "1 while the server answers its exporter, else 0.");
const READ_ERROR: Metric =
    Metric::gauge("pg_exporter_last_scrape_error", "1 if the exporter could not read everything at the last scrape.");
const COLLECTOR: Metric =
    Metric::gauge("pg_scrape_collector_success", "1 if a part of the exporter could read its statistics, else 0.")
        .labels(&[label("collector")]);
const SESSIONS: Metric = Metric::gauge("pg_stat_activity_count", "Connections by state.").labels(SESSION);
const LONGEST: Metric =
    Metric::gauge("pg_stat_activity_max_tx_duration", "Time since the oldest open transaction began.").labels(SESSION);
const MAX_CONNECTIONS: Metric =
    Metric::gauge("pg_settings_max_connections", "Connections that the server accepts.").labels(SERVER);
const SIZE: Metric = Metric::gauge("pg_database_size_bytes", "Size of a database on the volume.").labels(NAME);
const WAL: Metric =
    Metric::gauge("pg_wal_size_bytes", "Size of the write-ahead log, which is on the same volume as the databases.");
const LOCKS: Metric =
    Metric::gauge("pg_locks_count", "Locks that sessions hold.").labels(&[label("datname"), label("mode")]);
const BACKENDS: Metric = Metric::gauge("pg_stat_database_numbackends", "Connections to a database.").labels(DATABASE);
const COMMITS: Metric = of_database("pg_stat_database_xact_commit", "Transactions that were committed.");
const ROLLBACKS: Metric = of_database("pg_stat_database_xact_rollback", "Transactions that were rolled back.");
const DEADLOCKS: Metric =
    of_database("pg_stat_database_deadlocks", "Deadlocks, each of which ended with an error for one transaction.");
const HITS: Metric = of_database("pg_stat_database_blks_hit", "Blocks found in the server's cache.");
const READS: Metric = of_database("pg_stat_database_blks_read", "Blocks read from outside the server's cache.");
const RETURNED: Metric = of_database("pg_stat_database_tup_returned", "Rows that scans of tables and indexes read.");
const FETCHED: Metric = of_database("pg_stat_database_tup_fetched", "Rows that index scans fetched.");
const INSERTED: Metric = of_database("pg_stat_database_tup_inserted", "Rows that were inserted.");
const UPDATED: Metric = of_database("pg_stat_database_tup_updated", "Rows that were updated.");
const DELETED: Metric = of_database("pg_stat_database_tup_deleted", "Rows that were deleted.");
const TEMPORARY: Metric =
    of_database("pg_stat_database_temp_bytes", "Data that queries wrote to temporary files for lack of `work_mem`.");
const ACTIVE: Metric = of_database(
    "pg_stat_database_active_time_seconds_total",
    "Time that sessions spent with statements: 1 is one session that is always busy.",
);

/// A counter of `pg_stat_database`.
const fn of_database(name: &'static str, help: &'static str) -> Metric {
    Metric::counter(name, help).labels(DATABASE)
}

const METRICS: &[Metric] = &[
    UP,
    READ_ERROR,
    COLLECTOR,
    SESSIONS,
    LONGEST,
    MAX_CONNECTIONS,
    SIZE,
    WAL,
    LOCKS,
    BACKENDS,
    COMMITS,
    ROLLBACKS,
    DEADLOCKS,
    HITS,
    READS,
    RETURNED,
    FETCHED,
    INSERTED,
    UPDATED,
    DELETED,
    TEMPORARY,
    ACTIVE,
];

impl ServerDashboards for Dashboards {
    fn metrics(&self, server: &Component) -> Vec<Metric> {
        let of_backups = if has_backups(server) { backups::METRICS } else { &[] };
        METRICS.iter().chain(of_backups).copied().collect()
    }

    fn glance(&self, server: &Component) -> Vec<Panel> {
        let own = Series::of(server.name);
        let age = has_backups(server).then(|| backups::age(own).width(3));
        [up(own).width(3), connections(own).width(5), transactions(own, &[]).width(5)].into_iter().chain(age).collect()
    }

    fn rows(&self, _graph: &Graph, server: &Component) -> Vec<Row> {
        let own = Series::of(server.name);
        let row = |title: &str, panels| Row { title: title.to_owned(), panels };
        let rows = [row("Server", of_server(own)), row("Databases", of_databases(own))];
        rows.into_iter().chain(has_backups(server).then(|| row("Backups", backups::panels(own)))).collect()
    }

    fn client_rows(&self, edge: &Edge) -> Vec<Row> {
        let own = Series::of(edge.target);
        let grants: Option<&Grants> = edge.login.as_ref().and_then(|login| (&login.grants).try_into().ok());
        let row = |grants: &Grants| Row {
            title: format!("Database {} at {}, which {} owns", grants.database, edge.target, edge.client),
            panels: of_client(own, grants.database).into_iter().map(|panel| panel.width(8)).collect(),
        };
        grants.map(row).into_iter().collect()
    }
}

fn has_backups(server: &Component) -> bool {
    server.server().is_some_and(Server::has_backups)
}

/// Whether the server answers its exporter.
fn up(own: Series) -> Panel {
    let states = States::Words { one: "up", zero: "down" };
    let description = "Whether the server answers its exporter.";
    let query = Query::new(own.min(&UP), "server");
    Panel::stat("Server", description, Unit::Short, states, vec![query]).without_value("no target")
}

/// The connections of all databases against their limit.
fn connections(own: Series) -> Panel {
    let used = Query::new(own.sum(&SESSIONS, &[], &[]), "used");
    let limit = Query::new(own.max(&MAX_CONNECTIONS, &[], &[]), "limit");
    let description = "Connections of all databases, and the number that the server accepts.";
    Panel::lines("Connections", description, Unit::Short, vec![used, limit])
}

/// The transactions of all databases, or of one.
fn transactions(own: Series, database: &[(&str, &str)]) -> Panel {
    let rate = |metric: &Metric, title: &str| Query::new(own.rate(metric, database, &[]), title);
    let description = "Transactions per second that were committed and rolled back.";
    Panel::lines(
        "Transactions",
        description,
        Unit::PerSecond,
        vec![rate(&COMMITS, "committed"), rate(&ROLLBACKS, "rolled back")],
    )
}

/// Why a value other than that of [`up`] is missing.
const NOT_READ: &str = "not read";

fn of_server(own: Series) -> Vec<Panel> {
    let stat = |title: &str, help: &str, unit, states, expr| {
        let description = format!("{help} Not read while the exporter is off or the server is down.");
        Panel::stat(title, &description, unit, states, vec![Query::new(expr, title)]).without_value(NOT_READ)
    };
    let line = |title: &str, metric: &Metric, unit, expr, legend: &str| {
        Panel::lines(title, metric.help, unit, vec![Query::new(expr, legend)]).width(8)
    };
    let share = format!("{} / {}", own.sum(&SESSIONS, &[], &[]), own.max(&MAX_CONNECTIONS, &[], &[]));
    let longest = own.max(&LONGEST, &[], &[]);
    vec![
        up(own),
        stat("Connections in use", "Share of the accepted connections.", Unit::Share, States::Plain, share),
        stat("Oldest transaction", LONGEST.help, Unit::Seconds, States::Plain, longest),
        stat("Databases", "Size of all databases.", Unit::Bytes, States::Plain, own.sum(&SIZE, &[], &[])),
        stat("Write-ahead log", WAL.help, Unit::Bytes, States::Plain, own.max(&WAL, &[], &[])),
        Panel::stat(
            "Failed reads",
            READ_ERROR.help,
            Unit::Short,
            States::NoneIsGood,
            vec![Query::new(own.max(&READ_ERROR, &[], &[]), "failed")],
        )
        .without_value("no target"),
        connections(own).width(8),
        line("Connections by state", &SESSIONS, Unit::Short, own.sum(&SESSIONS, &[], &["state"]), "{{state}}"),
        line("Oldest transactions", &LONGEST, Unit::Seconds, own.max(&LONGEST, &[], &["state"]), "{{state}}"),
        line("Size of the write-ahead log", &WAL, Unit::Bytes, own.max(&WAL, &[], &[]), "log"),
        line("Locks", &LOCKS, Unit::Short, own.sum(&LOCKS, &[], &["mode"]), "{{mode}}"),
        line(
            "Parts that were read",
            &COLLECTOR,
            Unit::Short,
            own.max(&COLLECTOR, &[], &["collector"]),
            "{{collector}}",
        ),
    ]
}

fn of_databases(own: Series) -> Vec<Panel> {
    let by = &["datname"];
    let gauge = |title, metric: &Metric, unit| {
        let query = Query::new(own.max(metric, &[], by), "{{datname}}");
        Panel::lines(title, metric.help, unit, vec![query]).width(8)
    };
    let rate = |title, metric: &Metric, unit| {
        let query = Query::new(own.rate(metric, &[], by), "{{datname}}");
        Panel::lines(title, metric.help, unit, vec![query]).width(8)
    };
    let hits = Query::new(own.share([&HITS, &READS], &[], by), "{{datname}}");
    vec![
        gauge("Size", &SIZE, Unit::Bytes),
        gauge("Connections", &BACKENDS, Unit::Short),
        rate("Busy sessions", &ACTIVE, Unit::Short),
        rate("Commits", &COMMITS, Unit::PerSecond),
        rate("Rollbacks", &ROLLBACKS, Unit::PerSecond),
        rate("Deadlocks", &DEADLOCKS, Unit::PerSecond),
        rate("Rows scanned", &RETURNED, Unit::PerSecond),
        rate("Rows fetched by index", &FETCHED, Unit::PerSecond),
        rate("Rows inserted", &INSERTED, Unit::PerSecond),
        rate("Rows updated", &UPDATED, Unit::PerSecond),
        rate("Rows deleted", &DELETED, Unit::PerSecond),
        Panel::lines("Cache hits", CACHE_HITS, Unit::Share, vec![hits]).width(8),
        rate("Blocks read", &READS, Unit::PerSecond),
        rate("Temporary files", &TEMPORARY, Unit::BytesPerSecond),
    ]
}

const CACHE_HITS: &str = "Share of the blocks that were in the server's cache. The others come from the operating system's cache or from disk.";

/// The database of a client.
fn of_client(own: Series, database: &str) -> Vec<Panel> {
    let of_database = [("datname", database)];
    let rate = |metric: &Metric, title: &str| Query::new(own.rate(metric, &of_database, &[]), title);
    let rows = vec![
        rate(&RETURNED, "scanned"),
        rate(&FETCHED, "fetched by index"),
        rate(&INSERTED, "inserted"),
        rate(&UPDATED, "updated"),
        rate(&DELETED, "deleted"),
    ];
    let sessions = Query::new(own.sum(&SESSIONS, &of_database, &["state"]), "{{state}}");
    let hits = Query::new(own.share([&HITS, &READS], &of_database, &[]), "hits");
    vec![
        Panel::lines("Size", SIZE.help, Unit::Bytes, vec![Query::new(own.max(&SIZE, &of_database, &[]), "size")]),
        Panel::lines("Connections", SESSIONS.help, Unit::Short, vec![sessions]),
        transactions(own, &of_database),
        Panel::lines("Rows", "Rows per second, by what statements did with them.", Unit::PerSecond, rows),
        Panel::lines("Deadlocks", DEADLOCKS.help, Unit::PerSecond, vec![rate(&DEADLOCKS, "deadlocks")]),
        Panel::lines("Cache hits", CACHE_HITS, Unit::Share, vec![hits]),
    ]
}
