//! What a service uses: one client per backing service, and calls to other services.

use crate::{BackingName, HttpPath, PasswordVariable, Port, ServiceName, SourceLocation, Use, VariableName};

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

/// The variables that get a login's name and password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginEnv {
    /// Gets the user name.
    pub user: VariableName,
    /// Gets the password.
    pub password: PasswordVariable,
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
