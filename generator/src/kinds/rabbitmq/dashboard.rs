//! The dashboards of a broker. The metrics are those of RabbitMQ 4.3 at `/metrics/per-object`; the series of a queue exist from its declaration on.

use vocabulary::{Metric, MetricName, Queue, label};

use super::rights::Grants;
use crate::dashboard::{Panel, Query, Row, Series, ServerDashboards, States, Unit};
use crate::graph::{Component, Edge, Graph};

pub(super) struct Dashboards;

const QUEUE: &[MetricName] = &[label("vhost"), label("queue")];
const EXCHANGE: &[MetricName] = &[label("vhost"), label("exchange")];
const DEAD_LETTER: &[MetricName] = &[label("queue_type"), label("dead_letter_strategy")];

const READY: Metric =
    Metric::gauge("rabbitmq_queue_messages_ready", "Messages that wait for a consumer.").labels(QUEUE);
const UNACKNOWLEDGED: Metric =
    Metric::gauge("rabbitmq_queue_messages_unacked", "Messages that a consumer has taken and not yet acknowledged.")
        .labels(QUEUE);
const MESSAGES: Metric =
    Metric::gauge("rabbitmq_queue_messages", "Messages in the queue, ready and unacknowledged.").labels(QUEUE);
const MESSAGE_BYTES: Metric =
    Metric::gauge("rabbitmq_queue_messages_bytes", "Size of the bodies of all messages in the queue.").labels(QUEUE);
const QUEUE_CONSUMERS: Metric = Metric::gauge("rabbitmq_queue_consumers", "Consumers of the queue.").labels(QUEUE);
const CAPACITY: Metric = Metric::gauge(
    "rabbitmq_queue_consumer_capacity",
    "Share of the time in which the queue can deliver at once. Below 1, more or faster consumers would help.",
)
.labels(QUEUE);
const PUBLISHED: Metric = Metric::counter(
    "rabbitmq_queue_exchange_messages_published_total",
    "Messages that an exchange put into the queue.",
)
.labels(&[label("vhost"), label("exchange"), label("queue")]);
const DELIVERED: Metric = Metric::counter(
    "rabbitmq_queue_messages_delivered_total",
    "Messages delivered to consumers that do not acknowledge.",
)
.labels(QUEUE);
const DELIVERED_ACK: Metric =
    Metric::counter("rabbitmq_queue_messages_delivered_ack_total", "Messages delivered to consumers that acknowledge.")
        .labels(QUEUE);
const ACKNOWLEDGED: Metric =
    Metric::counter("rabbitmq_queue_messages_acked_total", "Messages that consumers acknowledged.").labels(QUEUE);
const REDELIVERED: Metric = Metric::counter(
    "rabbitmq_queue_messages_redelivered_total",
    "Messages delivered again, because a consumer returned them or lost its connection.",
)
.labels(QUEUE);
const RETURNED: Metric = Metric::counter(
    "rabbitmq_exchange_messages_unroutable_returned_total",
    "Messages that no queue took and that were returned to the publisher.",
)
.labels(EXCHANGE);
const DROPPED: Metric = Metric::counter(
    "rabbitmq_exchange_messages_unroutable_dropped_total",
    "Messages that no queue took and that were lost.",
)
.labels(EXCHANGE);
const DEAD_REJECTED: Metric = Metric::counter(
    "rabbitmq_global_messages_dead_lettered_rejected_total",
    "Messages dead-lettered since a consumer rejected them.",
)
.labels(DEAD_LETTER);
const DEAD_MAX_LENGTH: Metric = Metric::counter(
    "rabbitmq_global_messages_dead_lettered_maxlen_total",
    "Messages dead-lettered since their queue was full.",
)
.labels(DEAD_LETTER);
const MEMORY_ALARM: Metric =
    Metric::gauge("rabbitmq_alarms_memory_used_watermark", "1 while the broker blocks publishers for lack of memory.");
