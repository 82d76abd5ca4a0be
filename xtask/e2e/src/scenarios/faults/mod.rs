//! What breaks comes back by itself, under load, and loses nothing that was confirmed or stored.
//!
//! The real programs publish without confirms, so there are windows in which they may lose an event of their own: one that the generator
//! has due while the broker is away (it drops it and counts it), and an alert that audit-log-analysis has written to a broker that is
//! killed before it reached the disk. The load client's events are confirmed to it, and their alerts are rows: those are counted here.

mod cold;

use std::collections::BTreeMap;
use std::process::Command;
use std::slice::from_ref;
use std::time::{Duration, Instant};

use anyhow::ensure;
use e2e_kit::release::Release;
use e2e_kit::report::{Lane, Outcome};
use e2e_kit::{kubectl, process};

use super::loaded::{RECOVERY, recovers, restarts_since, under_load};
use super::{Work, all, side_by_side};
use crate::flow::{self, ANALYSIS, BROKER, CACHE, DASHBOARD, DATABASE, GENERATOR, NOTIFICATION};

const SERVICES: [&str; 4] = [GENERATOR, ANALYSIS, NOTIFICATION, DASHBOARD];
const BACKING: [&str; 3] = [BROKER, DATABASE, CACHE];
const MINUTE: Duration = Duration::from_mins(1);
/// Nobody is restarted.
const NETWORK_POLICY: &[(&str, u64)] = &[];
/// The one program that does not open a lost connection again.
const THE_ONE: &[(&str, u64)] = &[(NOTIFICATION, 1)];

/// Lanes side by side, each with a release and a load of its own.
pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    let mut work = vec![
        Work::new("database and cache", |lane| with_release(lane, &[], database_and_cache)),
        Work::new("pods", |lane| with_release(lane, &TWO_OF_EACH, pods)),
        Work::new("broker", |lane| with_release(lane, &[], broker)),
    ];
    for (number, some) in cold::starts().into_iter().enumerate() {
        let run = move |lane: &Lane| with_release(lane, &[], |lane, release| cold::run(lane, release, &some));
        work.push(Work::new(format!("cold starts {}", number + 1), run));
    }
    let at_once = work.len();
    // The kubelet's restart alone, since it would disturb the others.
    all([side_by_side(context, at_once, work), side_by_side(context, 1, vec![Work::new("kubelet", kubelet)])])
}

const TWO_OF_EACH: [&str; 4] = [
    "audit-event-generator.replicas=2",
    "audit-log-analysis.replicas=2",
    "notification-service.replicas=2",
    "event-audit-dashboard.replicas=2",
];

fn with_release(lane: &Lane, sets: &[&str], what: impl FnOnce(&Lane, &Release) -> Outcome) -> Outcome {
    under_load(lane, "faults", |release| release.install(from_ref(&lane.context.small), sets), what)
}

/// Does something bad, waits until events become alerts again, and looks at what was restarted and what was lost meanwhile.
fn fault(
    lane: &Lane,
    release: &Release,
    what: &str,
    restarted: &[(&str, u64)],
    cause: impl FnOnce() -> anyhow::Result<()>,
) -> Outcome {
    lane.step(what, || {
        let (rows, before) = (flow::rows(release)?, release.uids()?);
        cause()?;
        let start = Instant::now();
        recovers(release, RECOVERY)?;
        let took = start.elapsed();
        let expected: BTreeMap<_, _> = restarted.iter().map(|&(of, count)| (of.to_owned(), count)).collect();
        let seen = restarts_since(release, &before)?;
        ensure!(seen == expected, "restarted were {seen:?}, and ought to be {expected:?}");
        let lost: Vec<_> = rows.difference(&flow::rows(release)?).cloned().collect();
        ensure!(lost.is_empty(), "{} stored alerts are gone, such as {:?}", lost.len(), lost.first());
        let restarted = if seen.is_empty() { "nobody restarted".to_owned() } else { format!("restarted: {seen:?}") };
        Ok(format!("works again after {:.0} s, {restarted}", took.as_secs_f32()))
    })
}

/// Each pod killed, then all of each kind; there are two of each service.
fn pods(lane: &Lane, release: &Release) -> Outcome {
    let one = |of: &str| {
        let restarted = if of == BROKER || of == DATABASE { &[(NOTIFICATION, 2)] } else { NETWORK_POLICY };
        fault(lane, release, &format!("one pod of {of} killed"), restarted, || kill(release, |name| name == of, 1))
    };
    let every = |of: &str| {
        fault(lane, release, &format!("all pods of {of} killed"), NETWORK_POLICY, || {
            kill(release, |name| name == of, 9)
        })
    };
    all(SERVICES.into_iter().chain(BACKING).map(one).chain(SERVICES.into_iter().map(every)))
}

fn broker(lane: &Lane, release: &Release) -> Outcome {
    all([
        fault(lane, release, "the broker restarted", THE_ONE, || restart(release, BROKER)),
        fault(lane, release, "the broker away for a minute", THE_ONE, || away(release, BROKER)),
        fault(lane, release, "all pods killed at once", NETWORK_POLICY, || kill(release, |_| true, usize::MAX)),
    ])
}

fn database_and_cache(lane: &Lane, release: &Release) -> Outcome {
    all([
        fault(lane, release, "the database restarted", THE_ONE, || restart(release, DATABASE)),
        fault(lane, release, "the database away for a minute", THE_ONE, || away(release, DATABASE)),
        fault(lane, release, "the cache restarted", NETWORK_POLICY, || restart(release, CACHE)),
        fault(lane, release, "the cache away for a minute", NETWORK_POLICY, || away(release, CACHE)),
    ])
}

/// Kills pods, with a second to live instead of the time that they are given by right.
fn kill(release: &Release, which: impl Fn(&str) -> bool, at_most: usize) -> anyhow::Result<()> {
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
fn restart(release: &Release, backing: &str) -> anyhow::Result<()> {
    let pod = format!("{}-{backing}-0", release.name);
    kubectl::run(&["delete", "pod", &pod, "--namespace", &release.namespace.name, "--timeout=55s"])?;
    Ok(())
}

/// A minute without a backing service, in which nobody is restarted, since that would help nobody.
fn away(release: &Release, backing: &str) -> anyhow::Result<()> {
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
fn scale(release: &Release, workloads: &[&str], pods: u32) -> anyhow::Result<()> {
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

/// The kubelet restarted, where somebody says how: pods run on through it.
fn kubelet(lane: &Lane) -> Outcome {
    let Some(hook) = &lane.context.kubelet_restart else {
        lane.not_run("the node's kubelet restarted", "no --kubelet-restart-hook says how");
        return Ok(());
    };
    with_release(lane, &[], |lane, release| {
        fault(lane, release, "the node's kubelet restarted", NETWORK_POLICY, || {
            let mut command = Command::new("sh");
            command.args(["-c", hook]);
            process::run(command, "", MINUTE, false)?.ok("the hook that restarts the kubelet")?;
            kubectl::run(&["wait", "nodes", "--all", "--for=condition=Ready", "--timeout=50s"])?;
            Ok(())
        })
    })
}
