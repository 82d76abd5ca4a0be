//! Backups: made, listed, verified and restored by the commands of the chart's BACKUP.md, with a million rows.

mod damage;
mod existing;
mod major;
mod s3;
pub(super) mod scene;

use std::slice::from_ref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};

use super::loaded::{RECOVERY, recovers};
use crate::documents::Document;
use crate::roles::Roles;
use scene::{Asked, ROWS, Scene, TABLE, same_rows, timed};

/// The heading of BACKUP.md on backups before an upgrade.
pub(super) const UPGRADES: &str = "Before an upgrade";

/// Runs the lanes in parallel: a volume, an object store, and the installer's own Secrets.
pub(super) fn run(lane: &Lane) -> Outcome {
    let asked = Asked::default();
    let work = vec![
        Work::new("volume", |lane: &Lane| volume(lane, &asked)),
        Work::new("object store", |lane: &Lane| s3::run(lane, &asked)),
        Work::new("own Secrets", |lane: &Lane| existing::run(lane, &asked)),
    ];
    let lanes = side_by_side(lane.context, 3, work);
    let what = "every command of BACKUP.md was run";
    if !lane.context.lanes.is_empty() {
        lane.not_run(what, "--lane selects some lanes");
        return lanes;
    }
    all([lanes, lane.step(what, || every_command(lane, &asked))])
}

fn volume(lane: &Lane, asked: &Asked) -> Outcome {
    let roles = Roles::of_lane(lane)?;
    let namespace = TestNamespace::as_step(lane, "backup")?;
    let release = Release::new(&namespace, lane.context.helm4().map_err(|_| Reported)?, "afp");
    let scene = Scene::new(&release, &roles).with(asked);
    lane.step("helm install --wait with backups: the volume is bound, and the first backup is good", || {
        release.install(from_ref(&lane.context.small), &[&scene.on()])?;
        scene.wait_for_first()?;
        let good = scene.good()?;
        ensure!(good.len() == 1, "{good:?}");
        Ok(good.join(", "))
    })?;
    lane.step(format!("with {ROWS} rows: back up now, verify, status"), || back_up(&scene))?;
    let steps = [
        lane.step("restore here after every table was dropped, while services run: nobody sees half a restore", || {
            restore_here(&scene)
        }),
        lane.step("restore beside the running database, which does not change", || restore_beside(&scene)),
        lane.step("a revision of the login: a backup with the new one, and the old one is gone", || rotate(&scene)),
        lane.step("the login reads, and writes nothing but the results", || damage::writes_nothing(&scene)),
        lane.step("the data volume is lost: an empty server, and the latest backup", || lose_data(&scene)),
        lane.step("the volume with the backups is lost", || lose_backups(&scene)),
        lane.step("backups off and on: the CronJobs and the login go and come, the volume stays", || {
            off_and_on(&scene)
        }),
    ];
    all(steps)
}

/// The first block of the page only sets variables; the scenario `backup-hook` runs those on upgrades.
fn every_command(lane: &Lane, asked: &Asked) -> anyhow::Result<String> {
    let page = Document::read(&lane.context.chart, "BACKUP.md")?;
    let blocks: Vec<_> = page.all_commands().collect();
    let asked = asked.lock().expect("no step panics");
    let is_here = |heading: &str| !heading.starts_with("Backup and restore of") && heading != UPGRADES;
    let never = blocks.iter().filter(|(heading, block)| is_here(heading) && !asked.contains(block));
    let never: Vec<_> = never.map(|(heading, _)| heading).collect();
    ensure!(never.is_empty(), "not run: blocks below {never:?}");
    Ok(format!("{} blocks", blocks.len()))
}

