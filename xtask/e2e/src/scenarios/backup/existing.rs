//! Backups with the installer's own Secrets, which `existing-secrets.sh` makes.

use anyhow::ensure;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};

use super::super::loaded::{RECOVERY, recovers};
use super::damage;
use super::scene::{Asked, ROWS, Scene, TABLE, timed};
use crate::roles::Roles;

pub(super) fn run(lane: &Lane, asked: &Asked) -> Outcome {
    let context = lane.context;
    let roles = Roles::of_lane(lane)?;
    let namespace = TestNamespace::as_step(lane, "backup-existing")?;
    let release = Release::new(&namespace, context.helm4().map_err(|_| Reported)?, "afp");
    let scene = Scene::new(&release, &roles).with(asked);
    lane.step("make the Secrets, and helm install --wait with backups", || {
        let chart = context.platform.platform().name.as_str();
        scene.reader()?.run(&format!(
            "sh ./{chart}/existing-secrets.sh \"$RELEASE\" \"$NAMESPACE\" --values {} --set {}",
            context.passwords,
            scene.on()
        ))?;
        let values = [context.small.clone(), context.overlay.clone()];
        let sets = [scene.on(), "global.secrets.mode=existing".to_owned()];
        let sets = sets.each_ref().map(String::as_str);
        release.apply(&release.arguments_of("install", &context.chart, &values, &sets), true)?;
        scene.wait_for_first()?;
        Ok(String::new())
    })?;
    lane.step(format!("with {ROWS} rows: back up now, verify"), || {
        scene.scale_keeper(0)?;
        scene.add_rows()?;
        scene.run("Back up now")?;
        let log = scene.run("Verify")?;
        ensure!(log.contains("ok: verification of"), "{log}");
        Ok(scene.good()?.join(", "))
    })?;
    let steps = [
        lane.step("restore after every table was dropped", || {
            let before = scene.contents()?;
            scene.drop_tables()?;
            let (took, _) = timed(|| scene.run("Restore here"))?;
            let after = scene.contents()?;
            ensure!(after == before && after.contains(TABLE), "before:\n{before}\nafter:\n{after}");
            scene.scale_keeper(1)?;
            recovers(&release, RECOVERY)?;
            scene.drop_former()?;
            Ok(took)
        }),
        lane.step(
            "a damaged, a foreign, a newer and a missing backup change nothing, and `latest` skips a damaged one",
            || damage::refuses(&scene),
        ),
        lane.step("TRUNCATE during a backup waits, and the backup holds every row", || damage::truncates(&scene)),
        lane.step("a backup that is killed half-way leaves no backup and no files", || damage::kills(&scene)),
        lane.step("a backup that was changed behind its checksum fails the verification", || damage::falsifies(&scene)),
        lane.step("a full volume fails the backup, and leaves the earlier ones", || damage::fills(&scene)),
    ];
    all(steps)
}
