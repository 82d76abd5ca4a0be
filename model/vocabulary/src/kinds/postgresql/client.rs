//! A client of a PostgreSQL server, and the database that it uses.

use super::Database;
use crate::kinds::{Handle, ServerClient};
use crate::{Client, LoginEnv, PasswordVariable, VariableName};

/// A client of a PostgreSQL server: the variables that configure its connection, and the database that it uses.
#[derive(Clone, Copy, Debug)]
pub struct SqlClient {
    /// What clients of every kind have.
    pub client: Client,
    /// The variables that configure the connection.
    pub env: SqlEnv,
    /// The database that it uses.
    pub database: DatabaseUse,
}

impl ServerClient for SqlClient {
    fn variables(&self) -> Vec<VariableName> {
        let SqlEnv { host, port, user, password } = self.env;
        vec![host, port, self.database.variable, user, password.name]
    }

    fn login(&self) -> Option<LoginEnv> {
        Some(LoginEnv { user: self.env.user, password: self.env.password })
    }

    fn handles(&self) -> Vec<Handle> {
        let database = self.database.database;
        vec![Handle {
            what: format!("database `{}`", database.name),
            server: database.server,
            location: database.location,
        }]
    }

    fn is_idle(&self) -> bool {
        false
    }
}

/// The environment variables that configure a service's connection to a database.
#[derive(Clone, Copy, Debug)]
pub struct SqlEnv {
    /// Gets the host name.
    pub host: VariableName,
    /// Gets the port number.
    pub port: VariableName,
    /// Gets the role's name.
    pub user: VariableName,
    /// Gets the role's password.
    pub password: PasswordVariable,
}

/// A database that a service owns: the service creates its tables there, and no other service can connect to it.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseUse {
    /// The database.
    pub database: Database,
    /// Gets the database's name.
    pub variable: VariableName,
}

/// Owns `database`; `variable` gets the database's name.
#[must_use]
pub const fn owns(database: Database, variable: VariableName) -> DatabaseUse {
    DatabaseUse { database, variable }
}

/// The password variable of a program that pastes the password into a libpq connection string without quoting it.
///
/// The variable gets the password in single quotes, with `\` and `'` escaped by `\` (PostgreSQL manual, "Connection Strings").
///
/// # Panics
/// When the name breaks the rule of [`VariableName`]; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn libpq_value(name: &'static str) -> PasswordVariable {
    PasswordVariable { name: VariableName::new(name), libpq_value: true }
}
