//! Valkey: the cache that speaks the Redis protocol, and the services that use its keys.

mod check;
mod client;
mod names;
#[cfg(test)]
pub(crate) mod tests;

pub use client::{CacheEnv, CacheLogin, KeyUse, ValkeyClient, keys};
pub use names::{KeyPattern, ValkeyCommand};

use super::ServerKind;
use crate::{
    BackingName, Client, Diagnostic, Image, Platform, Quantity, Resources, ServerVersion, SourceLocation, Use, cpu,
    memory,
};

/// A Valkey server. Declared as a constant, which is the handle for its clients.
#[derive(Clone, Copy, Debug)]
pub struct Valkey {
    /// Its name.
    pub name: BackingName,
    /// The official image, or a compatible one.
    pub image: Image,
    /// The major version of the image. Data of a newer major version is refused.
    pub version: ServerVersion,
    /// CPU and memory of its pod.
    pub resources: Resources,
    /// The size of its data volume.
    pub storage: Quantity,
    /// Where it is declared.
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
            version: ServerVersion::new("9"),
            resources: Resources::new(cpu("50m").up_to("500m"), memory("64Mi").up_to("128Mi")),
            storage: Quantity::new("1Gi"),
            location: SourceLocation::here(),
        }
    }

    /// A client of this server: the variables that configure its connection, and the keys and commands that it uses.
    #[must_use]
    #[track_caller]
    pub const fn client(&self, env: CacheEnv, keys: KeyUse) -> Use {
        Use::Valkey(ValkeyClient { client: Client::new(self.name), env, keys })
    }
}

impl ServerKind for Valkey {
    const PRODUCT: &'static str = "Valkey";
    const PORT: u16 = 6379;
    const OLDEST: ServerVersion = ServerVersion::new("8");
    const USE_HELP: &'static str = "list the commands that it sends (`keys(…)`)";
    const MERGE_HELP: &'static str =
        "keep one client, with a pattern that matches all keys of the service, and with all commands that it sends";

    fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
        check::check(platform, diagnostics);
    }
}
