//! Somebody who logs in over the network with a name and a password, from a pod that may reach the server.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::release::Release;
use serde_json::{Value, json};
use vocabulary::Kind;

use super::purse::{Login, Purse};
use crate::credentials::Credential;
use crate::roles::Roles;
use e2e_kit::pods::helper_pod;

/// The probe that tries logins.
pub(super) const IMAGE: &str = "auditflow-e2e/rights";
const MANAGEMENT: u16 = 15672;

/// Puts a visitor into the place of everybody who has one of these credentials.
pub(super) fn send(release: &Release, credentials: &[Credential]) -> anyhow::Result<()> {
    let image = release.namespace.context.images.tool(IMAGE)?;
    let identities: BTreeSet<_> = credentials.iter().map(|one| one.identity.clone()).collect();
    let environment = environment(release, &Roles::of(release.namespace.context)?);
    let pods = identities
        .iter()
        .map(|identity| helper_pod(release, identity, &name(identity), image, &json!({"env": environment})));
    let pods: Vec<_> = pods.collect();
    kubectl::apply(&json!({"apiVersion": "v1", "kind": "List", "items": pods}))?;
    let namespace = &release.namespace.name;
    for identity in &identities {
        let ready = "--for=condition=Ready";
        kubectl::run(&["wait", "pod", &name(identity), "--namespace", namespace, ready, "--timeout=50s"])?;
    }
    Ok(())
}

fn name(identity: &str) -> String {
    format!("visitor-{identity}")
}

/// Host and port of each server, as the probe reads them.
pub(super) fn environment(release: &Release, roles: &Roles) -> Value {
    let servers = [
        ("amqp", roles.broker, Kind::RabbitMq.port()),
        ("sql", roles.database_server, Kind::PostgreSql.port()),
        ("valkey", roles.cache, Kind::Valkey.port()),
        ("management", roles.broker, MANAGEMENT),
    ];
    let variables = servers.into_iter().flat_map(|(protocol, server, port)| {
        [
            json!({"name": format!("{protocol}_host"), "value": format!("{}-{server}", release.name)}),
            json!({"name": format!("{protocol}_port"), "value": port.to_string()}),
        ]
    });
    variables.collect()
}

/// Fails unless the server refuses what a credential is in `old`, and takes what it is in `new`.
pub(super) fn only_the_new(release: &Release, credential: &Credential, old: &Purse, new: &Purse) -> anyhow::Result<()> {
    let (was, is) = (old.login(release, credential)?, new.login(release, credential)?);
    ensure!(
        !is_let_in(release, credential, &was)?,
        "{} still takes {} with its old password",
        credential.server,
        was.user
    );
    ensure!(is_let_in(release, credential, &is)?, "{} refuses {} with its new password", credential.server, is.user);
    Ok(())
}

/// Whether a server lets somebody in; an error where it answered neither yes nor no.
pub(super) fn is_let_in(release: &Release, credential: &Credential, login: &Login) -> anyhow::Result<bool> {
    let as_whom = json!([login.user, login.password]);
    let own = Roles::of(release.namespace.context)?.database;
    let database = if credential.administrator { "postgres" } else { own };
    let (kind, at, trial) = match (credential.kind, credential.administrator) {
        // Whoever manages the broker need not be allowed to publish.
        (Kind::RabbitMq, true) => {
            ("amqp", "management", json!({"as": as_whom, "do": "http", "port": MANAGEMENT, "path": "/api/users"}))
        }
        (Kind::RabbitMq, false) => ("amqp", "amqp", json!({"as": as_whom, "do": "connect"})),
        (Kind::PostgreSql, _) => {
            ("sql", "sql", json!({"as": as_whom, "database": database, "statements": ["SELECT 1"]}))
        }
        (Kind::Valkey, _) => ("valkey", "valkey", json!({"as": as_whom, "command": ["ping"]})),
    };
    let (host, port) = (format!("{at}_host"), format!("{at}_port"));
    let plan = json!({"targets": [{"kind": kind, "host": host, "port": port, "trials": [trial]}]});
    let pod = name(&credential.identity);
    let words =
        ["exec", "--stdin", "--namespace", &release.namespace.name, &pod, "--", "python3", "/app/main.py", "try"];
    let output = kubectl::try_run(&words, &plan.to_string())?.ok(&pod)?;
    let mut answer = kubectl::parsed(&pod, &output)?;
    let outcome = answer["targets"][0][0].take();
    match outcome["outcome"].as_str() {
        Some("allowed") => Ok(true),
        Some("refused") => Ok(false),
        _ => {
            Err(anyhow::anyhow!("{outcome}")).with_context(|| format!("{} says neither yes nor no", credential.server))
        }
    }
}
