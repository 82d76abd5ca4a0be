//! What can be wrong between services and the brokers, databases and caches that they use.

use std::collections::BTreeMap;

use super::report::code;
use super::{amounts, queue_uses};
use crate::{
    BackingName, CacheLogin, Exchange, Mistake, Place, Platform, Queue, QueueUse, Service, ServiceName, Use,
    ValkeyCommand,
};

pub(super) fn check(platform: &Platform, found: &mut Vec<Mistake>) {
    for backing in &platform.backing {
        let (name, place) = (backing.name().as_str(), backing.place());
        amounts::resources(name, backing.resources(), place, found);
        found.extend(amounts::space(name.to_owned(), backing.storage(), place));
        let used = |s: &Service| s.uses.iter().filter_map(Use::client).any(|c| c.backing == backing.name());
        if !platform.services.iter().any(used) {
            found.push(Mistake::BackingUnused { backing: name, place });
        }
    }
    for service in &platform.services {
        clients(platform, service, found);
    }
    queues(platform, found);
    databases(platform, found);
    anonymous(platform, found);
}

fn clients(platform: &Platform, service: &Service, found: &mut Vec<Mistake>) {
    let name = service.name.as_str();
    let mut seen: BTreeMap<BackingName, Place> = BTreeMap::new();
    for one in service.uses {
        let (Some(client), Some(kind)) = (one.client(), one.kind()) else { continue };
        let (backing, place) = (client.backing.as_str(), client.place);
        if !platform.backing.iter().any(|b| b.name() == client.backing && b.kind() == kind) {
            let (what, by) = (kind.product(), format!("a client of {name}"));
            found.push(Mistake::BackingNotListed { backing, what, by, place });
        }
        if let Some(first) = seen.insert(client.backing, place) {
            found.push(Mistake::ClientTwice { service: name, backing, first, second: place });
        }
        for (what, owner) in handles(one).into_iter().filter(|(_, owner)| *owner != client.backing) {
            found.push(Mistake::ForeignHandle { service: name, backing, what, owner: owner.as_str(), place });
        }
        match one {
            Use::Amqp(amqp) if amqp.queues.is_empty() => {
                found.push(Mistake::ClientIdle { service: name, backing, place });
            }
            Use::Valkey(valkey) => commands(name, backing, valkey.keys.commands, place, found),
            Use::Amqp(_) | Use::Sql(_) | Use::Call(_) => {}
        }
    }
}

fn commands(
    service: &'static str,
    backing: &'static str,
    commands: &'static [&'static str],
    place: Place,
    found: &mut Vec<Mistake>,
) {
    if commands.is_empty() {
        found.push(Mistake::ClientIdle { service, backing, place });
    }
    for command in commands {
        if let Err(refused) = ValkeyCommand::checked(command) {
            let command = code(command);
            found.push(Mistake::CommandRefused { service, backing, command, rule: refused.rule, place });
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
    consumers: Vec<(ServiceName, Place)>,
    publishers: Vec<(ServiceName, Place)>,
    emptied_from_outside: bool,
    filled_from_outside: bool,
}

fn queues(platform: &Platform, found: &mut Vec<Mistake>) {
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
        twice("queue", queue.name.as_str(), queue.broker, facts.queue.place, queue.place, found);
        let (users, how) = match queue_use {
            QueueUse::Consumes { .. } => (&mut facts.consumers, "consumes"),
            QueueUse::Publishes { exchange, .. } => {
                if let Some((exchange, _)) = exchange {
                    let name = exchange.name.as_str();
                    let first = exchanges.entry((exchange.broker, name)).or_insert(exchange).place;
                    twice("exchange", name, exchange.broker, first, exchange.place, found);
                }
                (&mut facts.publishers, "publishes to")
            }
        };
        let place = client.client.place;
        if users.iter().any(|(user, _)| *user == service.name) {
            let (service, queue) = (service.name.as_str(), queue.name.as_str());
            found.push(Mistake::QueueUseTwice { service, queue, how, place });
        }
        users.push((service.name, place));
    }
    for ((broker, name), facts) in &all {
        one_sided(facts, found);
        if name.ends_with(Queue::DEAD_LETTERS) {
            let place = facts.queue.place;
            found.push(Mistake::QueueOfDeadLetters { queue: name, suffix: Queue::DEAD_LETTERS, place });
        }
        if let Some(exchange) = exchanges.get(&(*broker, *name)) {
            let (queue, exchange) = (facts.queue.place, exchange.place);
            found.push(Mistake::QueueIsExchange { name, broker: broker.as_str(), queue, exchange });
        }
    }
}

/// Reports a queue that has only one of two ends.
fn one_sided(facts: &QueueFacts, found: &mut Vec<Mistake>) {
    let (queue, place) = (facts.queue.name.as_str(), facts.queue.place);
    let who = |users: &[(ServiceName, Place)]| -> Option<(String, Place)> {
        let names = users.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        users.first().map(|(_, place)| (names, *place))
    };
    if let (None, Some((by, user))) = (who(&facts.consumers), who(&facts.publishers))
        && !facts.emptied_from_outside
    {
        found.push(Mistake::QueueNeverConsumed { queue, by, user, place });
    }
    if let (Some((by, user)), None) = (who(&facts.consumers), who(&facts.publishers))
        && !facts.filled_from_outside
    {
        found.push(Mistake::QueueNeverFilled { queue, by, user, place });
    }
}

/// A handle is a constant, so all its uses have one place; two places are two declarations.
fn twice(
    what: &'static str,
    name: &'static str,
    server: BackingName,
    first: Place,
    second: Place,
    found: &mut Vec<Mistake>,
) {
    if first != second {
        found.push(Mistake::DeclaredTwice { what, name, server: server.as_str(), first, second });
    }
}

/// A database, with who owns it first.
struct Owned {
    owner: ServiceName,
    client: Place,
    declared: Place,
}

fn databases(platform: &Platform, found: &mut Vec<Mistake>) {
    let mut owned: BTreeMap<(BackingName, &'static str), Owned> = BTreeMap::new();
    for service in &platform.services {
        for one in service.uses {
            let Use::Sql(client) = one else { continue };
            let (database, place) = (client.database.database, client.client.place);
            let first = owned.entry((database.server, database.name.as_str())).or_insert(Owned {
                owner: service.name,
                client: place,
                declared: database.place,
            });
            twice("database", database.name.as_str(), database.server, first.declared, database.place, found);
            if first.owner != service.name {
                found.push(Mistake::DatabaseOwnedTwice {
                    database: database.name.as_str(),
                    one: first.owner.as_str(),
                    other: service.name.as_str(),
                    first: first.client,
                    second: place,
                });
            }
        }
    }
}

fn anonymous(platform: &Platform, found: &mut Vec<Mistake>) {
    let mut seen: BTreeMap<BackingName, (ServiceName, Place)> = BTreeMap::new();
    for service in &platform.services {
        for one in service.uses {
            let Use::Valkey(client) = one else { continue };
            if !matches!(client.env.login, CacheLogin::Anonymous) {
                continue;
            }
            let second = client.client.place;
            let (before, first) = *seen.entry(client.client.backing).or_insert((service.name, second));
            if before != service.name {
                found.push(Mistake::AnonymousTwice {
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
