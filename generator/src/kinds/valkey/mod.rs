//! Valkey: a StatefulSet whose server is given its users at its first boot, and by Jobs from then on.

use askama::Template;
use vocabulary::{CacheLogin, Kind, LoginEnv, Use};

use super::{Administrator, ClientFacts, KindGrants, Profile, ServerKind, script_variables};
use crate::addons::provisioning::{AdministratorView, LoginView, ServerPod, administrator_view, basics, login_views};
use crate::expr::{Scope, enabled_service, inert, login_name, password_key};
use crate::files::Files;
use crate::graph::{Check, Component, EnvBinding, EnvValue, Graph, Login, LoginName, Port, Purpose};
use crate::text::code_cell;
use crate::workloads::parts::exec;

const SCRIPT: &str = include_str!("../../../templates/umbrella/charts/valkey/files/provisioning.sh");

pub(super) const KIND: Valkey = Valkey;

/// The kind.
pub(super) struct Valkey;

/// What a user may do: these commands on keys of this pattern.
pub(crate) struct Grants {
    pattern: &'static str,
    commands: &'static [&'static str],
}

impl KindGrants for Grants {}

const RESP: Port = Port { name: "redis", number: Kind::Valkey.port(), purpose: Purpose::Clients };

impl ServerKind for Valkey {
    fn profile(&self) -> &'static Profile {
        &Profile {
            doc: "Valkey, which holds each service to its own keys and commands.",
            administrator: Administrator {
                key: "administrator",
                login: "administrator",
                doc: "The password of `administrator`, who may do everything.",
            },
            ports: &[RESP],
            run_as_user: 999,
        }
    }

    fn client(&self, used: &Use) -> ClientFacts {
        let Use::Valkey(client) = used else { unreachable!("a use of this kind has a client of this kind") };
        let (address, keys) = ([client.env.host, client.env.port], client.keys);
        let login = match client.env.login {
            CacheLogin::Anonymous => None,
            CacheLogin::Own { user, password } => Some((user, password)),
        };
        let mut env = vec![
            EnvBinding::new(client.env.host, EnvValue::HostOf(client.client.backing.as_str())),
            EnvBinding::new(client.env.port, EnvValue::Port(RESP.number)),
        ];
        if let Some((user, password)) = login {
            env.push(EnvBinding::new(user, EnvValue::UserName));
            env.push(EnvBinding::new(password.name, EnvValue::Password));
        }
        // A login that may not ping can at least log in.
        let verb = if keys.commands.contains(&"ping") { "ping" } else { "cache" };
        let commands = keys.commands.iter().map(|command| code_cell(command)).collect::<Vec<_>>().join(" ");
        ClientFacts {
            port: RESP.number,
            env,
            login: Login {
                name: if login.is_some() { LoginName::Dotted } else { LoginName::Default },
                variables: login.map(|(user, password)| LoginEnv { user, password }),
                grants: Grants { pattern: keys.pattern.as_str(), commands: keys.commands }.into(),
            },
            checks: vec![Check { verb, variables: script_variables(address, login), path: None }],
            protocol: "redis",
            address,
            login_variables: login.map_or_else(Vec::new, |(user, password)| vec![user, password.name]),
            rights_text: format!("on keys {}: {commands}", code_cell(keys.pattern.as_str())),
        }
    }

    fn files(&self, graph: &Graph, server: &Component, files: &mut Files) {
        embedded(graph, server, files);
    }
}

fn embedded(graph: &Graph, server: &Component, files: &mut Files) {
    let name = server.name;
    basics(graph, server, SCRIPT, files);
    files.subchart(name, "templates/service.yaml", &Services { c: graph, port: RESP.number });
    // As a user who may do nothing else: the answer is an error while data is loaded.
    let asked = ["valkey-cli", "-e", "--no-auth-warning", "--user", "probe", "--pass", "any", "ping"];
    let pod = ServerPod::probed(server, &exec(asked.map(str::to_owned).to_vec()), 60, 5);
    files.subchart(name, "templates/statefulset.yaml", &StatefulSet { c: graph, port: RESP.number, pod: &pod });
    let users = graph.logins_at(name).filter_map(|(edge, login)| {
        let &Grants { pattern, commands } = (&login.grants).try_into().ok()?;
        Some(User {
            enabled: enabled_service(edge.client),
            anonymous: login.variables.is_none(),
            key: login.variables.map_or_else(|| "-".to_owned(), |_| password_key(edge)),
            name: login_name(graph, edge, Scope::Umbrella),
            keys: inert(pattern),
            commands: commands.iter().map(|command| format!("+{command}")).collect::<Vec<_>>().join(" "),
        })
    });
    let users: Vec<_> = users.collect();
    let anonymous = users.iter().any(|user| user.anonymous);
    let view = Provisioning {
        c: graph,
        name,
        port: RESP.number,
        pod: &pod,
        admin: administrator_view(server),
        logins: login_views(graph, name),
        users,
        anonymous,
    };
    files.umbrella(format!("templates/{name}-provisioning.yaml"), &view);
}

#[derive(Template)]
#[template(path = "umbrella/charts/valkey/templates/service.yaml")]
struct Services<'a> {
    c: &'a Graph,
    port: u16,
}

#[derive(Template)]
#[template(path = "umbrella/charts/valkey/templates/statefulset.yaml")]
struct StatefulSet<'a> {
    c: &'a Graph,
    port: u16,
    pod: &'a ServerPod,
}

#[derive(Template)]
#[template(path = "umbrella/templates/valkey-provisioning.yaml")]
struct Provisioning<'a> {
    c: &'a Graph,
    name: &'a str,
    port: u16,
    pod: &'a ServerPod,
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
