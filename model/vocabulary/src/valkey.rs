//! Valkey: the cache that speaks Redis' protocol, and what a service does with it.

use crate::uses::Client;
use crate::{
    BackingName, Image, KeyPattern, PasswordVariable, Quantity, Resources, SourceLocation, Use, ValkeyCommand,
    VariableName, cpu, memory,
};

/// A Valkey server. Declared as a constant, which is the handle for its clients.
#[derive(Clone, Copy, Debug)]
pub struct Valkey {
    /// Its name.
    pub name: BackingName,
    /// The official image, or one that keeps its contract.
    pub image: Image,
    /// What its one pod takes.
    pub resources: Resources,
    /// The size of the volume that its data lies on.
    pub storage: Quantity,
    /// Where it was declared.
    pub location: SourceLocation,
}

impl Valkey {
    /// A server with modest defaults.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Self {
            name: BackingName::new(name),
            image: Image::new("valkey/valkey", "9"),
            resources: Resources::new(cpu("50m").up_to("500m"), memory("64Mi").up_to("128Mi")),
            storage: Quantity::new("1Gi"),
            location: SourceLocation::here(),
        }
    }

    /// A client of this server: how the service reaches it, and which keys it uses how.
    #[must_use]
    #[track_caller]
    pub const fn client(&self, env: CacheEnv, keys: KeyUse) -> Use {
        Use::Valkey(ValkeyClient { client: Client::of(self.name), env, keys })
    }
}

/// How a service reaches a cache and what it does there.
#[derive(Clone, Copy, Debug)]
pub struct ValkeyClient {
    /// What clients of every kind have.
    pub client: Client,
    /// The variables it reads the connection from.
    pub env: CacheEnv,
    /// The keys and commands that it uses.
    pub keys: KeyUse,
}

impl ValkeyClient {
    pub(crate) fn variables(&self) -> Vec<VariableName> {
        let mut all = vec![self.env.host, self.env.port];
        if let CacheLogin::Own { user, password } = self.env.login {
            all.extend([user, password.name]);
        }
        all
    }
}

/// The variables that a service reads its connection to a cache from.
#[derive(Clone, Copy, Debug)]
pub struct CacheEnv {
    /// Gets the host's name.
    pub host: VariableName,
    /// Gets the port's number.
    pub port: VariableName,
    /// How it logs in.
    pub login: CacheLogin,
}

/// How a service logs in to a cache.
#[derive(Clone, Copy, Debug)]
pub enum CacheLogin {
    /// It cannot: it is the server's default user, which is then held to this service's keys and commands. At most one service of a cache.
    Anonymous,
    /// With a user of its own.
    Own {
        /// Gets the user's name.
        user: VariableName,
        /// Gets the user's password.
        password: PasswordVariable,
    },
}

/// The keys that a service uses, and all the commands that it sends.
#[derive(Clone, Copy, Debug)]
pub struct KeyUse {
    /// A pattern that matches all its keys (`*` is any text).
    pub pattern: KeyPattern,
    /// All commands it sends, those of its client library on connecting included.
    pub commands: &'static [&'static str],
}

/// Uses the keys of `pattern` with `commands`, and sends no other.
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
