//! A service's rights at PostgreSQL: everything in its own database, nothing elsewhere.

use serde_json::{Value, json};

use super::trial::{Login, Trial, WRONG_PASSWORD};

/// The statements that create a table of another role in each declared database.
pub(super) const MAKE_FOREIGN: &str = "CREATE SCHEMA rights_foreign; CREATE TABLE rights_foreign.secret (text text)";

/// Databases and roles of a server, as the server reports them.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Each database that accepts connections, and the role that owns it.
    pub(super) databases: Vec<(String, String)>,
    /// Each role and whether it may log in.
    pub(super) roles: Vec<(String, bool)>,
}

/// Operations that a database's owner must be able to do, in this order.
const ITS_OWN: &[(&str, &str)] = &[
    ("create a table", "CREATE TABLE rights_probe (number integer)"),
    ("insert into its table", "INSERT INTO rights_probe VALUES (1)"),
    ("select from its table", "SELECT number FROM rights_probe"),
    ("drop its table", "DROP TABLE rights_probe"),
];

/// Operations that only the superuser may do. None would cause damage beyond the release.
const NOBODYS: &[(&str, &str)] = &[
    ("read the server's files", "SELECT pg_read_file('/etc/passwd')"),
    ("list the server's files", "SELECT pg_ls_dir('.')"),
    ("copy a table from a file", "COPY pg_temp.rights FROM '/etc/passwd'"),
    ("copy to a file", "COPY (SELECT 1) TO '/tmp/rights'"),
    ("run a program on the server", "COPY (SELECT 1) TO PROGRAM 'true'"),
    ("import a file as a large object", "SELECT lo_import('/etc/passwd')"),
    ("create a role", "CREATE ROLE rights_role"),
    ("create a database", "CREATE DATABASE rights_database"),
    ("create a tablespace", "CREATE TABLESPACE rights_space LOCATION '/tmp'"),
    ("create a function in C", "CREATE FUNCTION rights_c() RETURNS integer LANGUAGE c AS 'x', 'x'"),
    ("create an event trigger", "CREATE EVENT TRIGGER rights_trigger ON ddl_command_start EXECUTE FUNCTION rights_c()"),
    ("alter the superuser", "ALTER ROLE postgres PASSWORD 'rights'"),
    ("make itself a superuser", "ALTER ROLE CURRENT_USER SUPERUSER"),
    ("become the superuser for the session", "SET SESSION AUTHORIZATION postgres"),
    ("grant itself the superuser", "GRANT postgres TO CURRENT_USER"),
    ("grant itself the right to read all data", "GRANT pg_read_all_data TO CURRENT_USER"),
    ("read the password digests of all roles", "SELECT rolpassword FROM pg_authid"),
    ("read the login rules", "SELECT * FROM pg_hba_file_rules"),
    ("change the server's settings", "ALTER SYSTEM SET work_mem = '8MB'"),
    ("reload the server's settings", "SELECT pg_reload_conf()"),
    ("write a checkpoint", "CHECKPOINT"),
    ("make a replication slot", "SELECT pg_create_physical_replication_slot('rights')"),
    ("read a table of another role", "SELECT * FROM rights_foreign.secret"),
    ("write to a table of another role", "INSERT INTO rights_foreign.secret VALUES ('x')"),
    ("create a table in a schema of another role", "CREATE TABLE rights_foreign.mine (number integer)"),
    ("drop a schema of another role", "DROP SCHEMA rights_foreign CASCADE"),
    ("cancel statements of other roles", CANCEL),
    ("end sessions of other roles", END),
];

/// A server always has processes of the superuser. Without one the statement would test nothing, so it divides by zero.
const CANCEL: &str = "SELECT 1 / count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE usename = 'postgres'";
const END: &str = "SELECT 1 / count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'postgres'";

/// PostgreSQL's predefined role whose only member is the owner of the current database.
const OWNERS: &str = "pg_database_owner";

/// The trials with a service's login; `login` is its role.
pub(super) fn trials(service: &str, database: &str, login: &str, known: &Known) -> Vec<Trial> {
    let own = Login::own(service);
    let within = |what: &str, may: bool, statements: Value| {
        Trial::new(&own, format!("{what} in {database}"), may, json!({"database": database, "statements": statements}))
    };
    let mut trials = vec![enters(&own, database, true)];
    trials.extend(ITS_OWN.iter().map(|(what, statement)| within(what, true, json!([statement]))));
    for (what, statement) in NOBODYS {
        // The COPY trial needs a target table in its own session.
        let statements = if statement.contains("pg_temp") {
            json!(["CREATE TEMP TABLE IF NOT EXISTS rights (line text)", statement])
        } else {
            json!([statement])
        };
        trials.push(within(what, false, statements));
    }
    let owner = known.databases.iter().find(|(name, _)| name == database).map(|(_, owner)| owner.as_str());
    for (role, _) in &known.roles {
        let may = [Some(login), owner, Some(OWNERS)].contains(&Some(role));
        // Resets the role afterwards; a failure of the reset is an error too.
        let statements = json!([format!("SET ROLE \"{role}\""), "RESET ROLE"]);
        trials.push(within(&format!("become {role}"), may, statements));
    }
    let others = known.databases.iter().filter(|(name, _)| name != database);
    trials.extend(others.map(|(other, _)| enters(&own, other, false)));
    trials
}

/// The trials without a service's login, made once per server.
pub(super) fn intrusions(known: &Known) -> Vec<Trial> {
    let names = known.roles.iter().filter(|(_, logs_in)| *logs_in).map(|(name, _)| name);
    let logins = names.flat_map(|name| [Login::with(name, ""), Login::with(name, WRONG_PASSWORD)]);
    logins.flat_map(|login| known.databases.iter().map(move |(database, _)| enters(&login, database, false))).collect()
}

fn enters(login: &Login, database: &str, may: bool) -> Trial {
    Trial::new(login, format!("connect to {database}"), may, json!({"database": database, "statements": []}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let database = |name: &str, owner: &str| (name.to_owned(), owner.to_owned());
        let role = |name: &str, logs_in| (name.to_owned(), logs_in);
        Known {
            databases: vec![database("postgres", "postgres"), database("a", "a_owner"), database("b", "b_owner")],
            roles: vec![
                role("postgres", true),
                role("a_owner", false),
                role("b_owner", false),
                role("s", true),
                role(OWNERS, false),
            ],
        }
    }

    #[test]
    fn its_own_database_and_roles_and_no_others() {
        let trials = trials("s", "a", "s", &known());
        let may: Vec<_> = trials.iter().filter(|trial| trial.may).map(|trial| trial.what.as_str()).collect();
        let expected = [
            "connect to a",
            "create a table in a",
            "insert into its table in a",
            "select from its table in a",
            "drop its table in a",
            "become a_owner in a",
            "become s in a",
            "become pg_database_owner in a",
        ];
        assert_eq!(may, expected);
        let refused = |what: &str| trials.iter().any(|trial| !trial.may && trial.what == what);
        assert!(refused("connect to b") && refused("connect to postgres"));
        assert!(refused("become b_owner in a") && refused("become postgres in a"));
    }

    #[test]
    fn only_who_may_log_in_is_tried_without_a_password() {
        let trials = intrusions(&known());
        assert_eq!(trials.len(), 2 * 2 * 3);
        assert!(trials.iter().all(|trial| !trial.may && !trial.who.contains("owner")));
    }
}
