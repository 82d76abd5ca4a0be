//! The log agent of the chart beside the umbrella, with a real OpenTelemetry Collector, Loki and VictoriaLogs.

mod agent;
mod store;

use std::collections::BTreeSet;
use std::slice::from_ref;
use std::time::Duration;

use anyhow::ensure;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use e2e_kit::{kubectl, process, random};
use serde_json::json;

use self::agent::{Agents, until_rotated};
use self::store::{Record, STORES, Stores};
use crate::flow;
use crate::roles::Roles;

/// The time from a line to its record in a store: the agent looks for new files, waits for further lines of a record, and fills a batch.
const ARRIVES: Duration = Duration::from_secs(40);

/// The time without stores.
const AWAY: Duration = Duration::from_mins(2);

/// The numbered lines that a service writes while the agents are replaced, its log is rotated and the stores are away: this many a second, for so long.
const RATE: u32 = 80;
const SECONDS: u32 = 180;

/// The seconds of the load under which the agents are measured.
const COSTED: u32 = 40;

/// A traceback as Python prints it, with a cause.
const TRACEBACK: &str = r#"Traceback (most recent call last):
  File "/app/main.py", line 12, in handle
    store(event)
    ~~~~~^^^^^^^
ValueError: not a number

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/main.py", line 14, in handle
    raise StoreError("MARKER") from None
store.errors.StoreError: MARKER"#;

pub(super) fn run(lane: &Lane) -> Outcome {
    let roles = Roles::of_lane(lane)?;
    let helm = lane.context.helm4().map_err(|_| Reported)?;
    let stores = Stores::as_step(lane)?;
    let namespace = TestNamespace::as_step(lane, "logs")?;
    let release = Release::new(&namespace, helm, "afp");
    lane.step("the platform is installed", || {
        release.install(from_ref(&lane.context.small), &[])?;
        Ok(String::new())
    })?;
    let agents = Agents::as_step(lane, &release, &stores)?;
    lane.step("an agent without an output is refused", || agents.refused())?;
    lane.step("helm install --wait of an agent for each store", || {
        agents.apply("install", &[])?;
        Ok(String::new())
    })?;
    let marker = format!("m{}", random::suffix());
    let scene = Scene { roles, release: &release, stores: &stores, agents: &agents, marker: &marker };
    scene.run(lane)?;
    lane.step("helm uninstall, and the state on the node can be removed", || {
        agents.clean()?;
        Ok(String::new())
    })
}

struct Scene<'a> {
    roles: Roles,
    release: &'a Release<'a>,
    stores: &'a Stores<'a>,
    agents: &'a Agents<'a>,
    /// In every text that the scenario writes.
    marker: &'a str,
}

