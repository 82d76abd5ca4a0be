//! RabbitMQ: the broker, its queues and exchanges, and what a service does with them.

use crate::uses::Client;
use crate::{
    BackingName, ExchangeName, Image, PasswordVariable, Quantity, QueueName, Resources, SourceLocation, Use,
    VariableName, cpu, memory,
};

/// A RabbitMQ broker. Declared as a constant, which is the handle for its queues and clients.
#[derive(Clone, Copy, Debug)]
pub struct RabbitMq {
    /// Its name.
    pub name: BackingName,
    /// The official image, or one that keeps its contract.
    pub image: Image,
    /// What its one pod takes.
    pub resources: Resources,
    /// The size of the volume that its messages lie on.
    pub storage: Quantity,
    /// Where it was declared.
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
            resources: Resources::new(cpu("100m").up_to("1"), memory("256Mi").up_to("512Mi")),
            storage: Quantity::new("1Gi"),
            location: SourceLocation::here(),
        }
    }

    /// A durable queue of this broker, declared without arguments.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn queue(&self, name: &'static str) -> Queue {
        Queue {
            broker: self.name,
            name: QueueName::new(name),
            filled_from_outside: None,
            emptied_from_outside: None,
            location: SourceLocation::here(),
        }
    }

    /// A durable direct exchange of this broker, for services that can publish through one: then a publisher can write to
    /// the exchange's queues and to no other, which the default exchange cannot hold it to.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn exchange(&self, name: &'static str) -> Exchange {
        Exchange { broker: self.name, name: ExchangeName::new(name), location: SourceLocation::here() }
    }

    /// A client of this broker: how the service reaches it, and what it does there.
    #[must_use]
    #[track_caller]
    pub const fn client(&self, env: AmqpEnv, queues: &'static [QueueUse]) -> Use {
        Use::Amqp(AmqpClient { client: Client::of(self.name), env, queues })
    }
}

/// A queue: the handle with which services say that they publish to it or consume it.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    /// The broker it lies on.
    pub broker: BackingName,
    /// Its name.
    pub name: QueueName,
    /// Who fills it when no service of the platform does.
    pub filled_from_outside: Option<&'static str>,
    /// Who consumes it when no service of the platform does.
    pub emptied_from_outside: Option<&'static str>,
    /// Where it was declared.
    pub location: SourceLocation,
}

impl Queue {
    /// What the name of a queue's queue for dead letters ends with: messages that a consumer rejects for good are put there.
    pub const DEAD_LETTERS: &str = ".dead-letters";

    /// The same queue, filled by somebody outside the platform; the text says by whom.
    #[must_use]
    pub const fn filled_from_outside(self, by: &'static str) -> Self {
        Self { filled_from_outside: Some(by), ..self }
    }

    /// The same queue, consumed by somebody outside the platform; the text says by whom.
    #[must_use]
    pub const fn emptied_from_outside(self, by: &'static str) -> Self {
        Self { emptied_from_outside: Some(by), ..self }
    }
}

/// A durable direct exchange. A queue published to through it is bound to it with the queue's name as routing key.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// The broker it lies on.
    pub broker: BackingName,
    /// Its name.
    pub name: ExchangeName,
    /// Where it was declared.
    pub location: SourceLocation,
}

/// How a service reaches a broker and what it does there.
#[derive(Clone, Copy, Debug)]
pub struct AmqpClient {
    /// What clients of every kind have.
    pub client: Client,
    /// The variables it reads the connection from.
    pub env: AmqpEnv,
    /// What it does.
    pub queues: &'static [QueueUse],
}

impl AmqpClient {
    pub(crate) fn variables(&self) -> Vec<VariableName> {
        let AmqpEnv { host, port, user, password } = self.env;
        let mut all = vec![host, port, user, password.name];
        for queue_use in self.queues {
            match *queue_use {
                QueueUse::Consumes { variable, .. } | QueueUse::Publishes { variable, exchange: None, .. } => {
                    all.push(variable);
                }
                QueueUse::Publishes { variable, exchange: Some((_, exchange)), .. } => all.extend([exchange, variable]),
            }
        }
        all
    }
}

/// The variables that a service reads its connection to a broker from. The virtual host is `/`.
#[derive(Clone, Copy, Debug)]
pub struct AmqpEnv {
    /// Gets the host's name.
    pub host: VariableName,
    /// Gets the port's number.
    pub port: VariableName,
    /// Gets the user's name.
    pub user: VariableName,
    /// Gets the user's password.
    pub password: PasswordVariable,
}

/// One thing that a service does with a queue. In either case it declares the queue at its start: durable, without arguments.
#[derive(Clone, Copy, Debug)]
pub enum QueueUse {
    /// It takes messages from it.
    Consumes {
        /// The queue.
        queue: Queue,
        /// Gets the queue's name.
        variable: VariableName,
    },
    /// It puts messages into it: through the default exchange with the queue's name as routing key, or through an exchange of its own.
    Publishes {
        /// The queue.
        queue: Queue,
        /// Gets the queue's name.
        variable: VariableName,
        /// The exchange, and the variable that gets its name.
        exchange: Option<(Exchange, VariableName)>,
    },
}

impl QueueUse {
    /// The queue.
    #[must_use]
    pub const fn queue(&self) -> &Queue {
        match self {
            Self::Consumes { queue, .. } | Self::Publishes { queue, .. } => queue,
        }
    }
}

/// Takes messages from `queue`, whose name it reads from `variable`.
#[must_use]
pub const fn consumes(queue: Queue, variable: VariableName) -> QueueUse {
    QueueUse::Consumes { queue, variable }
}

/// Puts messages into `queue`, whose name it reads from `variable`, through the default exchange.
#[must_use]
pub const fn publishes(queue: Queue, variable: VariableName) -> QueueUse {
    QueueUse::Publishes { queue, variable, exchange: None }
}

/// Puts messages into `queue` through `exchange`; the names are read from `queue_variable` and `exchange_variable`.
#[must_use]
pub const fn publishes_through(
    exchange: Exchange,
    exchange_variable: VariableName,
    queue: Queue,
    queue_variable: VariableName,
) -> QueueUse {
    QueueUse::Publishes { queue, variable: queue_variable, exchange: Some((exchange, exchange_variable)) }
}
