//! What goes wrong with backups: each fault is told, and leaves the database and the earlier backups.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::{kubectl, process};

use super::scene::{ROWS, Scene, TABLE};
use crate::roles::Roles;

/// Damages the newest backup; `restore.sh` must refuse it, a foreign file, one of a newer version, and a name that does not exist.
pub(super) fn refuses(scene: &Scene) -> anyhow::Result<String> {
    let Roles { database, .. } = scene.roles;
    let before = scene.contents_of("postgres")? + &scene.sql("SELECT datname FROM pg_database ORDER BY 1")?;
    let reader = scene.reader()?;
    let newest = scene.good()?.into_iter().next().context("no backup")?;
    reader.run(&scene.block("Restore elsewhere", 0)?)?;
    let copy = fs::read(reader.path("backups").join(&newest))?;
    // The header names the version of the server, such as 18.6.
    let version = scene.sql("SHOW server_version")?;
    let version = version.split(' ').next().unwrap_or_default();
    let newer = format!("99{}", &version[2..]);
    let at = copy.windows(version.len()).position(|bytes| bytes == version.as_bytes()).context("no version")?;
    let mut other = copy.clone();
    other[at..at + version.len()].copy_from_slice(newer.as_bytes());
    fs::write(reader.path("newer.dump"), other)?;
    fs::write(reader.path("foreign.dump"), "no dump")?;
    let dump = "pg_dump --username postgres --format custom postgres | base64";
    fs::write(reader.path("other.base64"), scene.release.exec(scene.roles.database_server, &["sh", "-c", dump])?)?;
    reader.run("base64 --decode other.base64 >other.dump")?;
    fs::write(reader.path("cut.dump"), &copy[..copy.len() / 2])?;
    scene.on_volume(&format!("printf x >>/backups/{newest}"))?;
    for (backup, says) in [
        (newest.as_str(), "is not among the good backups"),
        ("alerts_db-other-20260101T000000Z.dump", "is not among the good backups"),
        ("foreign.dump", "cannot be read"),
        ("other.dump", "is a backup of the database postgres, not of"),
        ("cut.dump", "cannot be restored"),
        ("newer.dump", "is of PostgreSQL 99, newer than"),
    ] {
        let said = scene.refused(&reader, &format!("restore {database} {backup}"))?;
        ensure!(said.contains(says) && said.contains("Nothing was changed"), "{backup}: {said}");
    }
    let after = scene.contents_of("postgres")? + &scene.sql("SELECT datname FROM pg_database ORDER BY 1")?;
    ensure!(before == after, "a refused restore changed something: {before}\n{after}");
    let list = scene.run("List")?;
    ensure!(list.lines().filter(|line| line.ends_with("DAMAGED")).count() == 1, "{list}");
    let said = scene.run("Restore beside the running database")?;
    ensure!(!said.contains(&newest), "`latest` took the damaged backup: {said}");
    scene.sql(&format!("DROP DATABASE {database}_copy"))?;
    scene.on_volume(&format!("rm /backups/{newest}"))?;
    Ok(newest)
}

/// Truncates a table while a backup reads it.
pub(super) fn truncates(scene: &Scene) -> anyhow::Result<String> {
    let Roles { database, .. } = scene.roles;
    scene.start_backup("truncated")?;
    let emptied = scene.sql_in(database, &format!("TRUNCATE {TABLE}; SELECT count(*) FROM {TABLE}"))?;
    ensure!(emptied == "0", "{emptied} rows are left");
    scene.complete("truncated")?;
    let log = scene.run("Verify")?;
    ensure!(log.contains("ok: verification of"), "{log}");
    scene.run("Restore here")?;
    let rows = scene.sql_in(database, &format!("SELECT count(*) FROM {TABLE}"))?;
    ensure!(rows == ROWS.to_string(), "the backup has {rows} rows");
    scene.drop_former()?;
    Ok(String::new())
}

