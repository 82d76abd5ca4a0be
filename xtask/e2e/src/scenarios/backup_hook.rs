//! The backup before an upgrade, with Helm 3 and 4: made with the login of the installed revision, and an upgrade that it blocks changes nothing.

use std::slice::from_ref;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::process::CommandOutput;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use e2e_kit::{kubectl, process};
use serde_json::Value;
use tools::ToolBinary;

use super::backup::UPGRADES;
use super::backup::scene::Scene;
use crate::roles::Roles;

/// The limit of a backup that cannot end, in seconds: the least that the values allow.
const HOOK_LIMIT: u32 = 30;

pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    lane.step("find Helm 3 and Helm 4", || Ok(format!("{}, {}", context.helm4()?.version, context.helm3()?.version)))?;
    let helms = [context.helm4().map_err(|_| Reported)?, context.helm3().map_err(|_| Reported)?];
    let work = helms.map(|helm| Work::new(helm.tool.title(), move |lane: &Lane| with(lane, helm)));
    side_by_side(context, 2, work.into())
}

fn with(lane: &Lane, helm: &ToolBinary) -> Outcome {
    let roles = Roles::of_lane(lane)?;
    let namespace = TestNamespace::as_step(lane, "backup-hook")?;
    let release = Release::new(&namespace, helm, "afp");
    let scene = Scene::new(&release, &roles);
    lane.step("helm install without backups: nothing is made", || {
        release.install(from_ref(&lane.context.small), &[])?;
        ensure!(hooks(&scene)? == 0, "there was a Job before an installation");
        Ok(String::new())
    })?;
    lane.step("an upgrade that switches backups on says that there was none before it", || {
        let said = upgrade(&scene, &[&scene.on()])?.ok("helm upgrade")?;
        ensure!(said.contains("There was none before this upgrade"), "{said}");
        ensure!(hooks(&scene)? == 0, "there was a Job");
        scene.wait_for_first()?;
        Ok(String::new())
    })?;
    let rotated = rotated(&scene);
    let rotated: Vec<_> = rotated.iter().map(String::as_str).collect();
    let plain = &rotated[..1];
    let steps = [
        lane.step("an upgrade makes a backup first", || made(&scene, plain, 0)),
        lane.step("an upgrade that rotates the login makes it with the old one", || {
            // The new login makes a backup afterwards.
            made(&scene, &rotated, 1)
        }),
        lane.step("a backup that hangs ends at its deadline, and blocks the upgrade", || hangs(&scene, &rotated)),
        lane.step("a failed backup blocks the upgrade, which changes nothing; BACKUP.md shows why", || {
            deny(&scene)?;
            let before = revision(&scene)?;
            let output = upgrade(&scene, &[&rotated[..], &["global.tests.isolation=false"]].concat())?;
            ensure!(!output.success && output.all().contains("pre-upgrade hooks failed"), "{}", output.all());
            ensure!(revision(&scene)? == before, "the upgrade changed something");
            let log = scene.run(UPGRADES)?;
            ensure!(log.contains("FAILED: backup of"), "{log}");
            Ok(log.lines().last().unwrap_or_default().to_owned())
        }),
        lane.step("beforeUpgrade.onFailure=Continue: the upgrade goes on", || {
            deny(&scene)?;
            let on_failure = format!("{}.backup.beforeUpgrade.onFailure=Continue", roles.database_server);
            upgrade(&scene, &[&rotated[..], &[&on_failure]].concat())?.ok("helm upgrade")?;
            ensure!(scene.result("backup", false, "problem")?.starts_with("pg_dump"), "no failure is recorded");
            scene.wait_for_first()?;
            Ok(String::new())
        }),
        lane.step("beforeUpgrade.enabled=false: no backup", || {
            let (before, ran) = (scene.good()?, hooks(&scene)?);
            let off = format!("{}.backup.beforeUpgrade.enabled=false", roles.database_server);
            upgrade(&scene, &[&rotated[..], &[&off]].concat())?.ok("helm upgrade")?;
            ensure!(scene.good()? == before && hooks(&scene)? == ran, "there is a new backup");
            Ok(String::new())
        }),
    ];
    all(steps)
}

/// The values of a second login of the backups.
fn rotated(scene: &Scene) -> [String; 3] {
    let credential = format!("{}.credentials.backup", scene.roles.database_server);
    [scene.on(), format!("{credential}.password=another-Password-47110815"), format!("{credential}.revision=2")]
}

