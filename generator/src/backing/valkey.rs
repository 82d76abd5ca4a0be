//! Valkey: a StatefulSet whose server is given its users at its first boot, and by Jobs from then on.

use askama::Template;
use vocabulary::{Kind, Valkey, ValkeyClient};

use super::{
    Administrator, AdministratorView, EnvBinding, EnvValue, LoginView, Pod, administrator_view, basics, login_views,
};
use crate::access::{Access, Rights};
use crate::context::Context;
use crate::files::Files;
use crate::pods::exec;
use crate::text::inert;

const SCRIPT: &str = include_str!("../../templates/umbrella/charts/valkey/files/provisioning.sh");

pub(super) const ADMINISTRATOR: Administrator = Administrator {
    key: "administrator",
    login: "administrator",
    doc: "The password of `administrator`, who may do everything.",
};

pub(super) fn env_bindings(client: &ValkeyClient) -> Vec<EnvBinding> {
    vec![
        EnvBinding { name: client.env.host.as_str(), value: EnvValue::Host },
        EnvBinding { name: client.env.port.as_str(), value: EnvValue::Port },
    ]
}

pub(super) fn checks(client: &ValkeyClient, server: &[&str]) -> Vec<String> {
    // Whoever may not ping can at least log in.
    let kind = if client.keys.commands.contains(&"ping") { "ping" } else { "cache" };
    vec![format!("{kind}={}", server.join(","))]
}

pub(super) fn files(context: &Context, server: &Valkey, access: &Access, files: &mut Files) {
    let name = server.name.as_str();
    let source = server.location.file();
    let doc = "Valkey, which holds each service to its own keys and commands.";
    basics(context, name, doc, source, SCRIPT, files);
    files.subchart(name, "templates/service.yaml", &Services { c: context, port: Kind::Valkey.port() });
    // As a user who may do nothing else: the answer is an error while data is loaded.
    let asked = ["valkey-cli", "-e", "--no-auth-warning", "--user", "probe", "--pass", "any", "ping"];
    let pod = Pod::asked(&exec(asked.map(str::to_owned).to_vec()), 60, 5);
    let port = Kind::Valkey.port();
    files.subchart(name, "templates/statefulset.yaml", &StatefulSet { c: context, port, pod: &pod });
    let users = access.logins_at(server.name).filter_map(|login| match login.rights {
        Rights::Valkey { pattern, commands } => Some(User {
            enabled: login.enabled(),
            anonymous: login.variables.is_none(),
            key: login.variables.map_or_else(|| "-".to_owned(), |_| login.key()),
            name: login.user_in_umbrella(context.name),
            keys: inert(pattern),
            commands: commands.iter().map(|c| format!("+{c}")).collect::<Vec<_>>().join(" "),
        }),
        Rights::Amqp { .. } | Rights::Sql { .. } => None,
    });
    let users: Vec<_> = users.collect();
    let anonymous = users.iter().any(|user| user.anonymous);
    let view = Provisioning {
        c: context,
        name,
        port: Kind::Valkey.administration_port(),
        pod: &pod,
        admin: administrator_view(Kind::Valkey, name),
        logins: login_views(access, server.name),
        users,
        anonymous,
    };
    files.umbrella(format!("templates/{name}-provisioning.yaml"), &view);
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
    pod: &'a Pod,
}

#[derive(Template)]
#[template(path = "umbrella/templates/valkey-provisioning.yaml")]
struct Provisioning<'a> {
    c: &'a Context<'a>,
    name: &'a str,
    port: u16,
    pod: &'a Pod,
    admin: AdministratorView,
    logins: Vec<LoginView>,
    users: Vec<User>,
    anonymous: bool,
}

struct User {
    enabled: String,
    anonymous: bool,
    key: String,
    name: String,
    keys: String,
    commands: String,
}
