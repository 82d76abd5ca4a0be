//! An old pod whose container restarts during a rollout, after Helm has deleted the Secret of the old pod.

use std::slice::from_ref;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;
use e2e_kit::{kubectl, process};

use super::change::{Site, only_expected_refusals, rolls_exactly};
use super::credential_set::CredentialSet;
use super::login_probe;
use super::server_refusals::LogPosition;
use crate::credentials::Credential;
use crate::flow;
use crate::scenarios::loaded::{RECOVERY, recovers};

const MINUTE: Duration = Duration::from_mins(1);

/// Pauses a rollout, restarts the old pod's container, and resumes the rollout.
///
/// The old container cannot start again, the new pod replaces it, and no stored alert is lost.
pub(super) fn old_pod_restarts(site: &Site, now: &mut CredentialSet, credential: &Credential) -> Outcome {
    let (release, namespace) = (&site.release, site.release.namespace.name.as_str());
    let next = now.with_replaced(credential);
    let outcome = site.lane.step("restart an old pod's container while the rollout is paused", || {
        let (rows, before, position) = (flow::rows(release)?, release.uids()?, LogPosition::now(release)?);
        let (secret, pod) = (release.secret_of(&credential.owner)?, release.pod_of(&credential.owner)?.name);
        rollout(release, "pause", credential)?;
        let output = thread::scope(|scope| {
            let upgrading = scope.spawn(|| site.upgrade(&next, &[]));
            let stuck = restarted_without(namespace, &pod, &secret);
            let upgraded = upgrading.join();
            let output = stuck?;
            match upgraded {
                Ok(upgraded) => upgraded.map(|()| output),
                Err(_) => bail!("the upgrade thread panicked"),
            }
        })?;
        // Between its attempts the kubelet backs off and reports CrashLoopBackOff.
        ensure!(!runs(namespace, &pod)?, "{pod} runs again without its Secret");
        rollout(release, "resume", credential)?;
        release.wait_ready(RECOVERY)?;
        recovers(release, RECOVERY)?;
        let rolled = rolls_exactly(release, &before, from_ref(credential))?;
        let lost = rows.difference(&flow::rows(release)?).count();
        ensure!(lost == 0, "{lost} stored alerts are lost");
        login_probe::old_refused_new_accepted(release, credential, now, &next)?;
        only_expected_refusals(release, &position, (now, &next))?;
        Ok(format!("{output}; then {rolled}"))
    });
    *now = next;
    outcome
}

fn rollout(release: &Release, verb: &str, credential: &Credential) -> anyhow::Result<()> {
    let deployment = format!("deployment/{}-{}", release.name, credential.owner);
    kubectl::run(&["rollout", verb, &deployment, "--namespace", &release.namespace.name])?;
    Ok(())
}

/// Waits until a Secret is deleted, ends the program of a pod that uses it, and returns the kubelet's message.
fn restarted_without(namespace: &str, pod: &str, secret: &str) -> anyhow::Result<String> {
    process::until(MINUTE, Duration::from_millis(500), || {
        let output = kubectl::try_run(&["get", "secret", secret, "--namespace", namespace], "")?;
        Ok(if output.err.contains("not found") { Ok(()) } else { Err(format!("the Secret {secret} still exists")) })
    })?;
    let end = ["python3", "-c", "import os, signal; os.kill(1, signal.SIGTERM)"];
    kubectl::exec(namespace, pod, &end)?.ok("ending the program")?;
    let output = process::until(MINUTE, Duration::from_millis(500), || {
        let waiting = waiting(namespace, pod)?;
        Ok(waiting.ok_or_else(|| format!("the container of {pod} does not wait for {secret}")))
    })?;
    ensure!(output.contains(secret), "the kubelet's message on {pod} does not name {secret}: {output}");
    Ok(output)
}

fn runs(namespace: &str, pod: &str) -> anyhow::Result<bool> {
    let pod = kubectl::json(&["get", "pod", pod, "--namespace", namespace])?;
    Ok(pod["status"]["containerStatuses"][0]["state"]["running"].is_object())
}

/// The kubelet's message if it cannot start a pod's container for a missing Secret.
fn waiting(namespace: &str, pod: &str) -> anyhow::Result<Option<String>> {
    let pod = kubectl::json(&["get", "pod", pod, "--namespace", namespace])?;
    let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"];
    if waiting["reason"] != "CreateContainerConfigError" {
        return Ok(None);
    }
    let message = waiting["message"].as_str().context("the kubelet gives no message")?;
    Ok(Some(format!("CreateContainerConfigError, {message}")))
}
