//! The chart installs, works, stays as it is, and goes away, under Pod Security `restricted`.

use std::collections::BTreeSet;
use std::slice::from_ref;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::ensure;
use camino::Utf8PathBuf;
use e2e_kit::context::E2eContext;
use e2e_kit::kubectl;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use tools::ToolBinary;

use crate::flow;
use crate::load::{Amount, Load};
use crate::roles::{Roles, callers, services};
use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::namespace::TestNamespace;

/// An alert takes a second or two; the machine may be busy with other installations.
const ALERT: Duration = Duration::from_secs(45);

/// The name of the release that comes beside the first.
const SECOND: &str = "other";

/// The markers of what was sent to releases in other namespaces.
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
    let works = lane.step("the platform works", || flow::works(&release, ALERT));
    let idle = lane.step("upgrade with nothing changed rolls nothing", || nothing_rolls(&release));
    let second = beside(lane, &release);
    let strangers = lane.step("releases in other namespaces do not show here", || {
        let markers = elsewhere.lock().map(|markers| markers.clone()).unwrap_or_default();
        markers.iter().try_for_each(|marker| flow::does_not_show(&release, marker))?;
        Ok(format!("{} of their markers looked for", markers.len()))
    });
    let gone = lane.step("uninstall leaves the volumes' claims and nothing else", || leaves_claims(&release));
    all([works, idle, second, strangers, gone])
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
    let Some(off) = dispensable(lane.context) else {
        lane.not_applicable(
            "a second release without a service",
            "every service of the platform is called by another one",
        );
        return Ok(());
    };
    let credentials = generator::credential_paths(&lane.context.platform).into_iter();
    let own = credentials.filter(|credential| credential.value.first().is_some_and(|owner| owner == off));
    let without: Vec<_> = own.map(|credential| format!("{}=", credential.value.join("."))).collect();
    let enabled = format!("{off}.enabled=false");
    let sets: Vec<_> = without.iter().chain([&enabled]).map(String::as_str).collect();
    lane.step(format!("a second release in the same namespace, without {off}"), || {
        second.install(from_ref(&lane.context.small), &sets)?;
        Ok(String::new())
    })?;
    let absent = lane.step("nothing of the service that is off is there", || {
        let name = format!("{SECOND}-{off}");
        let left: Vec<_> = first.namespace.inventory()?.into_iter().filter(|object| object.contains(&name)).collect();
        ensure!(left.is_empty(), "there are {}", left.join(", "));
        Ok(String::new())
    });
    let apart = apart(lane, first, &second);
    let undisturbed = lane.step("the first one is undisturbed when the second goes", || {
        second.uninstall()?;
        let rolled = first.rolled_since(&before)?;
        ensure!(rolled.is_empty(), "these rolled: {}", rolled.join(", "));
        flow::works(first, ALERT)
    });
    all([absent, apart, undisturbed])
}

/// A service that no other one calls, so that the platform can be installed without it: the sender, where there are roles.
fn dispensable(context: &E2eContext) -> Option<&'static str> {
    let platform = context.platform.platform();
    let sender = Roles::of(context).ok().map(|roles| roles.sender);
    sender.into_iter().chain(services(platform)).find(|service| callers(platform, service).is_empty())
}

/// Neither of two releases in a namespace shows what is sent to the other.
fn apart(lane: &Lane, first: &Release, second: &Release) -> Outcome {
    let what = "each release shows its own data alone";
    let roles = match Roles::of(lane.context) {
        Ok(roles) => roles,
        Err(reason) => {
            lane.not_applicable(what, &format!("{reason:#}"));
            return Ok(());
        }
    };
    lane.step(what, || {
        let load = Load::start(second, roles.worker, Amount { rate: 1, alert_every: 1, count: 1 })?;
        load.ended()?.is_stored(second, ALERT)?;
        ensure!(flow::page(second)?.contains(&load.user), "the second's page does not show what was sent to it");
        flow::does_not_show(first, &load.user)?;
        let (marker, _) = flow::is_seen(first, ALERT)?;
        flow::does_not_show(second, &marker)?;
        Ok(String::new())
    })
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
    let works = lane.step("the platform works", || {
        if Roles::of(lane.context).is_err() {
            return flow::works(&release, ALERT);
        }
        let (marker, took) = flow::is_seen(&release, ALERT)?;
        if let Ok(mut markers) = elsewhere.lock() {
            markers.push(marker);
        }
        Ok(format!("what is sent is seen after {:.1} s", took.as_secs_f32()))
    });
    let gone = lane.step("uninstall leaves the volumes' claims and nothing else", || leaves_claims(&release));
    all([works, gone])
}
