//! The alerts of a broker, from the queues that its clients declare. The metrics are those of RabbitMQ 4.3 at `/metrics/per-object`.

use std::collections::BTreeMap;

use vocabulary::Queue;

use super::Limits;
use super::rights::Grants;
use crate::alert::{Alert, Alerts, CONSUMERS, Each, QUEUE, QueueFacts, Runbook, Severity, series, word};
use crate::graph::{Component, Graph};

pub(super) fn alerts(graph: &Graph, server: &Component) -> Alerts {
    let name = server.name;
    let alarms = [("free_disk_space", "disk"), ("memory_used", "memory")].map(|(metric, what)| {
        let alarm = series(&format!("rabbitmq_alarms_{metric}_watermark"), &[]);
        let summary = format!("{name} has too little {what}, and blocks all publishers.");
        // Without this label, the two would be one alert for Alertmanager.
        let alert = Alert::new(&BLOCKED, "1m", format!("{alarm} > 0"), summary).label("resource", what);
        alert.sample(&alarm, "1x60", "0x60")
    });
    let of_queues = [no_consumer(), backlog(), redelivered(), full(name), dead_letters()];
    let mut queues: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    for (edge, login) in graph.logins_at(name) {
        let Ok(grants) = <&Grants>::try_from(&login.grants) else { continue };
        for queue in &grants.queues {
            queues.entry(queue).or_default().extend(grants.read.contains(queue).then_some(edge.client));
        }
    }
    Alerts {
        rules: alarms.into_iter().chain(of_queues).collect(),
        queues: queues.into_iter().map(|(name, consumers)| QueueFacts { name, consumers }).collect(),
    }
}

fn of_queue(metric: &str, queue: &str) -> String {
    series(metric, &[format!("queue=\"{queue}\"")])
}

fn no_consumer() -> Alert {
    let consumers = of_queue("rabbitmq_queue_consumers", QUEUE);
    let summary = format!("The queue {QUEUE} has no consumer. Expected: {CONSUMERS}.");
    let alert = Alert::new(&NO_CONSUMER, "5m", format!("{consumers} == 0"), summary);
    alert.each(Each::ConsumedQueue).sample(&consumers, "0x60", "1x60")
}

/// Counts the messages that a consumer has taken and not yet acknowledged, too.
fn backlog() -> Alert {
    let messages = of_queue("rabbitmq_queue_messages", QUEUE);
    let expr = format!("{messages} > {MANY_MESSAGES} and delta({messages}[10m]) > 0");
    let summary = format!("{QUEUE} grows: {{{{ $value }}}} messages wait for {CONSUMERS}.");
    Alert::new(&BACKLOG, "10m", expr, summary).each(Each::ConsumedQueue).sample(&messages, "200+10x60", "5x60")
}

fn redelivered() -> Alert {
    let redelivered = of_queue("rabbitmq_queue_messages_redelivered_total", QUEUE);
    let expr = format!("increase({redelivered}[5m]) > {MANY_MESSAGES}");
    let summary = format!("{CONSUMERS} returns messages to {QUEUE} again and again.");
    Alert::new(&REDELIVERED, "5m", expr, summary).each(Each::ConsumedQueue).sample(&redelivered, "0+50x60", "0x60")
}

/// The broker's limit counts the messages that wait for a consumer.
fn full(server: &'static str) -> Alert {
    let limit = word(server, "QUEUE_LENGTH");
    let ready = of_queue("rabbitmq_queue_messages_ready", QUEUE);
    let summary = format!("{QUEUE} is full or almost full: {{{{ $value }}}} messages wait.");
    let alert = Alert::new(&FULL, "1m", format!("{ready} >= 0.9 * {limit}"), summary).each(Each::Queue);
    let alert = alert.value(&limit, &[server, "limits", "queueLength"]);
    alert.sample(&ready, format!("0+10000x20 {}x60", Limits::MODEST.queue_length), "5x60")
}

fn dead_letters() -> Alert {
    let dead = format!("{QUEUE}{}", Queue::DEAD_LETTERS);
    let messages = of_queue("rabbitmq_queue_messages", &dead);
    let summary = format!("A consumer of {QUEUE} has rejected messages: {{{{ $value }}}} are in {dead}.");
    let alert = Alert::new(&DEAD_LETTERS, "0m", format!("{messages} > 0"), summary).each(Each::Queue);
    alert.sample(&messages, "3x60", "0x60")
}