const DISK_ALARM: Metric = Metric::gauge(
    "rabbitmq_alarms_free_disk_space_watermark",
    "1 while the broker blocks publishers for lack of disk space.",
);
const UPTIME: Metric = Metric::gauge("rabbitmq_erlang_uptime_seconds", "Time since the broker started.");
const MEMORY: Metric = Metric::gauge("rabbitmq_process_resident_memory_bytes", "Memory that the broker uses.");
const MEMORY_LIMIT: Metric =
    Metric::gauge("rabbitmq_resident_memory_limit_bytes", "Memory from which on the broker blocks publishers.");
const DISK: Metric = Metric::gauge("rabbitmq_disk_space_available_bytes", "Free disk space.");
const DISK_LIMIT: Metric = Metric::gauge(
    "rabbitmq_disk_space_available_limit_bytes",
    "Free disk space below which the broker blocks publishers.",
);
const FILES: Metric = Metric::gauge("rabbitmq_process_open_fds", "Open file descriptors, connections included.");
const FILES_LIMIT: Metric = Metric::gauge("rabbitmq_process_max_fds", "Limit of open file descriptors.");
const PROCESSES: Metric = Metric::gauge("rabbitmq_erlang_processes_used", "Erlang processes.");
const RUN_QUEUE: Metric =
    Metric::gauge("rabbitmq_erlang_scheduler_run_queue", "Erlang processes that wait for a processor.");
const CONNECTIONS: Metric = Metric::gauge("rabbitmq_connections", "Open connections.");
const CHANNELS: Metric = Metric::gauge("rabbitmq_channels", "Open channels.");
const CONSUMERS: Metric = Metric::gauge("rabbitmq_consumers", "Consumers of all queues.");
const OPENED: Metric = Metric::counter("rabbitmq_connections_opened_total", "Connections that were opened.");
const CLOSED: Metric = Metric::counter("rabbitmq_connections_closed_total", "Connections that were closed.");
const REFUSED: Metric =
    Metric::counter("rabbitmq_auth_attempts_failed_total", "Logins that were refused.").labels(&[label("protocol")]);

impl ServerDashboards for Dashboards {
    fn metrics(&self, _server: &Component) -> Vec<Metric> {
        vec![
            READY,
            UNACKNOWLEDGED,
            MESSAGES,
            MESSAGE_BYTES,
            QUEUE_CONSUMERS,
            CAPACITY,
            PUBLISHED,
            DELIVERED,
            DELIVERED_ACK,
            ACKNOWLEDGED,
            REDELIVERED,
            RETURNED,
            DROPPED,
            DEAD_REJECTED,
            DEAD_MAX_LENGTH,
            MEMORY_ALARM,
            DISK_ALARM,
            UPTIME,
            MEMORY,
            MEMORY_LIMIT,
            DISK,
            DISK_LIMIT,
            FILES,
            FILES_LIMIT,
            PROCESSES,
            RUN_QUEUE,
            CONNECTIONS,
            CHANNELS,
            CONSUMERS,
            OPENED,
            CLOSED,
            REFUSED,
        ]
    }

    fn glance(&self, server: &Component) -> Vec<Panel> {
        let own = Series::of(server.name);
        let messages = Query::new(own.sum(&MESSAGES, &[], &["queue"]), "{{queue}}");
        vec![alarms(own), Panel::lines("Messages", MESSAGES.help, Unit::Short, vec![messages]).width(8)]
    }

    fn rows(&self, _graph: &Graph, server: &Component) -> Vec<Row> {
        let own = Series::of(server.name);
        let row = |title: &str, panels| Row { title: title.to_owned(), panels };
        vec![
            row("Broker", broker(own)),
            row("Queues", queues(own)),
            row("Connections", connections(own)),
            row("Messages that reached no consumer", lost(own)),
        ]
    }

