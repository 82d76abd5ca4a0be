//! An old pod whose container restarts in the middle of a rollout, when Helm has taken the Secret away that it was started with.

use std::slice::from_ref;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;
use e2e_kit::{kubectl, process};

use super::change::{Site, nobody_refused, rolls_exactly};
use super::judge::Mark;
use super::purse::Purse;
use super::visitor;
use crate::credentials::Credential;
use crate::flow;
use crate::scenarios::loaded::{RECOVERY, recovers};

const MINUTE: Duration = Duration::from_mins(1);

/// Holds a rollout up, restarts the old pod's container, and lets the rollout go on: the old container does not come back, the new pod
/// takes its place, and nothing is lost.
pub(super) fn old_pod_restarts(site: &Site, now: &mut Purse, credential: &Credential) -> Outcome {
    let (release, namespace) = (&site.release, site.release.namespace.name.as_str());
    let next = now.with_another(credential);
    let outcome = site.lane.step("an old pod's container restarts while the rollout is held up", || {
        let (rows, before, mark) = (flow::rows(release)?, release.uids()?, Mark::now(release)?);
        let (secret, pod) = (release.secret_of(&credential.of)?, release.pod_of(&credential.of)?.name);
        rollout(release, "pause", credential)?;
        let output = thread::scope(|scope| {
            let upgrading = scope.spawn(|| site.upgrade(&next, &[]));
            let stuck = restarted_without(namespace, &pod, &secret);
            let upgraded = upgrading.join();
            let output = stuck?;
            match upgraded {
                Ok(upgraded) => upgraded.map(|()| output),
                Err(_) => bail!("the thread of the upgrade broke off"),
            }
        })?;
        // In between the kubelet waits until it tries again, longer each time, and says CrashLoopBackOff.
        ensure!(!runs(namespace, &pod)?, "{pod} came back by itself");
        rollout(release, "resume", credential)?;
        release.wait_ready(RECOVERY)?;
        recovers(release, RECOVERY)?;
        let rolled = rolls_exactly(release, &before, from_ref(credential))?;
        let lost = rows.difference(&flow::rows(release)?).count();
        ensure!(lost == 0, "{lost} stored alerts are gone");
        visitor::only_the_new(release, credential, now, &next)?;
        nobody_refused(release, &mark, (now, &next))?;
        Ok(format!("{output}; then {rolled}"))
    });
    *now = next;
    outcome
}

fn rollout(release: &Release, verb: &str, credential: &Credential) -> anyhow::Result<()> {
    let deployment = format!("deployment/{}-{}", release.name, credential.of);
    kubectl::run(&["rollout", verb, &deployment, "--namespace", &release.namespace.name])?;
    Ok(())
}

/// Waits until a Secret is gone, ends the program of a pod that was started with it, and gives what the kubelet says of that.
fn restarted_without(namespace: &str, pod: &str, secret: &str) -> anyhow::Result<String> {
    process::until(MINUTE, Duration::from_millis(500), || {
        let output = kubectl::try_run(&["get", "secret", secret, "--namespace", namespace], "")?;
        Ok(if output.err.contains("not found") { Ok(()) } else { Err(format!("the Secret {secret} is there")) })
    })?;
    let end = ["python3", "-c", "import os, signal; os.kill(1, signal.SIGTERM)"];
    kubectl::exec(namespace, pod, &end)?.ok("ending the program")?;
    let output = process::until(MINUTE, Duration::from_millis(500), || {
        let waiting = waiting(namespace, pod)?;
        Ok(waiting.ok_or_else(|| format!("the container of {pod} was started without {secret}")))
    })?;
    ensure!(output.contains(secret), "{pod} is not kept by {secret}: {output}");
    Ok(output)
}

fn runs(namespace: &str, pod: &str) -> anyhow::Result<bool> {
    let pod = kubectl::json(&["get", "pod", pod, "--namespace", namespace])?;
    Ok(pod["status"]["containerStatuses"][0]["state"]["running"].is_object())
}

/// What the kubelet lacks for a pod's container.
fn waiting(namespace: &str, pod: &str) -> anyhow::Result<Option<String>> {
    let pod = kubectl::json(&["get", "pod", pod, "--namespace", namespace])?;
    let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"];
    if waiting["reason"] != "CreateContainerConfigError" {
        return Ok(None);
    }
    let message = waiting["message"].as_str().context("the kubelet does not say what it lacks")?;
    Ok(Some(format!("CreateContainerConfigError, {message}")))
}