/// Kills the pod of a backup while it writes. The Job's next pod must remove the rest.
pub(super) fn kills(scene: &Scene) -> anyhow::Result<String> {
    let before = scene.good()?;
    scene.start_backup("killed")?;
    let namespace = &scene.release.namespace.name;
    let selector = "batch.kubernetes.io/job-name=killed";
    kubectl::run(&["delete", "pod", "--selector", selector, "--grace-period=0", "--force", "--namespace", namespace])?;
    let after = scene.good()?;
    ensure!(after == before, "before: {before:?}, after: {after:?}");
    scene.complete("killed")?;
    let after = scene.good()?;
    ensure!(after.len() == before.len() + 1 && after.ends_with(&before), "before: {before:?}, after: {after:?}");
    let files = scene.on_volume("ls -A /backups")?;
    ensure!(!files.contains(".part"), "{files}");
    Ok(format!("{} backups", after.len()))
}

/// Changes what the newest backup says about its contents, with a right checksum.
pub(super) fn falsifies(scene: &Scene) -> anyhow::Result<String> {
    let good = scene.good()?;
    let newest = good.first().and_then(|name| name.strip_suffix(".dump")).context("no backup")?;
    scene.on_volume(&format!(
        "cd /backups && sed -i 's/{ROWS}/{}/' {newest}.contents && sha256sum {newest}.dump {newest}.contents >{newest}.sha256",
        ROWS + 1
    ))?;
    let block = scene.block("Verify", 0)?.replace("for=condition=Complete", "for=condition=Failed");
    let log = scene.reader()?.run(&block)?;
    ensure!(
        log.contains("FAILED: verification of") && log.contains(&format!("> table public.{TABLE}|{ROWS}|")),
        "{log}"
    );
    let problem = scene.result("verification", false, "problem")?;
    ensure!(
        problem.contains("the contents differ") && !scene.result("verification", true, "backup")?.is_empty(),
        "{problem}"
    );
    scene.on_volume(&format!("rm /backups/{newest}.*"))?;
    let log = scene.run("Verify")?;
    ensure!(log.contains("ok: verification of"), "{log}");
    Ok(problem)
}

/// Runs the backup on a volume in memory of 8 MiB, which holds an earlier backup already.
pub(super) fn fills(scene: &Scene) -> anyhow::Result<String> {
    let earlier = format!("{}-{}-20260101T000000Z", scene.roles.database, scene.release.name);
    let script = format!(
        "cd /backups && echo x >{earlier}.dump && echo x >{earlier}.contents && sha256sum {earlier}.* >/tmp/sums && mv /tmp/sums {earlier}.sha256
         sh /opt/backup/backup.sh make || echo exit code $?
         ls -A; sh /opt/backup/backup.sh list"
    );
    let mut job = scene.job_of_backups("full", &script)?;
    let spec = &mut job["spec"]["template"]["spec"];
    let volumes = spec["volumes"].as_array_mut().context("no volumes")?;
    let volume = volumes.iter_mut().find(|volume| volume["name"] == "backups").context("no volume for the backups")?;
    *volume = serde_json::json!({"name": "backups", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}});
    let log = scene.log_of(&job)?;
    for says in ["No space left on device", "FAILED: backup of", "exit code 1", &format!("{earlier}.dump 2 good")] {
        ensure!(log.contains(says), "no `{says}` in {log}");
    }
    let listed = log.lines().filter(|line| line.ends_with(" good") || line.ends_with(" DAMAGED")).count();
    ensure!(!log.contains(".part") && listed == 1, "{log}");
    // As an operator would go on.
    scene.run("The volume is full")?;
    scene.wait_for_first()?;
    let good = scene.good()?;
    ensure!(good.len() == 3, "{good:?}");
    Ok(format!("{} backups", good.len()))
}

