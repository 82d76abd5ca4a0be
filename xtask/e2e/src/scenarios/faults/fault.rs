//! One fault and what must hold afterwards; what can be done to pods.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::ensure;
use e2e_kit::lane::Lane;
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;
use e2e_kit::{kubectl, process};

use crate::flow;
use crate::roles::never_reconnect;
use crate::scenarios::loaded::{RECOVERY, recovers, restarts_since};

pub(super) const MINUTE: Duration = Duration::from_mins(1);
/// How often the pods of each service are expected to be restarted.
pub(super) type Restarts = BTreeMap<String, u64>;

/// What a restart of this server makes restart: each pod of a program that does not open a lost connection to it again.
pub(super) fn restarts_with(release: &Release, server: &str, pods: u64) -> Restarts {
    let services = never_reconnect(release.namespace.context.platform.platform(), server);
    services.into_iter().map(|service| (service.to_owned(), pods)).collect()
}

/// Does something bad, waits until events become alerts again, and looks at what was restarted and what was lost meanwhile.
pub(super) fn fault(
    lane: &Lane,
    release: &Release,
    what: &str,
    expected: &Restarts,
    cause: impl FnOnce() -> anyhow::Result<()>,
) -> Outcome {
    lane.step(what, || {
        let (rows, before) = (flow::rows(release)?, release.uids()?);
        cause()?;
        let start = Instant::now();
        recovers(release, RECOVERY)?;
        let took = start.elapsed();
        let seen = restarts_since(release, &before)?;
        ensure!(seen == *expected, "restarted were {seen:?}, and ought to be {expected:?}");
        let lost: Vec<_> = rows.difference(&flow::rows(release)?).cloned().collect();
        ensure!(lost.is_empty(), "{} stored alerts are gone, such as {:?}", lost.len(), lost.first());
        let restarted = if seen.is_empty() { "nobody restarted".to_owned() } else { format!("restarted: {seen:?}") };
        Ok(format!("works again after {:.0} s, {restarted}", took.as_secs_f32()))
    })
}

/// Kills pods, with a second to live instead of the time that they are given by right.
pub(super) fn kill(release: &Release, which: impl Fn(&str) -> bool, at_most: usize) -> anyhow::Result<()> {
    let victims: Vec<_> = release.pods()?.into_iter().filter(|pod| which(&pod.of)).take(at_most).collect();
    ensure!(!victims.is_empty(), "there is no pod to kill");
    let mut words = vec!["delete", "pods", "--namespace", &release.namespace.name, "--grace-period=1", "--wait=false"];
    words.extend(victims.iter().map(|pod| pod.name.as_str()));
    kubectl::run(&words)?;
    // Until then they are Ready as ever. Not by name: a StatefulSet's next pod has the same.
    process::until(MINUTE, Duration::from_secs(1), || {
        let there = release.pods_and_leaving()?;
        let left: Vec<_> = victims
            .iter()
            .filter(|pod| there.iter().any(|one| one.uid == pod.uid))
            .map(|pod| pod.name.as_str())
            .collect();
        Ok(if left.is_empty() { Ok(()) } else { Err(format!("{} were killed and are there", left.join(", "))) })
    })
}

/// An orderly restart.
pub(super) fn restart(release: &Release, backing: &str) -> anyhow::Result<()> {
    let pod = format!("{}-{backing}-0", release.name);
    kubectl::run(&["delete", "pod", &pod, "--namespace", &release.namespace.name, "--timeout=55s"])?;
    Ok(())
}

/// A minute without a backing service, in which nobody is restarted, since that would help nobody.
pub(super) fn away(release: &Release, backing: &str) -> anyhow::Result<()> {
    let set = format!("statefulset/{}-{backing}", release.name);
    scale(release, &[&set], 0)?;
    let before = release.uids()?;
    process::sleep(MINUTE)?;
    let restarted = restarts_since(release, &before)?;
    scale(release, &[&set], 1)?;
    ensure!(restarted.is_empty(), "restarted while {backing} was away: {restarted:?}");
    Ok(())
}

/// Gives workloads a number of pods; waits until they are gone where it is none.
pub(super) fn scale(release: &Release, workloads: &[&str], pods: u32) -> anyhow::Result<()> {
    let replicas = format!("--replicas={pods}");
    let mut words = vec!["scale", &replicas, "--namespace", &release.namespace.name];
    words.extend(workloads);
    kubectl::run(&words)?;
    if pods > 0 {
        return Ok(());
    }
    let gone = |name: &str| workloads.iter().any(|workload| workload.ends_with(&format!("-{name}")));
    process::until(Duration::from_secs(90), Duration::from_secs(1), || {
        let left: Vec<_> = release.pods_and_leaving()?.into_iter().map(|pod| pod.of).filter(|of| gone(of)).collect();
        Ok(if left.is_empty() { Ok(()) } else { Err(format!("pods of {} are there", left.join(", "))) })
    })
}
