//! RabbitMQ: a StatefulSet. The first boot creates the users, permissions and queues; later, Jobs do.

mod alerts;
mod dashboard;
mod embedded;
mod provisioning;
mod rights;

use askama::Template;
use schemars::JsonSchema;
use serde::Serialize;
use vocabulary::{Declaration, EarlierServer, Kind, LoginEnv, QueueUse, Use};

pub use rights::AmqpPermissions;
pub(crate) use rights::Grants;

use super::{Administrator, ClientFacts, Profile, ScriptFile, ScriptSet, ServerKind};
use crate::alert::Alerts;
use crate::dashboard::ServerDashboards;
use crate::emit::values::Section;
use crate::files::{Files, render};
use crate::graph::{
    Component, EnvBinding, EnvValue, Graph, Login, LoginName, LoginScripts, Port, Purpose, Runner, Script, Server,
};
use crate::log_format::{LogFormat, Severity};
use crate::workloads::server::EmbeddedServer;
use rights::{DEFAULT_EXCHANGE, rights_text};

pub(super) const KIND: RabbitMq = RabbitMq;

/// The kind.
pub(super) struct RabbitMq;

/// Logs in by AMQP, in Python. The client in the broker's image uses HTTP and needs a user with management rights.
const LOGIN_SCRIPT: ScriptFile = ScriptFile {
    set: ScriptSet::Connections,
    name: "amqp.py",
    text: include_str!("../../../templates/kinds/rabbitmq/amqp.py"),
};
/// Publishes and consumes with such a login.
const TEST_SCRIPT: ScriptFile = ScriptFile {
    set: ScriptSet::Tests,
    name: "queues.py",
    text: include_str!("../../../templates/kinds/rabbitmq/queues.py"),
};

const AMQP: Port = Port { name: "amqp", number: Kind::RabbitMq.port(), purpose: Purpose::Clients };
const MANAGEMENT: Port = Port { name: "management", number: 15672, purpose: Purpose::Administration };
/// At `/metrics`, the numbers of all queues are added up.
const METRICS: Port = Port { name: "metrics", number: 15692, purpose: Purpose::Metrics("/metrics/per-object") };

