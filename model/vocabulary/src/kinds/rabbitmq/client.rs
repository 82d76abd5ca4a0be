//! A client of a broker, and what it does with queues.

use super::{Exchange, Queue};
use crate::kinds::{Handle, ServerClient};
use crate::{Client, LoginEnv, PasswordVariable, VariableName};

/// A client of a broker: the variables that configure its connection, and what it does with which queue.
#[derive(Clone, Copy, Debug)]
pub struct AmqpClient {
    /// What clients of every kind have.
    pub client: Client,
    /// The variables that configure the connection.
    pub env: AmqpEnv,
    /// What it does with which queue.
    pub queues: &'static [QueueUse],
}

impl ServerClient for AmqpClient {
    fn variables(&self) -> Vec<VariableName> {
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

    fn login(&self) -> Option<LoginEnv> {
        Some(LoginEnv { user: self.env.user, password: self.env.password })
    }

    fn handles(&self) -> Vec<Handle> {
        let mut all = Vec::new();
        for queue_use in self.queues {
            let queue = queue_use.queue();
            all.push(Handle {
                what: format!("queue `{}`", queue.name),
                server: queue.broker,
                location: queue.location,
            });
            if let QueueUse::Publishes { exchange: Some((exchange, _)), .. } = queue_use {
                all.push(Handle {
                    what: format!("exchange `{}`", exchange.name),
                    server: exchange.broker,
                    location: exchange.location,
                });
            }
        }
        all
    }

    fn is_idle(&self) -> bool {
        self.queues.is_empty()
    }
}

/// The environment variables that configure a service's connection to a broker. The virtual host is always `/`.
#[derive(Clone, Copy, Debug)]
pub struct AmqpEnv {
    /// Gets the host name.
    pub host: VariableName,
    /// Gets the port number.
    pub port: VariableName,
    /// Gets the user name.
    pub user: VariableName,
    /// Gets the user's password.
    pub password: PasswordVariable,
}

/// How a program declares a queue when it starts: durable, without arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declaration {
    /// It creates the queue if there is none. That takes RabbitMQ's permission *configure* on the queue, which also allows deleting it.
    Active,
    /// It only asks whether the queue exists, or does not declare it. The chart makes the queue, so the program needs no *configure*.
    Passive,
}

/// What a service does with a queue.
#[derive(Clone, Copy, Debug)]
pub enum QueueUse {
    /// The service takes messages from the queue.
    Consumes {
        /// The queue.
        queue: Queue,
        /// Gets the queue's name.
        variable: VariableName,
        /// How it declares the queue.
        declaration: Declaration,
    },
    /// The service puts messages into the queue, with the queue's name as routing key.
    Publishes {
        /// The queue.
        queue: Queue,
        /// Gets the queue's name.
        variable: VariableName,
        /// The exchange and the variable that gets its name; the default exchange when there is none.
        exchange: Option<(Exchange, VariableName)>,
        /// How it declares the queue.
        declaration: Declaration,
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

    /// How the program declares the queue.
    #[must_use]
    pub const fn declaration(&self) -> Declaration {
        match *self {
            Self::Consumes { declaration, .. } | Self::Publishes { declaration, .. } => declaration,
        }
    }

    /// The program declares the queue passively, or not at all; its login then cannot delete the queue.
    #[must_use]
    pub const fn declared_passively(self) -> Self {
        let declaration = Declaration::Passive;
        match self {
            Self::Consumes { queue, variable, .. } => Self::Consumes { queue, variable, declaration },
            Self::Publishes { queue, variable, exchange, .. } => {
                Self::Publishes { queue, variable, exchange, declaration }
            }
        }
    }
}

/// Consumes `queue`; `variable` gets the queue's name.
#[must_use]
pub const fn consumes(queue: Queue, variable: VariableName) -> QueueUse {
    QueueUse::Consumes { queue, variable, declaration: Declaration::Active }
}

/// Publishes to `queue` through the default exchange; `variable` gets the queue's name.
#[must_use]
pub const fn publishes(queue: Queue, variable: VariableName) -> QueueUse {
    QueueUse::Publishes { queue, variable, exchange: None, declaration: Declaration::Active }
}

/// Publishes to `queue` through `exchange`; the two variables get the names of exchange and queue.
#[must_use]
pub const fn publishes_through(
    exchange: Exchange,
    exchange_variable: VariableName,
    queue: Queue,
    queue_variable: VariableName,
) -> QueueUse {
    QueueUse::Publishes {
        queue,
        variable: queue_variable,
        exchange: Some((exchange, exchange_variable)),
        declaration: Declaration::Active,
    }
}
