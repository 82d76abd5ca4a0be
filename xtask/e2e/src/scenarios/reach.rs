//! Reachability: pods of the release, Jobs and foreign pods reach exactly the declared ports.
//!
//! With metrics enabled, the monitoring namespace also reaches the metrics ports.

use std::collections::{BTreeMap, BTreeSet};
use std::slice::from_ref;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use e2e_kit::lane::Lane;
use e2e_kit::matrix::{self, Row, Target};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::{Pod, Release};
use e2e_kit::report::{Outcome, Reported};
use e2e_kit::{kubectl, process};
use serde_json::json;

use e2e_kit::pods::{bare_pod, helper_pod};

/// An undeclared port on which the probes listen.
const UNDECLARED: u16 = 9999;
const NEIGHBOUR: &str = "a foreign pod in the namespace";
const OUTSIDER: &str = "a foreign pod outside";
const START: Duration = Duration::from_secs(90);
const PROGRAM: &str = "/app/main.py";

/// A probe pod with a network identity, which receives no traffic of the pods with that identity.
pub(super) struct Probe {
    pub(super) source: String,
    pub(super) namespace: String,
    pub(super) pod: String,
}

pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    let (mut inside, mut outside, mut helm) = (None, None, None);
    lane.step("create two namespaces, one for a foreign pod", || {
        inside = Some(TestNamespace::new(lane, "reach")?);
        outside = Some(TestNamespace::new(lane, "reach-outside")?);
        helm = Some(context.helm4()?);
        Ok(String::new())
    })?;
    let (Some(inside), Some(outside), Some(helm)) = (&inside, &outside, helm) else { return Err(Reported) };
    let release = Release::new(inside, helm, "afp");
    lane.step("helm install", || {
        release.apply(&release.arguments("install", from_ref(&context.small), &[]), false)?;
        Ok(String::new())
    })?;
    // If a pod does not become Ready, the matrix below shows the reason.
    let ready = lane.step("all pods are Ready", || release.wait_ready(START).map(|()| String::new()));
    let mut probes = Vec::new();
    lane.step("start a probe for each identity, and two foreign pods", || {
        probes = probes_for(&release, outside)?;
        Ok(format!("{} probes, each listening on {UNDECLARED}", probes.len()))
    })?;
    let mut targets = Vec::new();
    lane.step("every target port has a listener", || {
        targets = targets_of(&release, &probes, ready.is_ok())?;
        Ok(format!("{} targets", targets.len()))
    })?;
    let reached = compared(lane, "exactly the declared ports are reachable", &probes, &targets);
    let measured =
        lane.step("helm upgrade: enable metrics, with the foreign pod's namespace as the monitoring namespace", || {
            let namespace = format!("global.metrics.namespace={}", outside.name);
            let sets = ["global.metrics.enabled=true", namespace.as_str()];
            release.apply(&release.arguments("upgrade", from_ref(&context.small), &sets), false)?;
            for target in targets.iter_mut().filter(|target| target.is_metrics) {
                target.open_for.insert(OUTSIDER.to_owned());
            }
            Ok(format!("{} ports", targets.iter().filter(|target| target.is_metrics).count()))
        });
    let measured = measured.and_then(|()| {
        compared(lane, "exactly the declared ports are reachable with metrics enabled", &probes, &targets)
    });
    ready.and(reached).and(measured)
}

/// Each probe tries each target; fails unless exactly the targets are open that must be.
pub(super) fn compared(lane: &Lane, what: &str, probes: &[Probe], targets: &[Target]) -> Outcome {
    // A policy takes effect within about a second, and closed ports are tried only once.
    lane.step("wait until the policies take effect", || {
        Ok(process::sleep(Duration::from_secs(4)).map(|()| String::new())?)
    })?;
    lane.step(what, || {
        let rows = tried_by_all(probes, targets)?;
        let drawn = matrix::drawn(targets, &rows);
        let differences = matrix::differences(targets, &rows);
        ensure!(differences.is_empty(), "{}\n{drawn}", differences.join("\n"));
        Ok(format!("{} paths tried, as declared\n{drawn}\n  ", rows.len() * targets.len()))
    })
}