    fn client_rows(&self, edge: &Edge) -> Vec<Row> {
        let own = Series::of(edge.target);
        let Some(grants) = grants(edge) else { return Vec::new() };
        let mut queues = grants.queues.clone();
        queues.dedup();
        let row = |queue: &str| {
            let consumes = if grants.read.contains(&queue) { "consumes" } else { "publishes to" };
            Row {
                title: format!("Queue {queue} at {}, which {} {consumes}", edge.target, edge.client),
                panels: of_queue(own, queue).into_iter().map(|panel| panel.width(6)).collect(),
            }
        };
        queues.into_iter().map(row).collect()
    }

    fn backlog(&self, edge: &Edge) -> Option<Panel> {
        let own = Series::of(edge.target);
        let consumed = &grants(edge)?.read;
        let query = |queue: &&str| Query::new(own.sum(&MESSAGES, &[("queue", queue)], &["queue"]), "{{queue}}");
        let queries: Vec<_> = consumed.iter().map(query).collect();
        (!queries.is_empty()).then(|| Panel::lines("Backlog", MESSAGES.help, Unit::Short, queries))
    }
}

fn grants(edge: &Edge) -> Option<&Grants> {
    edge.login.as_ref().and_then(|login| (&login.grants).try_into().ok())
}

/// The panels of one queue: its messages, the dead letters, its consumers and the flow.
fn of_queue(own: Series, queue: &str) -> [Panel; 4] {
    let of_queue = [("queue", queue)];
    let dead_letters = format!("{queue}{}", Queue::DEAD_LETTERS);
    let of_dead_letters = [("queue", dead_letters.as_str())];
    let value = |metric: &Metric, title: &str| Query::new(own.sum(metric, &of_queue, &[]), title);
    let rate = |metric: &Metric, title: &str| Query::new(own.rate(metric, &of_queue, &[]), title);
    let both = format!("{} + {}", own.rate(&DELIVERED, &of_queue, &[]), own.rate(&DELIVERED_ACK, &of_queue, &[]));
    [
        Panel::lines(
            "Messages",
            "Ready messages wait for a consumer; a consumer has taken the unacknowledged ones. Dead letters are rejected messages.",
            Unit::Short,
            vec![
                value(&READY, "ready"),
                value(&UNACKNOWLEDGED, "unacknowledged"),
                Query::new(own.sum(&MESSAGES, &of_dead_letters, &[]), "dead letters"),
            ],
        ),
        Panel::lines(
            "Rates",
            "Messages per second. A published message is one that an exchange put into the queue.",
            Unit::MessagesPerSecond,
            vec![rate(&PUBLISHED, "published"), Query::new(both, "delivered"), rate(&ACKNOWLEDGED, "acknowledged")],
        ),
        Panel::lines("Redelivered", REDELIVERED.help, Unit::MessagesPerSecond, vec![rate(&REDELIVERED, "redelivered")]),
        Panel::lines("Consumers", QUEUE_CONSUMERS.help, Unit::Short, vec![value(&QUEUE_CONSUMERS, "consumers")]),
    ]
}

fn alarms(own: Series) -> Panel {
    let alarm = |metric: &Metric, title: &str| Query::new(own.sum(metric, &[], &[]), title);
    let states = States::NoneIsGood;
    let description = "1 while the broker blocks all publishers for lack of memory or disk space.";
    Panel::stat(
        "Alarms",
        description,
        Unit::Short,
        states,
        vec![alarm(&MEMORY_ALARM, "memory"), alarm(&DISK_ALARM, "disk")],
    )
}

