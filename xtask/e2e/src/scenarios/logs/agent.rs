//! The log agents: one release of the chart beside the umbrella for each store, in a namespace of their own, and a Pod that looks at the node.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use camino::Utf8PathBuf;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::Reported;
use e2e_kit::{kubectl, process};
use serde_json::{Value, json};

use super::store::{STORES, Store, Stores};
use crate::scenarios::traces::costs;

pub(super) struct Agents<'a> {
    namespace: TestNamespace<'a>,
    chart: Utf8PathBuf,
    /// The release whose logs they read, and its namespace.
    of: (String, String),
    stores: String,
}

impl<'a> Agents<'a> {
    pub(super) fn as_step(lane: &Lane<'a>, release: &Release, stores: &Stores) -> Result<Self, Reported> {
        let namespace = TestNamespace::as_step(lane, "logs-agents")?;
        let context = lane.context;
        let chart = Utf8PathBuf::from(format!("{}-logs", context.chart));
        let of = (release.name.clone(), release.namespace.name.clone());
        let agents = Self { namespace, chart, of, stores: stores.namespace.name.clone() };
        lane.step("the namespace of the agents allows hostPaths, and a Pod looks at the node", || {
            let labels = ["enforce", "warn"].map(|mode| format!("pod-security.kubernetes.io/{mode}=privileged"));
            let name = agents.namespace.name.as_str();
            kubectl::run(&["label", "namespace", name, "--overwrite", &labels[0], &labels[1]])?;
            kubectl::apply(&agents.watcher())?;
            kubectl::run(&["wait", "pod/node", "--for=condition=Ready", "--timeout=50s", "--namespace", name])?;
            Ok(String::new())
        })?;
        Ok(agents)
    }

