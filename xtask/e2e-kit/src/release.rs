//! A Helm release of the chart: Helm commands on it, and the state of its pods.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tools::ToolBinary;

use super::namespace::TestNamespace;
use super::process::{self, CommandOutput};
use super::{kubectl, warnings};

/// Helm's `--timeout`.
const HELM_TIMEOUT: Duration = Duration::from_mins(4);

/// A release of the chart.
pub struct Release<'a> {
    /// The namespace it is installed in.
    pub namespace: &'a TestNamespace<'a>,
    /// The Helm binary that manages it.
    pub helm: &'a ToolBinary,
    /// Its name.
    pub name: String,
}

/// A pod of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its UID; a replacement pod has another one.
    pub uid: String,
    /// The chart it belongs to.
    pub chart: String,
    /// Whether all its containers are Ready.
    pub ready: bool,
    /// The number of restarts of its containers.
    pub restarts: u64,
    /// Its IP address.
    pub ip: String,
    /// The declared container ports.
    pub ports: Vec<u16>,
}

impl<'a> Release<'a> {
    /// A release with this name; does not install it.
    #[must_use]
    pub fn new(namespace: &'a TestNamespace<'a>, helm: &'a ToolBinary, name: &str) -> Self {
        Self { namespace, helm, name: name.to_owned() }
    }

    /// Runs a Helm command in the release's namespace; a failure is not an error.
    pub fn try_helm(&self, words: &[&str]) -> anyhow::Result<CommandOutput> {
        let mut command = self.helm.command();
        command.args(words).args(["--namespace", &self.namespace.name]);
        Ok(process::run(command, "", HELM_TIMEOUT + Duration::from_secs(30), false)?)
    }

    /// As [`Release::try_helm`], without hooks. For a release whose pods never become Ready: its hooks would wait for them.
    pub fn try_helm_without_hooks(&self, arguments: &[String]) -> anyhow::Result<CommandOutput> {
        self.try_helm(&arguments.iter().map(String::as_str).chain(["--no-hooks"]).collect::<Vec<_>>())
    }

    /// Runs a Helm command in the release's namespace. A warning of the API server is an error.
    fn helm(&self, words: &[&str]) -> anyhow::Result<()> {
        let output = self.try_helm(words)?;
        let warned = warnings::of(&output.err).join("\n");
        output.ok(&format!("{} {}", self.helm.tool.title(), words.first().unwrap_or(&"")))?;
        if !warned.is_empty() {
            bail!("the API server warns:\n{warned}");
        }
        Ok(())
    }

    /// The arguments of `helm install` or `helm upgrade`. Images override `values`, which override the passwords.
    #[must_use]
    pub fn arguments(&self, verb: &str, values: &[Utf8PathBuf], sets: &[&str]) -> Vec<String> {
        let context = self.namespace.context;
        self.arguments_of(verb, &context.chart, &context.values(values), sets)
    }

    /// As [`Release::arguments`], for another chart with exactly these values.
    #[must_use]
    pub fn arguments_of(&self, verb: &str, chart: &Utf8Path, values: &[Utf8PathBuf], sets: &[&str]) -> Vec<String> {
        let mut words = vec![verb.to_owned(), self.name.clone(), chart.to_string()];
        words.extend(values.iter().map(|file| format!("--values={file}")));
        words.extend(sets.iter().map(|set| format!("--set={set}")));
        words
    }

    /// `helm install --wait`. Fails unless every pod is Ready without a restart.
    pub fn install(&self, values: &[Utf8PathBuf], sets: &[&str]) -> anyhow::Result<()> {
        self.apply(&self.arguments("install", values, sets), true)?;
        self.whole()
    }

    /// Runs `helm install` or `helm upgrade`, with or without `--wait`.
    pub fn apply(&self, arguments: &[String], wait: bool) -> anyhow::Result<()> {
        let timeout = format!("--timeout={}s", HELM_TIMEOUT.as_secs());
        let waiting = wait.then_some(["--wait", timeout.as_str()]);
        let words: Vec<_> = arguments.iter().map(String::as_str).chain(waiting.into_iter().flatten()).collect();
        self.helm(&words)
    }

    /// `helm rollback`, with or without `--wait`.
    pub fn rollback(&self, revision: u64, wait: bool) -> anyhow::Result<()> {
        self.apply(&["rollback".to_owned(), self.name.clone(), revision.to_string()], wait)
    }

