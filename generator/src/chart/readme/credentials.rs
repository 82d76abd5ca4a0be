//! What the README says of credentials: who has which, under which keys, and how they are made.

use vocabulary::PasswordVariable;

use super::Row;
use crate::access::Access;
use crate::backing::administrator;
use crate::context::Context;
use crate::credentials;
use crate::text::code_cell;

/// A file of passwords, as a shell writes it.
pub(super) fn passwords(c: &Context, access: &Access) -> String {
    let mut out = Vec::new();
    let mut owner = "";
    for credentials::Credential { at, .. } in credentials::all(c, access) {
        if at.owner != owner {
            owner = at.owner;
            out.push(format!("{owner}:\n  credentials:"));
        }
        out.push(format!("    {}: {{ {}: \"$(openssl rand -hex 24)\" }}", at.key, at.field));
    }
    out.join("\n")
}

/// The Secret of each consumer, and its keys: what whoever brings Secrets of his own has to put into them.
pub(super) fn secrets(c: &Context, access: &Access) -> Vec<Row> {
    let declared = c.platform.platform();
    let mut rows = Vec::new();
    for service in &declared.services {
        let mut keys = Vec::new();
        for credential in access.credentials_of(service.name) {
            if let (Some(variable), Some(login)) = (credential.user, access.login_of(credential)) {
                keys.push(format!("{}: {}", code_cell(variable.as_str()), code_cell(&login.user_in_words())));
            }
            keys.push(format!("{}{}", code_cell(credential.variable.name.as_str()), read_as(credential.variable)));
        }
        if !keys.is_empty() {
            let name = format!("`<release>-{}-<mode>-r<revisions>`", service.name);
            rows.push(Row::of(&[code_cell(service.name.as_str()), name, keys.join("; ")]));
        }
    }
    for one in &declared.backing {
        let own = code_cell(administrator(one.kind()).key);
        let logins = access.logins_at(one.name()).filter(|login| login.variables.is_some());
        let keys: Vec<_> = [own].into_iter().chain(logins.map(|l| format!("`{}.r<revision>`", l.service))).collect();
        let name = format!("`<release>-{}-<mode>`", one.name());
        rows.push(Row::of(&[code_cell(one.name().as_str()), name, keys.join("; ")]));
    }
    rows
}

fn read_as(variable: PasswordVariable) -> &'static str {
    // The program puts it into a connection string as it stands.
    if variable.libpq_value { r" (in single quotes, with `\` before each `'` and `\` of the password)" } else { "" }
}

/// A credential that the README replaces, to show how.
pub(super) struct Example {
    pub(super) service: &'static str,
    pub(super) key: String,
    pub(super) field: &'static str,
}

pub(super) fn example(c: &Context, access: &Access) -> Option<Example> {
    let mut services = c.platform.platform().services.iter();
    services.find_map(|service| {
        let first = access.credentials_of(service.name).next()?;
        Some(Example { service: service.name.as_str(), key: first.key.clone(), field: first.field })
    })
}
