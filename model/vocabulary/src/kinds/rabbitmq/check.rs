//! Checks of queues and exchanges.

use std::collections::BTreeMap;

use super::{Exchange, Queue, QueueUse, queue_uses};
use crate::resolve::{line, twice};
use crate::{BackingName, Diagnostic, Platform, ServiceName, SourceLocation};

/// What is known of a queue from all its uses.
struct QueueFacts {
    queue: &'static Queue,
    consumers: Vec<(ServiceName, SourceLocation)>,
    publishers: Vec<(ServiceName, SourceLocation)>,
    consumed_externally: bool,
    published_externally: bool,
}

pub(super) fn check(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let mut all: BTreeMap<(BackingName, &'static str), QueueFacts> = BTreeMap::new();
    let mut exchanges: BTreeMap<(BackingName, &'static str), &'static Exchange> = BTreeMap::new();
    for (service, client, queue_use) in queue_uses(platform) {
        let queue = queue_use.queue();
        let facts = all.entry((queue.broker, queue.name.as_str())).or_insert_with(|| QueueFacts {
            queue,
            consumers: Vec::new(),
            publishers: Vec::new(),
            consumed_externally: false,
            published_externally: false,
        });
        facts.consumed_externally |= queue.consumed_externally.is_some();
        facts.published_externally |= queue.published_externally.is_some();
        twice("queue", queue.name.as_str(), queue.broker, facts.queue.location, queue.location, found);
        let (users, how) = match queue_use {
            QueueUse::Consumes { .. } => (&mut facts.consumers, "consumes"),
            QueueUse::Publishes { exchange, .. } => {
                if let Some((exchange, _)) = exchange {
                    let name = exchange.name.as_str();
                    let first = exchanges.entry((exchange.broker, name)).or_insert(exchange).location;
                    twice("exchange", name, exchange.broker, first, exchange.location, found);
                }
                (&mut facts.publishers, "publishes to")
            }
        };
        let location = client.client.location;
        if users.iter().any(|(user, _)| *user == service.name) {
            let (service, queue) = (service.name.as_str(), queue.name.as_str());
            found.push(Diagnostic::QueueUseTwice { service, queue, how, location });
        }
        users.push((service.name, location));
    }
    for ((broker, name), facts) in &all {
        texts(facts.queue, found);
        one_sided(facts, found);
        if name.ends_with(Queue::DEAD_LETTERS) {
            let location = facts.queue.location;
            found.push(Diagnostic::QueueOfDeadLetters { queue: name, suffix: Queue::DEAD_LETTERS, location });
        }
        if let Some(exchange) = exchanges.get(&(*broker, *name)) {
            let (queue, exchange) = (facts.queue.location, exchange.location);
            found.push(Diagnostic::QueueIsExchange { name, broker: broker.as_str(), queue, exchange });
        }
    }
}

/// Reports the texts of a queue that are not one line each.
fn texts(queue: &Queue, found: &mut Vec<Diagnostic>) {
    for (does, text) in [("publishes to", queue.published_externally), ("consumes", queue.consumed_externally)] {
        let Some(text) = text else { continue };
        line(format!("text that says who {does} queue `{}` from outside", queue.name), text, queue.location, found);
    }
}

/// Reports a queue that has only one of two ends.
fn one_sided(facts: &QueueFacts, found: &mut Vec<Diagnostic>) {
    let (queue, location) = (facts.queue.name.as_str(), facts.queue.location);
    let who = |users: &[(ServiceName, SourceLocation)]| -> Option<(String, SourceLocation)> {
        let names = users.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        users.first().map(|(_, location)| (names, *location))
    };
    if let (None, Some((by, user))) = (who(&facts.consumers), who(&facts.publishers))
        && !facts.consumed_externally
    {
        found.push(Diagnostic::QueueNeverConsumed { queue, by, user, location });
    }
    if let (Some((by, user)), None) = (who(&facts.consumers), who(&facts.publishers))
        && !facts.published_externally
    {
        found.push(Diagnostic::QueueNeverFilled { queue, by, user, location });
    }
}