    /// `helm test` with all Jobs, or only these; a failure is not an error.
    pub fn test(&self, only: &[&str]) -> anyhow::Result<CommandOutput> {
        let all = self.tests();
        // A positive filter would also exclude the other objects of a test, so the other Jobs are excluded by name.
        let others = all.iter().filter(|job| !only.is_empty() && !only.contains(&job.as_str()));
        let filters: Vec<_> = others.map(|job| format!("--filter=!name={}-{job}", self.name)).collect();
        let timeout = format!("--timeout={}s", HELM_TIMEOUT.as_secs());
        let words = ["test", self.name.as_str(), timeout.as_str()];
        let mut output =
            self.try_helm(&words.into_iter().chain(filters.iter().map(String::as_str)).collect::<Vec<_>>())?;
        // Helm 4 prints a log as one quoted line.
        output.err = output.err.replace("\\n", "\n").replace("\\\"", "\"");
        Ok(output)
    }

    /// The declared Jobs of `helm test`, without the release name.
    #[must_use]
    pub fn tests(&self) -> Vec<String> {
        let platform = &self.namespace.context.platform;
        let traffic = generator::traffic(platform);
        let services = &platform.platform().services;
        let access = services.iter().filter(|service| !service.uses.is_empty());
        let access = access.map(|service| format!("{}-test-connection", service.name));
        let isolation = services.iter().map(|service| format!("{}-test-isolation", service.name));
        let end_to_end = (!traffic.tests.end_to_end_paths.is_empty()).then_some(traffic.tests.end_to_end);
        std::iter::once(traffic.tests.network_policy).chain(access).chain(isolation).chain(end_to_end).collect()
    }

    /// `helm uninstall`; waits until the pods are gone.
    pub fn uninstall(&self) -> anyhow::Result<()> {
        self.helm(&["uninstall", &self.name])?;
        process::until(Duration::from_mins(2), Duration::from_millis(500), || {
            let pods = self.all_pods()?;
            Ok(if pods.is_empty() { Ok(()) } else { Err(format!("{} pods still exist", pods.len())) })
        })
    }

    /// The pods of the workloads, including terminating ones.
    fn all_pods(&self) -> anyhow::Result<Vec<Value>> {
        // Only the pods of workloads have the component label.
        let selector = format!("app.kubernetes.io/instance={},app.kubernetes.io/component", self.name);
        Ok(kubectl::items(&["get", "pods", "--namespace", &self.namespace.name, "--selector", &selector])?)
    }

    /// The pods of the workloads, without terminating ones.
    pub fn pods(&self) -> anyhow::Result<Vec<Pod>> {
        let staying = |pod: &Value| pod["metadata"]["deletionTimestamp"].is_null();
        Ok(self.all_pods()?.iter().filter(|pod| staying(pod)).map(Pod::read).collect())
    }

    /// The pods of the workloads, including terminating ones.
    pub fn pods_and_leaving(&self) -> anyhow::Result<Vec<Pod>> {
        Ok(self.all_pods()?.iter().map(Pod::read).collect())
    }

    /// Deletes pods, with further arguments of `kubectl delete`, and waits until they are gone.
    pub fn delete_pods(&self, pods: &[Pod], arguments: &[&str]) -> anyhow::Result<()> {
        let mut words = vec!["delete", "pods", "--namespace", &self.namespace.name, "--wait=false"];
        words.extend(arguments);
        words.extend(pods.iter().map(|pod| pod.name.as_str()));
        kubectl::run(&words)?;
        // Compares UIDs, because a StatefulSet's new pod has the same name; `kubectl delete --wait` can miss the end of a pod that is replaced at once.
        // Killed pods stay Ready until they terminate. The longest grace period of the chart is a minute.
        process::until(Duration::from_mins(2), Duration::from_secs(1), || {
            let existing = self.pods_and_leaving()?;
            let left: Vec<_> = pods
                .iter()
                .filter(|deleted| existing.iter().any(|pod| pod.uid == deleted.uid))
                .map(|pod| pod.name.as_str())
                .collect();
            Ok(if left.is_empty() { Ok(()) } else { Err(format!("{} were deleted but still exist", left.join(", "))) })
        })
    }

    /// A pod of a chart, preferably a Ready one.
    pub fn pod_of(&self, chart: &str) -> anyhow::Result<Pod> {
        let pods = self.pods()?.into_iter();
        let mut candidates: Vec<_> = pods.filter(|pod| pod.chart == chart).collect();
        candidates.sort_by_key(|pod| !pod.ready);
        candidates.into_iter().next().with_context(|| format!("{chart} has no pod"))
    }

