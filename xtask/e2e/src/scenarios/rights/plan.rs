//! The trials for each service, from its declaration and from the servers' actual contents.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, bail};
use e2e_kit::release::Release;
use e2e_kit::{kubectl, process};
use serde_json::{Value, json};
use vocabulary::{Backing, BackingName, CacheLogin, PasswordVariable, ServiceName, Use, VariableName};

use super::trial::{Login, Target, Trial};
use super::{amqp, sql, valkey};
use e2e_kit::pods::bare_pod;

/// The trials of the probe pod that replaces a service.
pub(super) struct Plan {
    pub(super) service: &'static str,
    pub(super) targets: Vec<Target>,
}

impl Plan {
    /// One plan for each service that uses a server. The first client of a server also makes the trials without a service's login.
    pub(super) fn all(release: &Release) -> anyhow::Result<Vec<Self>> {
        let platform = release.namespace.context.platform.platform();
        let mut servers = BTreeMap::new();
        for backing in &platform.backing {
            servers.insert(backing.name(), Known::of(release, backing)?);
        }
        let mut intruded = BTreeSet::new();
        let mut plans = Vec::new();
        for service in &platform.services {
            let mut targets = Vec::new();
            for one in service.uses {
                // A call to a service has no login.
                let Some(client) = one.client() else { continue };
                let known = servers.get(&client.backing).context("a client uses an undeclared server")?;
                let mut target = target(release, service.name, one, known)?;
                if intruded.insert(client.backing) {
                    target.trials.extend(known.intrusions(release, client.backing));
                }
                targets.push(target);
            }
            if !targets.is_empty() {
                plans.push(Self { service: service.name.as_str(), targets });
            }
        }
        Ok(plans)
    }
}

/// The contents of a server, as the server reports them.
enum Known {
    Broker(amqp::Known),
    Database(sql::Known),
    Cache(Vec<valkey::Command>),
}

impl Known {
    fn of(release: &Release, backing: &Backing) -> anyhow::Result<Self> {
        Ok(match backing {
            Backing::RabbitMq(broker) => Self::Broker(of_broker(release, broker.name)?),
            Backing::PostgreSql(server) => Self::Database(of_database(release, server.name)?),
            Backing::Valkey(server) => Self::Cache(commands_of(release, server.name)?),
        })
    }

    fn intrusions(&self, release: &Release, server: BackingName) -> Vec<Trial> {
        match self {
            Self::Broker(known) => amqp::intrusions(known),
            Self::Database(known) => sql::intrusions(known),
            Self::Cache(commands) => {
                let services = &release.namespace.context.platform.platform().services;
                let mut clients = services.iter().flat_map(|service| service.uses);
                let anonymous = clients.any(|one| match one {
                    Use::Valkey(c) => c.client.backing == server && matches!(c.env.login, CacheLogin::Anonymous),
                    Use::RabbitMq(_) | Use::PostgreSql(_) | Use::Call(_) => false,
                });
                valkey::intrusions(anonymous, commands)
            }
        }
    }
}

/// The trials with a service's login for one of its uses.
fn target(release: &Release, service: ServiceName, one: &Use, known: &Known) -> anyhow::Result<Target> {
    let name = service.as_str();
    Ok(match (one, known) {
        (Use::RabbitMq(client), Known::Broker(known)) => {
            let env = &client.env;
            let connection = connection("amqp", env.host, env.port, Some((env.user, env.password)));
            Target {
                at: client.client.backing.as_str(),
                connection,
                trials: amqp::trials(&Login::own(name), client.queues, known),
            }
        }
        (Use::PostgreSql(client), Known::Database(known)) => {
            let env = &client.env;
            let connection = connection("sql", env.host, env.port, Some((env.user, env.password)));
            let login = release.exec(name, &["printenv", env.user.as_str()])?;
            let database = client.database.database.name.as_str();
            let trials = sql::trials(name, database, login.trim_end(), known);
            Target { at: client.client.backing.as_str(), connection, trials }
        }
        (Use::Valkey(client), Known::Cache(commands)) => {
            let env = &client.env;
            let login = match env.login {
                CacheLogin::Anonymous => None,
                CacheLogin::Own { user, password } => Some((user, password)),
            };
            let connection = connection("valkey", env.host, env.port, login);
            let trials = valkey::trials(name, &client.keys, commands);
            Target { at: client.client.backing.as_str(), connection, trials }
        }
        _ => bail!("{service} uses a server of another kind than declared"),
    })
}

