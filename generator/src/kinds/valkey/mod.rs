//! Valkey: a StatefulSet. The first boot creates the users; later, Jobs do.

mod dashboard;
mod embedded;
mod exporter;

use askama::Template;
use vocabulary::{CacheLogin, Kind, LoginEnv, Use, VariableName};

use super::{AddOnLogin, Administrator, ClientFacts, Exporter, KindGrants, Profile, ScriptFile, ScriptSet, ServerKind};
use crate::alert::Alerts;
use crate::dashboard::ServerDashboards;
use crate::expr::template_scalar;
use crate::files::{Files, render};
use crate::graph::{
    Component, Edge, EnvBinding, EnvValue, Graph, Login, LoginName, LoginScripts, Port, Purpose, Runner, Script, Server,
};
use crate::log_format::{LogFormat, Severity};
use crate::text::code_cell;
use crate::workloads::server::EmbeddedServer;

pub(super) const KIND: Valkey = Valkey;

/// The kind.
pub(super) struct Valkey;

/// Rights of a user: these commands on keys that match this pattern.
pub(crate) struct Grants {
    pattern: &'static str,
    commands: &'static [&'static str],
}

impl KindGrants for Grants {}

/// Script that runs with a client's login, in the image of the server.
const SCRIPT: ScriptFile = ScriptFile {
    set: ScriptSet::Connections,
    name: "valkey.sh",
    text: include_str!("../../../templates/kinds/valkey/valkey.sh"),
};

const RESP: Port = Port { name: "redis", number: Kind::Valkey.port(), purpose: Purpose::Clients };

impl ServerKind for Valkey {
    fn profile(&self) -> &'static Profile {
        &Profile {
            doc: "Valkey, which limits each service to its own keys and commands.",
            administrator: Administrator {
                key: "administrator",
                login: "administrator",
                doc: "Password of `administrator`, the user with full access.",
            },
            ports: &[RESP],
            run_as_user: 999,
            image_variant: None,
        }
    }

    fn log_format(&self) -> Option<LogFormat> {
        Some(LogFormat {
            record: r"^\d+:[A-Z] \d\d \w+ \d{4} [\d:.]+ (?P<level>[.*#-]) ",
            levels: &[(Severity::Debug, &[".", "-"]), (Severity::Info, &["*"]), (Severity::Warn, &["#"])],
            continuation: None,
            personal: None,
        })
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
        let mut script_env = vec![
            EnvBinding { variable: "VALKEY_HOST", value: EnvValue::HostOf(client.client.backing.as_str()) },
            EnvBinding { variable: "VALKEY_PORT", value: EnvValue::Port(RESP.number) },
        ];
        if let Some((user, password)) = login {
            let key = |variable, key: VariableName| EnvBinding { variable, value: EnvValue::SecretKey(key.as_str()) };
            script_env.extend([key("VALKEY_USER", user), key("VALKEY_PASSWORD", password.name)]);
        }
        let script = |verb| Script { runner: Runner::ServerImage, file: SCRIPT.name, arguments: vec![verb] };
        let commands = keys.commands.iter().map(|command| code_cell(command)).collect::<Vec<_>>().join(" ");
        ClientFacts {
            port: RESP.number,
            env,
            login: Login {
                name: if login.is_some() { LoginName::Dotted } else { LoginName::Default },
                variables: login.map(|(user, password)| LoginEnv { user, password }),
                grants: Grants { pattern: keys.pattern.as_str(), commands: keys.commands }.into(),
            },
            scripts: LoginScripts {
                env: script_env,
                wait: script("wait"),
                // A login without the right to `ping` can only test the login itself.
                test: script(if keys.commands.contains(&"ping") { "ping" } else { "log-in" }),
                clean_up: None,
            },
            address,
            rights_text: format!("on keys {}: {commands}", code_cell(keys.pattern.as_str())),
        }
    }

    fn add_on_logins(&self, _clients: &[&Edge]) -> Vec<AddOnLogin> {
        vec![exporter::LOGIN]
    }

    fn exporter(&self) -> Option<&'static Exporter> {
        Some(&exporter::EXPORTER)
    }

    fn alerts(&self, _graph: &Graph, server: &Component) -> Alerts {
        exporter::alerts(server)
    }

    fn dashboards(&self) -> Option<&'static dyn ServerDashboards> {
        Some(&dashboard::Dashboards)
    }

    fn rights_noun(&self) -> &'static str {
        "the users of Valkey"
    }

    fn backup_note(&self) -> Option<&'static str> {
        Some("The data of Valkey. It is a cache, which its clients fill again.")
    }

    fn readable_data(&self, server: &Server) -> String {
        format!("of version {version} and of older versions, and of Redis up to 7.2", version = server.version)
    }

    fn version_steps(&self, _graph: &Graph, server: &Component) -> String {
        render(&VersionSteps { server: server.name })
    }

    fn script(&self) -> &'static str {
        include_str!("../../../templates/kinds/valkey/provisioning.sh")
    }

    fn client_scripts(&self) -> &'static [ScriptFile] {
        &[SCRIPT]
    }

    fn embedded(&self, _graph: &Graph, server: &Component, _files: &mut Files) -> EmbeddedServer {
        embedded::server(server)
    }

    fn provisioning(&self, graph: &Graph, server: &Component) -> String {
        let client = |(edge, login): (&Edge, &Login)| {
            let &Grants { pattern, commands } = (&login.grants).try_into().ok()?;
            let commands = commands.iter().map(|command| format!("+{command}")).collect::<Vec<_>>().join(" ");
            Some(ClientView {
                service: edge.client,
                anonymous: login.variables.is_none(),
                keys: template_scalar(pattern),
                commands: template_scalar(&commands),
            })
        };
        let clients: Vec<ClientView> = graph.logins_at(server.name).filter_map(client).collect();
        let anonymous = clients.iter().any(|client| client.anonymous);
        let has_logins = clients.iter().any(|client| !client.anonymous);
        render(&Provisioning { c: graph, name: server.name, clients, anonymous, has_logins })
    }
}

#[derive(Template)]
#[template(path = "kinds/valkey/provisioning.tpl")]
struct Provisioning<'a> {
    c: &'a Graph,
    name: &'a str,
    clients: Vec<ClientView>,
    /// Whether a client connects without a login.
    anonymous: bool,
    /// Whether a client has a login.
    has_logins: bool,
}

struct ClientView {
    service: &'static str,
    anonymous: bool,
    keys: String,
    commands: String,
}

#[derive(Template)]
#[template(path = "kinds/valkey/version.md")]
struct VersionSteps<'a> {
    server: &'a str,
}
