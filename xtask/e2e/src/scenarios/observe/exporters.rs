//! The exporters without a Prometheus: what their logins may do, the results of backups as metrics, and a rotation.

use std::slice::from_ref;
use std::time::Duration;

use anyhow::ensure;
use e2e_kit::context::E2eContext;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use e2e_kit::{kubectl, process};

use crate::flow;
use crate::roles::Roles;

/// The values that switch on every exporter and the backups.
pub(super) fn values(context: &E2eContext, roles: &Roles) -> Vec<String> {
    let exporters = generator::traffic(&context.platform).exporters.into_iter();
    let exporters = exporters.map(|exporter| format!("{}.exporter.enabled=true", exporter.path.to));
    exporters.chain([format!("{}.backup.enabled=true", roles.database_server)]).collect()
}

pub(super) fn run(lane: &Lane) -> Outcome {
    let helm = lane.context.helm4().map_err(|_| Reported)?;
    let roles = Roles::of_lane(lane)?;
    let namespace = TestNamespace::as_step(lane, "observe-exporters")?;
    let release = Release::new(&namespace, helm, "afp");
    let values = values(lane.context, &roles);
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    lane.step("helm install --wait", || {
        release.install(from_ref(&lane.context.small), &values)?;
        Ok(String::new())
    })?;
    lane.step("the login of PostgreSQL's exporter reads no tables and writes nothing", || {
        sql_rights(&release, &roles)
    })?;
    lane.step("the login of Valkey's exporter reads no keys", || valkey_rights(&release, &roles))?;
    lane.step("a failed backup and a verification are metrics", || results_are_metrics(&release, &roles))?;
    lane.step("other passwords: the exporters use the new logins, and the old ones are removed", || {
        let rotated = [roles.database_server, roles.cache].map(|server| {
            let credential = format!("{server}.credentials.exporter");
            [format!("{credential}.password=another-Password-47110815-{server}"), format!("{credential}.revision=2")]
        });
        let rotated = rotated.as_flattened().iter().map(String::as_str);
        let sets: Vec<&str> = values.iter().copied().chain(rotated).collect();
        release.apply(&release.arguments("upgrade", from_ref(&lane.context.small), &sets), true)?;
        rotated_logins(&release, &roles)
    })
}

/// The password of an exporter's first login.
fn password(release: &Release, server: &str) -> anyhow::Result<String> {
    let name = format!("{}-{server}-inline", release.name);
    let template = "--output=go-template={{ index .data \"exporter.r1\" | base64decode }}";
    Ok(kubectl::run(&["get", "secret", &name, template, "--namespace", &release.namespace.name])?)
}

/// What a program in a server's Pod prints, with its errors.
fn said(release: &Release, server: &str, script: &str, secret: &str) -> anyhow::Result<String> {
    let pod = format!("{}-{server}-0", release.name);
    let script = format!("read -r PASSWORD; export PASSWORD; {script}");
    let words = ["exec", "--stdin", &pod, "--namespace", &release.namespace.name, "--", "sh", "-c", &script];
    Ok(kubectl::try_run(&words, &format!("{secret}\n"))?.all())
}

fn sql_rights(release: &Release, roles: &Roles) -> anyhow::Result<String> {
    let secret = password(release, roles.database_server)?;
    let login = flow::sql(release, "postgres", "SELECT rolname FROM pg_roles WHERE rolname LIKE 'exporter\\_r%'")?;
    let ask = |database: &str, statement: &str| {
        let (login, server) = (login.trim(), roles.database_server);
        let psql = format!("PGPASSWORD=$PASSWORD psql -X -h 127.0.0.1 -U {login} -d {database} -c \"{statement}\"");
        said(release, server, &psql, &secret)
    };
    let denied = ask(roles.database, "SELECT 1")?;
    ensure!(denied.contains("permission denied for database"), "{denied}");
    let writes = ask("postgres", "BEGIN READ WRITE; CREATE TABLE x ()")?;
    ensure!(writes.contains("permission denied for schema public"), "{writes}");
    let signals = ask("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'")?;
    ensure!(signals.contains("permission denied to terminate process"), "{signals}");
    let reads = ask("postgres", "SELECT 'size', pg_database_size(datname) > 0 FROM pg_database LIMIT 1")?;
    ensure!(reads.contains("size"), "{reads}");
    Ok(login.trim().to_owned())
}

