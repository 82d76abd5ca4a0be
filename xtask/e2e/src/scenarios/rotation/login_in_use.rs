//! A login that somebody still uses when it is replaced: it is left alone, and named, until nobody does.

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
use super::purse::Purse;
use super::visitor;
use crate::credentials::Credential;
use crate::roles::Roles;
use crate::scenarios::loaded::{RECOVERY, recovers};
use e2e_kit::pods::helper_pod;

const HOLDER: &str = "holder";

/// Holds a connection to the broker, and uses it now and then.
const AMQP: &str = r#"
import os, pika
login = pika.PlainCredentials(os.environ["HELD_USER"], os.environ["HELD_PASSWORD"])
connection = pika.BlockingConnection(pika.ConnectionParameters(os.environ["amqp_host"], credentials=login))
channel = connection.channel()
while True:
    channel.queue_declare(os.environ["HELD_QUEUE"], passive=True)
    print("works", flush=True)
    connection.sleep(1)
"#;

/// The same at the database.
const SQL: &str = r#"
import os, time, pg8000.native
connection = pg8000.native.Connection(os.environ["HELD_USER"], host=os.environ["sql_host"],
    password=os.environ["HELD_PASSWORD"], database=os.environ["HELD_DATABASE"])
while True:
    connection.run("SELECT 1")
    print("works", flush=True)
    time.sleep(1)
"#;

/// Replaces a credential while somebody else than its pods holds a connection with it.
pub(super) fn in_use(site: &Site, now: &mut Purse, credential: &Credential) -> Outcome {
    let (release, name) = (&site.release, &credential.path.name);
    let next = now.with_another(credential);
    let old = credential.user(release, now.revision(credential));
    site.lane.step(format!("{name} replaced while somebody holds a connection: it works on, and is named"), || {
        hold(release, credential, now)?;
        let log = hook_log(release, &credential.server, || site.upgrade(&next, &[]))?;
        let line = format!("LEFT {old}, which is not declared any more but still in use");
        ensure!(log.contains(&line), "the log of the Job does not say `{line}`:\n{log}");
        recovers(release, RECOVERY)?;
        ensure!(has_login(release, &credential.server, &old)?, "{old} is gone although somebody uses it");
        let uses = uses(release)?;
        process::until(Duration::from_secs(10), Duration::from_secs(1), || {
            let more = self::uses(release)? > uses;
            Ok(if more { Ok(()) } else { Err("the connection that was held does not work any more".to_owned()) })
        })?;
        Ok(format!("after {uses} uses"))
    })?;
    let outcome = site.lane.step(format!("{name} goes with the next upgrade once nobody uses it"), || {
        kubectl::run(&["delete", "pod", HOLDER, "--namespace", &release.namespace.name, "--timeout=50s"])?;
        let before = release.uids()?;
        let log = hook_log(release, &credential.server, || site.upgrade(&next, &[]))?;
        let line = format!("Removed {old}, which is not declared any more.");
        ensure!(log.contains(&line), "the log of the Job does not say `{line}`:\n{log}");
        ensure!(!has_login(release, &credential.server, &old)?, "{old} is there all the same");
        visitor::only_the_new(release, credential, now, &next)?;
        let rolled = release.rolled_since(&before)?;
        ensure!(rolled.is_empty(), "these rolled: {}", rolled.join(", "));
        Ok(String::new())
    });
    *now = next;
    outcome
}

/// Starts a pod that holds a connection with what a credential is now.
fn hold(release: &Release, credential: &Credential, now: &Purse) -> anyhow::Result<()> {
    let login = now.login(release, credential)?;
    let program = if credential.kind == Kind::RabbitMq { AMQP } else { SQL };
    let roles = Roles::of(release.namespace.context)?;
    let mut environment = visitor::environment(release, &roles);
    if let Some(variables) = environment.as_array_mut() {
        variables.push(json!({"name": "PYTHONPATH", "value": "/app"}));
        variables.push(json!({"name": "HELD_QUEUE", "value": roles.stored_queue}));
        variables.push(json!({"name": "HELD_DATABASE", "value": roles.database}));
        variables.push(json!({"name": "HELD_USER", "value": login.user}));
        // The kubelet replaces `$(NAME)`.
        variables.push(json!({"name": "HELD_PASSWORD", "value": login.password.replace('$', "$$")}));
    }
    let image = release.namespace.context.images.tool(visitor::IMAGE)?;
    let rest = json!({"env": environment, "command": ["python3", "-c", program]});
    kubectl::apply(&helper_pod(release, &credential.of, HOLDER, image, &rest))?;
    process::until(Duration::from_mins(1), Duration::from_millis(500), || {
        Ok(if uses(release)? > 0 { Ok(()) } else { Err("nobody holds a connection".to_owned()) })
    })
}

/// How often the connection that is held was used.
fn uses(release: &Release) -> anyhow::Result<usize> {
    let output = kubectl::try_run(&["logs", HOLDER, "--namespace", &release.namespace.name], "")?;
    // There is no log before its container runs.
    let errors = output.out.lines().filter(|line| line.contains("Error")).collect::<Vec<_>>().join("\n");
    ensure!(errors.is_empty(), "the connection that is held: {errors}");
    Ok(output.out.lines().filter(|line| *line == "works").count())
}

/// What the Job after a rollout says at a server while something is done. It is gone when it has succeeded, so one must listen meanwhile.
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
            Err(_) => bail!("the thread that listens to {job} broke off"),
        }
    })
}
