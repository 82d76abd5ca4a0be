//! The dashboards of a cache. The metrics are those of `redis_exporter` 1.86 with Valkey, which keeps an append-only file.

use vocabulary::{Metric, MetricName, label};

use crate::dashboard::{Panel, Query, Row, Series, ServerDashboards, States, Unit};
use crate::graph::{Component, Edge, Graph};

pub(super) struct Dashboards;

const DATABASE: &[MetricName] = &[label("db")];
const COMMAND: &[MetricName] = &[label("cmd")];

const UP: Metric = Metric::gauge("redis_up", "1 while the server answers its exporter, else 0.");
const READ_ERROR: Metric = Metric::gauge(
    "redis_exporter_last_scrape_error",
    "1 if the exporter could not read the server at the last scrape.",
)
.labels(&[label("err")]);
const UPTIME: Metric = Metric::gauge("redis_uptime_in_seconds", "Time since the server started.");
const USED: Metric = Metric::gauge("redis_memory_used_bytes", "Memory that the server has allocated.");
const RESIDENT: Metric = Metric::gauge(
    "redis_memory_used_rss_bytes",
    "Memory that the server takes from its container. At the container's limit, the kernel ends the server.",
);
const MAX_MEMORY: Metric =
    Metric::gauge("redis_memory_max_bytes", "Memory from which on the server evicts keys, 0 if it never does.");
const FRAGMENTATION: Metric = Metric::gauge(
    "redis_mem_fragmentation_ratio",
    "Resident memory in relation to allocated memory. It is large while the cache is almost empty.",
);
const KEYS: Metric = Metric::gauge("redis_db_keys", "Keys of a database.").labels(DATABASE);
const EXPIRING: Metric = Metric::gauge("redis_db_keys_expiring", "Keys with a time to live.").labels(DATABASE);
const HITS: Metric = Metric::counter("redis_keyspace_hits_total", "Reads of a key that existed.");
const MISSES: Metric = Metric::counter("redis_keyspace_misses_total", "Reads of a key that did not exist.");
const EVICTED: Metric = Metric::counter("redis_evicted_keys_total", "Keys that were removed for lack of memory.");
const EXPIRED: Metric = Metric::counter("redis_expired_keys_total", "Keys whose time to live has ended.");
const PROCESSED: Metric = Metric::counter("redis_commands_processed_total", "Commands that the server processed.");
const CALLS: Metric = Metric::counter("redis_commands_total", "Calls of a command.").labels(COMMAND);
const TIME: Metric = Metric::counter(
    "redis_commands_duration_seconds_total",
    "Time spent with a command. The server runs one command at a time, so 100 % is all that it can do.",
)
.labels(COMMAND);
const FAILED: Metric =
    Metric::counter("redis_commands_failed_calls_total", "Calls that failed while they ran.").labels(COMMAND);
const REJECTED_CALLS: Metric = Metric::counter(
    "redis_commands_rejected_calls_total",
    "Calls that were refused before they ran, for example without the right to run the command.",
)
.labels(COMMAND);
const CLIENTS: Metric = Metric::gauge("redis_connected_clients", "Open connections.");
const BLOCKED: Metric = Metric::gauge("redis_blocked_clients", "Connections that wait in a blocking command.");
const MAX_CLIENTS: Metric = Metric::gauge("redis_max_clients", "Connections that the server accepts.");
const ACCEPTED: Metric = Metric::counter("redis_connections_received_total", "Connections that were accepted.");
const REFUSED: Metric =
    Metric::counter("redis_rejected_connections_total", "Connections that were refused, because all were in use.");
const RECEIVED: Metric = Metric::counter("redis_net_input_bytes_total", "Data received from clients.");
const SENT: Metric = Metric::counter("redis_net_output_bytes_total", "Data sent to clients.");
const DENIED_LOGIN: Metric = Metric::counter("redis_acl_access_denied_auth_total", "Logins that were refused.");
const DENIED_COMMAND: Metric =
    Metric::counter("redis_acl_access_denied_cmd_total", "Commands that the user has no right to run.");
const DENIED_KEY: Metric =
    Metric::counter("redis_acl_access_denied_key_total", "Commands for a key to which the user has no right.");