fn probes_for(release: &Release, outside: &TestNamespace) -> anyhow::Result<Vec<Probe>> {
    let image = release.namespace.context.images.tool("auditflow-e2e/reach")?;
    let listening = json!({"args": ["listen", UNDECLARED.to_string()]});
    let mut identities: BTreeSet<_> = release.pods()?.into_iter().map(|pod| pod.chart).collect();
    // Includes the identities of Jobs and test pods. Test pods may connect only while `helm test` runs, so here they reach nothing.
    let traffic = generator::traffic(&release.namespace.context.platform);
    identities.extend(traffic.identities().map(str::to_owned));
    let mut probes = Vec::new();
    let mut objects = Vec::new();
    for identity in identities {
        let pod = format!("probe-{identity}");
        objects.push(helper_pod(release, &identity, &pod, image, &listening));
        probes.push(Probe { source: identity, namespace: release.namespace.name.clone(), pod });
    }
    for (source, namespace) in [(NEIGHBOUR, release.namespace), (OUTSIDER, outside)] {
        objects.push(bare_pod(&namespace.name, "foreign", image, &json!({}), &listening));
        probes.push(Probe { source: source.to_owned(), namespace: namespace.name.clone(), pod: "foreign".to_owned() });
    }
    kubectl::apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}))?;
    for probe in &probes {
        kubectl::run(&[
            "wait",
            "pod",
            &probe.pod,
            "--namespace",
            &probe.namespace,
            "--for=condition=Ready",
            "--timeout=50s",
        ])?;
    }
    Ok(probes)
}

/// The targets: every port of every pod, the probes' undeclared port, the API server, DNS and an outside address.
///
/// If `all_ready` is false, ports without a known listener are omitted.
fn targets_of(release: &Release, probes: &[Probe], all_ready: bool) -> anyhow::Result<Vec<Target>> {
    let declared = generator::traffic(&release.namespace.context.platform);
    let mut targets = Vec::new();
    for pod in release.pods()? {
        let listening = match listening(release, &pod) {
            Ok(listening) => listening,
            Err(_) if !all_ready => continue,
            Err(error) => return Err(error),
        };
        if let Some(silent) = pod.ports.iter().find(|port| all_ready && !listening.contains(port)) {
            bail!("{} does not listen on port {silent}, which it declares", pod.name);
        }
        for port in listening {
            let path = |path: &&generator::AccessPath| path.to == pod.chart && path.port == port;
            let paths = declared.paths.iter().chain(&declared.provisioning);
            let open_for: BTreeSet<_> = paths.filter(path).map(|path| path.from.clone()).collect();
            let is_metrics = declared.metrics.iter().any(|scraped| scraped.of == pod.chart && scraped.number == port);
            let note = if pod.ports.contains(&port) { "" } else { " (not declared by the pod)" };
            let name = format!("{}:{port}{note}", pod.chart);
            if !open_for.is_empty() {
                // The Service, as clients use it; this also tests the cluster's DNS.
                let service = format!("{}-{}", release.name, pod.chart);
                let address = format!("{service}.{}.svc:{port}", release.namespace.name);
                let name = format!("{name} through its Service");
                targets.push(Target { name, address, open_for: open_for.clone(), is_metrics });
            }
            targets.push(Target { name, address: format!("{}:{port}", pod.ip), open_for, is_metrics });
        }
    }
    let foreign: BTreeSet<_> = [NEIGHBOUR, OUTSIDER].map(str::to_owned).into();
    for probe in probes {
        let object = kubectl::json(&["get", "pod", &probe.pod, "--namespace", &probe.namespace])?;
        let ip = object["status"]["podIP"].as_str().context("a probe has no IP address")?;
        let is_foreign = foreign.contains(&probe.source);
        // A pod always reaches itself.
        let open_for = if is_foreign { foreign.clone() } else { [probe.source.clone()].into() };
        let name = format!(
            "{}, {UNDECLARED}",
            if is_foreign { probe.source.clone() } else { format!("another pod as {}", probe.source) }
        );
        targets.push(Target { name, address: format!("{ip}:{UNDECLARED}"), open_for, is_metrics: false });
    }
    let every_probe = probes.iter().map(|probe| probe.source.clone()).collect();
    targets.push(Target {
        name: "the API server".to_owned(),
        address: "kubernetes.default.svc:443".to_owned(),
        open_for: foreign.into_iter().chain(declared.kubernetes).collect(),
        is_metrics: false,
    });
    targets.push(Target {
        name: "the cluster's DNS".to_owned(),
        address: format!("{}:53", dns()?),
        open_for: every_probe,
        is_metrics: false,
    });
    Ok(targets)
}

