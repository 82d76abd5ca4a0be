//! Encrypted backups in an object store over TLS, with the commands of BACKUP.md.

use std::slice::from_ref;

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use serde_json::json;

use super::super::loaded::{RECOVERY, recovers};
use super::scene::{Asked, ROWS, Scene, TABLE, timed};
use super::{elsewhere, major};
use crate::roles::Roles;

/// The store of the cluster: a Service in a namespace of its own, with these keys.
const NAMESPACE: &str = "s3";
const KEYS: [(&str, &str); 2] = [("ACCESS_KEY_ID", "backup-key"), ("SECRET_ACCESS_KEY", "backup-secret")];
const BUCKET: &str = "backups";

pub(super) fn run(lane: &Lane, asked: &Asked) -> Outcome {
    let roles = Roles::of_lane(lane)?;
    let namespace = TestNamespace::as_step(lane, "backup-s3")?;
    let release = Release::new(&namespace, lane.context.helm4().map_err(|_| Reported)?, "afp");
    let scene = Scene::new(&release, &roles).with(asked);
    lane.step(
        "helm install --wait with encrypted backups in an object store, External Secrets and an autoscaler",
        || {
            secrets(&scene)?;
            let sets = sets(&scene);
            release.install(from_ref(&lane.context.small), &sets.iter().map(String::as_str).collect::<Vec<_>>())?;
            scene.wait_for_first()?;
            Ok(scene.good()?.join(", "))
        },
    )?;
    lane.step(format!("with {ROWS} rows: back up now, verify; the objects are encrypted"), || {
        scene.scale_keeper(0)?;
        scene.add_rows()?;
        let (backup, _) = timed(|| scene.run("Back up now"))?;
        let (verification, log) = timed(|| scene.run("Verify"))?;
        ensure!(log.contains("ok: verification of"), "{log}");
        encrypted(&scene)?;
        Ok(format!("backup {backup}, verification {verification}"))
    })?;
    let steps = [
        lane.step("restore after every table was dropped: rows, owners, indexes and constraints are back", || {
            let before = scene.contents()?;
            scene.drop_tables()?;
            let (took, _) = timed(|| scene.run("Restore here"))?;
            let after = scene.contents()?;
            ensure!(
                after == before && after.contains(&format!("{TABLE}|{ROWS}|")),
                "before:\n{before}\nafter:\n{after}"
            );
            scene.scale_keeper(1)?;
            recovers(&release, RECOVERY)?;
            scene.drop_former()?;
            Ok(took)
        }),
        lane.step("a wrong key of the store fails the backup, and leaves the earlier ones", || {
            let before = scene.good()?;
            put(&scene, "backup-store", &json!({"accessKeyId": KEYS[0].1, "secretAccessKey": "wrong"}))?;
            let block = scene.block("Back up now", 0)?.replace("for=condition=Complete", "for=condition=Failed");
            let log = scene.reader()?.run(&block)?;
            ensure!(log.contains("FAILED: backup of") && !log.contains(KEYS[1].1), "{log}");
            put(&scene, "backup-store", &json!({"accessKeyId": KEYS[0].1, "secretAccessKey": KEYS[1].1}))?;
            ensure!(scene.good()? == before, "the backups changed");
            scene.result("backup", false, "problem")
        }),
        lane.step("a lost password of the encryption: no backup is taken for a good one, and nothing changes", || {
            let password = kubectl::json(&["get", "secret", "backup-encryption", "--namespace", &namespace.name])?;
            put(&scene, "backup-encryption", &json!({"password": "another-Password-47110815"}))?;
            let said = scene.refused(&scene.reader()?, &format!("restore {} latest", roles.database))?;
            ensure!(said.contains("There is no good backup") && said.contains("Nothing was changed"), "{said}");
            kubectl::run(&["delete", "secret", "backup-encryption", "--namespace", &namespace.name])?;
            kubectl::apply(&json!({
                "apiVersion": "v1", "kind": "Secret", "data": password["data"],
                "metadata": {"name": "backup-encryption", "namespace": namespace.name},
            }))?;
            Ok(scene.good()?.join(", "))
        }),
        lane.step("restore elsewhere: into a release of another name in another namespace", || elsewhere(lane, &scene)),
        lane.step("a backup of the major version before, made by the same script, is restored", || {
            major::restored(&scene)
        }),
        lane.step("retention: the objects of old backups are removed", || {
            let keep = format!("{}.backup.retention.count=1", roles.database_server);
            let sets = sets(&scene);
            let sets: Vec<_> = sets.iter().map(String::as_str).chain([keep.as_str()]).collect();
            release.apply(&release.arguments("upgrade", from_ref(&lane.context.small), &sets), true)?;
            scene.wait_for_first()?;
            let good = scene.good()?;
            ensure!(good.len() == 1 && objects(&scene)?.len() == 3, "{good:?}, {:?}", objects(&scene)?);
            Ok(good.join(", "))
        }),
    ];
    all(steps)
}

