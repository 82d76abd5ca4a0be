//! RabbitMQ: the broker with its queues and exchanges, and the services that publish and consume.

mod check;
mod client;
mod names;
mod resolved;
#[cfg(test)]
pub(crate) mod tests;

pub use client::{AmqpClient, AmqpEnv, Declaration, QueueUse, consumes, publishes, publishes_through};
pub use names::{ExchangeName, QueueName};

use super::ServerKind;
use crate::{
    BackingName, Client, Diagnostic, Image, Platform, Quantity, Resources, ServerVersion, Service, SourceLocation, Use,
    cpu, memory,
};

/// A RabbitMQ broker. Declared as a constant, which is the handle for its queues, exchanges and clients.
#[derive(Clone, Copy, Debug)]
pub struct RabbitMq {
    /// Its name.
    pub name: BackingName,
    /// The official image, or a compatible one.
    pub image: Image,
    /// Major and minor version of the image. Data of a skipped or newer minor version is refused.
    pub version: ServerVersion,
    /// CPU and memory of its pod.
    pub resources: Resources,
    /// The size of the volume that holds its messages and logins.
    pub storage: Quantity,
    /// Where it is declared.
    pub location: SourceLocation,
}

impl RabbitMq {
    /// A broker with modest defaults.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Self {
            name: BackingName::new(name),
            image: Image::new("rabbitmq", "4.3-management"),
            version: ServerVersion::new("4.3"),
            resources: Resources::new(cpu("100m").up_to("1"), memory("256Mi").up_to("512Mi")),
            storage: Quantity::new("1Gi"),
            location: SourceLocation::here(),
        }
    }

    /// A durable queue on this broker, declared without arguments.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn queue(&self, name: &'static str) -> Queue {
        Queue {
            broker: self.name,
            name: QueueName::new(name),
            published_externally: None,
            consumed_externally: None,
            location: SourceLocation::here(),
        }
    }

    /// A durable direct exchange on this broker.
    ///
    /// A publisher that uses it can write to the exchange's queues and to no other; with the default exchange it can write to every queue.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn exchange(&self, name: &'static str) -> Exchange {
        Exchange { broker: self.name, name: ExchangeName::new(name), location: SourceLocation::here() }
    }

    /// A client of this broker: the variables that configure its connection, and what it does with which queue.
    #[must_use]
    #[track_caller]
    pub const fn client(&self, env: AmqpEnv, queues: &'static [QueueUse]) -> Use {
        Use::RabbitMq(AmqpClient { client: Client::new(self.name), env, queues })
    }
}

impl ServerKind for RabbitMq {
    const PRODUCT: &'static str = "RabbitMQ";
    const PORT: u16 = 5672;
    const OLDEST: ServerVersion = ServerVersion::new("4.0");
    const USE_HELP: &'static str = "list what it does with queues (`consumes(…)`, `publishes(…)`)";
    const MERGE_HELP: &'static str = "keep one client, and list in it everything that the service does with queues";

    fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
        check::check(platform, diagnostics);
    }
}

/// A queue: the handle with which services declare that they publish to it or consume it.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    /// The broker that it is on.
    pub broker: BackingName,
    /// Its name.
    pub name: QueueName,
    /// Who publishes to it from outside the platform, when no service does.
    pub published_externally: Option<&'static str>,
    /// Who consumes it from outside the platform, when no service does.
    pub consumed_externally: Option<&'static str>,
    /// Where it is declared.
    pub location: SourceLocation,
}

impl Queue {
    /// The suffix of the names of dead-letter queues: each queue has one, which takes the messages that a consumer rejects for good.
    pub const DEAD_LETTERS: &str = ".dead-letters";

    /// Declares that a program outside the platform publishes to this queue; `publisher` names it.
    #[must_use]
    pub const fn published_externally(self, publisher: &'static str) -> Self {
        Self { published_externally: Some(publisher), ..self }
    }

    /// Declares that a program outside the platform consumes this queue; `consumer` names it.
    #[must_use]
    pub const fn consumed_externally(self, consumer: &'static str) -> Self {
        Self { consumed_externally: Some(consumer), ..self }
    }
}

/// A durable direct exchange. Each queue that is published to through it is bound to it, with the queue's name as routing key.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// The broker that it is on.
    pub broker: BackingName,
    /// Its name.
    pub name: ExchangeName,
    /// Where it is declared.
    pub location: SourceLocation,
}

/// Every use of a queue, with its service and client.
fn queue_uses(platform: &Platform) -> impl Iterator<Item = (&Service, &'static AmqpClient, &'static QueueUse)> {
    let clients = platform.services.iter().flat_map(|service| {
        service.uses.iter().filter_map(move |service_use| match service_use {
            Use::RabbitMq(client) => Some((service, client)),
            _ => None,
        })
    });
    clients.flat_map(|(service, client)| client.queues.iter().map(move |queue_use| (service, client, queue_use)))
}
