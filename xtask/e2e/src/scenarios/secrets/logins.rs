//! Every password of the file works at its server; with an extra letter it does not.

use anyhow::{Context as _, anyhow, bail};
use e2e_kit::kubectl;
use e2e_kit::release::Release;
use helm_values::Redaction;
use vocabulary::{Backing, Kind, Service, Use, VariableName};

use super::encrypted::Encrypted;
use crate::credentials::Credential;

/// Tries all passwords and returns their number.
pub(super) fn all_work(release: &Release, file: &Encrypted) -> anyhow::Result<usize> {
    let context = release.namespace.context;
    let platform = context.platform.platform();
    for credential in Credential::all(context)? {
        let name = &credential.path.name;
        let entry = file.passwords.iter().find(|(of, _)| of == name);
        let (_, password) = entry.with_context(|| format!("the file lacks {name}"))?;
        let server = platform.backing.iter().find(|backing| backing.name().as_str() == credential.server);
        let server = server.with_context(|| format!("{name} belongs to no server"))?;
        let service = platform.services.iter().find(|service| service.name.as_str() == credential.owner);
        let user = match service {
            Some(service) => user_of(release, service, server)?,
            None => credential.user(release, 1),
        };
        let database = service.and_then(database_of).unwrap_or("postgres");
        if !is_accepted(release, server, (&user, database), password)? {
            bail!("{user} cannot log in at {} with the password of {name}", server.name());
        }
        if is_accepted(release, server, (&user, database), &format!("{password}x"))? {
            bail!("{user} can log in at {} with a wrong password", server.name());
        }
    }
    Ok(file.passwords.len())
}

/// The database that a service owns.
fn database_of(service: &Service) -> Option<&'static str> {
    service.uses.iter().find_map(|one| match one {
        Use::PostgreSql(client) => Some(client.database.database.name.as_str()),
        _ => None,
    })
}

/// The user name of a service's login, read from its Secret.
fn user_of(release: &Release, service: &Service, server: &Backing) -> anyhow::Result<String> {
    let here = |one: &&Use| one.client().is_some_and(|client| client.backing == server.name());
    let variable = service.uses.iter().filter(here).find_map(|one| one.login().map(|login| login.user));
    let variable: VariableName = variable.with_context(|| format!("{} has no login", service.name))?;
    let secret = release.secret_of(service.name.as_str())?;
    let template = format!("{{{{ index .data \"{variable}\" | base64decode }}}}");
    let name = [
        "get",
        "secret",
        &secret,
        "--namespace",
        &release.namespace.name,
        "--output",
        &format!("go-template={template}"),
    ];
    Ok(kubectl::run(&name)?)
}

/// Whether a login works over TCP from within the server's pod.
///
/// `rabbitmqctl` asks the broker directly.
fn is_accepted(
    release: &Release,
    server: &Backing,
    (user, database): (&str, &str),
    password: &str,
) -> anyhow::Result<bool> {
    let pod = format!("{}-{}-0", release.name, server.name());
    let secret = |variable: &str| format!("{variable}={password}");
    let words: Vec<String> = match server.kind() {
        Kind::RabbitMq => ["rabbitmqctl", "authenticate_user", user, password].map(str::to_owned).to_vec(),
        Kind::PostgreSql => vec![
            "env".into(),
            secret("PGPASSWORD"),
            "psql".into(),
            format!("--username={user}"),
            "--host=127.0.0.1".into(),
            format!("--dbname={database}"),
            "--command=SELECT 'it works'".into(),
        ],
        Kind::Valkey => vec![
            "env".into(),
            secret("REDISCLI_AUTH"),
            "valkey-cli".into(),
            "--user".into(),
            user.into(),
            "ACL".into(),
            "WHOAMI".into(),
        ],
    };
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    // A message about the command repeats its words.
    let hidden = |error: e2e_kit::error::Error| anyhow!("{}", Redaction::of([password]).apply(&error.to_string()));
    let output = kubectl::exec(&release.namespace.name, &pod, &words).map_err(hidden)?;
    Ok(match server.kind() {
        Kind::RabbitMq => output.success,
        Kind::PostgreSql => output.out.contains("it works"),
        // With a wrong password, valkey-cli continues without a login.
        Kind::Valkey => output.out.trim().ends_with(user),
    })
}