/// The address of the cluster's DNS service.
fn dns() -> anyhow::Result<String> {
    let services = kubectl::items(&["get", "services", "--namespace=kube-system", "--selector=k8s-app=kube-dns"])?;
    let service = services.first().context("no Service with the label k8s-app=kube-dns in kube-system")?;
    Ok(service["spec"]["clusterIP"].as_str().context("the DNS service has no address")?.to_owned())
}

/// The listening ports of a pod, except on loopback addresses.
fn listening(release: &Release, pod: &Pod) -> anyhow::Result<BTreeSet<u16>> {
    let table = kubectl::exec(
        &release.namespace.name,
        &pod.name,
        &["sh", "-c", "cat /proc/net/tcp; cat /proc/net/tcp6 || true"],
    )?;
    let ports = listeners(&table.ok("reading the TCP tables")?);
    ensure!(!ports.is_empty(), "{} listens on no port", pod.name);
    Ok(ports)
}

/// Parses the listening ports from `/proc/net/tcp` and `tcp6`, without loopback addresses.
fn listeners(tables: &str) -> BTreeSet<u16> {
    const LISTEN: &str = "0A";
    const LOOPBACK: [&str; 3] = ["0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"];
    let of_line = |line: &str| {
        let mut words = line.split_whitespace();
        let (local, state) = (words.nth(1)?, words.nth(1)?);
        let (address, port) = local.split_once(':')?;
        (state == LISTEN && !LOOPBACK.contains(&address)).then(|| u16::from_str_radix(port, 16).ok())?
    };
    tables.lines().filter_map(of_line).collect()
}

fn tried_by_all(probes: &[Probe], targets: &[Target]) -> anyhow::Result<Vec<Row>> {
    thread::scope(|scope| {
        let trying: Vec<_> = probes.iter().map(|probe| scope.spawn(|| tried(probe, targets))).collect();
        trying.into_iter().map(|one| one.join().unwrap_or_else(|_| bail!("a probe's thread panicked"))).collect()
    })
}

/// Tries every target from a probe; retries targets that must be open, since policies take effect with a delay.
fn tried(probe: &Probe, targets: &[Target]) -> anyhow::Result<Row> {
    let wanted = |target: &Target| if target.open_for.contains(&probe.source) { "open" } else { "closed" };
    let arguments: Vec<_> = targets.iter().map(|target| format!("{}={}", target.address, wanted(target))).collect();
    let mut words = vec!["python3", PROGRAM, "--timeout=2", "--tries=4"];
    words.extend(arguments.iter().map(String::as_str));
    // The probe exits with 1 if a result differs from the declaration; the matrix shows the difference.
    let output = kubectl::exec(&probe.namespace, &probe.pod, &words)?;
    let mut results = BTreeMap::new();
    for line in output.out.lines() {
        let result = kubectl::parsed("the reach probe", line)?;
        let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
        results.insert(text("target"), text("result"));
    }
    ensure!(!results.is_empty(), "the probe with the identity {} printed no result: {}", probe.source, output.all());
    // DNS must work for every pod, so a failed lookup does not count as closed.
    if let Some(unresolved) =
        targets.iter().find(|target| results.get(&target.address).is_some_and(|seen| seen == "unresolved"))
    {
        bail!("{} cannot resolve {}: DNS is closed for it", probe.source, unresolved.address);
    }
    let seen = targets.iter().filter_map(|target| results.get(&target.address).cloned()).collect();
    Ok(Row { source: probe.source.clone(), seen })
}

#[cfg(test)]
mod tests {
    use super::listeners;

    #[test]
    fn listeners_for_others_are_found() {
        let tables = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 1 1 0 100 0 0 10 0\n\
            1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 1 1 0 100 0 0 10 0\n\
            2: 0100007F:8916 0100007F:18EB 06 00000000:00000000 03:00000A63 00000000     0        0 0 3 0\n\
            0: 00000000000000000000000000000000:1628 00000000000000000000000000000000:0000 0A 0:0 00:0 0 999 0 1 1 0\n\
            1: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 0:0 00:0 0 999 0 1 1 0\n";
        assert_eq!(listeners(tables).into_iter().collect::<Vec<_>>(), [5432, 5672]);
    }
}