const WRITTEN: Metric =
    Metric::gauge("redis_aof_last_write_status", "1 if the last write to the file succeeded, else 0.");
const REWRITTEN: Metric =
    Metric::gauge("redis_aof_last_bgrewrite_status", "1 if the file was last shortened with success, else 0.");
const FILE: Metric = Metric::gauge("redis_aof_current_size_bytes", "Size of the append-only file on the volume.");

impl ServerDashboards for Dashboards {
    fn metrics(&self, _server: &Component) -> Vec<Metric> {
        vec![
            UP,
            READ_ERROR,
            UPTIME,
            USED,
            RESIDENT,
            MAX_MEMORY,
            FRAGMENTATION,
            KEYS,
            EXPIRING,
            HITS,
            MISSES,
            EVICTED,
            EXPIRED,
            PROCESSED,
            CALLS,
            TIME,
            FAILED,
            REJECTED_CALLS,
            CLIENTS,
            BLOCKED,
            MAX_CLIENTS,
            ACCEPTED,
            REFUSED,
            RECEIVED,
            SENT,
            DENIED_LOGIN,
            DENIED_COMMAND,
            DENIED_KEY,
            WRITTEN,
            REWRITTEN,
            FILE,
        ]
    }

    fn glance(&self, server: &Component) -> Vec<Panel> {
        let own = Series::of(server.name);
        vec![up(own).width(3), memory(own).width(5), keys(own).width(5), reads(own).width(5)]
    }

    fn rows(&self, _graph: &Graph, server: &Component) -> Vec<Row> {
        let own = Series::of(server.name);
        let row = |title: &str, panels| Row { title: title.to_owned(), panels };
        vec![
            row("Server", of_server(own)),
            row("Keys", of_keys(own)),
            row("Commands", of_commands(own)),
            row("Connections", of_connections(own)),
        ]
    }

    /// The server counts nothing by client, so these are the numbers of all clients.
    fn client_rows(&self, edge: &Edge) -> Vec<Row> {
        let own = Series::of(edge.target);
        let commands = vec![rate(own, &PROCESSED, "commands")];
        let panels = [
            memory(own),
            keys(own),
            reads(own),
            removed(own),
            Panel::lines("Commands", PROCESSED.help, Unit::PerSecond, commands),
            clients(own),
        ];
        vec![Row {
            title: format!("Cache {} with all its clients, one of which is {}", edge.target, edge.client),
            panels: panels.into_iter().map(|panel| panel.width(8)).collect(),
        }]
    }
}

fn value(own: Series, metric: &Metric, title: &str) -> Query {
    Query::new(own.max(metric, &[], &[]), title)
}

fn rate(own: Series, metric: &Metric, title: &str) -> Query {
    Query::new(own.rate(metric, &[], &[]), title)
}

/// Whether the server answers its exporter.
fn up(own: Series) -> Panel {
    let states = States::Words { one: "up", zero: "down" };
    let description = "Whether the server answers its exporter.";
    let query = Query::new(own.min(&UP), "server");
    Panel::stat("Server", description, Unit::Short, states, vec![query]).without_value("no target")
}

fn memory(own: Series) -> Panel {
    let description = format!("{} {} {}", RESIDENT.help, USED.help, MAX_MEMORY.help);
    let queries =
        vec![value(own, &RESIDENT, "resident"), value(own, &USED, "allocated"), value(own, &MAX_MEMORY, "maximum")];
    Panel::lines("Memory", &description, Unit::Bytes, queries)
}

fn keys(own: Series) -> Panel {
    let sum = |metric: &Metric, title: &str| Query::new(own.sum(metric, &[], &[]), title);
    let description = "All keys, and those with a time to live.";
    Panel::lines("Keys", description, Unit::Short, vec![sum(&KEYS, "all"), sum(&EXPIRING, "with a time to live")])
}

fn reads(own: Series) -> Panel {
    let description = "Reads per second of keys that existed (hits) and of others (misses).";
    Panel::lines("Reads", description, Unit::PerSecond, vec![rate(own, &HITS, "hits"), rate(own, &MISSES, "misses")])
}

fn removed(own: Series) -> Panel {
    let description = "Keys per second that were evicted for lack of memory, or whose time to live has ended.";
    let queries = vec![rate(own, &EVICTED, "evicted"), rate(own, &EXPIRED, "expired")];
    Panel::lines("Removed keys", description, Unit::PerSecond, queries)
}