fn back_up(scene: &Scene) -> anyhow::Result<String> {
    scene.scale_keeper(0)?;
    scene.add_rows()?;
    let (backup, _) = timed(|| scene.run("Back up now"))?;
    let (verification, log) = timed(|| scene.run("Verify"))?;
    ensure!(log.contains("ok: verification of"), "{log}");
    let status = scene.reader()?.run(&scene.block("Verify", 1)?)?;
    let good = scene.good()?;
    ensure!(good.len() == 2, "{good:?}");
    for action in ["backup", "verification"] {
        ensure!(scene.result(action, true, "backup")? == good[0] && status.contains(action), "{status}");
    }
    ensure!(scene.result("backup", true, "bytes > 1000000 AND now() - backup_time < '2min'")? == "t", "{status}");
    scene.scale_keeper(1)?;
    recovers(scene.release, RECOVERY)?;
    let seconds = |action| scene.result(action, true, "seconds");
    Ok(format!(
        "backup {backup} ({} s in the Job), verification {verification} ({} s)",
        seconds("backup")?,
        seconds("verification")?
    ))
}

/// Drops all tables and restores them, while the keeper runs and a client counts the rows all the time.
fn restore_here(scene: &Scene) -> anyhow::Result<String> {
    scene.scale_keeper(0)?;
    scene.run("Back up now")?;
    let before = scene.contents()?;
    scene.drop_tables()?;
    scene.scale_keeper(1)?;
    let done = AtomicBool::new(false);
    let (counts, took) = thread::scope(|threads| {
        let counter = threads.spawn(|| {
            let mut counts = Vec::new();
            while !done.load(Ordering::Relaxed) {
                // A connection that the swap ends, and a table that is not there yet, are errors.
                if let Ok(count) = scene.sql_in(scene.roles.database, &format!("SELECT count(*) FROM {TABLE}")) {
                    counts.push(count);
                }
                thread::sleep(Duration::from_millis(100));
            }
            counts
        });
        let took = timed(|| scene.run("Restore here"));
        thread::sleep(Duration::from_secs(5));
        done.store(true, Ordering::Relaxed);
        (counter.join().unwrap_or_default(), took)
    });
    let (took, said) = took?;
    ensure!(!counts.is_empty() && counts.iter().all(|count| *count == ROWS.to_string()), "seen: {counts:?}");
    recovers(scene.release, RECOVERY)?;
    // The keeper may have stored events since; it makes its own table only if there is none.
    let after = scene.contents()?;
    same_rows(&before, &after)?;
    let schema =
        |contents: &str| contents.lines().filter(|line| line.matches('|').count() < 3).collect::<Vec<_>>().join("\n");
    ensure!(schema(&before) == schema(&after), "before:\n{before}\nafter:\n{after}");
    // The script prints the command that drops the former database.
    let drop = said.lines().find(|line| line.contains("dropdb")).context("no command for the former database")?;
    scene.reader()?.run(drop)?;
    let stopped = said.split("stopped for ").nth(1).and_then(|rest| rest.split(" s.").next()).context("no time")?;
    Ok(format!("{took}, services stopped for {stopped} s, {} counts of rows", counts.len()))
}

fn restore_beside(scene: &Scene) -> anyhow::Result<String> {
    // Nothing is stored between the backup and the comparison.
    scene.scale_keeper(0)?;
    scene.run("Back up now")?;
    let before = scene.contents()?;
    let (took, _) = timed(|| scene.run("Restore beside the running database"))?;
    let copy = format!("{}_copy", scene.roles.database);
    ensure!(scene.contents_of(&copy)? == before && scene.contents()? == before, "the copy differs");
    let said = scene.refused(&scene.reader()?, &format!("restore {} latest {copy}", scene.roles.database))?;
    ensure!(said.contains(&format!("There is a database {copy} already")), "{said}");
    scene.sql(&format!("DROP DATABASE {copy}"))?;
    scene.scale_keeper(1)?;
    Ok(took)
}

