//! The database server, and the database of alerts.

use vocabulary::{Database, PostgreSql};

pub(crate) const POSTGRESQL: PostgreSql = PostgreSql::named("postgresql");

/// All alerts that were raised.
pub(crate) const ALERTS_DB: Database = POSTGRESQL.database("alerts_db");
