//! For each service, what is to be tried with its logins: its declaration against what the servers say that they have.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, bail};
use e2e_kit::release::Release;
use e2e_kit::{kubectl, process};
use serde_json::{Value, json};
use vocabulary::{Backing, BackingName, CacheLogin, PasswordVariable, ServiceName, Use, VariableName};

use super::trial::{Target, Trial};
use super::{amqp, sql, valkey};
use e2e_kit::pods::bare_pod;

/// What is tried in a pod that takes a service's place.
pub(super) struct Plan {
    pub(super) service: &'static str,
    pub(super) targets: Vec<Target>,
}

impl Plan {
    /// One for each service that logs in somewhere, or is let in without. What needs no service's login is tried by the first client of a
    /// server.
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
                // A call has no login.
                let Some(client) = one.client() else { continue };
                let known = servers.get(&client.backing).context("a client of a server that is not declared")?;
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

/// What there is at a server, by its own word.
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

/// What is tried with the login that a service has for one of its uses.
fn target(release: &Release, service: ServiceName, one: &Use, known: &Known) -> anyhow::Result<Target> {
    let name = service.as_str();
    Ok(match (one, known) {
        (Use::RabbitMq(client), Known::Broker(known)) => {
            let env = &client.env;
            let connection = connection("amqp", env.host, env.port, Some((env.user, env.password)));
            Target { at: client.client.backing.as_str(), connection, trials: amqp::trials(name, client, known) }
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
        _ => bail!("{service} uses a server as another kind than it is"),
    })
}

fn of_broker(release: &Release, broker: BackingName) -> anyhow::Result<amqp::Known> {
    // Everything at once: each of the broker's tools starts an Erlang machine, which takes seconds.
    let words = ["rabbitmqctl", "--quiet", "export_definitions", "-", "--format", "json"];
    let definitions = kubectl::parsed("export_definitions", &release.exec(broker.as_str(), &words)?)?;
    let names = |what: &str| -> anyhow::Result<BTreeSet<String>> {
        let all = definitions[what].as_array().with_context(|| format!("the broker tells no {what}"))?;
        Ok(all.iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect())
    };
    let mut known = amqp::Known { queues: names("queues")?, exchanges: names("exchanges")?, users: names("users")? };
    let platform = &release.namespace.context.platform;
    known.queues.extend(platform.queues(broker).iter().map(|queue| queue.name.to_string()));
    known.exchanges.extend(platform.exchanges(broker).iter().map(|(exchange, _)| exchange.name.to_string()));
    Ok(known)
}

/// Asks a database server, and makes a table of the superuser's in each declared database.
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

/// Runs statements as the superuser, over the server's own socket.
fn psql(release: &Release, server: BackingName, database: &str, statements: &str) -> anyhow::Result<String> {
    let words =
        ["psql", "-U", "postgres", "-d", database, "--no-psqlrc", "-Atq", "-v", "ON_ERROR_STOP=1", "-c", statements];
    release.exec(server.as_str(), &words)
}

/// All commands of a server's version. The server in the release does not tell them to whom it does not know, so another one is asked, which
/// has the same image and no ACL.
fn commands_of(release: &Release, server: BackingName) -> anyhow::Result<Vec<valkey::Command>> {
    let namespace = &release.namespace.name;
    let pod = release.pod_of(server.as_str())?.name;
    let object = kubectl::json(&["get", "pod", &pod, "--namespace", namespace])?;
    let image = object["spec"]["containers"][0]["image"].as_str().context("the server's pod has no image")?;
    let name = format!("commands-of-{server}");
    let rest = json!({"args": ["valkey-server", "--save", ""]});
    kubectl::apply(&bare_pod(namespace, &name, image, &json!({}), &rest))?;
    let output = process::until(Duration::from_mins(1), Duration::from_millis(500), || {
        // Before it runs and listens this fails.
        let output = kubectl::exec(namespace, &name, &["valkey-cli", "-e", "--json", "command"])?;
        Ok(if output.success { Ok(output.out) } else { Err(output.all()) })
    })?;
    kubectl::run(&["delete", "pod", &name, "--namespace", namespace, "--wait=false"])?;
    valkey::Command::all(&kubectl::parsed("the list of commands", &output)?)
}

/// What the probe is told of a connection: the variables that its service reads it from.
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