fn rotate(scene: &Scene) -> anyhow::Result<String> {
    let credential = format!("{}.credentials.backup", scene.roles.database_server);
    let sets =
        [scene.on(), format!("{credential}.password=another-Password-47110815"), format!("{credential}.revision=2")];
    let sets = sets.each_ref().map(String::as_str);
    scene
        .release
        .apply(&scene.release.arguments("upgrade", from_ref(&scene.release.namespace.context.small), &sets), true)?;
    scene.wait_for_first()?;
    let logins = scene.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'backup\\_r%'")?;
    ensure!(logins.starts_with("backup_r2_") && logins.lines().count() == 1, "the logins are {logins}");
    Ok(logins)
}

fn elsewhere(lane: &Lane, scene: &Scene) -> anyhow::Result<String> {
    scene.scale_keeper(0)?;
    scene.run("Back up now")?;
    let before = scene.contents()?;
    let reader = scene.reader()?;
    reader.run(&scene.block("Restore elsewhere", 0)?)?;
    let newest = scene.good()?.into_iter().next().context("no backup")?;
    scene.scale_keeper(1)?;
    let namespace = TestNamespace::new(lane, "backup-elsewhere")?;
    let other = Release::new(&namespace, scene.release.helm, "other");
    other.install(from_ref(&lane.context.small), &[])?;
    let reader = reader.with("OTHER_RELEASE", &other.name).with("OTHER_NAMESPACE", &namespace.name);
    let (took, _) =
        timed(|| reader.with("BACKUP", format!("backups/{newest}")).run(&scene.block("Restore elsewhere", 1)?))?;
    recovers(&other, RECOVERY)?;
    let there = Scene::new(&other, &scene.roles);
    same_rows(&before, &there.contents()?)?;
    other.uninstall()?;
    Ok(took)
}

/// What UPGRADING.md says on another version of the server also stands for a volume that is lost.
fn lose_data(scene: &Scene) -> anyhow::Result<String> {
    let Roles { database_server: server, database, .. } = scene.roles;
    let (release, namespace) = (scene.release, &scene.release.namespace.name);
    scene.run("Back up now")?;
    let rows = scene.sql_in(database, &format!("SELECT count(*) FROM {TABLE}"))?;
    kubectl::run(&[
        "delete",
        "statefulset",
        &format!("{}-{server}", release.name),
        "--wait",
        "--namespace",
        namespace,
    ])?;
    kubectl::run(&["delete", "pvc", &format!("data-{}-{server}-0", release.name), "--wait", "--namespace", namespace])?;
    let (took, _) = timed(|| scene.run("The data are lost"))?;
    ensure!(scene.sql_in(database, &format!("SELECT count(*) FROM {TABLE}"))? == rows, "rows are lost");
    recovers(release, RECOVERY)?;
    Ok(took)
}

fn lose_backups(scene: &Scene) -> anyhow::Result<String> {
    scene.run("The volume is lost or damaged")?;
    // The first Job, and the one before the second upgrade.
    let good = scene.good()?;
    ensure!(good.len() == 2, "{good:?}");
    Ok(good.join(", "))
}

fn off_and_on(scene: &Scene) -> anyhow::Result<String> {
    let (release, server) = (scene.release, scene.roles.database_server);
    let logins = || scene.sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'backup\\_r%'");
    let upgrade = |sets: &[&str]| {
        release.apply(&release.arguments("upgrade", from_ref(&release.namespace.context.small), sets), true)
    };
    let before = scene.good()?;
    upgrade(&[])?;
    let inventory = release.namespace.inventory()?;
    ensure!(!inventory.iter().any(|name| name.starts_with("cronjob")), "{inventory:?}");
    let claim = format!("persistentvolumeclaim/{}-{server}-backup", release.name);
    ensure!(inventory.contains(&claim), "no {claim} in {inventory:?}");
    ensure!(logins()? == "0", "logins are left");
    upgrade(&[&scene.on()])?;
    scene.wait_for_first()?;
    let after = scene.good()?;
    ensure!(after.len() == before.len() + 1 && after.ends_with(&before), "before: {before:?}, after: {after:?}");
    Ok(after.join(", "))
}
