//! A client of a cache, and the keys and commands that it uses.

use super::{KeyPattern, ValkeyCommand};
use crate::kinds::{Handle, ServerClient};
use crate::{Client, LoginEnv, PasswordVariable, VariableName};

/// A client of a cache: the variables that configure its connection, and the keys and commands that it uses.
#[derive(Clone, Copy, Debug)]
pub struct ValkeyClient {
    /// What clients of every kind have.
    pub client: Client,
    /// The variables that configure the connection.
    pub env: CacheEnv,
    /// The keys and commands that it uses.
    pub keys: KeyUse,
}

impl ServerClient for ValkeyClient {
    fn variables(&self) -> Vec<VariableName> {
        let mut all = vec![self.env.host, self.env.port];
        all.extend(self.login().into_iter().flat_map(|login| [login.user, login.password.name]));
        all
    }

    fn login(&self) -> Option<LoginEnv> {
        match self.env.login {
            CacheLogin::Anonymous => None,
            CacheLogin::Own { user, password } => Some(LoginEnv { user, password }),
        }
    }

    fn handles(&self) -> Vec<Handle> {
        Vec::new()
    }

    fn is_idle(&self) -> bool {
        self.keys.commands.is_empty()
    }
}

/// The environment variables that configure a service's connection to a cache.
#[derive(Clone, Copy, Debug)]
pub struct CacheEnv {
    /// Gets the host name.
    pub host: VariableName,
    /// Gets the port number.
    pub port: VariableName,
    /// How the service logs in.
    pub login: CacheLogin,
}

/// How a service logs in to a cache.
#[derive(Clone, Copy, Debug)]
pub enum CacheLogin {
    /// The service cannot log in, so it acts as the server's default user, which gets the rights to exactly this service's keys and commands.
    /// At most one service of a cache can be anonymous.
    Anonymous,
    /// The service logs in as a user of its own.
    Own {
        /// Gets the user name.
        user: VariableName,
        /// Gets the user's password.
        password: PasswordVariable,
    },
}

/// The keys that a service uses, and all the commands that it sends.
#[derive(Clone, Copy, Debug)]
pub struct KeyUse {
    /// A pattern that matches all its keys (`*` matches any text).
    pub pattern: KeyPattern,
    /// All commands that it sends, including those that its client library sends when it connects.
    pub commands: &'static [&'static str],
}

/// Uses the keys that match `pattern`, with these commands and no others.
///
/// # Panics
/// When the pattern or a command breaks its rule; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn keys(pattern: &'static str, commands: &'static [&'static str]) -> KeyUse {
    let mut i = 0;
    while i < commands.len() {
        let _ = ValkeyCommand::new(commands[i]);
        i += 1;
    }
    KeyUse { pattern: KeyPattern::new(pattern), commands }
}
