//! What a service uses: one client per backing service, and calls to other services.

use crate::{
    AmqpClient, BackingName, HttpPath, Kind, Port, ServiceName, SourceLocation, SqlClient, ValkeyClient, VariableName,
};

/// One thing that a service uses. Made by the handle of what is used: `RABBITMQ.client(…)`, `API.called(…)`.
#[derive(Clone, Copy, Debug)]
pub enum Use {
    /// A broker.
    Amqp(AmqpClient),
    /// A database.
    Sql(SqlClient),
    /// A cache.
    Valkey(ValkeyClient),
    /// Another service.
    Call(Call),
}

impl Use {
    /// The same use by a program that, once this connection is lost or missed at its start, never opens it again. Its health is
    /// then to be seen by its connections ([`crate::Health::by_connections`]).
    ///
    /// # Panics
    /// For a call, which holds no connection; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "evaluated by the compiler: it is how the declaration is refused")]
    pub const fn never_reconnects(self, reason: &'static str) -> Self {
        match self {
            Self::Amqp(c) => Self::Amqp(AmqpClient { client: c.client.never_reconnects(reason), ..c }),
            Self::Sql(c) => Self::Sql(SqlClient { client: c.client.never_reconnects(reason), ..c }),
            Self::Valkey(c) => Self::Valkey(ValkeyClient { client: c.client.never_reconnects(reason), ..c }),
            Self::Call(_) => panic!("a call opens a connection of its own each time: there is none to reopen"),
        }
    }

    /// The same call of a program that asks this route of the other: the tests of a release ask it as well, and expect an answer of 200 to 299.
    ///
    /// # Panics
    /// For what is no call, or when the path breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "evaluated by the compiler: it is how the declaration is refused")]
    pub const fn asks(self, path: &'static str) -> Self {
        match self {
            Self::Call(c) => Self::Call(Call { path: Some(HttpPath::new(path)), ..c }),
            Self::Amqp(_) | Self::Sql(_) | Self::Valkey(_) => panic!("only a service that is called has routes"),
        }
    }

    /// The client of a backing service, unless this is a call.
    #[must_use]
    pub const fn client(&self) -> Option<&Client> {
        match self {
            Self::Amqp(c) => Some(&c.client),
            Self::Sql(c) => Some(&c.client),
            Self::Valkey(c) => Some(&c.client),
            Self::Call(_) => None,
        }
    }

    /// The kind of backing service, unless this is a call.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        match self {
            Self::Amqp(_) => Some(Kind::RabbitMq),
            Self::Sql(_) => Some(Kind::PostgreSql),
            Self::Valkey(_) => Some(Kind::Valkey),
            Self::Call(_) => None,
        }
    }

    /// Where it was declared.
    #[must_use]
    pub const fn location(&self) -> SourceLocation {
        match self {
            Self::Amqp(c) => c.client.location,
            Self::Sql(c) => c.client.location,
            Self::Valkey(c) => c.client.location,
            Self::Call(c) => c.location,
        }
    }

    /// The variables that it sets, in the order in which they are emitted.
    #[must_use]
    pub fn variables(&self) -> Vec<VariableName> {
        match self {
            Self::Amqp(c) => c.variables(),
            Self::Sql(c) => c.variables(),
            Self::Valkey(c) => c.variables(),
            Self::Call(c) => vec![c.env.host, c.env.port],
        }
    }
}

/// What the clients of every kind of backing service have in common.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The backing service.
    pub backing: BackingName,
    /// What the program does when the connection is lost.
    pub reconnects: Reconnects,
    /// Where it was declared.
    pub location: SourceLocation,
}

impl Client {
    #[track_caller]
    pub(crate) const fn of(backing: BackingName) -> Self {
        Self { backing, reconnects: Reconnects::ByItself, location: SourceLocation::here() }
    }

    /// The same client of a program that never opens this connection again.
    #[must_use]
    pub const fn never_reconnects(self, reason: &'static str) -> Self {
        Self { reconnects: Reconnects::Never(reason), ..self }
    }
}

/// What a program does when a connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconnects {
    /// It opens it again: nobody has to help.
    ByItself,
    /// It runs on without it: only a restart helps. The text says how that is known.
    Never(&'static str),
}

/// A port of a service, as others refer to it. Declared beside the service, as a constant.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// The service.
    pub service: ServiceName,
    /// Its port.
    pub port: Port,
}

impl Endpoint {
    /// A port of a service.
    #[must_use]
    pub const fn new(service: ServiceName, port: Port) -> Self {
        Self { service, port }
    }

    /// A use: the declaring service calls this port, and reads host and port from these variables.
    #[must_use]
    #[track_caller]
    pub const fn called(self, env: CallEnv) -> Use {
        Use::Call(Call { endpoint: self, env, path: None, location: SourceLocation::here() })
    }
}

/// A call to a port of another service.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// What is called.
    pub endpoint: Endpoint,
    /// The variables that the caller reads.
    pub env: CallEnv,
    /// A route that is asked, if one is known.
    pub path: Option<HttpPath>,
    /// Where it was declared.
    pub location: SourceLocation,
}

/// The variables that a caller reads the other service's address from.
#[derive(Clone, Copy, Debug)]
pub struct CallEnv {
    /// Gets the host's name.
    pub host: VariableName,
    /// Gets the port's number.
    pub port: VariableName,
}
