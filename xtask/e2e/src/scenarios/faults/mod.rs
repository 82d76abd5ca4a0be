//! Faults under load: the platform recovers by itself and loses no confirmed event and no stored alert.
//!
//! The real programs publish without confirms and can lose messages in two cases. The generator drops and counts an event that is due
//! while the broker is down. audit-log-analysis loses an alert if the broker is killed before it wrote the alert to disk. The scenario
//! therefore counts only the confirmed events of the load client and the stored rows.

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
use crate::roles::{Roles, servers, services};

use fault::{Restarts, away, fault, kill, restart, restarts_with};

/// Runs the lanes in parallel, each with its own release and load.
pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    let platform = context.platform.platform();
    let two_of_each: Vec<_> = services(platform).into_iter().map(|name| format!("{name}.replicas=2")).collect();
    let two_of_each: Vec<_> = two_of_each.iter().map(String::as_str).collect();
    let mut work = vec![
        Work::new("database and cache", |lane| with_release(lane, &[], database_and_cache)),
        Work::new("pods", |lane| with_release(lane, &two_of_each, pods)),
        Work::new("broker", |lane| with_release(lane, &[], broker)),
    ];
    for (number, some) in cold::starts(platform).into_iter().enumerate() {
        let run = move |lane: &Lane| with_release(lane, &[], |lane, release| cold::run(lane, release, &some));
        work.push(Work::new(format!("cold starts {}", number + 1), run));
    }
    let at_once = work.len();
    // The kubelet restart runs alone, because it would affect the other lanes.
    all([side_by_side(context, at_once, work), side_by_side(context, 1, vec![Work::new("kubelet", kubelet)])])
}

fn with_release(lane: &Lane, sets: &[&str], what: impl FnOnce(&Lane, &Release) -> Outcome) -> Outcome {
    under_load(lane, "faults", |release| release.install(from_ref(&lane.context.small), sets), what)
}

/// Kills one pod of each kind, then all pods of each service. Each service has two pods.
fn pods(lane: &Lane, release: &Release) -> Outcome {
    let platform = lane.context.platform.platform();
    let (services, servers) = (services(platform), servers(platform));
    let first = |of: &str| {
        let expected = restarts_with(release, of, 2);
        fault(lane, release, &format!("kill one pod of {of}"), &expected, || kill(release, |name| name == of, 1))
    };
    let every = |of: &str| {
        fault(lane, release, &format!("kill all pods of {of}"), &Restarts::new(), || {
            kill(release, |name| name == of, 9)
        })
    };
    let one_each = services.iter().chain(&servers).map(|of| first(of));
    all(one_each.chain(services.iter().map(|of| every(of))))
}

fn broker(lane: &Lane, release: &Release) -> Outcome {
    let roles = Roles::of_lane(lane)?;
    let none = Restarts::new();
    all([
        restarted_and_away(lane, release, "broker", roles.broker),
        fault(lane, release, "kill all pods at once", &none, || kill(release, |_| true, usize::MAX)),
    ])
}

fn database_and_cache(lane: &Lane, release: &Release) -> Outcome {
    let roles = Roles::of_lane(lane)?;
    all([
        restarted_and_away(lane, release, "database", roles.database_server),
        restarted_and_away(lane, release, "cache", roles.cache),
    ])
}

fn restarted_and_away(lane: &Lane, release: &Release, what: &str, server: &str) -> Outcome {
    let expected = restarts_with(release, server, 1);
    all([
        fault(lane, release, &format!("restart the {what}"), &expected, || restart(release, server)),
        fault(lane, release, &format!("stop the {what} for a minute"), &expected, || away(release, server)),
    ])
}

/// Restarts the kubelet with `--kubelet-restart-hook`; pods must keep running.
fn kubelet(lane: &Lane) -> Outcome {
    let Some(hook) = &lane.context.kubelet_restart else {
        lane.not_run("restart the node's kubelet", "--kubelet-restart-hook is not set");
        return Ok(());
    };
    with_release(lane, &[], |lane, release| {
        fault(lane, release, "restart the node's kubelet", &Restarts::new(), || {
            let mut command = Command::new("sh");
            command.args(["-c", hook]);
            process::run(command, "", Duration::from_mins(1), false)?.ok("the hook that restarts the kubelet")?;
            kubectl::run(&["wait", "nodes", "--all", "--for=condition=Ready", "--timeout=50s"])?;
            Ok(())
        })
    })
}