impl Scene<'_> {
    fn run(&self, lane: &Lane) -> Outcome {
        lane.step(
            "a traceback is one record, with the line before it or alone, and has its severity, logger and service",
            || self.traceback(),
        )?;
        lane.step("the records of every server have a severity", || self.servers())?;
        lane.step("an error of the database is one record with its statement", || self.database_error())?;
        lane.step("Pods of releases with similar names are not read", || self.foreign())?;
        lane.step("what an agent takes under a load", || self.costs())?;
        lane.step("a service writes numbered lines", || {
            let (rate, count) = (RATE.to_string(), (RATE * SECONDS).to_string());
            self.release.exec(self.roles.sender, &["python3", "-c", NUMBERED, self.marker, &rate, &count])?;
            Ok(String::new())
        })?;
        lane.step("the agents are replaced meanwhile", || {
            process::sleep(Duration::from_secs(10))?;
            self.agents.replace()?;
            self.agents.usage()
        })?;
        lane.step(
            "the stores are away for two minutes, the agents are replaced again, and the services do not notice",
            || self.outage(),
        )?;
        lane.step("the log was rotated, and each line is in each store once", || self.complete())?;
        lane.step("helm upgrade: labels of Pods, a service that is left out, and a name that is replaced", || {
            self.upgraded()
        })
    }

    /// Writes text to the log of a component.
    fn write(&self, component: &str, text: &str) -> anyhow::Result<()> {
        self.release.exec(component, &["python3", "-c", WRITE, text]).map(drop)
    }

    fn traceback(&self) -> anyhow::Result<String> {
        let sender = self.roles.sender;
        let with_line = format!("{}-a", self.marker);
        let alone = format!("{}-b", self.marker);
        let line = format!("2026-11-27 02:08:48,273 - shop.orders - ERROR - {with_line} failed\n");
        let [with_line, alone] = [line + &TRACEBACK.replace("MARKER", &with_line), TRACEBACK.replace("MARKER", &alone)];
        self.write(sender, &format!("{with_line}\n"))?;
        // Longer than the agent waits for further lines of a record.
        process::sleep(Duration::from_secs(5))?;
        self.write(sender, &format!("{alone}\n"))?;
        process::sleep(Duration::from_secs(5))?;
        self.write(sender, &format!("2026-11-27 02:08:49,000 - shop.orders - WARNING - {}-c\n", self.marker))?;
        // The service's own lines can come just before the traceback.
        for (suffix, text, severity) in [("a", &*with_line, "ERROR"), ("b", &alone, "ERROR"), ("c", "", "WARN")] {
            self.stores.until(ARRIVES, &format!("{}-{suffix}", self.marker), |records| {
                let [record] = records else { return Some(format!("{} records: {records:#?}", records.len())) };
                let is_right = record.text.ends_with(text)
                    && record.severity() == severity
                    && (suffix == "b" || record.attribute("logger") == "shop.orders")
                    && record.service() == sender
                    && record.attribute("service.namespace") == self.release.name
                    && record.attribute("k8s.namespace.name") == self.release.namespace.name;
                (!is_right).then(|| format!("{record:#?}"))
            })?;
        }
        Ok(String::new())
    }

    fn servers(&self) -> anyhow::Result<String> {
        let servers: BTreeSet<&str> = [self.roles.broker, self.roles.database_server, self.roles.cache].into();
        self.stores.until(ARRIVES, "", |records| {
            let informs = |record: &&Record| record.severity() == "INFO";
            let found: BTreeSet<_> = records.iter().filter(informs).map(Record::service).collect();
            let lacking: Vec<_> = servers.difference(&found).collect();
            (!lacking.is_empty()).then(|| {
                let example = |server: &&&str| records.iter().find(|record| record.service() == **server).cloned();
                format!(
                    "no record with INFO of {lacking:?}, but {:#?}",
                    lacking.iter().map(example).collect::<Vec<_>>()
                )
            })
        })?;
        Ok(servers.into_iter().collect::<Vec<_>>().join(", "))
    }

    fn database_error(&self) -> anyhow::Result<String> {
        let statement = format!("SELECT 1/0 AS {}_d", self.marker);
        let refused = flow::sql(self.release, self.roles.database, &statement);
        ensure!(refused.is_err(), "the database divides by zero");
        self.stores.until(ARRIVES, &format!("{}_d", self.marker), |records| {
            let [record] = records else { return Some(format!("{} records: {records:#?}", records.len())) };
            let is_right = record.text.contains("division by zero") && record.severity() == "ERROR";
            (!is_right).then(|| format!("{record:#?}"))
        })?;
        Ok(String::new())
    }

    /// Two workloads in the release's namespace, with the Pod and container names of releases whose names begin with this one's.
    fn foreign(&self) -> anyhow::Result<String> {
        let (sender, foreign) = (self.roles.sender, format!("{}-foreign", self.marker));
        let context = self.release.namespace.context;
        let image = context.images.reference(&context.platform.platform().tests.image);
        let names = [format!("{}-2-{sender}", self.release.name), format!("{}-{sender}-{sender}", self.release.name)];
        for name in &names {
            let labels = json!({ "app": name });
            let program = format!("import time\nwhile True:\n    print({foreign:?}, flush=True)\n    time.sleep(1)");
            kubectl::apply(&json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": { "name": name, "namespace": self.release.namespace.name },
                "spec": { "selector": { "matchLabels": labels }, "template": { "metadata": { "labels": labels }, "spec": {
                    "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 1,
                    "securityContext": { "runAsNonRoot": true, "runAsUser": 65534, "seccompProfile": { "type": "RuntimeDefault" } },
                    "containers": [{
                        "name": sender, "image": image, "imagePullPolicy": "IfNotPresent", "command": ["python3", "-c", program],
                        "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
                    }],
                } } },
            }))?;
        }
        for name in &names {
            let deployment = format!("deployment/{name}");
            kubectl::run(&[
                "rollout",
                "status",
                &deployment,
                "--timeout=50s",
                "--namespace",
                &self.release.namespace.name,
            ])?;
        }
        process::sleep(Duration::from_secs(3))?;
        self.write(sender, &format!("{}-own\n", self.marker))?;
        self.stores.until(ARRIVES, &format!("{}-own", self.marker), |records| {
            (records.len() != 1).then(|| format!("{records:#?}"))
        })?;
        // What is written now arrives long after what the others wrote.
        for store in STORES {
            let found = self.stores.records(store, &foreign)?;
            ensure!(found.is_empty(), "{}: {found:#?}", store.name());
        }
        for name in &names {
            kubectl::run(&["delete", "deployment", name, "--wait=false", "--namespace", &self.release.namespace.name])?;
        }
        Ok(names.join(", "))
    }

    fn outage(&self) -> anyhow::Result<String> {
        let before = self.release.uids()?;
        self.stores.reachable(false)?;
        process::sleep(AWAY / 2)?;
        self.agents.replace()?;
        let works = flow::works(self.release, Duration::from_mins(1))?;
        process::sleep(AWAY / 2)?;
        let rolled = self.release.rolled_since(&before)?;
        ensure!(rolled.is_empty(), "restarted meanwhile: {rolled:?}");
        self.release.whole()?;
        self.stores.reachable(true)?;
        Ok(works)
    }

    fn complete(&self) -> anyhow::Result<String> {
        let pod = self.release.pod_of(self.roles.sender)?;
        until_rotated(self.agents, &pod.name, self.roles.sender, 1, Duration::from_mins(1))?;
        let count = RATE * SECONDS;
        for store in STORES {
            process::until(Duration::from_mins(2), Duration::from_secs(4), || {
                let numbers = self.stores.numbers(store, self.marker)?;
                let repeated: Vec<_> = numbers.iter().filter(|(_, records)| **records != 1).take(5).collect();
                ensure!(repeated.is_empty(), "{}: some lines are there several times: {repeated:?}", store.name());
                let missing: Vec<_> = (0..count).filter(|number| !numbers.contains_key(number)).collect();
                Ok(if missing.is_empty() {
                    Ok(())
                } else {
                    let first = &missing[..missing.len().min(5)];
                    Err(format!("{}: {} of {count} lines are missing, such as {first:?}", store.name(), missing.len()))
                })
            })?;
        }
        let usage = self.agents.usage()?;
        let files = self.agents.log_files(&pod.name, self.roles.sender)?;
        Ok(format!("{count} lines; agents take {usage}; files {}", files.join(" ")))
    }

    /// Lines like those that follow, while both stores take the records.
    fn costs(&self) -> anyhow::Result<String> {
        let costs = self.agents.under_load(COSTED, || {
            let (rate, count, marker) =
                (RATE.to_string(), (RATE * COSTED).to_string(), format!("{}-load", self.marker));
            self.release.exec(self.roles.sender, &["python3", "-c", NUMBERED, &marker, &rate, &count])?;
            Ok(process::sleep(Duration::from_secs(COSTED.into()))?)
        })?;
        Ok(format!("{RATE} records of 2 KB a second: {costs}"))
    }

    fn upgraded(&self) -> anyhow::Result<String> {
        let slices = "--selector=kubernetes.io/service-name=kubernetes";
        let slices = kubectl::items(&["get", "endpointslices", "--namespace=default", slices])?;
        let endpoints = slices.iter().flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
        let addresses = endpoints.flat_map(|endpoint| endpoint["addresses"].as_array().into_iter().flatten());
        let blocks: Vec<_> = addresses.filter_map(|address| Some(format!("{}/32", address.as_str()?))).collect();
        let label = "app.kubernetes.io/instance";
        self.agents.apply(
            "upgrade",
            &[
                format!("podLabels={{{label}}}"),
                format!("network.apiServerCidrs={{{}}}", blocks.join(",")),
                format!("exclude={{{}}}", self.roles.page),
                "privacy.replace[0].pattern=user '[^']*'".to_owned(),
                "privacy.replace[0].with=user '…'".to_owned(),
            ],
        )?;
        let [kept, left_out] = ["kept", "left-out"].map(|suffix| format!("{}-{suffix}", self.marker));
        self.write(self.roles.page, &format!("{left_out}\n"))?;
        self.write(self.roles.sender, &format!("{kept} for user 'secret-{}'\n", self.marker))?;
        let attribute = format!("k8s.pod.label.{label}");
        self.stores.until(ARRIVES, &kept, |records| {
            let [record] = records else { return Some(format!("{} records: {records:#?}", records.len())) };
            let is_right = record.attribute(&attribute) == self.release.name
                && record.text.ends_with(&format!("{kept} for user '…'"));
            (!is_right).then(|| format!("{record:#?}"))
        })?;
        for store in STORES {
            let found = self.stores.records(store, &left_out)?;
            ensure!(found.is_empty(), "{}: {found:#?}", store.name());
        }
        Ok(String::new())
    }
}

/// Writes a text to the log of the container's program, in pieces that a pipe takes whole.
const WRITE: &str = "
import os, sys
log = os.open('/proc/1/fd/1', os.O_WRONLY)
os.write(log, sys.argv[1].encode())
";

/// Goes on in the background: numbered lines of 2 KB to the log of the container's program.
const NUMBERED: &str = "
import os, sys, time
marker, rate, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
log = os.open('/proc/1/fd/1', os.O_WRONLY)
if os.fork():
    os._exit(0)
os.setsid()
null = os.open('/dev/null', os.O_RDWR)
for standard in range(3):
    os.dup2(null, standard)
start = time.monotonic()
for number in range(count):
    time.sleep(max(0, start + number / rate - time.monotonic()))
    os.write(log, f'{marker} line {number} {\"x\" * 2000}\\n'.encode())
";