fn valkey_rights(release: &Release, roles: &Roles) -> anyhow::Result<String> {
    let secret = password(release, roles.cache)?;
    let login = format!("{}.{}.exporter.r1", release.namespace.name, release.name);
    let ask = |command: &str| {
        let cli = format!("REDISCLI_AUTH=$PASSWORD valkey-cli --no-auth-warning --user {login} {command}");
        said(release, roles.cache, &cli, &secret)
    };
    for command in ["GET key", "KEYS '*'", "SET key value", "CONFIG GET maxmemory", "ACL LIST"] {
        let answer = ask(command)?;
        ensure!(answer.contains("NOPERM"), "{command}: {answer}");
    }
    ensure!(ask("INFO memory")?.contains("used_memory"), "INFO is refused");
    Ok(login)
}

/// What an exporter reports, asked for through the API server, which needs no policy.
fn metrics(release: &Release, server: &str) -> anyhow::Result<String> {
    let service = format!("{}-{server}-exporter:metrics", release.name);
    let path = format!("/api/v1/namespaces/{}/services/{service}/proxy/metrics", release.namespace.name);
    Ok(kubectl::run(&["get", "--raw", &path])?)
}

/// Waits until an exporter reports lines that begin with each of these.
fn reported(release: &Release, server: &str, lines: &[&str]) -> anyhow::Result<()> {
    process::until(Duration::from_mins(2), Duration::from_secs(2), || {
        let all = metrics(release, server)?;
        let missing: Vec<_> = lines.iter().filter(|start| !all.lines().any(|line| line.starts_with(**start))).collect();
        Ok(if missing.is_empty() { Ok(()) } else { Err(format!("{server}'s exporter reports no {missing:?}")) })
    })
}

fn results_are_metrics(release: &Release, roles: &Roles) -> anyhow::Result<String> {
    let (server, namespace) = (roles.database_server, &release.namespace.name);
    let series = |action: &str, succeeded: bool| {
        format!(
            "backup_finished_timestamp_seconds{{action=\"{action}\",database=\"{}\",server=\"{}-{server}:5432\",succeeded=\"{succeeded}\"}}",
            roles.database, release.name
        )
    };
    reported(release, server, &[&series("backup", true)])?;
    let job = |name: &str, of: &str| {
        let from = format!("--from=cronjob/{}-{server}-{of}", release.name);
        kubectl::run(&["create", "job", name, &from, "--namespace", namespace])
    };
    job("verified", "verify")?;
    reported(release, server, &[&series("verification", true)])?;
    // Takes the right to read from the backups for a while.
    let reader = flow::sql(release, "postgres", "SELECT rolname FROM pg_roles WHERE rolname ~ '^backup_[0-9a-f]{8}$'")?;
    flow::sql(release, "postgres", &format!("REVOKE pg_read_all_data FROM {}", reader.trim()))?;
    job("fails", "backup")?;
    reported(release, server, &[&series("backup", false), &series("backup", true)])?;
    flow::sql(release, "postgres", &format!("GRANT pg_read_all_data TO {}", reader.trim()))?;
    Ok(String::new())
}

fn rotated_logins(release: &Release, roles: &Roles) -> anyhow::Result<String> {
    reported(release, roles.database_server, &["pg_up 1"])?;
    reported(release, roles.cache, &["redis_up 1"])?;
    // The old login is removed once no exporter uses it: by the Job of this upgrade, or else by that of the next.
    let logins = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'exporter\\_r%' AND rolcanlogin";
    let sql = flow::sql(release, "postgres", logins)?;
    let users = flow::valkey(release, &["ACL", "USERS"])?;
    ensure!(sql.contains("exporter_r2_") && !sql.contains("exporter_r1_"), "PostgreSQL has {sql}");
    ensure!(users.contains(".exporter.r2") && !users.contains(".exporter.r1"), "Valkey has {users}");
    Ok(sql.trim().to_owned())
}
