//! What can be wrong between services and the brokers, databases and caches that they use.

use std::collections::BTreeMap;

use super::{queue_uses, services};
use crate::{BackingName, CacheLogin, Kind, Mistake, Place, Platform, QueueUse, Service, ServiceName, Use};

pub(super) fn check(platform: &Platform, found: &mut Vec<Mistake>) {
    for backing in &platform.backing {
        services::resources(backing.name().as_str(), backing.resources(), backing.place(), found);
        let used = |s: &Service| s.uses.iter().filter_map(Use::client).any(|c| c.backing == backing.name());
        if !platform.services.iter().any(used) {
            found.push(Mistake::BackingUnused { backing: backing.name().as_str(), place: backing.place() });
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
        if !listed(platform, client.backing, kind) {
            found.push(Mistake::BackingNotListed { backing, by: format!("a client of {name}"), place });
        }
        if let Some(first) = seen.insert(client.backing, place) {
            found.push(Mistake::ClientTwice { service: name, backing, first, second: place });
        }
        for (what, owner) in handles(one).into_iter().filter(|(_, owner)| *owner != client.backing) {
            found.push(Mistake::ForeignHandle { service: name, backing, what, owner: owner.as_str(), place });
        }
        let idle = match one {
            Use::Amqp(amqp) => amqp.queues.is_empty(),
            Use::Valkey(valkey) => valkey.keys.commands.is_empty(),
            Use::Sql(_) | Use::Call(_) => false,
        };
        if idle {
            found.push(Mistake::ClientIdle { service: name, backing, place });
        }
    }
}

fn listed(platform: &Platform, name: BackingName, kind: Kind) -> bool {
    platform.backing.iter().any(|b| b.name() == name && b.kind() == kind)
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
#[derive(Default)]
struct QueueFacts {
    consumers: Vec<ServiceName>,
    publishers: Vec<ServiceName>,
    emptied_from_outside: bool,
    filled_from_outside: bool,
    place: Option<Place>,
}

fn queues(platform: &Platform, found: &mut Vec<Mistake>) {
    let mut all: BTreeMap<(BackingName, &'static str), QueueFacts> = BTreeMap::new();
    let mut exchanges: BTreeMap<(BackingName, &'static str), Place> = BTreeMap::new();
    for (service, queue_use) in queue_uses(platform) {
        let queue = queue_use.queue();
        let (name, server) = (queue.name.as_str(), queue.broker.as_str());
        let facts = all.entry((queue.broker, name)).or_default();
        facts.emptied_from_outside |= queue.emptied_from_outside.is_some();
        facts.filled_from_outside |= queue.filled_from_outside.is_some();
        twice("queue", name, server, facts.place.replace(queue.place), queue.place, found);
        let (users, how) = match queue_use {
            QueueUse::Consumes { .. } => (&mut facts.consumers, "consumes"),
            QueueUse::Publishes { exchange, .. } => {
                if let Some((exchange, _)) = exchange {
                    let before = exchanges.insert((exchange.broker, exchange.name.as_str()), exchange.place);
                    twice("exchange", exchange.name.as_str(), exchange.broker.as_str(), before, exchange.place, found);
                }
                (&mut facts.publishers, "publishes to")
            }
        };
        if users.contains(&service.name) {
            let place =
                service.uses.iter().find(|u| u.kind() == Some(Kind::RabbitMq)).map_or(service.place, Use::place);
            found.push(Mistake::QueueUseTwice { service: service.name.as_str(), queue: name, how, place });
        }
        users.push(service.name);
    }
    for ((_, queue), facts) in all {
        let place = facts.place.expect("each use of a queue notes its place");
        let joined = |names: &[ServiceName]| names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(", ");
        if facts.consumers.is_empty() && !facts.emptied_from_outside {
            found.push(Mistake::QueueNeverConsumed { queue, by: joined(&facts.publishers), place });
        }
        if facts.publishers.is_empty() && !facts.filled_from_outside {
            found.push(Mistake::QueueNeverFilled { queue, by: joined(&facts.consumers), place });
        }
    }
}

/// A handle is a constant, so all its uses have one place; two places are two declarations.
fn twice(
    what: &'static str,
    name: &'static str,
    server: &'static str,
    before: Option<Place>,
    now: Place,
    found: &mut Vec<Mistake>,
) {
    if let Some(first) = before.filter(|first| *first != now) {
        found.push(Mistake::DeclaredTwice { what, name, server, first, second: now });
    }
}

fn databases(platform: &Platform, found: &mut Vec<Mistake>) {
    let mut owners: BTreeMap<(BackingName, &'static str), (ServiceName, Place, Place)> = BTreeMap::new();
    for service in &platform.services {
        for one in service.uses {
            let Use::Sql(client) = one else { continue };
            let database = client.database.database;
            let (name, server) = (database.name.as_str(), database.server.as_str());
            let owner = (service.name, client.client.place, database.place);
            let role = format!("{name}_owner");
            if let Some(other) = platform.services.iter().find(|s| s.name.as_str().replace('-', "_") == role) {
                let (service, place) = (other.name.as_str(), other.place);
                found.push(Mistake::RoleTaken { service, database: name, role, place, owner: database.place });
            }
            let Some((before, first, declared)) = owners.insert((database.server, name), owner) else { continue };
            twice("database", name, server, Some(declared), database.place, found);
            if before != service.name {
                found.push(Mistake::DatabaseOwnedTwice {
                    database: name,
                    one: before.as_str(),
                    other: service.name.as_str(),
                    first,
                    second: client.client.place,
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
            if let Some((before, first)) = seen.insert(client.client.backing, (service.name, second))
                && before != service.name
            {
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
