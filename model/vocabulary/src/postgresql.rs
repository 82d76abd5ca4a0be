//! PostgreSQL: the server, its databases, and what a service does with them.

use crate::uses::Client;
use crate::{
    BackingName, DatabaseName, Image, PasswordVariable, Place, Quantity, Resources, Use, VariableName, cpu, memory,
};

/// A PostgreSQL server. Declared as a constant, which is the handle for its databases and clients.
#[derive(Clone, Copy, Debug)]
pub struct PostgreSql {
    /// Its name.
    pub name: BackingName,
    /// The official image from major version 18 on (where its data lies moved then), or one that keeps its contract.
    pub image: Image,
    /// What its one pod takes.
    pub resources: Resources,
    /// The size of the volume that its data lies on.
    pub storage: Quantity,
    /// Where it was declared.
    pub place: Place,
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
            resources: Resources::new(cpu("100m").up_to("1"), memory("128Mi").up_to("512Mi")),
            storage: Quantity::new("2Gi"),
            place: Place::here(),
        }
    }

    /// A database of this server.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn database(&self, name: &'static str) -> Database {
        Database { server: self.name, name: DatabaseName::new(name), place: Place::here() }
    }

    /// A client of this server: how the service reaches it, and which database it uses.
    #[must_use]
    #[track_caller]
    pub const fn client(&self, env: SqlEnv, database: DatabaseUse) -> Use {
        Use::Sql(SqlClient { client: Client::of(self.name), env, database })
    }
}

/// A database: the handle with which a service says that it stores in it.
#[derive(Clone, Copy, Debug)]
pub struct Database {
    /// The server it lies on.
    pub server: BackingName,
    /// Its name.
    pub name: DatabaseName,
    /// Where it was declared.
    pub place: Place,
}

/// How a service reaches a database and what it does there.
#[derive(Clone, Copy, Debug)]
pub struct SqlClient {
    /// What clients of every kind have.
    pub client: Client,
    /// The variables it reads the connection from.
    pub env: SqlEnv,
    /// The database that it uses.
    pub database: DatabaseUse,
}

impl SqlClient {
    pub(crate) fn variables(&self) -> Vec<VariableName> {
        let SqlEnv { host, port, user, password } = self.env;
        vec![host, port, self.database.variable, user, password.name]
    }
}

/// The variables that a service reads its connection to a database from.
#[derive(Clone, Copy, Debug)]
pub struct SqlEnv {
    /// Gets the host's name.
    pub host: VariableName,
    /// Gets the port's number.
    pub port: VariableName,
    /// Gets the role's name.
    pub user: VariableName,
    /// Gets the role's password.
    pub password: PasswordVariable,
}

/// The database that a service owns: it creates its tables there itself, and nobody else may enter.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseUse {
    /// The database.
    pub database: Database,
    /// Gets the database's name.
    pub variable: VariableName,
}

/// Owns `database`, whose name it reads from `variable`.
#[must_use]
pub const fn owns(database: Database, variable: VariableName) -> DatabaseUse {
    DatabaseUse { database, variable }
}
