//! Checks of queues and exchanges.

use std::collections::BTreeMap;

use super::{Exchange, Queue, QueueUse, queue_uses};
use crate::diagnostic::{codes, repeated};
use crate::resolve::line;
use crate::{BackingName, Diagnostic, Platform, ServiceName, SourceLocation};

codes! {
    /// A queue that services publish to and no service consumes.
    QueueNeverConsumed,
    /// A queue that services consume and no service publishes to.
    QueueNeverPublished,
    /// A use of a queue that a service lists several times.
    DuplicateQueueUse,
    /// A queue with the name of a dead-letter queue.
    DeadLetterName,
    /// A queue and an exchange of one name.
    QueueNamedAsExchange,
}

pub(super) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let mut queues: BTreeMap<(BackingName, &str), QueueFacts> = BTreeMap::new();
    let mut exchanges: BTreeMap<(BackingName, &str), &Exchange> = BTreeMap::new();
    for (service, client, queue_use) in queue_uses(platform) {
        let queue = queue_use.queue();
        let facts = queues.entry((queue.broker, queue.name.as_str())).or_insert_with(|| QueueFacts::new(queue));
        facts.is_consumed_externally |= queue.consumed_externally.is_some();
        facts.is_published_externally |= queue.published_externally.is_some();
        let user = (service.name, client.client.location);
        match queue_use {
            QueueUse::Consumes { .. } => facts.consumers.push(user),
            QueueUse::Publishes { exchange, .. } => {
                facts.publishers.push(user);
                if let Some((exchange, _)) = exchange {
                    exchanges.insert((exchange.broker, exchange.name.as_str()), exchange);
                }
            }
        }
    }
    for (key, facts) in &queues {
        texts(facts.queue, diagnostics);
        uses(facts, diagnostics);
        name(facts.queue, exchanges.get(key).copied(), diagnostics);
    }
}

/// A queue with all its uses.
struct QueueFacts {
    queue: &'static Queue,
    consumers: Vec<(ServiceName, SourceLocation)>,
    publishers: Vec<(ServiceName, SourceLocation)>,
    is_consumed_externally: bool,
    is_published_externally: bool,
}

impl QueueFacts {
    const fn new(queue: &'static Queue) -> Self {
        Self {
            queue,
            consumers: Vec::new(),
            publishers: Vec::new(),
            is_consumed_externally: false,
            is_published_externally: false,
        }
    }
}

fn texts(queue: &Queue, diagnostics: &mut Vec<Diagnostic>) {
    for (does, text) in [("publishes to", queue.published_externally), ("consumes", queue.consumed_externally)] {
        let Some(text) = text else { continue };
        line(
            &format!("the text that says who {does} queue `{}` externally", queue.name),
            text,
            queue.location,
            diagnostics,
        );
    }
}

fn uses(facts: &QueueFacts, diagnostics: &mut Vec<Diagnostic>) {
    let QueueFacts { queue, consumers, publishers, .. } = facts;
    let name = queue.name;
    if consumers.is_empty() && !facts.is_consumed_externally {
        diagnostics.push(
            Diagnostic::new(Code::QueueNeverConsumed, format!("queue `{name}` is published to, but never consumed"))
                .at_each(publishers.iter().map(|(service, location)| (format!("published to by {service}"), *location)))
                .at("the queue", queue.location)
                .help("let a service consume it (`consumes(…)`), or name its external consumer: `.consumed_externally(\"by whom\")`"),
        );
    }
    if publishers.is_empty() && !facts.is_published_externally {
        diagnostics.push(
            Diagnostic::new(Code::QueueNeverPublished, format!("queue `{name}` is consumed, but never published to"))
                .at_each(consumers.iter().map(|(service, location)| (format!("consumed by {service}"), *location)))
                .at("the queue", queue.location)
                .help("let a service publish to it (`publishes(…)`), or name its external publisher: `.published_externally(\"by whom\")`"),
        );
    }
    for (does, users) in [("consumes", consumers), ("publishes to", publishers)] {
        for (service, locations) in repeated(users.iter().copied()) {
            diagnostics.push(
                Diagnostic::new(Code::DuplicateQueueUse, format!("{service} {does} queue `{name}` more than once"))
                    .at_each(locations.into_iter().map(|location| ("the client", location)))
                    .help("list this use once"),
            );
        }
    }
}

fn name(queue: &Queue, exchange: Option<&Exchange>, diagnostics: &mut Vec<Diagnostic>) {
    let name = queue.name;
    if name.as_str().ends_with(Queue::DEAD_LETTERS) {
        diagnostics.push(
            Diagnostic::new(Code::DeadLetterName, format!("queue `{name}` has the name of a dead-letter queue"))
                .at("the queue", queue.location)
                .help(format!(
                    "each queue has a dead-letter queue named `<queue>{}`: choose a name that ends otherwise",
                    Queue::DEAD_LETTERS
                )),
        );
    }
    if let Some(exchange) = exchange {
        diagnostics.push(
            Diagnostic::new(
                Code::QueueNamedAsExchange,
                format!("a queue and an exchange of {} are both named `{name}`", queue.broker),
            )
            .at("the queue", queue.location)
            .at("the exchange", exchange.location)
            .help("rename one of them: RabbitMQ's permissions do not tell them apart, so a right to one would be a right to the other"),
        );
    }
}
