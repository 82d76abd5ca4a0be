//! The README's section on credentials: their Secrets, keys and commands.

use crate::expr::login_name_for_readers;
use crate::graph::{Component, Credential, Graph, Recipient};
use crate::text::{Row, code_cell};

/// A values file with passwords, as a here-document of a shell.
pub(super) fn passwords(graph: &Graph) -> String {
    let mut out = Vec::new();
    let mut owner = "";
    for Credential { path, .. } in graph.credentials() {
        if path.owner != owner {
            owner = path.owner;
            out.push(format!("{owner}:\n  credentials:"));
        }
        out.push(format!("    {}: {{ {}: \"$(openssl rand -hex 24)\" }}", path.key, path.field));
    }
    out.join("\n")
}

/// The Secret of each consumer, and its keys: what an installer with `existing` has to create.
pub(super) fn secrets(graph: &Graph) -> Vec<Row> {
    graph.components.iter().filter_map(|component| row(graph, component)).collect()
}

fn row(graph: &Graph, component: &Component) -> Option<Row> {
    let name = component.name;
    let Some(server) = component.server() else {
        let keys: Vec<String> = component.credentials.iter().flat_map(|one| keys_of_service(graph, one)).collect();
        let secret = format!("`<release>-{name}-<mode>-r<revisions>`");
        return (!keys.is_empty()).then(|| Row::of(&[code_cell(name), secret, keys.join("; ")]));
    };
    let own = code_cell(server.kind.profile().administrator.key);
    let logins = graph.logins_at(name).filter(|(_, login)| login.variables.is_some());
    let logins = logins.map(|(edge, _)| edge.client).chain(server.add_on_logins.iter().map(|login| login.section));
    let keys: Vec<_> = [own].into_iter().chain(logins.map(|login| format!("`{login}.r<revision>`"))).collect();
    Some(Row::of(&[code_cell(name), format!("`<release>-{name}-<mode>`"), keys.join("; ")]))
}

fn keys_of_service(graph: &Graph, credential: &Credential) -> Vec<String> {
    let Some(recipient) = credential.recipient() else { return Vec::new() };
    let edge = graph.edges_from(credential.path.owner).find(|edge| Some(edge.target) == recipient.login_at);
    let user = edge.and_then(|edge| {
        let variable = edge.login.as_ref()?.variables?.user;
        Some(format!("{}: {}", code_cell(variable.as_str()), code_cell(&login_name_for_readers(edge))))
    });
    let secret = format!("{}{}", code_cell(recipient.variable), read_as(recipient));
    user.into_iter().chain([secret]).collect()
}

fn read_as(recipient: &Recipient) -> &'static str {
    // The program pastes it into a connection string without quoting it.
    if recipient.libpq_value { r" (in single quotes, with `\` before each `'` and `\` of the password)" } else { "" }
}

/// The credential that the README's example of a rotation replaces.
pub(super) struct Example {
    pub(super) service: &'static str,
    pub(super) key: String,
    pub(super) field: &'static str,
}

pub(super) fn example(graph: &Graph) -> Option<Example> {
    let first = graph.credentials().find(|credential| credential.recipient().is_some())?;
    Some(Example { service: first.path.owner, key: first.path.key.clone(), field: first.path.field })
}
