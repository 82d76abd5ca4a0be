//! The chart installs, works, stays as it is, and goes away, under Pod Security `restricted`.

use std::collections::BTreeSet;
use std::slice::from_ref;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::ensure;
use camino::Utf8PathBuf;
use e2e_kit::kubectl;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use tools::ToolBinary;

use crate::flow::{self, ANALYSIS, GENERATOR};
use crate::load::{Amount, Load};
use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::namespace::TestNamespace;

/// An alert takes a second or two; the machine may be busy with other installations.
const ALERT: Duration = Duration::from_secs(45);

/// The name of the release that comes beside the first.
const SECOND: &str = "other";

/// Users whose alerts were raised in other namespaces.
type Elsewhere = Mutex<Vec<String>>;

/// Three releases at once. Helm 3 does the defaults and one environment; as an environment's port of the node belongs to one release at a
/// time, that is installed with one Helm after the other.
pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    lane.step("both Helms are there", || Ok(format!("{}, {}", context.helm4()?.version, context.helm3()?.version)))?;
    let (helm4, helm3) = (context.helm4().map_err(|_| Reported)?, context.helm3().map_err(|_| Reported)?);
    let elsewhere = &Elsewhere::default();
    let mut work = vec![Work::new("defaults", move |lane| defaults(lane, helm4, elsewhere))];
    for (number, (name, values)) in context.environments.iter().rev().enumerate() {
        let in_turn = if number == 0 { vec![helm4, helm3] } else { vec![helm4] };
        // Where the first does not succeed, its port of the node is not free for the second.
        let each =
            move |lane: &Lane| in_turn.iter().try_for_each(|helm| installed(lane, helm, Some(values), elsewhere));
        work.push(Work::new(format!("environment {name}"), each));
    }
    work.push(Work::new("defaults again", move |lane| installed(lane, helm3, None, elsewhere)));
    side_by_side(context, 3, work)
}

/// All that happens to a release: it is installed, used, upgraded with nothing changed, joined by another one, and uninstalled.
fn defaults(lane: &Lane, helm: &ToolBinary, elsewhere: &Elsewhere) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "install")?;
    let release = Release::new(&namespace, helm, "afp");
    lane.step("helm 4 install --wait: all Ready, no restart, no warning", || {
        release.install(&[], &[])?;
        Ok(String::new())
    })?;
    let attack = lane.step("an event becomes an alert on the dashboard's page", || seen(&release));
    let idle = lane.step("upgrade with nothing changed rolls nothing", || nothing_rolls(&release));
    let second = beside(lane, &release);
    let strangers = lane.step("releases in other namespaces do not show here", || {
        let users = elsewhere.lock().map(|users| users.clone()).unwrap_or_default();
        users.iter().try_for_each(|user| flow::does_not_show(&release, user))?;
        Ok(format!("{} of their alerts looked for", users.len()))
    });
    let gone = lane.step("uninstall leaves the volumes' claims and nothing else", || leaves_claims(&release));
    all([attack, idle, second, strangers, gone])
}

fn seen(release: &Release) -> anyhow::Result<String> {
    let (_, took) = flow::attack_is_seen(release, ALERT)?;
    Ok(format!("after {:.1} s", took.as_secs_f32()))
}

fn nothing_rolls(release: &Release) -> anyhow::Result<String> {
    let before = release.uids()?;
    let generations = || -> anyhow::Result<BTreeSet<_>> {
        let selector = format!("app.kubernetes.io/instance={}", release.name);
        let workloads = kubectl::items(&[
            "get",
            "deployments,statefulsets",
            "--namespace",
            &release.namespace.name,
            "--selector",
            &selector,
        ])?;
        Ok(workloads
            .iter()
            .map(|w| (w["metadata"]["name"].to_string(), w["metadata"]["generation"].to_string()))
            .collect())
    };
    let workloads = generations()?;
    release.apply(&release.arguments("upgrade", &[], &[]), true)?;
    ensure!(
        workloads == generations()?,
        "the specification of a workload changed: {workloads:?} became {:?}",
        generations()?
    );
    let rolled = release.rolled_since(&before)?;
    ensure!(rolled.is_empty(), "these rolled: {}", rolled.join(", "));
    Ok(format!("{} pods are the same", before.len()))
}

