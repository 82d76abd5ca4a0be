//! A service's Secret, in each way in which it comes to be: always the same keys, named as the variables that the program reads.

use askama::Template;
use vocabulary::{PasswordVariable, Service};

use crate::access::{Access, Credential};
use crate::context::Context;
use crate::files::Files;
use crate::text::{scalar, value};

pub(super) fn files(c: &Context, service: &Service, access: &Access, files: &mut Files) {
    let name = service.name.as_str();
    let source = service.location.file();
    let credentials: Vec<_> = access.credentials_of(service.name).collect();
    let revisions: Vec<_> =
        credentials.iter().map(|one| format!("{{{{ int {} }}}}", value(&one.at().revision()[1..]))).collect();
    let of = credentials.iter().map(|one| format!("`{}`", one.key)).collect::<Vec<_>>().join(", then ");
    files.subchart(
        name,
        "templates/_helpers.tpl",
        &Helpers { source, name, revisions: revisions.join("."), revisions_of: of },
    );
    let entries = |password: &dyn Fn(&Credential) -> String| -> Vec<Entry> {
        let of = |one: &&Credential| -> Vec<Entry> {
            let user = one.user.map(|variable| Entry { name: scalar(variable.as_str()), value: user(c, one, access) });
            let secret = Entry { name: scalar(one.variable.name.as_str()), value: password(one) };
            user.into_iter().chain([secret]).collect()
        };
        credentials.iter().flat_map(of).collect()
    };
    let inline = entries(&|one| in_values(c, one));
    files.subchart(name, "templates/secret.yaml", &Secret { c, source, name, entries: inline });
    let remotes = credentials.iter().map(|one| Remote {
        name: one.variable.name.as_str(),
        key: &one.key,
        section: value(&one.at().section()[1..]),
    });
    let external = ExternalSecret {
        c,
        source,
        name,
        entries: entries(&|one| in_external_secrets(one.variable)),
        remotes: remotes.collect(),
    };
    files.subchart(name, "templates/externalsecret.yaml", &external);
}

/// The name that a login has, as a YAML string.
fn user(c: &Context, one: &Credential, access: &Access) -> String {
    let login = access.login_of(one).expect("a credential with a user's variable is a login's");
    format!("\"{}\"", login.user(c.name))
}

/// The password, from the values.
fn in_values(c: &Context, one: &Credential) -> String {
    let held = value(&one.at().text()[1..]);
    if one.variable.libpq_value {
        format!(r#"{{{{ include "{}.libpqValue" {held} | quote }}}}"#, c.name)
    } else {
        format!("{{{{ {held} | quote }}}}")
    }
}

/// The password, in the language of External Secrets: a template for it, which Helm prints as it stands.
fn in_external_secrets(variable: PasswordVariable) -> String {
    let name = variable.name;
    let template = if variable.libpq_value {
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
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
    entries: Vec<Entry>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/externalsecret.yaml")]
struct ExternalSecret<'a> {
    c: &'a Context<'a>,
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
