//! A release with backups, and what the scenarios do to it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use e2e_kit::release::Release;
use e2e_kit::{kubectl, process};
use serde_json::Value;

use crate::documents::{Document, Reader};
use crate::roles::Roles;

/// The rows that a scenario adds.
pub(in crate::scenarios) const ROWS: u32 = 1_000_000;

/// The table with these rows.
pub(in crate::scenarios) const TABLE: &str = "load";

pub(in crate::scenarios) struct Scene<'a> {
    pub(in crate::scenarios) release: &'a Release<'a>,
    pub(in crate::scenarios) roles: Roles,
    /// The blocks of BACKUP.md that were asked for.
    asked: Asked,
}

/// The blocks of BACKUP.md that all lanes have asked for.
pub(in crate::scenarios) type Asked = Arc<Mutex<BTreeSet<String>>>;

impl<'a> Scene<'a> {
    pub(in crate::scenarios) fn new(release: &'a Release<'a>, roles: &Roles) -> Self {
        Self { release, roles: *roles, asked: Asked::default() }
    }

    /// Adds the blocks that it asks for to those of other scenes.
    pub(in crate::scenarios) fn with(self, asked: &Asked) -> Self {
        Self { asked: Arc::clone(asked), ..self }
    }

    /// The value that switches the backups on.
    pub(in crate::scenarios) fn on(&self) -> String {
        format!("{}.backup.enabled=true", self.roles.database_server)
    }

    /// The block of commands at a position below a heading of BACKUP.md.
    pub(in crate::scenarios) fn block(&self, heading: &str, position: usize) -> anyhow::Result<String> {
        let blocks = Document::read(&self.release.namespace.context.chart, "BACKUP.md")?.commands(heading)?;
        let block =
            blocks.get(position).with_context(|| format!("BACKUP.md has no block {position} below `{heading}`"))?;
        self.asked.lock().expect("no step panics").insert(block.clone());
        Ok(block.clone())
    }

