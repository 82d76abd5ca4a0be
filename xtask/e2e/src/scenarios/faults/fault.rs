//! Fault injection: one fault with the checks after it, and operations on pods.

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
/// Expected number of restarts, by service.
pub(super) type Restarts = BTreeMap<String, u64>;

/// The expected restarts after this server restarts: every pod of each service that never reopens a lost connection.
pub(super) fn restarts_with(release: &Release, server: &str, pods: u64) -> Restarts {
    let services = never_reconnect(release.namespace.context.platform.platform(), server);
    services.into_iter().map(|service| (service.to_owned(), pods)).collect()
}

/// Injects a fault, waits until events become alerts again, and checks restarts and stored alerts.
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
        ensure!(seen == *expected, "restarts: {seen:?}, expected: {expected:?}");
        let lost: Vec<_> = rows.difference(&flow::rows(release)?).cloned().collect();
        ensure!(lost.is_empty(), "{} stored alerts are lost, such as {:?}", lost.len(), lost.first());
        let restarted = if seen.is_empty() { "no restart".to_owned() } else { format!("restarts: {seen:?}") };
        Ok(format!("works again after {:.0} s, {restarted}", took.as_secs_f32()))
    })
}

/// Deletes pods with a grace period of one second instead of their own.
pub(super) fn kill(release: &Release, which: impl Fn(&str) -> bool, at_most: usize) -> anyhow::Result<()> {
    delete(release, which, at_most, &["--grace-period=1"])
}

/// Restarts a server gracefully.
pub(super) fn restart(release: &Release, backing: &str) -> anyhow::Result<()> {
    delete(release, |chart| chart == backing, 1, &[])
}

/// Deletes pods, and waits until they are gone.
fn delete(release: &Release, which: impl Fn(&str) -> bool, at_most: usize, arguments: &[&str]) -> anyhow::Result<()> {
    let victims: Vec<_> = release.pods()?.into_iter().filter(|pod| which(&pod.chart)).take(at_most).collect();
    ensure!(!victims.is_empty(), "the release has no pod to delete");
    release.delete_pods(&victims, arguments)
}

/// Stops a server for a minute; no service may restart meanwhile, since a restart would not help.
pub(super) fn away(release: &Release, backing: &str) -> anyhow::Result<()> {
    let set = format!("statefulset/{}-{backing}", release.name);
    scale(release, &[&set], 0)?;
    let before = release.uids()?;
    process::sleep(MINUTE)?;
    let restarted = restarts_since(release, &before)?;
    scale(release, &[&set], 1)?;
    ensure!(restarted.is_empty(), "restarts while {backing} was down: {restarted:?}");
    Ok(())
}

/// Scales workloads; for zero pods, waits until the pods are gone.
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
        let left: Vec<_> = release.pods_and_leaving()?.into_iter().map(|pod| pod.chart).filter(|of| gone(of)).collect();
        Ok(if left.is_empty() { Ok(()) } else { Err(format!("pods of {} still exist", left.join(", "))) })
    })
}
