//! Valkey: a StatefulSet that reads its users from an ACL file at its boot.

use askama::Template;
use vocabulary::{Kind, Valkey, ValkeyClient};

use super::{Administrator, Given, GivenValue, Pod, basics};
use crate::access::{Access, Rights};
use crate::context::Context;
use crate::files::Files;
use crate::pods::exec;
use crate::text::{inert, value};

pub(super) const ADMINISTRATOR: Administrator =
    Administrator { key: "administrator", doc: "The password of `administrator`, who may do everything." };

pub(super) fn given(client: &ValkeyClient) -> Vec<Given> {
    vec![
        Given { name: client.env.host.as_str(), value: GivenValue::Host },
        Given { name: client.env.port.as_str(), value: GivenValue::Port },
    ]
}

pub(super) fn files(context: &Context, server: &Valkey, access: &Access, files: &mut Files) {
    let name = server.name.as_str();
    let source = server.place.file();
    let doc = "Valkey, which holds each service to its own keys and commands.";
    basics(context, name, doc, source, files);
    files.subchart(name, "templates/service.yaml", &Services { c: context, port: Kind::Valkey.port() });
    // As a user who may do nothing else: the answer is an error while data is loaded.
    let asked = ["valkey-cli", "-e", "--no-auth-warning", "--user", "probe", "--pass", "any", "ping"];
    files.subchart(
        name,
        "templates/statefulset.yaml",
        &StatefulSet {
            c: context,
            port: Kind::Valkey.port(),
            pod: Pod::asked(&exec(asked.map(str::to_owned).to_vec()), 60, 5),
        },
    );
    let users = access.logins_at(server.name).filter_map(|login| match login.rights {
        Rights::Valkey { pattern, commands } => Some(User {
            enabled: login.enabled(),
            password: login.variables.map(|_| login.password()),
            name: inert(&login.user),
            keys: inert(pattern),
            commands: commands.iter().map(|c| format!("+{c}")).collect::<Vec<_>>().join(" "),
        }),
        Rights::Amqp { .. } | Rights::Sql { .. } => None,
    });
    let users: Vec<_> = users.collect();
    let anonymous = users.iter().any(|user| user.password.is_none());
    let view = Acl { c: context, name, admin: value(&ADMINISTRATOR.path(name)), users, anonymous };
    files.umbrella(format!("templates/{name}-acl.yaml"), &view);
}

#[derive(Template)]
#[template(path = "umbrella/charts/valkey/templates/service.yaml")]
struct Services<'a> {
    c: &'a Context<'a>,
    port: u16,
}

#[derive(Template)]
#[template(path = "umbrella/charts/valkey/templates/statefulset.yaml")]
struct StatefulSet<'a> {
    c: &'a Context<'a>,
    port: u16,
    pod: Pod,
}

#[derive(Template)]
#[template(path = "umbrella/templates/valkey-acl.yaml")]
struct Acl<'a> {
    c: &'a Context<'a>,
    name: &'a str,
    admin: String,
    users: Vec<User>,
    anonymous: bool,
}

struct User {
    enabled: String,
    password: Option<String>,
    name: String,
    keys: String,
    commands: String,
}