    pub(in crate::scenarios) fn reader(&self) -> anyhow::Result<Reader<'_>> {
        Ok(Reader::of(self.release)?.with("SERVER", self.roles.database_server))
    }

    /// Runs the first block of commands below a heading of BACKUP.md.
    pub(in crate::scenarios) fn run(&self, heading: &str) -> anyhow::Result<String> {
        self.reader()?.run(&self.block(heading, 0)?)
    }

    /// Runs `restore.sh` with these arguments, which must fail; returns what it said.
    pub(in crate::scenarios) fn refused(&self, reader: &Reader, arguments: &str) -> anyhow::Result<String> {
        let chart = self.release.namespace.context.platform.platform().name.as_str();
        reader.run(&format!("! sh ./{chart}/restore.sh \"$RELEASE\" \"$NAMESPACE\" {arguments} 2>&1"))
    }

    /// Waits until every Job of backups that has no other owner has succeeded.
    pub(in crate::scenarios) fn wait_for_first(&self) -> anyhow::Result<()> {
        let start = format!("{}-{}-backup-", self.release.name, self.roles.database_server);
        process::until(Duration::from_mins(4), Duration::from_secs(1), || {
            let jobs = self.jobs()?;
            let waiting =
                jobs.iter().filter(|(name, job)| name.starts_with(&start) && job["status"]["succeeded"] != 1).count();
            Ok(if waiting == 0 { Ok(()) } else { Err(format!("{waiting} Jobs of backups are not complete")) })
        })
    }

    /// The Jobs of the namespace by name.
    pub(in crate::scenarios) fn jobs(&self) -> anyhow::Result<Vec<(String, Value)>> {
        let jobs = kubectl::items(&["get", "jobs", "--namespace", &self.release.namespace.name])?;
        Ok(jobs.into_iter().map(|job| (job["metadata"]["name"].as_str().unwrap_or_default().to_owned(), job)).collect())
    }

    /// The names of the intact backups, the newest first; fails if one is damaged.
    pub(in crate::scenarios) fn good(&self) -> anyhow::Result<Vec<String>> {
        let list = self.run("List")?;
        ensure!(!list.contains("DAMAGED"), "{list}");
        Ok(list.lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect())
    }

    pub(in crate::scenarios) fn sql(&self, statement: &str) -> anyhow::Result<String> {
        self.sql_in("postgres", statement)
    }

    /// Runs a statement as the superuser, and returns the rows.
    pub(in crate::scenarios) fn sql_in(&self, database: &str, statement: &str) -> anyhow::Result<String> {
        let options = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d"];
        let words = [&options[..], &[database, "-c", statement]].concat();
        Ok(self.release.exec(self.roles.database_server, &words)?.trim().to_owned())
    }

    /// Adds the table of [`rows_of`].
    pub(in crate::scenarios) fn add_rows(&self) -> anyhow::Result<()> {
        let database = self.roles.database;
        self.sql_in(database, &rows_of(database)).map(drop)
    }

    /// Stops or starts the service that writes to the database.
    pub(in crate::scenarios) fn scale_keeper(&self, pods: u32) -> anyhow::Result<()> {
        let name = format!("deployment/{}-{}", self.release.name, self.roles.keeper);
        kubectl::run(&["scale", &name, &format!("--replicas={pods}"), "--namespace", &self.release.namespace.name])?;
        process::until(Duration::from_mins(2), Duration::from_secs(1), || {
            let there = self.release.pods_and_leaving()?.iter().filter(|pod| pod.chart == self.roles.keeper).count();
            Ok(if there == pods as usize { Ok(()) } else { Err(format!("{there} pods of {}", self.roles.keeper)) })
        })
    }

    pub(in crate::scenarios) fn drop_tables(&self) -> anyhow::Result<()> {
        self.sql_in(
            self.roles.database,
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner",
        )
        .map(drop)
    }

    /// Tables with owners, row counts and checksums; indexes; constraints. Written without the chart's own description of contents.
    pub(in crate::scenarios) fn contents_of(&self, database: &str) -> anyhow::Result<String> {
        let tables = self.sql_in(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")?;
        let mut contents = String::new();
        for table in tables.lines() {
            let rows = format!(
                "SELECT '{table}', count(*), sum(hashtextextended(t::text, 0)::numeric), sum(hashtextextended(t::text, 1)::numeric) FROM public.\"{table}\" t"
            );
            contents += &(self.sql_in(database, &rows)? + "\n");
        }
        for query in [
            "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1",
        ] {
            contents += &(self.sql_in(database, query)? + "\n");
        }
        Ok(contents)
    }

    pub(in crate::scenarios) fn contents(&self) -> anyhow::Result<String> {
        self.contents_of(self.roles.database)
    }

    /// Starts a backup as a Job of this name, and waits until both of its sessions read the table.
    pub(in crate::scenarios) fn start_backup(&self, name: &str) -> anyhow::Result<()> {
        let from = format!("cronjob/{}-{}-backup", self.release.name, self.roles.database_server);
        kubectl::run(&["create", "job", name, "--from", &from, "--namespace", &self.release.namespace.name])?;
        process::until(Duration::from_mins(1), Duration::from_millis(100), || {
            let sessions = format!(
                "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
                   WHERE usename LIKE 'backup\\_r%' AND relation = '{TABLE}'::regclass"
            );
            let sessions = self.sql_in(self.roles.database, &sessions)?;
            Ok(if sessions == "2" { Ok(()) } else { Err(format!("{sessions} sessions of the backup read {TABLE}")) })
        })
    }

    /// Waits until a Job is complete.
    pub(in crate::scenarios) fn complete(&self, job: &str) -> anyhow::Result<()> {
        let namespace = &self.release.namespace.name;
        let wait = ["wait", "job", job, "--for=condition=Complete", "--timeout=3m", "--namespace", namespace];
        kubectl::run(&wait).map(drop).map_err(Into::into)
    }

    /// The column of the table with the results for an action.
    pub(in crate::scenarios) fn result(&self, action: &str, succeeded: bool, column: &str) -> anyhow::Result<String> {
        let schema = self.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'backup\\_%'")?;
        let Roles { database, .. } = self.roles;
        self.sql(&format!(
            "SELECT {column} FROM {schema}.status WHERE database = '{database}' AND action = '{action}' AND succeeded = {succeeded}"
        ))
    }
}

/// The statement that makes a table with [`ROWS`] rows, an index, a constraint and values of many types, as the role that owns the database.
pub(in crate::scenarios) fn rows_of(database: &str) -> String {
    format!(
        "SET ROLE {database}_owner;
         CREATE TABLE {TABLE} (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), severity text CHECK (severity <> ''), body jsonb, part float8, raw bytea);
         INSERT INTO {TABLE} (severity, body, part, raw)
           SELECT 'high', jsonb_build_object('n', g, 'text', repeat(md5(g::text), 3)), g / 7.0, decode(md5(g::text), 'hex') FROM generate_series(1, {ROWS}) g;
         CREATE INDEX {TABLE}_at ON {TABLE} (at) WHERE severity = 'high'"
    )
}

/// Fails unless both contents have the same rows in [`TABLE`].
pub(in crate::scenarios) fn same_rows(before: &str, after: &str) -> anyhow::Result<()> {
    let rows = |contents: &str| contents.lines().find(|line| line.starts_with(TABLE)).map(str::to_owned);
    ensure!(rows(before).is_some() && rows(before) == rows(after), "before:\n{before}\nafter:\n{after}");
    Ok(())
}

/// The time that something took, in seconds, and its result.
pub(in crate::scenarios) fn timed<T>(what: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(String, T)> {
    let began = Instant::now();
    let result = what()?;
    Ok((format!("{:.1} s", began.elapsed().as_secs_f64()), result))
}
