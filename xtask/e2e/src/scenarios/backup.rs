//! Backups: made, listed, restored by the commands of the chart's README; damaged ones are refused, and the login rotates.

use std::slice::from_ref;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::process;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};

use super::loaded::{RECOVERY, recovers};
use crate::documents::{Document, Reader};
use crate::roles::Roles;

/// The heading of the README whose commands run here: back up now, list, restore, restore beside the running database.
const HEADING: &str = "Backups";

pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    let roles = Roles::of_lane(lane)?;
    let namespace = TestNamespace::as_step(lane, "backup")?;
    let release = Release::new(&namespace, context.helm4().map_err(|_| Reported)?, "afp");
    let scene = Scene { release: &release, roles };
    let on = format!("{}.backup.enabled=true", roles.database_server);
    lane.step("helm install --wait with backups: the volume is bound, and the first backup is good", || {
        release.install(from_ref(&context.small), &[&on])?;
        scene.wait_for_first()?;
        scene.good(1)
    })?;
    lane.step("README: back up now, and list", || {
        recovers(&release, RECOVERY)?;
        scene.run(0)?;
        scene.good(2)
    })?;
    let steps = [
        lane.step(
            "README: restore after every table was dropped: rows, owners, indexes and constraints are back",
            || {
                let before = scene.contents()?;
                scene.drop_tables()?;
                ensure!(scene.contents()? != before, "nothing was dropped");
                scene.run(2)?;
                let after = scene.contents()?;
                ensure!(after == before, "before:\n{before}\nafter:\n{after}");
                recovers(&release, RECOVERY)?;
                Ok(format!("{} lines of contents", before.lines().count()))
            },
        ),
        lane.step("README: restore beside the running database, which does not change", || {
            // Nothing is stored between the backup and the comparison.
            scene.scale_keeper(0)?;
            scene.run(0)?;
            let before = scene.contents()?;
            scene.run(3)?;
            let copy = format!("{}_copy", roles.database);
            ensure!(scene.contents_of(&copy)? == before, "the copy differs");
            scene.sql(&format!("DROP DATABASE {copy}"))?;
            scene.scale_keeper(1)?;
            Ok(String::new())
        }),
        lane.step("a damaged, a foreign and a missing backup are refused, and `latest` skips a damaged one", || {
            scene.refuses()
        }),
        lane.step("a revision of the login: a backup with the new one, and the old one is gone", || {
            let credential = format!("{}.credentials.backup", roles.database_server);
            let sets = [
                on.clone(),
                format!("{credential}.password=another-Password-47110815"),
                format!("{credential}.revision=2"),
            ];
            let sets: Vec<_> = sets.iter().map(String::as_str).collect();
            release.apply(&release.arguments("upgrade", from_ref(&context.small), &sets), true)?;
            scene.wait_for_first()?;
            let logins = scene.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'backup\\_r%'")?;
            ensure!(logins.trim().starts_with("backup_r2_") && logins.lines().count() == 1, "the logins are {logins}");
            Ok(logins.trim().to_owned())
        }),
        lane.step("the login reads and cannot write", || {
            let pod = format!("{}-{}-0", release.name, roles.database_server);
            let role = scene.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 'backup\\_r%'")?;
            for statement in ["CREATE TABLE x ()", "SET default_transaction_read_only = off; CREATE TABLE x ()"] {
                let text = format!("SET SESSION AUTHORIZATION {}; {statement}", role.trim());
                let psql = ["psql", "-U", "postgres", "-d", roles.database, "-c", &text];
                let output = kubectl::exec(&namespace.name, &pod, &psql)?;
                ensure!(!output.success, "it may: {statement}");
            }
            Ok(String::new())
        }),
        lane.step("backups off: the CronJob and the login are gone, the volume stays", || {
            release.apply(&release.arguments("upgrade", from_ref(&context.small), &[]), true)?;
            let inventory = namespace.inventory()?;
            ensure!(!inventory.iter().any(|name| name.starts_with("cronjob")), "{inventory:?}");
            let claim = format!("persistentvolumeclaim/{}-{}-backup", release.name, roles.database_server);
            ensure!(inventory.iter().any(|name| *name == claim), "no {claim} in {inventory:?}");
            let logins = scene.sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'backup\\_r%'")?;
            ensure!(logins.trim() == "0", "{} logins are left", logins.trim());
            Ok(String::new())
        }),
    ];
    all(steps)
}

struct Scene<'a> {
    release: &'a Release<'a>,
    roles: Roles,
}

