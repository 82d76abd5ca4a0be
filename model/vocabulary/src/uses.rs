//! What uses have in common whatever the kind of server, and calls to other services.

use crate::{BackingName, HttpPath, PasswordVariable, Port, ServiceName, SourceLocation, Use, VariableName};

/// What clients of every kind of server have in common.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The server.
    pub backing: BackingName,
    /// What the program does when the connection is lost.
    pub reconnects: Reconnects,
    /// Where it is declared.
    pub location: SourceLocation,
}

impl Client {
    #[track_caller]
    pub(crate) const fn new(backing: BackingName) -> Self {
        Self { backing, reconnects: Reconnects::ByItself, location: SourceLocation::here() }
    }

    /// Declares that the program never reopens this connection; see [`Use::never_reconnects`].
    #[must_use]
    pub const fn never_reconnects(self, reason: &'static str) -> Self {
        Self { reconnects: Reconnects::Never(reason), ..self }
    }
}

/// What a program does when it loses a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconnects {
    /// It opens a new connection by itself.
    ByItself,
    /// It continues without the connection, so only a restart restores it. The text says how this is known.
    Never(&'static str),
}

/// The variables that get a login's name and password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginEnv {
    /// Gets the user name.
    pub user: VariableName,
    /// Gets the password.
    pub password: PasswordVariable,
}

/// A port of a service: the handle with which other services declare that they call it. Declare it beside the service, as a constant.
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

    /// A call to this port; the variables get its host and port number.
    #[must_use]
    #[track_caller]
    pub const fn called(self, env: CallEnv) -> Use {
        Use::Call(Call { endpoint: self, env, path: None, location: SourceLocation::here() })
    }
}

/// A call to a port of another service.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The port that is called.
    pub endpoint: Endpoint,
    /// The variables that configure the address.
    pub env: CallEnv,
    /// A route that the caller requests, if one is declared.
    pub path: Option<HttpPath>,
    /// Where it is declared.
    pub location: SourceLocation,
}

/// The environment variables that configure the address of a called service.
#[derive(Clone, Copy, Debug)]
pub struct CallEnv {
    /// Gets the host name.
    pub host: VariableName,
    /// Gets the port number.
    pub port: VariableName,
}