/// An upgrade that succeeds after a backup by its hook, and `further` backups by Jobs that it changes.
fn made(scene: &Scene, sets: &[&str], further: usize) -> anyhow::Result<String> {
    let (before, ran) = (scene.good()?, hooks(scene)?);
    let said = upgrade(scene, sets)?.ok("helm upgrade")?;
    ensure!(said.contains("and one before this upgrade"), "{said}");
    scene.wait_for_first()?;
    let after = scene.good()?;
    ensure!(hooks(scene)? == ran + 1, "the hook did not run once");
    ensure!(after.len() == before.len() + 1 + further, "before: {before:?}, after: {after:?}");
    Ok(after.join(", "))
}

/// Lets a session hold a table for longer than the backup may take.
fn hangs(scene: &Scene, sets: &[&str]) -> anyhow::Result<String> {
    let database = scene.roles.database;
    scene.sql_in(database, "CREATE TABLE held ()")?;
    let limit = format!("{}.backup.beforeUpgrade.timeoutSeconds={HOOK_LIMIT}", scene.roles.database_server);
    let before = revision(scene)?;
    let statement = "LOCK TABLE held IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(120)";
    let (output, took) = thread::scope(|threads| {
        let holder = threads.spawn(|| scene.sql_in(database, statement));
        let is_held =
            "SELECT count(*) FROM pg_locks WHERE relation = 'held'::regclass AND mode = 'AccessExclusiveLock'";
        let held = process::until(Duration::from_secs(20), Duration::from_millis(300), || {
            let count = scene.sql_in(database, is_held)?;
            Ok(if count == "1" { Ok(()) } else { Err(format!("{count} locks")) })
        });
        let began = Instant::now();
        let output = held.and_then(|()| upgrade(scene, &[sets, &[&limit, "global.tests.isolation=false"]].concat()));
        let took = began.elapsed();
        let ended = scene.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
        // Its connection was cut.
        let _ = holder.join();
        ended.and(output).map(|output| (output, took))
    })?;
    ensure!(!output.success && output.all().contains("pre-upgrade hooks failed"), "{}", output.all());
    ensure!(took < Duration::from_mins(1), "the upgrade took {} s", took.as_secs());
    let job = kubectl::json(&["get", "job", &hook_name(scene), "--namespace", &scene.release.namespace.name])?;
    let conditions = job["status"]["conditions"].as_array();
    let is_late = conditions.is_some_and(|all| all.iter().any(|one| one["reason"] == "DeadlineExceeded"));
    ensure!(is_late, "the Job did not reach its deadline: {}", job["status"]);
    let failed =
        conditions.into_iter().flatten().find(|one| one["type"] == "Failed").context("the Job has not failed")?;
    let moment =
        |value: &Value| value.as_str().map(|text| format!("timestamptz '{text}'")).context("a time is missing");
    let [start, end] = [moment(&job["status"]["startTime"])?, moment(&failed["lastTransitionTime"])?];
    let ran: u32 = scene.sql(&format!("SELECT extract(epoch FROM {end} - {start})::int"))?.trim().parse()?;
    ensure!(ran <= HOOK_LIMIT, "the Job ended {ran} s after its start, and its limit is {HOOK_LIMIT} s");
    ensure!(revision(scene)? == before, "the upgrade changed something");
    scene.sql_in(database, "DROP TABLE held")?;
    Ok(format!("the Job after {ran} s, the upgrade after {} s", took.as_secs()))
}

/// Takes the right to read from the backups, until the next upgrade grants it again.
fn deny(scene: &Scene) -> anyhow::Result<()> {
    let role = scene.sql("SELECT rolname FROM pg_roles WHERE rolname ~ '^backup_[0-9a-f]{8}$'")?;
    scene.sql(&format!("REVOKE pg_read_all_data FROM {role}")).map(drop)
}

fn upgrade(scene: &Scene, sets: &[&str]) -> anyhow::Result<CommandOutput> {
    let release = scene.release;
    let mut words = release.arguments("upgrade", from_ref(&release.namespace.context.small), sets);
    words.push("--wait".to_owned());
    release.try_helm(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn hook_name(scene: &Scene) -> String {
    format!("{}-{}-backup-upgrade", scene.release.name, scene.roles.database_server)
}

/// How many pods the Jobs of the hook have made. A Job that succeeded is deleted; its events stay.
fn hooks(scene: &Scene) -> anyhow::Result<usize> {
    let of = format!("--field-selector=involvedObject.name={},reason=SuccessfulCreate", hook_name(scene));
    Ok(kubectl::items(&["get", "events", &of, "--namespace", &scene.release.namespace.name])?.len())
}

/// What an upgrade would change: the generations of the workloads and the test that it switches off.
fn revision(scene: &Scene) -> anyhow::Result<String> {
    let kinds = "statefulsets,deployments,networkpolicies,cronjobs,configmaps";
    let names = "-o=jsonpath={range .items[*]}{.kind}/{.metadata.name}:{.metadata.generation} {end}";
    Ok(kubectl::run(&["get", kinds, "--namespace", &scene.release.namespace.name, names])?)
}