/// A second release in the same namespace, and with a service switched off: neither sees the other, and the first is undisturbed even by the
/// second's going. What is off is not there, its password is not asked for, and the others work.
fn beside(lane: &Lane, first: &Release) -> Outcome {
    let second = Release::new(first.namespace, first.helm, SECOND);
    // Without an answer nothing is the same as before, which the step that compares says.
    let before = first.uids().unwrap_or_default();
    let off = [format!("{GENERATOR}.enabled=false"), format!("{GENERATOR}.credentials.rabbitmq.password=")];
    lane.step(format!("a second release in the same namespace, without {GENERATOR}"), || {
        second.install(from_ref(&lane.context.small), &[&off[0], &off[1]])?;
        Ok(String::new())
    })?;
    let absent = lane.step("nothing of the service that is off is there", || {
        let name = format!("{SECOND}-{GENERATOR}");
        let left: Vec<_> = first.namespace.inventory()?.into_iter().filter(|object| object.contains(&name)).collect();
        ensure!(left.is_empty(), "there are {}", left.join(", "));
        Ok(String::new())
    });
    let apart = lane.step("each release shows its own alerts alone", || {
        let load = Load::start(&second, ANALYSIS, Amount { rate: 1, alert_every: 1, count: 1 })?;
        load.ended()?.is_stored(&second, ALERT)?;
        ensure!(flow::page(&second)?.contains(&load.user), "the second's dashboard does not show its alert");
        flow::does_not_show(first, &load.user)?;
        let (user, _) = flow::attack_is_seen(first, ALERT)?;
        flow::does_not_show(&second, &user)?;
        Ok(String::new())
    });
    let undisturbed = lane.step("the first one is undisturbed when the second goes", || {
        second.uninstall()?;
        let rolled = first.rolled_since(&before)?;
        ensure!(rolled.is_empty(), "these rolled: {}", rolled.join(", "));
        seen(first)
    });
    all([absent, apart, undisturbed])
}

fn leaves_claims(release: &Release) -> anyhow::Result<String> {
    release.uninstall()?;
    let backing = release.namespace.context.platform.platform().backing.iter();
    let claims: BTreeSet<_> =
        backing.map(|one| format!("persistentvolumeclaim/data-{}-{}-0", release.name, one.name().as_str())).collect();
    // What the scenario itself put there, and the volumes of the release that was there beside it.
    let other = |name: &&String| !name.starts_with("pod/load-") && !name.contains(&format!("-{SECOND}-"));
    let left: BTreeSet<_> = release.namespace.inventory()?.iter().filter(other).cloned().collect();
    ensure!(left == claims, "left are {left:?} and not {claims:?}");
    Ok(claims.into_iter().collect::<Vec<_>>().join(", "))
}

/// An environment, or the defaults.
fn installed(lane: &Lane, helm: &ToolBinary, environment: Option<&Utf8PathBuf>, elsewhere: &Elsewhere) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "install")?;
    let release = Release::new(&namespace, helm, "afp");
    let values: Vec<_> = environment.cloned().into_iter().chain([lane.context.small.clone()]).collect();
    lane.step(format!("{} install --wait: all Ready, no restart, no warning", helm.tool.title()), || {
        release.install(&values, &[])?;
        Ok(String::new())
    })?;
    let attack = lane.step("an event becomes an alert on the dashboard's page", || {
        let (user, took) = flow::attack_is_seen(&release, ALERT)?;
        if let Ok(mut users) = elsewhere.lock() {
            users.push(user);
        }
        Ok(format!("after {:.1} s", took.as_secs_f32()))
    });
    let gone = lane.step("uninstall leaves the volumes' claims and nothing else", || leaves_claims(&release));
    all([attack, gone])
}
