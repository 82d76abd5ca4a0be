//! What breaks comes back by itself, under load, and loses nothing that was confirmed or stored.
//!
//! The real programs publish without confirms, so there are windows in which they may lose an event of their own: one that the generator
//! has due while the broker is away (it drops it and counts it), and an alert that audit-log-analysis has written to a broker that is
//! killed before it reached the disk. The load client's events are confirmed to it, and their alerts are rows: those are counted here.

mod cold;
mod fault;

use std::process::Command;
use std::slice::from_ref;
use std::time::Duration;

use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;
use e2e_kit::{kubectl, process};

use super::loaded::under_load;
use crate::flow::{BROKER, CACHE, DATABASE, NOTIFICATION};

use fault::{BACKING, NONE_RESTARTED, SERVICES, THE_ONE, away, fault, kill, restart};

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

/// Each pod killed, then all of each kind; there are two of each service.
fn pods(lane: &Lane, release: &Release) -> Outcome {
    let one = |of: &str| {
        let restarted = if of == BROKER || of == DATABASE { &[(NOTIFICATION, 2)] } else { NONE_RESTARTED };
        fault(lane, release, &format!("one pod of {of} killed"), restarted, || kill(release, |name| name == of, 1))
    };
    let every = |of: &str| {
        fault(lane, release, &format!("all pods of {of} killed"), NONE_RESTARTED, || {
            kill(release, |name| name == of, 9)
        })
    };
    all(SERVICES.into_iter().chain(BACKING).map(one).chain(SERVICES.into_iter().map(every)))
}

fn broker(lane: &Lane, release: &Release) -> Outcome {
    all([
        fault(lane, release, "the broker restarted", THE_ONE, || restart(release, BROKER)),
        fault(lane, release, "the broker away for a minute", THE_ONE, || away(release, BROKER)),
        fault(lane, release, "all pods killed at once", NONE_RESTARTED, || kill(release, |_| true, usize::MAX)),
    ])
}

fn database_and_cache(lane: &Lane, release: &Release) -> Outcome {
    all([
        fault(lane, release, "the database restarted", THE_ONE, || restart(release, DATABASE)),
        fault(lane, release, "the database away for a minute", THE_ONE, || away(release, DATABASE)),
        fault(lane, release, "the cache restarted", NONE_RESTARTED, || restart(release, CACHE)),
        fault(lane, release, "the cache away for a minute", NONE_RESTARTED, || away(release, CACHE)),
    ])
}

/// The kubelet restarted, where somebody says how: pods run on through it.
fn kubelet(lane: &Lane) -> Outcome {
    let Some(hook) = &lane.context.kubelet_restart else {
        lane.not_run("the node's kubelet restarted", "no --kubelet-restart-hook says how");
        return Ok(());
    };
    with_release(lane, &[], |lane, release| {
        fault(lane, release, "the node's kubelet restarted", NONE_RESTARTED, || {
            let mut command = Command::new("sh");
            command.args(["-c", hook]);
            process::run(command, "", Duration::from_mins(1), false)?.ok("the hook that restarts the kubelet")?;
            kubectl::run(&["wait", "nodes", "--all", "--for=condition=Ready", "--timeout=50s"])?;
            Ok(())
        })
    })
}
