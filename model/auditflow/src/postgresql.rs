//! The database server and the database of alerts.

use vocabulary::{Database, PostgreSql};

pub(crate) const POSTGRESQL: PostgreSql = PostgreSql::named("postgresql");

/// The alerts that were raised, for ever.
pub(crate) const ALERTS_DB: Database = POSTGRESQL.database("alerts_db");
