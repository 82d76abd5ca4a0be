//! Who reaches what: exactly the declared access graph, from every pod of the release, from Jobs and from strangers; with metrics on, the
//! monitoring reaches the metrics ports besides.

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

/// A port that nobody declares, and on which the probes listen.
const UNDECLARED: u16 = 9999;
const NEIGHBOUR: &str = "a stranger in the namespace";
const OUTSIDER: &str = "a stranger outside";
const START: Duration = Duration::from_secs(90);
const PROGRAM: &str = "/app/main.py";

/// A probe: a pod with a network identity, and none of the traffic of those who have it by right.
struct Probe {
    source: String,
    namespace: String,
    pod: String,
}

pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    let (mut inside, mut outside, mut helm) = (None, None, None);
    lane.step("two namespaces, one for strangers", || {
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
    // When it does not become Ready, what is seen below says why.
    let ready = lane.step("all are Ready", || release.wait_ready(START).map(|()| String::new()));
    let mut probes = Vec::new();
    lane.step("a probe for each identity, and strangers", || {
        probes = probes_for(&release, outside)?;
        Ok(format!("{} of them, each listening on {UNDECLARED}", probes.len()))
    })?;
    let mut targets = Vec::new();
    lane.step("somebody listens on every port that is tried", || {
        targets = targets_of(&release, &probes, ready.is_ok())?;
        Ok(format!("{} targets", targets.len()))
    })?;
    let reached = compared(lane, "reach is exactly what is declared", &probes, &targets);
    let measured = lane.step("helm upgrade: metrics on, the strangers' namespace being the monitoring's", || {
        let namespace = format!("global.metrics.namespace={}", outside.name);
        let sets = ["global.metrics.enabled=true", namespace.as_str()];
        release.apply(&release.arguments("upgrade", from_ref(&context.small), &sets), false)?;
        for target in targets.iter_mut().filter(|target| target.is_metrics) {
            target.open_for.insert(OUTSIDER.to_owned());
        }
        Ok(format!("{} ports", targets.iter().filter(|target| target.is_metrics).count()))
    });
    let measured = measured.and_then(|()| compared(lane, "and so it is with metrics on", &probes, &targets));
    ready.and(reached).and(measured)
}

fn compared(lane: &Lane, what: &str, probes: &[Probe], targets: &[Target]) -> Outcome {
    // A policy's effect takes about a second, and what is closed is tried once.
    lane.step("policies had time to take effect", || {
        Ok(process::sleep(Duration::from_secs(4)).map(|()| String::new())?)
    })?;
    lane.step(what, || {
        let rows = tried_by_all(probes, targets)?;
        let drawn = matrix::drawn(targets, &rows);
        let wrong = matrix::differences(targets, &rows);
        ensure!(wrong.is_empty(), "{}\n{drawn}", wrong.join("\n"));
        Ok(format!("{} paths tried, as declared\n{drawn}\n  ", rows.len() * targets.len()))
    })
}

fn probes_for(release: &Release, outside: &TestNamespace) -> anyhow::Result<Vec<Probe>> {
    let image = release.namespace.context.images.tool("auditflow-e2e/reach")?;
    let listening = json!({"args": ["listen", UNDECLARED.to_string()]});
    let mut identities: BTreeSet<_> = release.pods()?.into_iter().map(|pod| pod.of).collect();
    // Jobs' and test pods' identities too; what the latter may do, they may while `helm test` runs, so now it is nothing.
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
        objects.push(bare_pod(&namespace.name, "stranger", image, &json!({}), &listening));
        probes.push(Probe { source: source.to_owned(), namespace: namespace.name.clone(), pod: "stranger".to_owned() });
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

/// Every port of every pod, declared or not, the probes' own undeclared one, and addresses outside.
///
/// Where not all are Ready, `all_ready` is false, and ports of which nobody can tell whether they are open are left out.
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
            bail!("nobody listens on port {silent} of {}, which it declares", pod.name);
        }
        for port in listening {
            let path = |path: &&generator::AccessPath| path.to == pod.of && path.port == port;
            let paths = declared.paths.iter().chain(&declared.provisioning);
            let open_for: BTreeSet<_> = paths.filter(path).map(|path| path.from.clone()).collect();
            let is_metrics = declared.metrics.iter().any(|scraped| scraped.of == pod.of && scraped.number == port);
            let note = if pod.ports.contains(&port) { "" } else { " (not declared by the pod)" };
            let name = format!("{}:{port}{note}", pod.of);
            if !open_for.is_empty() {
                // The way that clients take, and with it the cluster's DNS.
                let service = format!("{}-{}", release.name, pod.of);
                let address = format!("{service}.{}.svc:{port}", release.namespace.name);
                let name = format!("{name} by its Service");
                targets.push(Target { name, address, open_for: open_for.clone(), is_metrics });
            }
            targets.push(Target { name, address: format!("{}:{port}", pod.ip), open_for, is_metrics });
        }
    }
    let strangers: BTreeSet<_> = [NEIGHBOUR, OUTSIDER].map(str::to_owned).into();
    for probe in probes {
        let object = kubectl::json(&["get", "pod", &probe.pod, "--namespace", &probe.namespace])?;
        let ip = object["status"]["podIP"].as_str().context("a probe has no address")?;
        let stranger = strangers.contains(&probe.source);
        // A pod always reaches itself.
        let open_for = if stranger { strangers.clone() } else { [probe.source.clone()].into() };
        let name = format!(
            "{}, {UNDECLARED}",
            if stranger { probe.source.clone() } else { format!("another pod as {}", probe.source) }
        );
        targets.push(Target { name, address: format!("{ip}:{UNDECLARED}"), open_for, is_metrics: false });
    }
    let everybody = probes.iter().map(|probe| probe.source.clone()).collect();
    targets.push(Target {
        name: "the API server".to_owned(),
        address: "kubernetes.default.svc:443".to_owned(),
        open_for: strangers,
        is_metrics: false,
    });
    targets.push(Target {
        name: "the cluster's DNS".to_owned(),
        address: format!("{}:53", dns()?),
        open_for: everybody,
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

/// The ports on which somebody listens in a pod, for others than the pod itself.
fn listening(release: &Release, pod: &Pod) -> anyhow::Result<BTreeSet<u16>> {
    let table = kubectl::exec(
        &release.namespace.name,
        &pod.name,
        &["sh", "-c", "cat /proc/net/tcp; cat /proc/net/tcp6 || true"],
    )?;
    let ports = listeners(&table.ok("reading the TCP tables")?);
    ensure!(!ports.is_empty(), "nobody listens in {}", pod.name);
    Ok(ports)
}

/// The listening ports of TCP tables, as the kernel writes them, without those on loopback addresses.
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
        trying.into_iter().map(|one| one.join().unwrap_or_else(|_| bail!("a probe's thread broke off"))).collect()
    })
}

/// Tries every target from a probe; what must be open more than once, since it may take a moment.
fn tried(probe: &Probe, targets: &[Target]) -> anyhow::Result<Row> {
    let wanted = |target: &Target| if target.open_for.contains(&probe.source) { "open" } else { "closed" };
    let arguments: Vec<_> = targets.iter().map(|target| format!("{}={}", target.address, wanted(target))).collect();
    let mut words = vec!["python3", PROGRAM, "--timeout=2", "--tries=4"];
    words.extend(arguments.iter().map(String::as_str));
    // It ends with 1 when something is not as wanted, which the matrix shows better.
    let output = kubectl::exec(&probe.namespace, &probe.pod, &words)?;
    let mut results = BTreeMap::new();
    for line in output.out.lines() {
        let result = kubectl::parsed("the reach probe", line)?;
        let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
        results.insert(text("target"), text("result"));
    }
    ensure!(!results.is_empty(), "the probe as {} says nothing: {}", probe.source, output.all());
    // A refusal to tell a name is a refusal of another kind: DNS must work for everybody.
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
