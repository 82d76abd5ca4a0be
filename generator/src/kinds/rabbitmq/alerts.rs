//! The alerts of a broker, from the queues that its clients declare. The metrics are those of RabbitMQ 4.3 at `/metrics/per-object`.

use std::collections::BTreeSet;

use vocabulary::Queue;

use super::rights::Grants;
use crate::alert::{Alert, Runbook, Severity, series};
use crate::graph::{Component, Graph};

pub(super) fn alerts(graph: &Graph, server: &Component) -> Vec<Alert> {
    let name = server.name;
    let of_queue = |metric: &str, queue: &str| series(metric, name, &[format!("queue=\"{queue}\"")]);
    let grants = graph.logins_at(name).filter_map(|(_, login)| (&login.grants).try_into().ok());
    let (mut all, mut consumed) = (BTreeSet::new(), BTreeSet::new());
    for grants in grants {
        let grants: &Grants = grants;
        all.extend(grants.queues.iter().copied());
        consumed.extend(grants.read.iter().copied());
    }
    let mut alerts: Vec<Alert> = [("free_disk_space", "disk"), ("memory_used", "memory")]
        .map(|(metric, what)| {
            let alarm = series(&format!("rabbitmq_alarms_{metric}_watermark"), name, &[]);
            let summary = format!("{name} has too little {what}, and blocks all publishers.");
            Alert::new(&BLOCKED, "1m", format!("{alarm} > 0"), summary).sample(&alarm, "1x60", "0x60")
        })
        .into();
    for queue in &consumed {
        let consumers = of_queue("rabbitmq_queue_consumers", queue);
        let alert = Alert::new(&NO_CONSUMER, "5m", format!("{consumers} == 0"), format!("Nobody consumes {queue}."));
        alerts.push(alert.label("queue", queue).sample(&consumers, "0x60", "1x60"));
        let ready = of_queue("rabbitmq_queue_messages_ready", queue);
        let expr = format!("{ready} > 100 and delta({ready}[10m]) > 0");
        let summary = format!("{queue} grows: {{{{ $value }}}} messages wait.");
        let alert = Alert::new(&BACKLOG, "10m", expr, summary).label("queue", queue);
        alerts.push(alert.sample(&ready, "200+10x60", "5x60"));
        let redelivered = of_queue("rabbitmq_queue_messages_redelivered_total", queue);
        let expr = format!("increase({redelivered}[5m]) > 100");
        let summary = format!("Messages in {queue} are delivered again and again.");
        let alert = Alert::new(&REDELIVERED, "5m", expr, summary).label("queue", queue);
        alerts.push(alert.sample(&redelivered, "0+50x60", "0x60"));
    }
    for queue in &all {
        let dead = format!("{queue}{}", Queue::DEAD_LETTERS);
        let messages = of_queue("rabbitmq_queue_messages", &dead);
        let summary = format!("{{{{ $value }}}} messages of {queue} could not be delivered, and lie in {dead}.");
        let alert = Alert::new(&DEAD_LETTERS, "0m", format!("{messages} > 0"), summary).label("queue", &dead);
        alerts.push(alert.sample(&messages, "3x60", "0x60"));
    }
    alerts
}

const BLOCKED: Runbook = Runbook {
    name: "BrokerBlocksPublishers",
    severity: Severity::Critical,
    meaning: "RabbitMQ accepts no message until it has memory and disk again. Publishers wait or lose messages.",
    steps: &[
        "`kubectl exec <release>-<component>-0 --namespace <namespace> -- rabbitmqctl list_queues name messages consumers`: a long queue without a consumer is the usual cause; mend the consumer.",
        "If the messages are worthless, `rabbitmqctl purge_queue <queue>`; otherwise raise `resources.limits.memory`, or the volume (UPGRADING.md, “Larger volume”).",
    ],
};

const NO_CONSUMER: Runbook = Runbook {
    name: "QueueWithoutConsumer",
    severity: Severity::Critical,
    meaning: "No program has consumed the queue for five minutes. Messages wait, and the broker rejects new ones when the queue is full.",
    steps: &[
        "Look at the service that consumes the queue (“Access” in README.md): its pods, its log, its alerts.",
        "If it runs and is connected elsewhere, restart it: `kubectl rollout restart deployment/<release>-<service>`.",
    ],
};

const BACKLOG: Runbook = Runbook {
    name: "QueueGrows",
    severity: Severity::Warning,
    meaning: "Messages arrive faster than they are consumed, so that results come late.",
    steps: &[
        "See whether the consumer is slow (its CPU limit, the database) or the publishers are many.",
        "Raise the consumer's replicas or resources.",
    ],
};

const REDELIVERED: Runbook = Runbook {
    name: "MessagesRedelivered",
    severity: Severity::Warning,
    meaning: "A consumer returns messages to the queue. If it always returns the same one, it does nothing else.",
    steps: &[
        "Read the consumer's log: it names what fails. If that is the database or another server, mend it.",
        "If one message is to blame, stop the consumer, take the message out (`rabbitmqadmin get`), and start the consumer again.",
    ],
};

const DEAD_LETTERS: Runbook = Runbook {
    name: "DeadLetters",
    severity: Severity::Warning,
    meaning: "Messages were rejected, or did not fit into their queue. They are kept, but nobody processes them.",
    steps: &[
        "Look at some of them: `rabbitmqadmin get messages --queue <queue> --count 5`.",
        "Move them back with a shovel when the cause is mended, or purge the queue; the alert ends when it is empty.",
    ],
};
