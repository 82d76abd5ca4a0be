//! What can be wrong between services and the brokers, databases and caches that they use.

use std::collections::BTreeMap;

use super::report::code;
use super::{amounts, queue_uses};
use crate::{
    BackingName, CacheLogin, Diagnostic, Exchange, Platform, Queue, QueueUse, Service, ServiceName, SourceLocation,
    Use, ValkeyCommand,
};

pub(super) fn check(platform: &Platform, found: &mut Vec<Diagnostic>) {
    for backing in &platform.backing {
        let (name, location) = (backing.name().as_str(), backing.location());
        amounts::resources(name, backing.resources(), location, found);
        found.extend(amounts::space(name.to_owned(), backing.storage(), location));
        let used = |s: &Service| s.uses.iter().filter_map(Use::client).any(|c| c.backing == backing.name());
        if !platform.services.iter().any(used) {
            found.push(Diagnostic::BackingUnused { backing: name, location });
        }
    }
    for service in &platform.services {
        clients(platform, service, found);
    }
    queues(platform, found);
    databases(platform, found);
    anonymous(platform, found);
}

fn clients(platform: &Platform, service: &Service, found: &mut Vec<Diagnostic>) {
    let name = service.name.as_str();
    let mut seen: BTreeMap<BackingName, SourceLocation> = BTreeMap::new();
    for one in service.uses {
        let (Some(client), Some(kind)) = (one.client(), one.kind()) else { continue };
        let (backing, location) = (client.backing.as_str(), client.location);
        if !platform.backing.iter().any(|b| b.name() == client.backing && b.kind() == kind) {
            let (what, by) = (kind.product(), format!("a client of {name}"));
            found.push(Diagnostic::BackingNotListed { backing, what, by, location });
        }
        if let Some(first) = seen.insert(client.backing, location) {
            found.push(Diagnostic::ClientTwice { service: name, backing, first, second: location });
        }
        for (what, owner) in handles(one).into_iter().filter(|(_, owner)| *owner != client.backing) {
            found.push(Diagnostic::ForeignHandle { service: name, backing, what, owner: owner.as_str(), location });
        }
        match one {
            Use::Amqp(amqp) if amqp.queues.is_empty() => {
                found.push(Diagnostic::ClientIdle { service: name, backing, location });
            }
            Use::Valkey(valkey) => commands(name, backing, valkey.keys.commands, location, found),
            Use::Amqp(_) | Use::Sql(_) | Use::Call(_) => {}
        }
    }
}

fn commands(
    service: &'static str,
    backing: &'static str,
    commands: &'static [&'static str],
    location: SourceLocation,
    found: &mut Vec<Diagnostic>,
) {
    if commands.is_empty() {
        found.push(Diagnostic::ClientIdle { service, backing, location });
    }
    for command in commands {
        if let Err(refused) = ValkeyCommand::checked(command) {
            let command = code(command);
            found.push(Diagnostic::CommandRefused { service, backing, command, rule: refused.rule, location });
        }
    }
}

/// What a client refers to, with the server that each belongs to.
fn handles(one: &Use) -> Vec<(String, BackingName)> {
    let mut all = Vec::new();
    match one {
        Use::Amqp(client) => {
            for queue_use in client.queues {
                all.push((format!("queue `{}`", queue_use.queue().name), queue_use.queue().broker));
                if let QueueUse::Publishes { exchange: Some((exchange, _)), .. } = queue_use {
                    all.push((format!("exchange `{}`", exchange.name), exchange.broker));
                }
            }
        }
        Use::Sql(client) => {
            let database = client.database.database;
            all.push((format!("database `{}`", database.name), database.server));
        }
        Use::Valkey(_) | Use::Call(_) => {}
    }
    all
}

/// What is known of a queue from all its uses.
struct QueueFacts {
    queue: &'static Queue,
    consumers: Vec<(ServiceName, SourceLocation)>,
    publishers: Vec<(ServiceName, SourceLocation)>,
    emptied_from_outside: bool,
    filled_from_outside: bool,
}

fn queues(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let mut all: BTreeMap<(BackingName, &'static str), QueueFacts> = BTreeMap::new();
    let mut exchanges: BTreeMap<(BackingName, &'static str), &'static Exchange> = BTreeMap::new();
    for (service, client, queue_use) in queue_uses(platform) {
        let queue = queue_use.queue();
        let facts = all.entry((queue.broker, queue.name.as_str())).or_insert_with(|| QueueFacts {
            queue,
            consumers: Vec::new(),
            publishers: Vec::new(),
            emptied_from_outside: false,
            filled_from_outside: false,
        });
        facts.emptied_from_outside |= queue.emptied_from_outside.is_some();
        facts.filled_from_outside |= queue.filled_from_outside.is_some();
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

/// Reports a queue that has only one of two ends.
fn one_sided(facts: &QueueFacts, found: &mut Vec<Diagnostic>) {
    let (queue, location) = (facts.queue.name.as_str(), facts.queue.location);
    let who = |users: &[(ServiceName, SourceLocation)]| -> Option<(String, SourceLocation)> {
        let names = users.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        users.first().map(|(_, location)| (names, *location))
    };
    if let (None, Some((by, user))) = (who(&facts.consumers), who(&facts.publishers))
        && !facts.emptied_from_outside
    {
        found.push(Diagnostic::QueueNeverConsumed { queue, by, user, location });
    }
    if let (Some((by, user)), None) = (who(&facts.consumers), who(&facts.publishers))
        && !facts.filled_from_outside
    {
        found.push(Diagnostic::QueueNeverFilled { queue, by, user, location });
    }
}

/// A handle is a constant, so all its uses have one place; two places are two declarations.
fn twice(
    what: &'static str,
    name: &'static str,
    server: BackingName,
    first: SourceLocation,
    second: SourceLocation,
    found: &mut Vec<Diagnostic>,
) {
    if first != second {
        found.push(Diagnostic::DeclaredTwice { what, name, server: server.as_str(), first, second });
    }
}

/// A database, with who owns it first.
struct Owned {
    owner: ServiceName,
    client: SourceLocation,
    declared: SourceLocation,
}

fn databases(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let mut owned: BTreeMap<(BackingName, &'static str), Owned> = BTreeMap::new();
    for service in &platform.services {
        for one in service.uses {
            let Use::Sql(client) = one else { continue };
            let (database, location) = (client.database.database, client.client.location);
            let first = owned.entry((database.server, database.name.as_str())).or_insert(Owned {
                owner: service.name,
                client: location,
                declared: database.location,
            });
            twice("database", database.name.as_str(), database.server, first.declared, database.location, found);
            if first.owner != service.name {
                found.push(Diagnostic::DatabaseOwnedTwice {
                    database: database.name.as_str(),
                    one: first.owner.as_str(),
                    other: service.name.as_str(),
                    first: first.client,
                    second: location,
                });
            }
        }
    }
}

fn anonymous(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<BackingName, (ServiceName, SourceLocation)> = BTreeMap::new();
    for service in &platform.services {
        for one in service.uses {
            let Use::Valkey(client) = one else { continue };
            if !matches!(client.env.login, CacheLogin::Anonymous) {
                continue;
            }
            let second = client.client.location;
            let (before, first) = *seen.entry(client.client.backing).or_insert((service.name, second));
            if before != service.name {
                found.push(Diagnostic::AnonymousTwice {
                    backing: client.client.backing.as_str(),
                    one: before.as_str(),
                    other: service.name.as_str(),
                    first,
                    second,
                });
            }
        }
    }
}