fn broker(own: Series) -> Vec<Panel> {
    let value = |metric: &Metric, title: &str| Query::new(own.sum(metric, &[], &[]), title);
    let against = |title, used: &Metric, limit: &Metric, unit| {
        let description = format!("{} {}", used.help, limit.help);
        Panel::lines(title, &description, unit, vec![value(used, "used"), value(limit, "limit")]).width(8)
    };
    let disk = vec![value(&DISK, "free"), value(&DISK_LIMIT, "limit")];
    let stat =
        |title, metric: &Metric, unit| Panel::stat(title, metric.help, unit, States::Plain, vec![value(metric, title)]);
    vec![
        alarms(own),
        stat("Uptime", &UPTIME, Unit::Seconds),
        stat("Connections", &CONNECTIONS, Unit::Short),
        stat("Channels", &CHANNELS, Unit::Short),
        stat("Consumers", &CONSUMERS, Unit::Short),
        against("Memory", &MEMORY, &MEMORY_LIMIT, Unit::Bytes),
        Panel::lines("Disk space", &format!("{} {}", DISK.help, DISK_LIMIT.help), Unit::Bytes, disk).width(8),
        against("File descriptors", &FILES, &FILES_LIMIT, Unit::Short),
        Panel::lines("Erlang processes", PROCESSES.help, Unit::Short, vec![value(&PROCESSES, "processes")]),
        Panel::lines("Run queue", RUN_QUEUE.help, Unit::Short, vec![value(&RUN_QUEUE, "waiting")]),
    ]
}

fn queues(own: Series) -> Vec<Panel> {
    let by_queue = |title, metric: &Metric, unit| {
        let query = Query::new(own.sum(metric, &[], &["queue"]), "{{queue}}");
        Panel::lines(title, metric.help, unit, vec![query]).width(8)
    };
    let rate = |title, metric: &Metric| {
        let query = Query::new(own.rate(metric, &[], &["queue"]), "{{queue}}");
        Panel::lines(title, metric.help, Unit::MessagesPerSecond, vec![query]).width(8)
    };
    vec![
        by_queue("Messages", &MESSAGES, Unit::Short),
        by_queue("Ready", &READY, Unit::Short),
        by_queue("Unacknowledged", &UNACKNOWLEDGED, Unit::Short),
        by_queue("Size", &MESSAGE_BYTES, Unit::Bytes),
        by_queue("Consumers", &QUEUE_CONSUMERS, Unit::Short),
        by_queue("Consumer capacity", &CAPACITY, Unit::Share),
        rate("Published", &PUBLISHED),
        rate("Delivered, to be acknowledged", &DELIVERED_ACK),
        rate("Delivered without acknowledgement", &DELIVERED),
        rate("Acknowledged", &ACKNOWLEDGED),
        rate("Redelivered", &REDELIVERED),
    ]
}

fn connections(own: Series) -> Vec<Panel> {
    let rate = |metric: &Metric, title: &str| Query::new(own.rate(metric, &[], &[]), title);
    let description = "Many connections in both directions mean that a program connects for each message, or that a proxy cuts connections.";
    let churn = vec![rate(&OPENED, "opened"), rate(&CLOSED, "closed")];
    let refused = Query::new(own.rate(&REFUSED, &[], &["protocol"]), "{{protocol}}");
    vec![
        Panel::lines("Connections opened and closed", description, Unit::PerSecond, churn),
        Panel::lines("Refused logins", REFUSED.help, Unit::PerSecond, vec![refused]),
    ]
}

fn lost(own: Series) -> Vec<Panel> {
    let by = |metric: &Metric, label: &str, word: &str| {
        Query::new(own.rate(metric, &[], &[label]), &format!("{{{{{label}}}}} {word}"))
    };
    vec![
        Panel::lines(
            "Unroutable",
            "Messages per second that no queue took, by exchange. The default exchange has an empty name.",
            Unit::MessagesPerSecond,
            vec![by(&RETURNED, "exchange", "returned"), by(&DROPPED, "exchange", "dropped")],
        ),
        Panel::lines(
            "Dead letters",
            "Messages per second that a consumer rejected, or that a full queue let go.",
            Unit::MessagesPerSecond,
            vec![by(&DEAD_REJECTED, "queue_type", "rejected"), by(&DEAD_MAX_LENGTH, "queue_type", "queue full")],
        ),
    ]
}
