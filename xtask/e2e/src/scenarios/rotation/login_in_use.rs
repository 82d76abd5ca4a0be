//! A login that is still in use when its credential is replaced: the Job keeps and names it until no client uses it.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{bail, ensure};
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;
use e2e_kit::{kubectl, process};
use serde_json::json;
use vocabulary::Kind;

use super::change::{Site, has_login};
use super::credential_set::CredentialSet;
use super::login_probe;
use crate::credentials::Credential;
use crate::roles::Roles;
use crate::scenarios::loaded::{RECOVERY, recovers};
use e2e_kit::pods::helper_pod;

const HOLDER: &str = "holder";

/// Python program that holds a connection to the broker and uses it once per second.
const AMQP: &str = r#"
import os, pika
login = pika.PlainCredentials(os.environ["HOLDER_USER"], os.environ["HOLDER_PASSWORD"])
connection = pika.BlockingConnection(pika.ConnectionParameters(os.environ["amqp_host"], credentials=login))
channel = connection.channel()
while True:
    channel.queue_declare(os.environ["HOLDER_QUEUE"], passive=True)
    print("works", flush=True)
    connection.sleep(1)
"#;

/// Python program that does the same with the database.
const SQL: &str = r#"
import os, time, pg8000.native
connection = pg8000.native.Connection(os.environ["HOLDER_USER"], host=os.environ["sql_host"],
    password=os.environ["HOLDER_PASSWORD"], database=os.environ["HOLDER_DATABASE"])
while True:
    connection.run("SELECT 1")
    print("works", flush=True)
    time.sleep(1)
"#;

/// Replaces a credential while a foreign pod holds a connection with it.
pub(super) fn in_use(site: &Site, now: &mut CredentialSet, credential: &Credential) -> Outcome {
    let (release, name) = (&site.release, &credential.path.name);
    let next = now.with_replaced(credential);
    let old = credential.user(release, now.revision(credential));
    site.lane.step(
        format!("replace {name} while a foreign pod holds a connection: the login stays valid and the Job names it"),
        || {
            hold(release, credential, now)?;
            let log = hook_log(release, &credential.server, || site.upgrade(&next, &[]))?;
            let line = format!("LEFT {old}, which is not declared any more but still in use");
            ensure!(log.contains(&line), "the log of the Job does not say `{line}`:\n{log}");
            recovers(release, RECOVERY)?;
            ensure!(has_login(release, &credential.server, &old)?, "{old} was deleted while in use");
            let uses = uses(release)?;
            process::until(Duration::from_secs(10), Duration::from_secs(1), || {
                let more = self::uses(release)? > uses;
                Ok(if more { Ok(()) } else { Err("the held connection no longer works".to_owned()) })
            })?;
            Ok(format!("after {uses} uses"))
        },
    )?;
    let outcome =
        site.lane.step(format!("the next upgrade after the last use deletes the old login of {name}"), || {
            kubectl::run(&["delete", "pod", HOLDER, "--namespace", &release.namespace.name, "--timeout=50s"])?;
            let before = release.uids()?;
            let log = hook_log(release, &credential.server, || site.upgrade(&next, &[]))?;
            let line = format!("Removed {old}, which is not declared any more.");
            ensure!(log.contains(&line), "the log of the Job does not say `{line}`:\n{log}");
            ensure!(!has_login(release, &credential.server, &old)?, "{old} still exists");
            login_probe::old_refused_new_accepted(release, credential, now, &next)?;
            let rolled = release.rolled_since(&before)?;
            ensure!(rolled.is_empty(), "these rolled: {}", rolled.join(", "));
            Ok(String::new())
        });
    *now = next;
    outcome
}

/// Starts a pod that holds a connection with the current value of a credential.
fn hold(release: &Release, credential: &Credential, now: &CredentialSet) -> anyhow::Result<()> {
    let login = now.login(release, credential)?;
    let program = if credential.kind == Kind::RabbitMq { AMQP } else { SQL };
    let roles = Roles::of(release.namespace.context)?;
    let mut environment = login_probe::environment(release, &roles);
    if let Some(variables) = environment.as_array_mut() {
        variables.push(json!({"name": "PYTHONPATH", "value": "/app"}));
        variables.push(json!({"name": "HOLDER_QUEUE", "value": roles.stored_queue}));
        variables.push(json!({"name": "HOLDER_DATABASE", "value": roles.database}));
        variables.push(json!({"name": "HOLDER_USER", "value": login.user}));
        // The kubelet replaces `$(NAME)`.
        variables.push(json!({"name": "HOLDER_PASSWORD", "value": login.password.replace('$', "$$")}));
    }
    let image = release.namespace.context.images.tool(login_probe::IMAGE)?;
    let rest = json!({"env": environment, "command": ["python3", "-c", program]});
    kubectl::apply(&helper_pod(release, &credential.owner, HOLDER, image, &rest))?;
    process::until(Duration::from_mins(1), Duration::from_millis(500), || {
        Ok(if uses(release)? > 0 { Ok(()) } else { Err("the pod holds no connection".to_owned()) })
    })
}

/// How many times the held connection was used.
fn uses(release: &Release) -> anyhow::Result<usize> {
    let output = kubectl::try_run(&["logs", HOLDER, "--namespace", &release.namespace.name], "")?;
    // The log is empty until the container runs.
    let errors = output.out.lines().filter(|line| line.contains("Error")).collect::<Vec<_>>().join("\n");
    ensure!(errors.is_empty(), "the held connection failed: {errors}");
    Ok(output.out.lines().filter(|line| *line == "works").count())
}

/// Runs `act` and returns the log of the server's reconcile Job.
///
/// The Job is deleted when it succeeds, so its log is followed meanwhile.
fn hook_log(release: &Release, server: &str, act: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<String> {
    let job = format!("job/{}-{server}-reconcile", release.name);
    let over = &AtomicBool::new(false);
    let listen = || -> anyhow::Result<String> {
        loop {
            let mut command = Command::new("kubectl");
            command.args(["logs", "--follow", &job, "--namespace", &release.namespace.name]);
            let output = process::run(command, "", Duration::from_mins(4), false)?;
            if output.success && !output.out.is_empty() {
                return Ok(output.out);
            }
            if over.load(Ordering::Relaxed) {
                return Ok(String::new());
            }
            process::sleep(Duration::from_millis(300))?;
        }
    };
    thread::scope(|scope| {
        let listening = scope.spawn(listen);
        let acted = act();
        over.store(true, Ordering::Relaxed);
        let log = listening.join();
        acted?;
        match log {
            Ok(log) => log,
            Err(_) => bail!("the thread that follows the log of {job} panicked"),
        }
    })
}
