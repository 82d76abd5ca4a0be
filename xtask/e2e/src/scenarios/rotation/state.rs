//! The servers' logins and definitions as comparable text.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::ensure;
use e2e_kit::kubectl;
use e2e_kit::release::Release;
use serde_json::{Value, json};

use crate::flow;
use crate::roles::Roles;

/// Every login and role, with its server.
pub(super) fn logins(release: &Release) -> anyhow::Result<BTreeSet<(String, String)>> {
    let Roles { broker, database_server, cache, .. } = Roles::of(release.namespace.context)?;
    let at =
        |server: &str, users: Vec<String>| users.into_iter().map(|user| (server.to_owned(), user)).collect::<Vec<_>>();
    let names = |value: &Value, key: &str| -> Vec<String> {
        let one = |entry: &Value| if key.is_empty() { entry.clone() } else { entry[key].clone() };
        value.as_array().into_iter().flatten().filter_map(|entry| one(entry).as_str().map(str::to_owned)).collect()
    };
    let users = release.exec(broker, &["rabbitmqctl", "--quiet", "--formatter=json", "list_users"])?;
    let roles = sql(release, "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")?;
    let cache_users = flow::valkey(release, &["ACL", "USERS"])?;
    let all = [
        at(broker, names(&kubectl::parsed("list_users", &users)?, "user")),
        at(database_server, roles.lines().map(str::to_owned).collect()),
        at(cache, names(&kubectl::parsed("ACL USERS", &cache_users)?, "")),
    ];
    Ok(all.concat().into_iter().collect())
}

/// Runs SQL as the superuser over the socket of the database's pod.
pub(super) fn sql(release: &Release, statement: &str) -> anyhow::Result<String> {
    flow::sql(release, "postgres", statement)
}

/// Everything that provisioning manages, as one line per definition. Password hashes are omitted, because their salts change.
pub(super) fn everything(release: &Release) -> anyhow::Result<BTreeSet<String>> {
    let Roles { broker, database_server, cache, .. } = Roles::of(release.namespace.context)?;
    let definitions = release.exec(broker, &["rabbitmqctl", "--quiet", "export_definitions", "-"])?;
    let mut lines = lines_of(broker, &kubectl::parsed("export_definitions", &definitions)?);
    let roles = ["pg_dumpall", "--username=postgres", "--globals-only", "--no-role-passwords"];
    let databases = "SELECT datname, pg_get_userbyid(datdba), datacl FROM pg_database";
    for text in [release.exec(database_server, &roles)?, sql(release, databases)?] {
        // Newer dumps begin and end with a random word.
        let own =
            |line: &&str| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict") && !line.is_empty();
        lines.extend(text.lines().filter(own).map(|line| format!("{database_server}: {line}")));
    }
    let acl = kubectl::parsed("ACL LIST", &flow::valkey(release, &["ACL", "LIST"])?)?;
    lines.extend(acl.as_array().into_iter().flatten().map(|line| format!("{cache}: {line}")));
    ensure!(lines.len() > 20, "the servers have fewer definitions than expected: {lines:?}");
    Ok(lines)
}

/// One line per definition of the broker.
fn lines_of(broker: &str, definitions: &Value) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for (kind, all) in definitions.as_object().into_iter().flatten() {
        for one in all.as_array().into_iter().flatten() {
            let mut one = one.clone();
            if let Some(fields) = one.as_object_mut() {
                fields.remove("password_hash");
            }
            // Sorts the fields, because the broker's order varies.
            let fields: BTreeMap<_, _> = one.as_object().into_iter().flatten().collect();
            lines.insert(format!("{broker}: {kind} {}", json!(fields)));
        }
    }
    lines
}

/// Fails if definitions were removed or added; names both.
pub(super) fn same(before: &BTreeSet<String>, after: &BTreeSet<String>) -> anyhow::Result<()> {
    let gone: Vec<_> = before.difference(after).map(|line| format!("- {line}")).collect();
    let new: Vec<_> = after.difference(before).map(|line| format!("+ {line}")).collect();
    ensure!(
        gone.is_empty() && new.is_empty(),
        "the servers' definitions changed:\n{}",
        [gone, new].concat().join("\n")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_is_no_difference_and_a_right_is() {
        let broker = |hash: &str, read: &str| {
            lines_of(
                "mq",
                &json!({"users": [{"name": "a", "password_hash": hash}], "permissions": [{"user": "a", "read": read}]}),
            )
        };
        assert!(same(&broker("1", "^$"), &broker("2", "^$")).is_ok());
        let error = same(&broker("1", "^$"), &broker("1", ".*")).expect_err("a right differs").to_string();
        assert!(error.contains("- mq: permissions") && error.contains("+ mq: permissions"), "{error}");
    }
}
