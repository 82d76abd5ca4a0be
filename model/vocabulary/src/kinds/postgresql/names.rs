//! Names of databases.

use std::fmt;

use crate::name::{LOWER, NameError, has, name, only, same, sized, starts_with};

name! {
    /// The name of a database: an SQL identifier that needs no quotes. PostgreSQL truncates identifiers at 63 bytes; 57 leave room for a suffix in the
    /// name of the role that owns the database.
    DatabaseName, "a database's name is 1 to 57 of a-z, 0-9 and _, beginning with a letter, and neither one of PostgreSQL's own (postgres, template0, template1, pg_…) nor a reserved word of its SQL (user, order, …)", database
}

impl DatabaseName {
    /// The longest name, in bytes.
    pub const LONGEST: usize = 57;
}

const fn database(text: &[u8]) -> bool {
    sized(text, DatabaseName::LONGEST)
        && only(text, b"abcdefghijklmnopqrstuvwxyz0123456789_")
        && has(LOWER, text[0])
        && !starts_with(text, b"pg_")
        && !same(text, b"postgres")
        && !same(text, b"template0")
        && !same(text, b"template1")
        && !is_reserved_in_sql(text)
}

/// The words that PostgreSQL accepts as identifiers only in quotes, from `src/include/parser/kwlist.h`: the reserved ones, including those that can name
/// functions and types. `none` and `public` are refused as names of roles.
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

/// Whether a text needs quotes as an SQL identifier.
const fn is_reserved_in_sql(text: &[u8]) -> bool {
    let mut i = 0;
    while i < RESERVED.len() {
        if same(text, RESERVED[i].as_bytes()) {
            return true;
        }
        i += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::DatabaseName;
    use crate::name::tests::{all, lower, lower_or_digit, names};

    names! {
        databases: DatabaseName, database, ["alerts_db", "orders", "template", "users", "pg1"];
    }

    #[test]
    fn no_database_is_called_as_a_word_of_sql() {
        for word in ["user", "order", "left", "current_schema", "none", "public"] {
            assert!(DatabaseName::checked(word).is_err(), "{word} would have to be quoted");
        }
        assert!(DatabaseName::checked("user_data").is_ok());
    }

    fn database(text: &str) -> bool {
        let own = ["postgres", "template0", "template1"].contains(&text) || text.starts_with("pg_");
        // Of SQL's words those that an edit of an example could give.
        let reserved = ["order", "user", "do", "or", "as", "to", "on", "in", "is", "all"].contains(&text);
        all(text, 57, |c| lower_or_digit(c) || c == '_') && text.starts_with(lower) && !own && !reserved
    }
}
