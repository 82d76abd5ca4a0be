//! A service's Secret in the modes `inline` and `external`: the same keys in each, named like the variables that the program reads.

use crate::expr::{login_name, own_value};
use crate::files::Files;
use crate::graph::{Component, Credential, Graph, Recipient};
use crate::text::scalar;
use askama::Template;

pub(super) fn files(graph: &Graph, component: &Component, files: &mut Files) {
    let (name, source) = (component.name, component.source);
    let of_service = || component.credentials.iter().filter_map(|one| Some((one, one.recipient()?)));
    let revision = |credential: &Credential| format!("{{{{ int {} }}}}", own_value(&credential.path.revision()));
    let revisions: Vec<_> = component.credentials.iter().map(revision).collect();
    let keys: Vec<_> = component.credentials.iter().map(|credential| format!("`{}`", credential.path.key)).collect();
    files.subchart(
        name,
        "templates/_helpers.tpl",
        &Helpers { source, name, revisions: revisions.join("."), revisions_of: keys.join(", then ") },
    );
    let entries = |password: &dyn Fn(&Credential, &Recipient) -> String| -> Vec<Entry> {
        let of_credential = |(credential, recipient): (&Credential, &Recipient)| {
            let user = recipient.login_at.and_then(|server| user(graph, name, server));
            let secret = Entry { name: scalar(recipient.variable), value: password(credential, recipient) };
            user.into_iter().chain([secret]).collect::<Vec<_>>()
        };
        of_service().flat_map(of_credential).collect()
    };
    let inline = entries(&|credential, recipient| in_values(graph, credential, recipient));
    files.subchart(name, "templates/secret.yaml", &Secret { c: graph, source, name, entries: inline });
    let remotes = of_service().map(|(credential, recipient)| Remote {
        name: recipient.variable,
        key: &credential.path.key,
        section: own_value(&credential.path.section()),
    });
    let external = ExternalSecret {
        c: graph,
        source,
        name,
        entries: entries(&|_, recipient| in_external_secrets(recipient)),
        remotes: remotes.collect(),
    };
    files.subchart(name, "templates/externalsecret.yaml", &external);
}

/// The entry with the name of a service's login at a server.
fn user(graph: &Graph, service: &str, server: &str) -> Option<Entry> {
    let edge = graph.edges_from(service).find(|edge| edge.target == server)?;
    let variable = edge.login.as_ref()?.variables?.user;
    Some(Entry { name: scalar(variable.as_str()), value: login_name(graph, server) })
}

/// The password, from the values.
fn in_values(graph: &Graph, credential: &Credential, recipient: &Recipient) -> String {
    let password = own_value(&credential.path.text());
    if recipient.libpq_value {
        format!(r#"{{{{ include "{}.libpqValue" {password} | quote }}}}"#, graph.name)
    } else {
        format!("{{{{ {password} | quote }}}}")
    }
}

/// The password, as a template of External Secrets, which Helm prints unchanged.
fn in_external_secrets(recipient: &Recipient) -> String {
    let name = recipient.variable;
    let template = if recipient.libpq_value {
        format!(r#"'{{{{ .{name} | replace "\\" "\\\\" | replace "'" "\\'" }}}}'"#)
    } else {
        format!("{{{{ .{name} }}}}")
    };
    format!("{{{{ `{template}` | quote }}}}")
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/_helpers.tpl")]
struct Helpers<'a> {
    source: &'a str,
    name: &'a str,
    revisions: String,
    revisions_of: String,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/secret.yaml")]
struct Secret<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
    entries: Vec<Entry>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/externalsecret.yaml")]
struct ExternalSecret<'a> {
    c: &'a Graph,
    source: &'a str,
    name: &'a str,
    entries: Vec<Entry>,
    remotes: Vec<Remote<'a>>,
}

/// A key of the Secret.
struct Entry {
    name: String,
    value: String,
}

/// A credential that External Secrets reads.
struct Remote<'a> {
    name: &'a str,
    key: &'a str,
    section: String,
}