/// The values of the section on object stores in BACKUP.md, for the store of the cluster.
fn sets(scene: &Scene) -> Vec<String> {
    let backup = format!("{}.backup", scene.roles.database_server);
    let egress = format!("{backup}.s3.egress[0]");
    vec![
        scene.on(),
        // Another source of the login's password than in the lane of the volume, and an autoscaler beside `restore.sh`.
        "global.secrets.mode=external".to_owned(),
        format!("{}.autoscaling.enabled=true", scene.roles.keeper),
        format!("{backup}.storage=S3"),
        format!("{backup}.s3.endpoint=https://s3.{NAMESPACE}:9000"),
        format!("{backup}.s3.bucket={BUCKET}"),
        format!("{backup}.s3.existingSecret=backup-store"),
        format!("{backup}.s3.caConfigMap=store-ca"),
        format!(r"{egress}.to[0].namespaceSelector.matchLabels.kubernetes\.io/metadata\.name={NAMESPACE}"),
        format!("{egress}.ports[0].port=9000"),
        format!("{backup}.encryption.existingSecret=backup-encryption"),
    ]
}

/// Creates the Secrets as BACKUP.md says, and the ConfigMap with the authority of the store's certificate.
fn secrets(scene: &Scene) -> anyhow::Result<()> {
    let certificate = kubectl::json(&["get", "secret", "s3-tls", "--namespace", NAMESPACE])
        .context("the cluster has no object store in the namespace `s3`")?;
    let mut reader = scene.reader()?;
    for (name, value) in KEYS {
        reader = reader.with(name, value);
    }
    reader.run(&scene.block("Object storage", 0)?)?;
    let password = reader.run(&scene.block("Object storage", 1)?)?;
    ensure!(password.len() == 48, "the password has {} characters", password.len());
    let certificate = certificate["data"]["tls.crt"].as_str().context("no certificate")?.to_owned();
    let namespace = &scene.release.namespace.name;
    kubectl::apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap", "binaryData": {"ca.crt": certificate},
        "metadata": {"name": "store-ca", "namespace": namespace},
    }))?;
    Ok(())
}

fn put(scene: &Scene, name: &str, data: &serde_json::Value) -> anyhow::Result<()> {
    let namespace = &scene.release.namespace.name;
    kubectl::apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "stringData": data, "metadata": {"name": name, "namespace": namespace},
    }))?;
    Ok(())
}

/// The files of the release in the store.
fn objects(scene: &Scene) -> anyhow::Result<Vec<String>> {
    let release = scene.release;
    let folder = format!("/data/{BUCKET}/{}/{}", release.namespace.name, release.name);
    let list = in_store(&format!("find {folder} -type f"))?;
    Ok(list.lines().map(str::to_owned).collect())
}

/// A file that rclone has encrypted begins with `RCLONE`.
fn encrypted(scene: &Scene) -> anyhow::Result<()> {
    let objects = objects(scene)?;
    ensure!(objects.len() >= 6, "{objects:?}");
    for object in objects {
        let begin = in_store(&format!("head -c 6 {object}"))?;
        ensure!(begin == "RCLONE", "{object} is not encrypted");
    }
    Ok(())
}

fn in_store(script: &str) -> anyhow::Result<String> {
    Ok(kubectl::run(&["exec", "deployment/s3", "--namespace", NAMESPACE, "--", "sh", "-c", script])?)
}
