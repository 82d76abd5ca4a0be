//! PostgreSQL: the server, its databases, and what a service does with them.

use crate::name::same;
use crate::uses::Client;
use crate::{
    BackingName, DatabaseName, Image, PasswordVariable, Quantity, Resources, SourceLocation, Use, VariableName, cpu,
    memory,
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
            resources: Resources::new(cpu("100m").up_to("1"), memory("128Mi").up_to("512Mi")),
            storage: Quantity::new("2Gi"),
            location: SourceLocation::here(),
        }
    }

    /// A database of this server.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn database(&self, name: &'static str) -> Database {
        Database { server: self.name, name: DatabaseName::new(name), location: SourceLocation::here() }
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
    pub location: SourceLocation,
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

/// The words that PostgreSQL takes for no name unless they are quoted (`src/include/parser/kwlist.h`: reserved, and reserved but for
/// functions and types), and the two that it refuses as roles.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "binary", "both",
    "case", "cast", "check", "collate", "collation", "column", "concurrently", "constraint", "create", "cross",
    "current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp",
    "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "false", "fetch", "for",
    "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike", "in", "initially", "inner", "intersect",
    "into", "is", "isnull", "join", "lateral", "leading", "left", "like", "limit", "localtime", "localtimestamp",
    "natural", "none", "not", "notnull", "null", "offset", "on", "only", "or", "order", "outer", "overlaps", "placing",
    "primary", "public", "references", "returning", "right", "select", "session_user", "similar", "some", "symmetric",
    "system_user", "table", "tablesample", "then", "to", "trailing", "true", "union", "unique", "user", "using",
    "variadic", "verbose", "when", "where", "window", "with",
];

/// Whether a text is an SQL identifier only in quotes.
pub(crate) const fn is_reserved_in_sql(text: &[u8]) -> bool {
    let mut i = 0;
    while i < RESERVED.len() {
        if same(text, RESERVED[i].as_bytes()) {
            return true;
        }
        i += 1;
    }
    false
}