fn clients(own: Series) -> Panel {
    let description = "Open connections. A blocked one waits in a blocking command.";
    let queries = vec![value(own, &CLIENTS, "open"), value(own, &BLOCKED, "blocked")];
    Panel::lines("Clients", description, Unit::Short, queries)
}

fn of_server(own: Series) -> Vec<Panel> {
    let stat = |title: &str, help: &str, unit, states, queries| {
        let description = format!("{help} Not read while the exporter is off or the server is down.");
        Panel::stat(title, &description, unit, states, queries).without_value("not read")
    };
    let share = format!("{} / {}", own.max(&CLIENTS, &[], &[]), own.max(&MAX_CLIENTS, &[], &[]));
    let file = vec![Query::new(own.min(&WRITTEN), "write"), Query::new(own.min(&REWRITTEN), "rewrite")];
    let states = States::Words { one: "ok", zero: "failed" };
    let help = "Whether the server could last write to its append-only file, and could last shorten it.";
    vec![
        up(own),
        Panel::stat(
            "Failed reads",
            READ_ERROR.help,
            Unit::Short,
            States::NoneIsGood,
            vec![value(own, &READ_ERROR, "failed")],
        )
        .without_value("no target"),
        stat("Uptime", UPTIME.help, Unit::Seconds, States::Plain, vec![value(own, &UPTIME, "uptime")]),
        stat("Append-only file", help, Unit::Short, states, file),
        stat(
            "Connections in use",
            "Share of the accepted connections.",
            Unit::Share,
            States::Plain,
            vec![Query::new(share, "in use")],
        ),
        memory(own).width(8),
        Panel::lines("Fragmentation", FRAGMENTATION.help, Unit::Short, vec![value(own, &FRAGMENTATION, "ratio")])
            .width(8),
        Panel::lines("Size of the append-only file", FILE.help, Unit::Bytes, vec![value(own, &FILE, "file")]).width(8),
    ]
}

fn of_keys(own: Series) -> Vec<Panel> {
    let hits = Query::new(own.share([&HITS, &MISSES], &[], &[]), "hits");
    vec![
        keys(own).width(6),
        reads(own).width(6),
        Panel::lines("Hits", "Share of the reads whose key existed.", Unit::Share, vec![hits]).width(6),
        removed(own).width(6),
    ]
}

fn of_commands(own: Series) -> Vec<Panel> {
    let by_command = |title: &str, metric: &Metric, unit| {
        let query = Query::new(own.largest_rates(metric, "cmd"), "{{cmd}}");
        Panel::lines(title, metric.help, unit, vec![query])
    };
    vec![
        Panel::lines("Commands", PROCESSED.help, Unit::PerSecond, vec![rate(own, &PROCESSED, "commands")]).width(8),
        by_command("Most frequent commands", &CALLS, Unit::PerSecond).width(8),
        by_command("Commands that take most time", &TIME, Unit::Share).width(8),
        by_command("Failed commands", &FAILED, Unit::PerSecond),
        by_command("Rejected commands", &REJECTED_CALLS, Unit::PerSecond),
    ]
}

fn of_connections(own: Series) -> Vec<Panel> {
    let opened = vec![rate(own, &ACCEPTED, "accepted"), rate(own, &REFUSED, "refused")];
    let denied =
        vec![rate(own, &DENIED_LOGIN, "login"), rate(own, &DENIED_COMMAND, "command"), rate(own, &DENIED_KEY, "key")];
    let network = vec![rate(own, &RECEIVED, "received"), rate(own, &SENT, "sent")];
    let description = "Connections per second that the server accepted, and that it refused, because all were in use.";
    let of_denied = "Logins per second that failed, and commands that the rights of their user refused.";
    let panels = [
        clients(own),
        Panel::lines("Connections opened", description, Unit::PerSecond, opened),
        Panel::lines("Denied", of_denied, Unit::PerSecond, denied),
        Panel::lines("Network", "Data that the server exchanges with its clients.", Unit::BytesPerSecond, network),
    ];
    panels.into_iter().map(|panel| panel.width(6)).collect()
}