    /// Waits until every workload has all its pods Ready in the current revision.
    pub fn wait_ready(&self, limit: Duration) -> anyhow::Result<()> {
        process::until(limit, Duration::from_secs(1), || {
            let lacking = self.lacking()?;
            Ok(if lacking.is_empty() { Ok(()) } else { Err(format!("not Ready: {}", lacking.join(", "))) })
        })
    }

    /// The workloads whose number of updated or Ready pods differs from `replicas`.
    pub fn lacking(&self) -> anyhow::Result<Vec<String>> {
        let selector = format!("app.kubernetes.io/instance={}", self.name);
        let workloads = kubectl::items(&[
            "get",
            "deployments,statefulsets",
            "--namespace",
            &self.namespace.name,
            "--selector",
            &selector,
        ])?;
        if workloads.is_empty() {
            return Ok(vec!["the release has no workload".to_owned()]);
        }
        let as_wanted = |workload: &Value| {
            let status = &workload["status"];
            let wanted = workload["spec"]["replicas"].as_u64();
            let count = |name: &str| Some(status[name].as_u64().unwrap_or(0)) == wanted;
            status["observedGeneration"] == workload["metadata"]["generation"]
                && ["replicas", "readyReplicas", "updatedReplicas"].into_iter().all(count)
        };
        let name = |workload: &Value| workload["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        Ok(workloads.iter().filter(|workload| !as_wanted(workload)).map(name).collect())
    }

    /// Fails unless every pod is Ready and none was restarted.
    pub fn whole(&self) -> anyhow::Result<()> {
        let pods = self.pods()?;
        let broken: Vec<_> = pods.iter().filter(|pod| !pod.ready || pod.restarts > 0).map(Pod::summary).collect();
        if pods.is_empty() || !broken.is_empty() {
            bail!("not every pod is Ready without a restart: {}", broken.join(", "));
        }
        Ok(())
    }

    /// Chart and restarts of each pod, by UID. A rolled pod has another UID.
    pub fn uids(&self) -> anyhow::Result<BTreeMap<String, (String, u64)>> {
        Ok(self.pods()?.into_iter().map(|pod| (pod.uid, (pod.chart, pod.restarts))).collect())
    }

    /// The charts with a pod of `before` that was replaced or restarted since.
    pub fn rolled_since(&self, before: &BTreeMap<String, (String, u64)>) -> anyhow::Result<Vec<String>> {
        let now = self.uids()?;
        let mut rolled: Vec<_> =
            before.iter().filter(|(uid, was)| now.get(*uid) != Some(*was)).map(|(_, (of, _))| of.clone()).collect();
        rolled.sort();
        rolled.dedup();
        Ok(rolled)
    }

    /// The name of the Secret in `envFrom` of a service's Deployment.
    pub fn secret_of(&self, service: &str) -> anyhow::Result<String> {
        let name = format!("{}-{service}", self.name);
        let deployment = kubectl::json(&["get", "deployment", &name, "--namespace", &self.namespace.name])?;
        let secret = &deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"];
        secret.as_str().map(str::to_owned).with_context(|| format!("{name} has no `envFrom` with a Secret"))
    }

    /// Runs a program in a pod of a chart and returns its standard output.
    pub fn exec(&self, chart: &str, words: &[&str]) -> anyhow::Result<String> {
        let pod = self.pod_of(chart)?.name;
        Ok(kubectl::exec(&self.namespace.name, &pod, words)?
            .ok(&format!("{} in {pod}", words.first().unwrap_or(&"")))?)
    }
}

impl Pod {
    fn read(pod: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let statuses = || {
            ["initContainerStatuses", "containerStatuses"]
                .into_iter()
                .flat_map(|kind| pod["status"][kind].as_array().into_iter().flatten())
        };
        let own = pod["status"]["containerStatuses"].as_array();
        let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
        let ports = containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
        Self {
            name: text(&pod["metadata"]["name"]),
            uid: text(&pod["metadata"]["uid"]),
            chart: text(&pod["metadata"]["labels"]["app.kubernetes.io/name"]),
            ready: own.is_some_and(|all| !all.is_empty() && all.iter().all(|status| status["ready"] == true)),
            restarts: statuses().filter_map(|status| status["restartCount"].as_u64()).sum(),
            ip: text(&pod["status"]["podIP"]),
            ports: ports.filter_map(|port| port["containerPort"].as_u64()?.try_into().ok()).collect(),
        }
    }

    fn summary(&self) -> String {
        format!("{} ({}, {} restarts)", self.name, if self.ready { "ready" } else { "not ready" }, self.restarts)
    }
}
