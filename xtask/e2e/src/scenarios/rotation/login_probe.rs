//! Login probes: pods that try a user name and password at a server over the network.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::release::Release;
use serde_json::{Value, json};
use vocabulary::Kind;

use super::credential_set::{CredentialSet, Login};
use crate::credentials::Credential;
use crate::roles::Roles;
use e2e_kit::pods::helper_pod;

/// The image of the rights probe.
pub(super) const IMAGE: &str = "auditflow-e2e/rights";
const MANAGEMENT: u16 = 15672;

/// Starts a login probe for each network identity of these credentials.
pub(super) fn start(release: &Release, credentials: &[Credential]) -> anyhow::Result<()> {
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
    format!("login-probe-{identity}")
}

/// The environment variables with host and port of each server.
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

/// Fails unless the server refuses the credential of `old` and accepts the one of `new`.
pub(super) fn old_refused_new_accepted(
    release: &Release,
    credential: &Credential,
    old: &CredentialSet,
    new: &CredentialSet,
) -> anyhow::Result<()> {
    let (was, is) = (old.login(release, credential)?, new.login(release, credential)?);
    ensure!(
        !is_accepted(release, credential, &was)?,
        "{} still accepts {} with its old password",
        credential.server,
        was.user
    );
    ensure!(is_accepted(release, credential, &is)?, "{} refuses {} with its new password", credential.server, is.user);
    Ok(())
}

/// Whether a server accepts a login. Fails if the server neither accepts nor refuses it.
pub(super) fn is_accepted(release: &Release, credential: &Credential, login: &Login) -> anyhow::Result<bool> {
    let as_whom = json!([login.user, login.password]);
    let own = Roles::of(release.namespace.context)?.database;
    let database = if credential.administrator { "postgres" } else { own };
    let (kind, at, trial) = match (credential.kind, credential.administrator) {
        // The administrator may lack AMQP rights, so the management interface is used.
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
        _ => Err(anyhow::anyhow!("{outcome}"))
            .with_context(|| format!("{} neither accepts nor refuses the login", credential.server)),
    }
}
