//! Data that a server's version cannot use: its container says so in its last log line, and changes nothing.

use std::slice::from_ref;
use std::time::Duration;

use anyhow::ensure;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::pods::bare_pod;
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;
use e2e_kit::{kubectl, process};
use serde_json::json;
use vocabulary::{Backing, Kind};

const START: Duration = Duration::from_secs(90);

/// A file on a server's volume, and what the server says of it.
struct Foreign {
    path: &'static str,
    content: &'static str,
    says: &'static str,
}

/// Data of each kind that the current version cannot use.
fn foreign(kind: Kind) -> Foreign {
    match kind {
        Kind::PostgreSql => {
            Foreign { path: "17/docker/PG_VERSION", content: "17", says: "the volume holds data of PostgreSQL 17" }
        }
        Kind::RabbitMq => Foreign { path: "rabbit@other-0/data", content: "x", says: "but no data of node rabbit@" },
        Kind::Valkey => Foreign {
            path: "appendonlydir/appendonly.aof.1.base.rdb",
            content: "REDIS0012",
            says: "has the format REDIS0012, which Valkey cannot read",
        },
    }
}

pub(super) fn run(lane: &Lane) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "foreign-data")?;
    let Ok(helm) = lane.context.helm4() else { return Err(e2e_kit::report::Reported) };
    let release = Release::new(&namespace, helm, "afp");
    let servers = &lane.context.platform.platform().backing;
    lane.step("write foreign data to the volume of each server", || {
        for server in servers {
            write(&release, server)?;
        }
        Ok(format!("{} volumes", servers.len()))
    })?;
    lane.step("helm install", || {
        let output =
            release.try_helm_without_hooks(&release.arguments("install", from_ref(&lane.context.small), &[]))?;
        ensure!(output.success, "{}", output.all());
        Ok(String::new())
    })?;
    all(servers.iter().map(|server| {
        lane.step(format!("{} refuses to start, and changes nothing", server.name()), || refuses(&release, server))
    }))
}

fn claim(release: &Release, server: &Backing) -> String {
    format!("data-{}-{}-0", release.name, server.name())
}

/// Creates the server's claim and writes the file to its volume.
fn write(release: &Release, server: &Backing) -> anyhow::Result<()> {
    let namespace = &release.namespace.name;
    let claim = claim(release, server);
    kubectl::apply(&json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": claim, "namespace": namespace},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }))?;
    let Foreign { path, content, .. } = foreign(server.kind());
    let script = format!("mkdir -p \"$(dirname '/volume/{path}')\" && printf %s '{content}' >'/volume/{path}'");
    in_volume(release, server, "writes", &script).map(drop)
}

/// Runs a script in a pod that has the server's volume at `/volume`, and returns its output.
fn in_volume(release: &Release, server: &Backing, name: &str, script: &str) -> anyhow::Result<String> {
    let namespace = &release.namespace.name;
    let name = format!("{name}-{}", server.name());
    let image = release.namespace.context.images.reference(&server.image());
    let rest = json!({"command": ["sh", "-c", script], "volumeMounts": [{"name": "data", "mountPath": "/volume"}]});
    let mut pod = bare_pod(namespace, &name, &image, &json!({}), &rest);
    pod["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim(release, server)}}]);
    for key in ["runAsUser", "runAsGroup", "fsGroup"] {
        pod["spec"]["securityContext"][key] = json!(999);
    }
    kubectl::apply(&pod)?;
    process::until(START, Duration::from_millis(500), || {
        let pod = kubectl::json(&["get", "pod", &name, "--namespace", namespace])?;
        let phase = pod["status"]["phase"].as_str().unwrap_or_default().to_owned();
        ensure!(phase != "Failed", "pod {name} failed");
        Ok(if phase == "Succeeded" { Ok(()) } else { Err(format!("pod {name} is {phase}")) })
    })?;
    let output = kubectl::run(&["logs", &name, "--namespace", namespace])?;
    kubectl::run(&["delete", "pod", &name, "--namespace", namespace, "--wait=true"])?;
    Ok(output)
}

fn refuses(release: &Release, server: &Backing) -> anyhow::Result<String> {
    let namespace = &release.namespace.name;
    let pod = format!("{}-{}-0", release.name, server.name());
    let Foreign { path, says, .. } = foreign(server.kind());
    let last = process::until(START, Duration::from_secs(1), || {
        // The server's container is the first one.
        let logs = kubectl::try_run(&["logs", &pod, "--namespace", namespace], "")?;
        let last = logs.out.lines().last().unwrap_or_default().to_owned();
        Ok(if last.starts_with("Refused to start: ") { Ok(last) } else { Err(format!("{pod} logs: {}", logs.all())) })
    })?;
    ensure!(last.contains(says), "the last line lacks `{says}`: {last}");
    let files = in_volume(release, server, "lists", "cd /volume && find . -type f")?;
    ensure!(files.trim() == format!("./{path}"), "the volume has: {files}");
    Ok(last)
}
