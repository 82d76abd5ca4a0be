//! A backup of an older major version of the server, made with the same script, and restored into the release.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::{kubectl, process};
use serde_json::json;
use vocabulary::Image;

use super::scene::{ROWS, Scene, TABLE, rows_of};

/// The version before that of the chart.
const OLD: Image = Image::new("postgres", "17");

const POD: &str = "older-version";

pub(super) fn restored(scene: &Scene) -> anyhow::Result<String> {
    start(scene)?;
    let database = scene.roles.database;
    sql(scene, "postgres", &format!("CREATE ROLE {database}_owner"))?;
    sql(scene, "postgres", &format!("CREATE DATABASE {database} OWNER {database}_owner"))?;
    sql(scene, database, &rows_of(database))?;
    let make = format!(
        "mkdir -p /tmp/backups; BACKUPS=/tmp/backups PGHOST=/var/run/postgresql PGUSER=postgres RELEASE=old DATABASES={database} \
         KEEP_COUNT=1 KEEP_DAYS=1 STATUS=pg_temp.none sh /opt/backup/backup.sh make; ls /tmp/backups"
    );
    // There is no table for the results, so the script ends with an error after the backup.
    let files = in_pod(scene, &["sh", "-c", &make])?;
    let reader = scene.reader()?;
    fs::create_dir(reader.path("old"))?;
    for file in files.lines().filter(|line| line.starts_with(database)) {
        let encoded = in_pod(scene, &["sh", "-c", &format!("base64 /tmp/backups/{file}")])?;
        fs::write(reader.path("old").join(format!("{file}.base64")), encoded)?;
    }
    let chart = scene.release.namespace.context.platform.platform().name.as_str();
    let said = reader.run(&format!(
        "cd old && for file in *.base64; do base64 --decode \"$file\" >\"${{file%.base64}}\"; done && cd .. &&
         sh ./{chart}/restore.sh \"$RELEASE\" \"$NAMESPACE\" restore {database} old/{database}-*.dump {database}_old"
    ))?;
    ensure!(said.contains("is restored as") && !said.contains("WARNING"), "{said}");
    let rows = scene.sql_in(&format!("{database}_old"), &format!("SELECT count(*) FROM {TABLE}"))?;
    ensure!(rows == ROWS.to_string(), "{rows} rows");
    scene.sql(&format!("DROP DATABASE {database}_old"))?;
    kubectl::run(&["delete", "pod", POD, "--wait=false", "--namespace", &scene.release.namespace.name])?;
    Ok(said.trim().to_owned())
}

/// A server of the older version, with the scripts of the backups.
fn start(scene: &Scene) -> anyhow::Result<()> {
    let (release, namespace) = (scene.release, &scene.release.namespace.name);
    let name = format!("{}-{}-backup", release.name, scene.roles.database_server);
    let cron_job = kubectl::json(&["get", "cronjob", &name, "--namespace", namespace])?;
    let volumes = &cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"];
    let scripts = volumes.as_array().context("no volumes")?.iter().find(|volume| volume["name"] == "scripts");
    let folders = ["/tmp", "/var/run/postgresql", "/var/lib/postgresql/data"];
    let mounts = folders.iter().enumerate().map(|(i, path)| json!({"name": format!("folder-{i}"), "mountPath": path}));
    let mounts: Vec<_> = mounts.chain([json!({"name": "scripts", "mountPath": "/opt/backup"})]).collect();
    let empty = (0..folders.len()).map(|i| json!({"name": format!("folder-{i}"), "emptyDir": {}}));
    let volumes: Vec<_> = empty.chain([scripts.context("no scripts")?.clone()]).collect();
    kubectl::apply(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD, "namespace": namespace},
        "spec": {
            "automountServiceAccountToken": false,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 999, "runAsGroup": 999, "fsGroup": 999, "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{
                "name": "postgresql", "image": release.namespace.context.images.reference(&OLD), "imagePullPolicy": "IfNotPresent",
                "env": [
                    {"name": "POSTGRES_HOST_AUTH_METHOD", "value": "trust"},
                    {"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"},
                ],
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
                "volumeMounts": mounts,
            }],
            "volumes": volumes,
        },
    }))?;
    process::until(Duration::from_mins(2), Duration::from_secs(1), || {
        // Over TCP, because the server that initializes the data has no TCP listener.
        let ready = kubectl::exec(namespace, POD, &["pg_isready", "--quiet", "--host=127.0.0.1"])?;
        Ok(if ready.success { Ok(()) } else { Err(ready.all()) })
    })
}

fn sql(scene: &Scene, database: &str, statement: &str) -> anyhow::Result<String> {
    in_pod(scene, &["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", statement])
}

fn in_pod(scene: &Scene, words: &[&str]) -> anyhow::Result<String> {
    Ok(kubectl::exec(&scene.release.namespace.name, POD, words)?.ok(words[0])?)
}
