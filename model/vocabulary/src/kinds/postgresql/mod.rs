//! PostgreSQL: the server with its databases, and the services that own them.

mod check;
mod client;
mod names;
#[cfg(test)]
pub(crate) mod tests;

pub use client::{DatabaseUse, SqlClient, SqlEnv, libpq_value, owns};
pub use names::DatabaseName;

use super::ServerKind;
use crate::{
    BackingName, Client, Diagnostic, Image, Platform, Quantity, Resources, ServerVersion, SourceLocation, Use, cpu,
    memory,
};

/// A PostgreSQL server. Declared as a constant, which is the handle for its databases and clients.
#[derive(Clone, Copy, Debug)]
pub struct PostgreSql {
    /// Its name.
    pub name: BackingName,
    /// The official image, or a compatible one.
    pub image: Image,
    /// The major version of the image. Data of another major version is refused.
    pub version: ServerVersion,
    /// CPU and memory of its pod.
    pub resources: Resources,
    /// The size of its data volume.
    pub storage: Quantity,
    /// Where it is declared.
    pub location: SourceLocation,
}

impl PostgreSql {
    /// A server with modest defaults.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Self {
            name: BackingName::new(name),
            image: Image::new("postgres", "18"),
            version: ServerVersion::new("18"),
            resources: Resources::new(cpu("100m").up_to("1"), memory("128Mi").up_to("512Mi")),
            storage: Quantity::new("2Gi"),
            location: SourceLocation::here(),
        }
    }

    /// A database on this server.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn database(&self, name: &'static str) -> Database {
        Database { server: self.name, name: DatabaseName::new(name), location: SourceLocation::here() }
    }

    /// A client of this server: the variables that configure its connection, and the database that it uses.
    #[must_use]
    #[track_caller]
    pub const fn client(&self, env: SqlEnv, database: DatabaseUse) -> Use {
        Use::PostgreSql(SqlClient { client: Client::new(self.name), env, database })
    }
}

impl ServerKind for PostgreSql {
    const PRODUCT: &'static str = "PostgreSQL";
    const PORT: u16 = 5432;
    const OLDEST: ServerVersion = ServerVersion::new("18");
    const USE_HELP: &'static str = "name the database that it owns (`owns(…)`)";
    const MERGE_HELP: &'static str =
        "keep one client; when the clients own different databases, keep one database for all tables of the service";

    fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
        check::check(platform, diagnostics);
    }
}

/// A database: the handle with which a service declares that it owns it.
#[derive(Clone, Copy, Debug)]
pub struct Database {
    /// The server that it is on.
    pub server: BackingName,
    /// Its name.
    pub name: DatabaseName,
    /// Where it is declared.
    pub location: SourceLocation,
}