    /// The release of the agent that sends to a store.
    fn release(&self, store: Store) -> anyhow::Result<Release<'_>> {
        Ok(Release::new(&self.namespace, self.namespace.context.helm4()?, store.name()))
    }

    /// The arguments of `helm install` or `helm upgrade` for the agent of a store, with further values.
    fn arguments(&self, verb: &str, store: Store, further: &[String]) -> anyhow::Result<Vec<String>> {
        let (name, port, stores) = (store.name(), store.port(), &self.stores);
        let to = json!([{ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": stores } } }]);
        let egress = json!([{ "to": to, "ports": [{ "port": port }] }]);
        let values = json!({
            "release": { "name": self.of.0, "namespace": self.of.1 },
            "outputs": { "otlp": { "endpoint": format!("http://{name}.{stores}:{port}{}", store.path()) } },
            "network": { "egress": egress },
        });
        let file = self.namespace.context.file("logs.json", &values.to_string())?;
        let sets: Vec<&str> = further.iter().map(String::as_str).collect();
        Ok(self.release(store)?.arguments_of(verb, &self.chart, &[file], &sets))
    }

    /// Installs or upgrades the agent of each store, and waits until it is Ready.
    pub(super) fn apply(&self, verb: &str, further: &[String]) -> anyhow::Result<()> {
        for store in STORES {
            self.release(store)?.apply(&self.arguments(verb, store, further)?, true)?;
        }
        Ok(())
    }

    /// Helm refuses an agent without an output.
    pub(super) fn refused(&self) -> anyhow::Result<String> {
        let store = STORES[0];
        let arguments = self.arguments("install", store, &["outputs.otlp.endpoint=".to_owned()])?;
        let output = self.release(store)?.try_helm(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
        let says = "no output has an endpoint. Set outputs.otlp.endpoint";
        ensure!(!output.success && output.err.contains(says), "{}", output.all());
        Ok(String::new())
    }

    /// Replaces the agents' Pods.
    pub(super) fn replace(&self) -> anyhow::Result<()> {
        for store in STORES {
            let daemon_set = format!("daemonset/{}-agent", store.name());
            kubectl::run(&["rollout", "restart", &daemon_set, "--namespace", &self.namespace.name])?;
        }
        for store in STORES {
            let daemon_set = format!("daemonset/{}-agent", store.name());
            let words = ["rollout", "status", &daemon_set, "--timeout=50s", "--namespace", &self.namespace.name];
            kubectl::run(&words)?;
        }
        Ok(())
    }

    /// The restarts of all containers of the agents, and what the agents take in all: millicores and MiB, as the kubelet counts them.
    pub(super) fn usage(&self) -> anyhow::Result<String> {
        let pods = kubectl::items(&["get", "pods", "--namespace", &self.namespace.name])?;
        let restarts: u64 = pods
            .iter()
            .flat_map(|pod| pod["status"]["containerStatuses"].as_array().into_iter().flatten())
            .filter_map(|container| container["restartCount"].as_u64())
            .sum();
        ensure!(restarts == 0, "{restarts} restarts of agents");
        let mut shown = Vec::new();
        for node in kubectl::items(&["get", "nodes"])? {
            let node = node["metadata"]["name"].as_str().context("a node has no name")?;
            let summary = kubectl::run(&["get", "--raw", &format!("/api/v1/nodes/{node}/proxy/stats/summary")])?;
            let summary = kubectl::parsed("the kubelet", &summary)?;
            for pod in summary["pods"].as_array().into_iter().flatten() {
                let name = pod["podRef"]["name"].as_str().unwrap_or_default();
                if pod["podRef"]["namespace"] == self.namespace.name.as_str() && name.contains("-agent-") {
                    let milli = pod["cpu"]["usageNanoCores"].as_u64().unwrap_or_default() / 1_000_000;
                    let mebi = pod["memory"]["workingSetBytes"].as_u64().unwrap_or_default() >> 20;
                    shown.push(format!("{milli}m and {mebi} MiB"));
                }
            }
        }
        Ok(shown.join(", "))
    }

    /// What each agent takes under a load of so many seconds, and the time from its start to Ready.
    pub(super) fn under_load(&self, seconds: u32, load: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<String> {
        let costs = costs::under_load(&self.namespace.name, seconds, load)?;
        let mut shown = Vec::new();
        for pod in kubectl::items(&["get", "pods", "--namespace", &self.namespace.name])? {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            if let Some(cost) = costs.get(name).filter(|_| name.contains("-agent-")) {
                shown.push(format!("{cost}, Ready after {} s", costs::ready_after(&pod)?));
            }
        }
        ensure!(shown.len() >= STORES.len(), "the kubelet counts {shown:?} of the agents");
        Ok(shown.join(", "))
    }

    /// The names of the log files of a service's Pod, rotated ones included.
    pub(super) fn log_files(&self, pod: &str, container: &str) -> anyhow::Result<Vec<String>> {
        let folder = format!("/var/log/pods/{}_{pod}_*/{container}", self.of.1);
        let output = kubectl::exec(&self.namespace.name, "node", &["sh", "-c", &format!("ls {folder}")])?;
        Ok(output.ok("ls")?.lines().map(str::to_owned).collect())
    }

    /// Removes what uninstalled agents leave on the node.
    pub(super) fn clean(&self) -> anyhow::Result<()> {
        for store in STORES {
            self.release(store)?.try_helm(&["uninstall", store.name(), "--wait"])?.ok("helm uninstall")?;
        }
        let remove = format!("rm -r /state/{}.*", self.namespace.name);
        kubectl::exec(&self.namespace.name, "node", &["sh", "-c", &remove])?.ok("rm")?;
        Ok(())
    }

    fn watcher(&self) -> Value {
        let context = self.namespace.context;
        let image = context.images.reference(&context.platform.platform().tests.image);
        let state = format!("/var/lib/{}", self.chart.file_name().unwrap_or_default());
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "node", "namespace": self.namespace.name },
            "spec": {
                "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 1,
                "containers": [{
                    "name": "main", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["sleep", "3600"],
                    "securityContext": { "runAsUser": 0 },
                    "volumeMounts": [
                        { "name": "logs", "mountPath": "/var/log/pods", "readOnly": true },
                        { "name": "state", "mountPath": "/state" },
                    ],
                }],
                "volumes": [
                    { "name": "logs", "hostPath": { "path": "/var/log/pods" } },
                    { "name": "state", "hostPath": { "path": state, "type": "DirectoryOrCreate" } },
                ],
            },
        })
    }
}

/// Waits until the kubelet has rotated a log.
pub(super) fn until_rotated(
    agents: &Agents,
    pod: &str,
    container: &str,
    times: usize,
    limit: Duration,
) -> anyhow::Result<()> {
    process::until(limit, Duration::from_secs(2), || {
        let files = agents.log_files(pod, container)?;
        // `0.log` is the current one.
        let rotated = files.iter().filter(|name| *name != "0.log").count();
        Ok(if rotated >= times {
            Ok(())
        } else {
            Err(format!("the log was rotated less than {times} times: {files:?}"))
        })
    })
}