impl ServerKind for RabbitMq {
    fn profile(&self) -> &'static Profile {
        &Profile {
            doc: "RabbitMQ, with a separate user for each service.",
            administrator: Administrator {
                key: "administrator",
                login: "administrator",
                doc: "Password of `administrator`, the only user with access to the management interface.",
            },
            ports: &[AMQP, MANAGEMENT, METRICS],
            run_as_user: 999,
            image_variant: Some("management"),
        }
    }

    fn log_format(&self) -> Option<LogFormat> {
        Some(LogFormat {
            record: r"^\S+ \S+ \[(?P<level>[a-z]+)\] ",
            levels: &[
                (Severity::Debug, &["debug"]),
                (Severity::Info, &["info", "notice"]),
                (Severity::Warn, &["warning"]),
                (Severity::Error, &["error"]),
                (Severity::Fatal, &["critical", "alert", "emergency"]),
            ],
            continuation: None,
            personal: Some("Logins with their addresses, and no messages."),
        })
    }

    fn client(&self, used: &Use) -> ClientFacts {
        let Use::RabbitMq(client) = used else { unreachable!("a use of this kind has a client of this kind") };
        let (declared, backing) = (client.env, client.client.backing.as_str());
        let address = [declared.host, declared.port];
        let mut env = vec![
            EnvBinding::new(declared.host, EnvValue::HostOf(backing)),
            EnvBinding::new(declared.port, EnvValue::Port(AMQP.number)),
        ];
        for queue_use in client.queues {
            let (QueueUse::Consumes { variable, .. } | QueueUse::Publishes { variable, .. }) = queue_use;
            if let QueueUse::Publishes { exchange: Some((exchange, variable)), .. } = queue_use {
                env.push(EnvBinding::new(*variable, EnvValue::Text(exchange.name.as_str())));
            }
            env.push(EnvBinding::new(*variable, EnvValue::Text(queue_use.queue().name.as_str())));
        }
        env.extend([
            EnvBinding::new(declared.user, EnvValue::UserName),
            EnvBinding::new(declared.password.name, EnvValue::Password),
        ]);
        let login = [
            ("AMQP_HOST", EnvValue::HostOf(backing)),
            ("AMQP_PORT", EnvValue::Port(AMQP.number)),
            ("AMQP_USER", EnvValue::SecretKey(declared.user.as_str())),
            ("AMQP_PASSWORD", EnvValue::SecretKey(declared.password.name.as_str())),
        ];
        let test = client.queues.iter().flat_map(|queue_use| {
            let passively = (queue_use.declaration() == Declaration::Passive).then_some("passively");
            let what = match queue_use {
                QueueUse::Consumes { queue, .. } => vec!["consume", queue.name.as_str()],
                QueueUse::Publishes { queue, exchange: None, .. } => vec!["publish", queue.name.as_str()],
                QueueUse::Publishes { queue, exchange: Some((exchange, _)), .. } => {
                    vec!["publish-through", exchange.name.as_str(), queue.name.as_str()]
                }
            };
            passively.into_iter().chain(what)
        });
        let script = |file: ScriptFile, arguments| Script { runner: Runner::Python, file: file.name, arguments };
        ClientFacts {
            port: AMQP.number,
            env,
            login: Login {
                name: LoginName::Dotted,
                variables: Some(LoginEnv { user: declared.user, password: declared.password }),
                grants: Grants::of(client.queues).into(),
            },
            scripts: LoginScripts {
                env: login.map(|(variable, value)| EnvBinding { variable, value }).into(),
                wait: script(LOGIN_SCRIPT, Vec::new()),
                test: script(TEST_SCRIPT, test.collect()),
                clean_up: None,
            },
            address,
            rights_text: rights_text(client.queues),
        }
    }

    fn consumed(&self, earlier: &EarlierServer) -> Option<String> {
        let pod = format!("$RELEASE-{}-0", earlier.stateful_set);
        let list = format!(
            "kubectl exec \"{pod}\" --namespace \"$NAMESPACE\" -- rabbitmqctl --quiet list_queues --no-table-headers messages"
        );
        // Without an answer of the broker, it must not count as empty.
        let is_empty = r#"[ "$(echo "$MESSAGES" | awk '{ n += $1 } END { print n + 0 }')" = 0 ]"#;
        Some(format!("until MESSAGES=$({list}) && {is_empty}; do sleep 2; done"))
    }

    fn values(&self) -> Option<(&'static str, Section)> {
        Some(("limits", Section::of(&Limits::MODEST)))
    }

    fn alerts(&self, graph: &Graph, server: &Component) -> Alerts {
        alerts::alerts(graph, server)
    }

    fn dashboards(&self) -> Option<&'static dyn ServerDashboards> {
        Some(&dashboard::Dashboards)
    }

    fn values_doc(&self) -> &'static str {
        "Limits that keep one service from exhausting the broker."
    }

    fn access_notes(&self, graph: &Graph) -> Option<String> {
        let through_default = graph.edges.iter().filter(|edge| {
            let grants: Option<&Grants> = edge.login.as_ref().and_then(|login| (&login.grants).try_into().ok());
            grants.is_some_and(|grants| grants.write.contains(&DEFAULT_EXCHANGE))
        });
        Some(render(&AccessNotes { default_exchange: through_default.map(|edge| edge.client).collect() }))
    }

    fn rights_noun(&self) -> &'static str {
        "the permissions of RabbitMQ"
    }

    fn test_note(&self) -> Option<&'static str> {
        Some("The message that a test publishes reaches no queue.")
    }

    fn backup_note(&self) -> Option<&'static str> {
        Some(
            "Messages in the queues of RabbitMQ. They wait there for seconds, and survive restarts on the server's volume. The chart creates users, permissions and queues again on an empty volume.",
        )
    }

    fn login_commands(&self) -> Option<&'static str> {
        Some("`rabbitmqctl list_users`, `rabbitmqctl delete_user`")
    }

    fn readable_data(&self, server: &Server) -> String {
        format!(
            "of version {version} and of the minor version before it, under the same node name",
            version = server.version
        )
    }

    fn version_steps(&self, _graph: &Graph, server: &Component) -> String {
        render(&VersionSteps { server: server.name })
    }

    fn script(&self) -> &'static str {
        include_str!("../../../templates/kinds/rabbitmq/provisioning.sh")
    }

    fn client_scripts(&self) -> &'static [ScriptFile] {
        &[LOGIN_SCRIPT, TEST_SCRIPT]
    }

    fn embedded(&self, graph: &Graph, server: &Component, files: &mut Files) -> EmbeddedServer {
        embedded::server(graph, server, files)
    }

    fn provisioning(&self, graph: &Graph, server: &Component) -> String {
        provisioning::templates(graph, server)
    }
}

/// Limits that keep one service from exhausting the broker.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Limits {
    /// Maximum number of messages in a queue. The broker rejects further messages; only publishers that use confirms notice.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    queue_length: u32,
    /// Maximum number of messages in a dead-letter queue. The broker drops the oldest messages.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    dead_letters: u32,
    /// Maximum number of connections per login.
    #[schemars(range(min = 1, max = 65535))]
    connections_per_user: u32,
    /// Maximum number of channels per login.
    #[schemars(range(min = 1, max = 65535))]
    channels_per_user: u32,
}

impl Limits {
    const MODEST: Self =
        Self { queue_length: 100_000, dead_letters: 10_000, connections_per_user: 50, channels_per_user: 200 };
}

/// The limits that the broker enforces on its clients, and those that it cannot enforce.
#[derive(Template)]
#[template(path = "kinds/rabbitmq/access-notes.md")]
struct AccessNotes {
    /// The services that publish through the default exchange.
    default_exchange: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "kinds/rabbitmq/version.md")]
struct VersionSteps<'a> {
    server: &'a str,
}