/// Acts as the login of the backups.
pub(super) fn writes_nothing(scene: &Scene) -> anyhow::Result<String> {
    let Roles { database, database_server, .. } = scene.roles;
    let pod = format!("{}-{database_server}-0", scene.release.name);
    let role = scene.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'backup\\_r%'")?;
    let run = |database: &str, statement: &str| {
        let text = format!("SET SESSION AUTHORIZATION {role}; SET default_transaction_read_only = off; {statement}");
        let psql = ["psql", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", &text];
        kubectl::exec(&scene.release.namespace.name, &pod, &psql)
    };
    for statement in [
        "CREATE TABLE x ()".to_owned(),
        "CREATE SCHEMA x".to_owned(),
        "ALTER ROLE postgres PASSWORD NULL".to_owned(),
        "CREATE ROLE x".to_owned(),
        format!("INSERT INTO {TABLE} (severity) VALUES ('x')"),
        format!("UPDATE {TABLE} SET severity = 'x'"),
        format!("DELETE FROM {TABLE}"),
        format!("TRUNCATE {TABLE}"),
        format!("DROP TABLE {TABLE}"),
        format!("SET ROLE {database}_owner"),
        "SELECT pg_read_file('/etc/passwd')".to_owned(),
        "COPY (SELECT 1) TO PROGRAM 'true'".to_owned(),
    ] {
        let output = run(database, &statement)?;
        ensure!(
            !output.success && ["ermission denied", "must be owner"].iter().any(|why| output.all().contains(why)),
            "{statement}: {}",
            output.all()
        );
    }
    let allowed = run(database, &format!("SELECT count(*) FROM {TABLE}"))?;
    ensure!(allowed.success, "{}", allowed.all());
    Ok(role)
}

impl Scene<'_> {
    /// Drops the databases that a restore has left beside the restored one.
    pub(super) fn drop_former(&self) -> anyhow::Result<String> {
        let names = self.sql("SELECT datname FROM pg_database WHERE datname LIKE '%\\_before\\_%'")?;
        for name in names.lines() {
            self.sql(&format!("DROP DATABASE {name}"))?;
        }
        Ok(names)
    }

    /// Runs a script in a pod of the backups, with their volume, and returns its log.
    pub(super) fn on_volume(&self, script: &str) -> anyhow::Result<String> {
        self.log_of(&self.job_of_backups("on-volume", script)?)
    }

    /// A Job as the `CronJob` of the backups makes it, with a script in place of its command.
    fn job_of_backups(&self, name: &str, script: &str) -> anyhow::Result<serde_json::Value> {
        let (release, namespace) = (&self.release.name, &self.release.namespace.name);
        let name_of = format!("{release}-{}-backup", self.roles.database_server);
        let cron_job = kubectl::json(&["get", "cronjob", &name_of, "--namespace", namespace])?;
        let mut spec = cron_job["spec"]["jobTemplate"]["spec"].clone();
        spec["backoffLimit"] = 0.into();
        spec["template"]["spec"]["containers"][0]["command"] = serde_json::json!(["sh", "-c", script]);
        let metadata = serde_json::json!({"name": name, "namespace": namespace});
        Ok(serde_json::json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}))
    }

    /// Runs a Job to its end, deletes it, and returns its log.
    fn log_of(&self, job: &serde_json::Value) -> anyhow::Result<String> {
        let namespace = &self.release.namespace.name;
        let name = job["metadata"]["name"].as_str().unwrap_or_default();
        kubectl::apply(job)?;
        let ended = process::until(Duration::from_mins(3), Duration::from_millis(500), || {
            let job = kubectl::json(&["get", "job", name, "--namespace", namespace])?;
            let is = |kind: &str| job["status"][kind].as_u64().is_some_and(|count| count > 0);
            Ok(if is("succeeded") || is("failed") { Ok(is("succeeded")) } else { Err(format!("Job {name} runs")) })
        })?;
        let log = kubectl::run(&["logs", &format!("job/{name}"), "--namespace", namespace])?;
        kubectl::run(&["delete", "job", name, "--namespace", namespace])?;
        ensure!(ended, "Job {name} failed: {log}");
        Ok(log)
    }
}
