//! The single place that checks a declaration: every mistake at once.

mod amounts;
mod api;
mod backing;
mod diagnostic;
mod end_to_end;
mod environments;
mod health;
pub mod limits;
mod names;
mod report;
mod services;
mod texts;
mod variables;

use std::collections::BTreeMap;

pub use diagnostic::Diagnostic;
pub use report::Diagnostics;

use crate::{AmqpClient, Backing, BackingName, Exchange, Platform, Queue, QueueUse, Service, ServiceName, Use};

/// A platform without mistakes: what the generator takes. Only [`Platform::resolve`] makes one, so whoever has one may rely on
/// every rule that it checks.
#[derive(Clone, Debug)]
pub struct Resolved(Platform);

pub(crate) fn resolve(mut platform: Platform) -> Result<Resolved, Diagnostics> {
    let mut found = Vec::new();
    names::check(&mut platform, &mut found);
    for service in &platform.services {
        services::check(&platform, service, &mut found);
        health::check(service, &mut found);
        variables::check(service, &mut found);
        amounts::check(service, &mut found);
        api::check(service, &mut found);
    }
    backing::check(&platform, &mut found);
    environments::check(&platform, &mut found);
    end_to_end::check(&platform, &mut found);
    limits::check(&platform, &mut found);
    texts::check(&platform, &mut found);
    if found.is_empty() { Ok(Resolved(platform)) } else { Err(Diagnostics::new(once(found))) }
}

/// Each mistake once: two items that refer to a third may both have found it wrong.
fn once(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut all: Vec<Diagnostic> = Vec::new();
    for diagnostic in found {
        if !all.contains(&diagnostic) {
            all.push(diagnostic);
        }
    }
    all
}

impl Resolved {
    /// The platform that was declared.
    #[must_use]
    pub const fn platform(&self) -> &Platform {
        &self.0
    }

    /// The service of that name.
    ///
    /// # Panics
    /// For a name that is not of this platform; the handles in a resolved platform all are.
    #[must_use]
    pub fn service(&self, name: ServiceName) -> &Service {
        self.0
            .services
            .iter()
            .find(|s| s.name == name)
            .expect("resolve refuses references to services that are not there")
    }

    /// The backing service of that name.
    ///
    /// # Panics
    /// For a name that is not of this platform; the handles in a resolved platform all are.
    #[must_use]
    pub fn backing(&self, name: BackingName) -> &Backing {
        self.0
            .backing
            .iter()
            .find(|b| b.name() == name)
            .expect("resolve refuses references to backing services that are not there")
    }

    /// The queues of a broker, by name.
    #[must_use]
    pub fn queues(&self, broker: BackingName) -> Vec<&Queue> {
        let uses = queue_uses(&self.0).filter(|(_, _, u)| u.queue().broker == broker);
        uses.map(|(_, _, u)| (u.queue().name, u.queue())).collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// The exchanges of a broker, each with the queues that are published to through it, by name.
    #[must_use]
    pub fn exchanges(&self, broker: BackingName) -> Vec<(&Exchange, Vec<&Queue>)> {
        let mut all: BTreeMap<_, (&Exchange, BTreeMap<_, &Queue>)> = BTreeMap::new();
        for (_, _, queue_use) in queue_uses(&self.0) {
            if let QueueUse::Publishes { queue, exchange: Some((exchange, _)), .. } = queue_use
                && exchange.broker == broker
            {
                all.entry(exchange.name).or_insert((exchange, BTreeMap::new())).1.insert(queue.name, queue);
            }
        }
        all.into_values().map(|(exchange, queues)| (exchange, queues.into_values().collect())).collect()
    }
}

/// Every use of a queue, with the service and the client that has it.
fn queue_uses(platform: &Platform) -> impl Iterator<Item = (&Service, &'static AmqpClient, &'static QueueUse)> {
    let clients = platform.services.iter().flat_map(|service| {
        service.uses.iter().filter_map(move |one| match one {
            Use::Amqp(client) => Some((service, client)),
            Use::Sql(_) | Use::Valkey(_) | Use::Call(_) => None,
        })
    });
    clients.flat_map(|(service, client)| client.queues.iter().map(move |queue_use| (service, client, queue_use)))
}