/// The contents of a broker, and what is declared there.
pub(super) fn of_broker(release: &Release, broker: BackingName) -> anyhow::Result<amqp::Known> {
    // One command for everything: each rabbitmqctl call starts an Erlang VM, which takes seconds.
    let words = ["rabbitmqctl", "--quiet", "export_definitions", "-", "--format", "json"];
    let definitions = kubectl::parsed("export_definitions", &release.exec(broker.as_str(), &words)?)?;
    let names = |what: &str| -> anyhow::Result<BTreeSet<String>> {
        let all = definitions[what].as_array().with_context(|| format!("the broker's definitions have no {what}"))?;
        Ok(all.iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect())
    };
    let mut known = amqp::Known { queues: names("queues")?, exchanges: names("exchanges")?, users: names("users")? };
    let platform = &release.namespace.context.platform;
    known.queues.extend(platform.queues(broker).iter().map(|queue| queue.name.to_string()));
    known.exchanges.extend(platform.exchanges(broker).iter().map(|(exchange, _)| exchange.name.to_string()));
    Ok(known)
}

/// Reads roles and databases, and creates a table of the superuser in each declared database.
fn of_database(release: &Release, server: BackingName) -> anyhow::Result<sql::Known> {
    let services = &release.namespace.context.platform.platform().services;
    for one in services.iter().flat_map(|service| service.uses) {
        if let Use::PostgreSql(client) = one
            && client.client.backing == server
        {
            psql(release, server, client.database.database.name.as_str(), sql::MAKE_FOREIGN)?;
        }
    }
    let rows = |query: &str| -> anyhow::Result<Vec<(String, String)>> {
        let output = psql(release, server, "postgres", query)?;
        Ok(output.lines().filter_map(|line| line.split_once('|')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect())
    };
    let roles = rows("SELECT rolname, rolcanlogin FROM pg_roles ORDER BY 1")?;
    Ok(sql::Known {
        databases: rows("SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE datallowconn ORDER BY 1")?,
        roles: roles.into_iter().map(|(role, logs_in)| (role, logs_in == "t")).collect(),
    })
}

/// Runs statements as the superuser over the server's socket.
fn psql(release: &Release, server: BackingName, database: &str, statements: &str) -> anyhow::Result<String> {
    let words =
        ["psql", "-U", "postgres", "-d", database, "--no-psqlrc", "-Atq", "-v", "ON_ERROR_STOP=1", "-c", statements];
    release.exec(server.as_str(), &words)
}

/// All commands of a server's version.
///
/// The release's server does not list them without a login, so a temporary server with the same image and no ACL is queried.
fn commands_of(release: &Release, server: BackingName) -> anyhow::Result<Vec<valkey::Command>> {
    let namespace = &release.namespace.name;
    let pod = release.pod_of(server.as_str())?.name;
    let object = kubectl::json(&["get", "pod", &pod, "--namespace", namespace])?;
    let image = object["spec"]["containers"][0]["image"].as_str().context("the server's pod has no image")?;
    let name = format!("commands-of-{server}");
    let rest = json!({"args": ["valkey-server", "--save", ""]});
    kubectl::apply(&bare_pod(namespace, &name, image, &json!({}), &rest))?;
    let output = process::until(Duration::from_mins(1), Duration::from_millis(500), || {
        // Fails until the server listens.
        let output = kubectl::exec(namespace, &name, &["valkey-cli", "-e", "--json", "command"])?;
        Ok(if output.success { Ok(output.out) } else { Err(output.all()) })
    })?;
    kubectl::run(&["delete", "pod", &name, "--namespace", namespace, "--wait=false"])?;
    valkey::Command::all(&kubectl::parsed("the list of commands", &output)?)
}

/// The probe's connection settings: the names of the service's environment variables.
fn connection(
    kind: &str,
    host: VariableName,
    port: VariableName,
    login: Option<(VariableName, PasswordVariable)>,
) -> Value {
    let mut connection = json!({"kind": kind, "host": host.as_str(), "port": port.as_str()});
    if let Some((user, password)) = login {
        connection["user"] = user.as_str().into();
        connection["password"] = password.name.as_str().into();
        connection["libpq_value"] = password.libpq_value.into();
    }
    connection
}
