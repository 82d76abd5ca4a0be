//! The kinds of backing services, one module each with the same shape: what an edge to it gives the client, what it needs itself, its
//! chart. A further kind is a further module and a further arm here.

mod postgresql;
mod rabbitmq;
mod valkey;

use k8s_openapi::api::core::v1::Probe;
use vocabulary::{Backing, BackingName, Kind, Use, VariableName};

use crate::access::{Access, CredentialAt};
use crate::context::{Context, chart_yaml, service_account};
use crate::files::Files;
use crate::pods::{ProbeTiming, Probes, ask, container_security, helper_resources, pod_security};
use crate::text::value;

/// The administrator of a backing service, whom no program of the platform is.
#[derive(Clone, Copy)]
pub(crate) struct Administrator {
    /// Its key in the values' `credentials`.
    pub(crate) key: &'static str,
    /// The name it logs in with.
    pub(crate) login: &'static str,
    /// What the password is for.
    pub(crate) doc: &'static str,
}

impl Administrator {
    /// Where the password lies.
    pub(crate) const fn at(self, backing: &str) -> CredentialAt<'_> {
        CredentialAt::password(backing, self.key)
    }
}

/// The administrator in the templates of the Jobs.
struct AdministratorView {
    key: &'static str,
    value: String,
    section: String,
}

/// A login in the templates of the Jobs.
struct LoginView {
    service: &'static str,
    enabled: String,
    /// The key of its password in the server's Secret.
    key: String,
    value: String,
    section: String,
}

fn administrator_view(kind: Kind, backing: &str) -> AdministratorView {
    let one = administrator(kind);
    let at = one.at(backing);
    AdministratorView { key: one.key, value: value(&at.text()), section: value(&at.section()) }
}

/// The logins at a backing service that have a password.
fn login_views(access: &Access, backing: BackingName) -> Vec<LoginView> {
    let with_password = access.logins_at(backing).filter(|login| login.variables.is_some());
    let view = with_password.map(|login| LoginView {
        service: login.service.as_str(),
        enabled: login.enabled(),
        key: login.key(),
        value: value(&login.at().text()),
        section: value(&login.at().section()),
    });
    view.collect()
}

/// What the pod of every kind of server has, and the pods of the Jobs that make its logins.
struct Pod {
    security: String,
    job_security: String,
    container_security: String,
    /// Of a Job's container, and of the one beside the server.
    helper_resources: String,
    probes: Probes,
}

impl Pod {
    /// The user and group of the official images, all of them.
    const USER: u32 = 999;

    /// A pod that is asked in this way whether it serves: at its start for `patience` times five seconds, and with so many seconds for an
    /// answer; before a restart it has five in any case.
    fn asked(way: &Probe, patience: i32, timeout_seconds: i32) -> Self {
        let timing =
            |every_seconds, failures, timeout_seconds| ProbeTiming { every_seconds, failures, timeout_seconds };
        Self {
            security: pod_security(Self::USER, true),
            job_security: pod_security(Self::USER, false),
            helper_resources: helper_resources(),
            container_security: container_security(),
            probes: Probes {
                startup: ask(way.clone(), timing(5, patience, timeout_seconds)),
                readiness: ask(way.clone(), timing(10, 3, timeout_seconds)),
                liveness: ask(way.clone(), timing(30, 5, 5)),
            },
        }
    }
}

/// The files that the chart of every kind of server has; `script` makes its logins.
fn basics(context: &Context, name: &str, doc: &str, source: &str, script: &str, files: &mut Files) {
    files.text(format!("charts/{name}/files/provisioning.sh"), script.to_owned());
    files.subchart(name, "Chart.yaml", &chart_yaml(context, name, doc, source));
    files.subchart(name, "templates/serviceaccount.yaml", &service_account(context, source));
}

/// One variable that a client of a backing service gets, without its credentials.
pub(crate) struct EnvBinding {
    pub(crate) name: &'static str,
    pub(crate) value: EnvValue,
}

/// Where such a variable's value comes from.
pub(crate) enum EnvValue {
    Host,
    Port,
    Text(&'static str),
}

pub(crate) const fn administrator(kind: Kind) -> Administrator {
    match kind {
        Kind::RabbitMq => rabbitmq::ADMINISTRATOR,
        Kind::PostgreSql => postgresql::ADMINISTRATOR,
        Kind::Valkey => valkey::ADMINISTRATOR,
    }
}

/// The word that stands for what is spoken, in the arguments of the script that looks at connections.
pub(crate) const fn scheme(kind: Kind) -> &'static str {
    match kind {
        Kind::RabbitMq => "amqp",
        Kind::PostgreSql => "postgresql",
        Kind::Valkey => "redis",
    }
}

/// The variables that a use gives its client, without credentials.
pub(crate) fn env_bindings(one: &Use) -> Vec<EnvBinding> {
    match one {
        Use::RabbitMq(client) => rabbitmq::env_bindings(client),
        Use::PostgreSql(client) => postgresql::env_bindings(client),
        Use::Valkey(client) => valkey::env_bindings(client),
        Use::Call(call) => vec![
            EnvBinding { name: call.env.host.as_str(), value: EnvValue::Host },
            EnvBinding { name: call.env.port.as_str(), value: EnvValue::Port },
        ],
    }
}

/// The arguments with which the tests' script tries what a client declares; `login` are the variables of its name and password, if it logs in.
pub(crate) fn checks(one: &Use, login: &[&str]) -> Vec<String> {
    let of_server = |host: VariableName, port: VariableName| [&[host.as_str(), port.as_str()], login].concat();
    match one {
        Use::RabbitMq(client) => rabbitmq::checks(client, &of_server(client.env.host, client.env.port)),
        Use::PostgreSql(client) => postgresql::checks(client, &of_server(client.env.host, client.env.port)),
        Use::Valkey(client) => valkey::checks(client, &of_server(client.env.host, client.env.port)),
        Use::Call(call) => {
            let path = call.path.map(|path| format!("={path}")).unwrap_or_default();
            vec![format!("http={},{}{path}", call.env.host, call.env.port)]
        }
    }
}

/// The files of a backing service: its subchart, and what the umbrella holds for it because it concerns several charts.
pub(crate) fn files(context: &Context, backing: &Backing, access: &Access, files: &mut Files) {
    match backing {
        Backing::RabbitMq(broker) => rabbitmq::files(context, broker, access, files),
        Backing::PostgreSql(server) => postgresql::files(context, server, access, files),
        Backing::Valkey(server) => valkey::files(context, server, access, files),
    }
}