/// More messages than a healthy queue holds, or than a healthy consumer returns in five minutes.
const MANY_MESSAGES: u32 = 100;

const BLOCKED: Runbook = Runbook {
    name: "BrokerBlocksPublishers",
    severity: Severity::Critical,
    meaning: "RabbitMQ accepts no message until it has memory and disk space again. Publishers wait or lose messages.",
    steps: &[
        "See which queue is long, and whether it has a consumer: `kubectl exec <release>-<component>-0 --namespace <namespace> --container rabbitmq -- rabbitmqctl list_queues name messages consumers`. A long queue without a consumer is the usual cause: fix the consumer.",
        "If its messages are worthless, delete them: `kubectl exec <release>-<component>-0 --namespace <namespace> --container rabbitmq -- rabbitmqctl purge_queue <queue>`. Otherwise raise `<component>.resources.limits.memory`, or enlarge the volume (UPGRADING.md, “Larger volume”).",
    ],
    inhibits: &[],
};

const NO_CONSUMER: Runbook = Runbook {
    name: "QueueWithoutConsumer",
    severity: Severity::Critical,
    meaning: "No program has consumed the queue for five minutes. Messages wait, and the broker rejects new ones when the queue is full.",
    steps: &[
        "The summary names the services that should consume the queue. Look at their pods, their logs and their alerts.",
        "If the pods are Ready and the log shows no error, restart the service: `kubectl rollout restart deployment/<release>-<service> --namespace <namespace>`.",
    ],
    inhibits: &["QueueGrows"],
};

const BACKLOG: Runbook = Runbook {
    name: "QueueGrows",
    severity: Severity::Warning,
    meaning: "Messages arrive faster than they are consumed, so results come late.",
    steps: &[
        "See whether the consumer is slow (its CPU limit, the database) or whether more is published than usual.",
        "Raise the consumer's replicas or resources.",
    ],
    inhibits: &[],
};

const FULL: Runbook = Runbook {
    name: "QueueFull",
    severity: Severity::Critical,
    meaning: "The queue has reached 90 % of `<component>.limits.queueLength`. The broker rejects messages beyond the limit, and publishers that do not use confirms lose them without noticing.",
    steps: &[
        "Fix the consumer first, as for [QueueWithoutConsumer](#queuewithoutconsumer) or [QueueGrows](#queuegrows).",
        "To gain time, raise `<component>.limits.queueLength` and upgrade; the broker needs disk space for the messages.",
    ],
    inhibits: &["QueueGrows"],
};

const REDELIVERED: Runbook = Runbook {
    name: "MessagesRedelivered",
    severity: Severity::Critical,
    meaning: "A consumer returns the same messages to the queue, and gets them again at once. What it should do with them is not done; other messages may still pass.",
    steps: &[
        "Read the consumer's log: it names what fails. If that is a server, fix it. If the server works again and the messages still return, restart the consumer: `kubectl rollout restart deployment/<release>-<service> --namespace <namespace>`.",
        "If one message is to blame, stop the consumer (`kubectl scale deployment/<release>-<service> --replicas=0 --namespace <namespace>`), find the message as for [DeadLetters](#deadletters), and remove it with `--ack-mode ack_requeue_false`, which removes what it prints. Then start the consumer again.",
    ],
    inhibits: &[],
};

const DEAD_LETTERS: Runbook = Runbook {
    name: "DeadLetters",
    severity: Severity::Warning,
    meaning: "A consumer has rejected messages that it cannot process. They stay in the queue until somebody removes them; when the queue is full, the broker drops the oldest.",
    steps: &[
        "Look at some of them, which leaves them in the queue: `kubectl exec <release>-<component>-0 --namespace <namespace> --container administrator -- sh -c 'RABBITMQADMIN_PASSWORD=$(cat /etc/credentials/administrator) rabbitmqadmin --username administrator get messages --queue <queue>.dead-letters --count 5 --ack-mode ack_requeue_true'`.",
        "Fix the publisher or the consumer. What must still be processed can be published again: in that command, `publish message --routing-key <queue> --payload '<payload>'`.",
        "Empty the queue, which ends the alert: `kubectl exec <release>-<component>-0 --namespace <namespace> --container rabbitmq -- rabbitmqctl purge_queue <queue>.dead-letters`.",
    ],
    inhibits: &[],
};