impl Scene<'_> {
    /// Runs a block of commands of the README.
    fn run(&self, position: usize) -> anyhow::Result<String> {
        let blocks = Document::read(&self.release.namespace.context.chart, "README.md")?.commands(HEADING)?;
        let block = blocks.get(position).with_context(|| format!("the README has no command {position} on backups"))?;
        Reader::of(self.release)?.with("SERVER", self.roles.database_server).run(block)
    }

    fn wait_for_first(&self) -> anyhow::Result<()> {
        let namespace = &self.release.namespace.name;
        let start = format!("{}-{}-backup-", self.release.name, self.roles.database_server);
        process::until(Duration::from_mins(4), Duration::from_secs(2), || {
            let jobs = kubectl::items(&["get", "jobs", "--namespace", namespace])?;
            let is_first = |job: &&serde_json::Value| {
                job["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(&start))
            };
            let waiting: Vec<_> = jobs.iter().filter(is_first).filter(|job| job["status"]["succeeded"] != 1).collect();
            Ok(if waiting.is_empty() {
                Ok(())
            } else {
                Err(format!("{} Jobs of backups are not complete", waiting.len()))
            })
        })
    }

    /// Checks the number of good backups in the list of `restore.sh`.
    fn good(&self, at_least: usize) -> anyhow::Result<String> {
        let list = self.run(1)?;
        let good = list.lines().filter(|line| line.ends_with(" good")).count();
        ensure!(good >= at_least && !list.contains("DAMAGED"), "{list}");
        Ok(list.trim().replace('\n', "; "))
    }

    fn sql(&self, statement: &str) -> anyhow::Result<String> {
        self.sql_in("postgres", statement)
    }

    fn sql_in(&self, database: &str, statement: &str) -> anyhow::Result<String> {
        let psql = [
            "psql",
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
            "-d",
            database,
            "-c",
            statement,
        ];
        self.release.exec(self.roles.database_server, &psql)
    }

    /// Stops or starts the service that writes to the database.
    fn scale_keeper(&self, pods: u32) -> anyhow::Result<()> {
        let (name, namespace) =
            (format!("deployment/{}-{}", self.release.name, self.roles.keeper), &self.release.namespace.name);
        kubectl::run(&["scale", &name, &format!("--replicas={pods}"), "--namespace", namespace])?;
        process::until(Duration::from_mins(2), Duration::from_secs(1), || {
            let there = self.release.pods_and_leaving()?.iter().filter(|pod| pod.chart == self.roles.keeper).count();
            Ok(if there == pods as usize { Ok(()) } else { Err(format!("{there} pods of {}", self.roles.keeper)) })
        })
    }

    fn drop_tables(&self) -> anyhow::Result<()> {
        let schema = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
        self.sql_in(self.roles.database, schema).map(drop)
    }

    fn contents(&self) -> anyhow::Result<String> {
        self.contents_of(self.roles.database)
    }

    /// Tables with owners, row counts and checksums; indexes; constraints.
    fn contents_of(&self, database: &str) -> anyhow::Result<String> {
        let tables = self.sql_in(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")?;
        let mut contents = String::new();
        for table in tables.lines() {
            let rows = format!(
                "SELECT '{table}', count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM public.\"{table}\" t"
            );
            contents += &self.sql_in(database, &rows)?;
        }
        for query in [
            "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1",
        ] {
            contents += &self.sql_in(database, query)?;
        }
        Ok(contents)
    }

    /// Damages the newest backup; `restore.sh` must refuse it, a file of another database and a name that does not exist, and change nothing.
    fn refuses(&self) -> anyhow::Result<String> {
        let list = self.run(1)?;
        let newest = list.split_whitespace().next().context("no backup")?.to_owned();
        let reader = Reader::of(self.release)?;
        let hold = format!(
            "kubectl create job --namespace \"$NAMESPACE\" damage --from \"cronjob/$RELEASE-{server}-backup\" --dry-run=client -o yaml | \
             sed 's/- make$/- hold/' | kubectl create --namespace \"$NAMESPACE\" -f - && \
             kubectl wait --namespace \"$NAMESPACE\" pod --selector batch.kubernetes.io/job-name=damage --for=condition=Ready --timeout=2m && \
             kubectl exec --namespace \"$NAMESPACE\" job/damage -- sh -c 'printf x >>/backups/{newest}' && \
             kubectl delete job --namespace \"$NAMESPACE\" damage",
            server = self.roles.database_server
        );
        reader.run(&hold)?;
        let before = self.contents()?;
        let database = self.roles.database;
        let chart = self.release.namespace.context.platform.platform().name.as_str();
        std::fs::write(reader.path("foreign.dump"), "no dump")?;
        for (backup, says) in [
            (newest.as_str(), "is not among the good backups"),
            ("alerts_db-other-20260101T000000Z.dump", "is not among the good backups"),
            ("foreign.dump", "cannot be read"),
        ] {
            let command = format!("! sh ./{chart}/restore.sh \"$RELEASE\" \"$NAMESPACE\" {database} {backup} 2>&1");
            let said = reader.run(&command)?;
            ensure!(said.contains(says), "{backup}: {said}");
        }
        ensure!(self.contents()? == before, "a refused restore changed the database");
        let said = self.run(2)?;
        ensure!(!said.contains(&newest), "`latest` took the damaged backup: {said}");
        Ok(newest)
    }
}
