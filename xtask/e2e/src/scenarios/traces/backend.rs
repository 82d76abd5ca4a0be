//! The release of the chart beside the umbrella: the gateway and Jaeger, in a namespace of their own.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use camino::Utf8PathBuf;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::Reported;
use e2e_kit::{kubectl, process};
use serde_json::{Value, json};

use super::spans::Trace;

/// The port of Jaeger's query API.
const QUERY: u16 = 16686;

/// More traces than a run makes for one service.
const MOST: u16 = 5000;

pub(super) struct Backend<'a> {
    pub(super) namespace: TestNamespace<'a>,
    chart: Utf8PathBuf,
}

/// A port that a Pod of the chart declares.
pub(super) struct BackendPort {
    /// The name of its container, and the port.
    pub(super) name: String,
    pub(super) address: String,
    /// Whether it takes the services' spans.
    pub(super) takes_spans: bool,
}

impl<'a> Backend<'a> {
    /// Creates the namespace, in which nothing runs yet.
    pub(super) fn as_step(lane: &Lane<'a>) -> Result<Self, Reported> {
        let chart = Utf8PathBuf::from(format!("{}-traces", lane.context.chart));
        Ok(Self { namespace: TestNamespace::as_step(lane, "traces-backend")?, chart })
    }

    fn release(&self) -> anyhow::Result<Release<'_>> {
        Ok(Release::new(&self.namespace, self.namespace.context.helm4()?, RELEASE))
    }

    /// Installs or upgrades the chart for a release of the platform, and waits until it is Ready. `further` are values besides.
    pub(super) fn apply(&self, verb: &str, of: &Release, sampling_ratio: u8, further: &Value) -> anyhow::Result<()> {
        let mut values = json!({
            "release": { "name": of.name, "namespace": of.namespace.name },
            "sampling": { "ratio": sampling_ratio },
        });
        for (section, of_section) in further.as_object().into_iter().flatten() {
            values[section] = of_section.clone();
        }
        let file = self.namespace.context.file("traces.json", &values.to_string())?;
        let release = self.release()?;
        release.apply(&release.arguments_of(verb, &self.chart, &[file], &[]), true)
    }

    /// The values for the platform that the chart's notes show.
    pub(super) fn values_of_notes(&self) -> anyhow::Result<Value> {
        let notes = self.release()?.try_helm(&["get", "notes", RELEASE])?.ok("helm get notes")?;
        values_in(&notes)
    }

    /// Jaeger is stopped, or starts again with nothing stored.
    pub(super) fn jaeger_runs(&self, runs: bool) -> anyhow::Result<()> {
        let (replicas, name) = (if runs { "--replicas=1" } else { "--replicas=0" }, &self.namespace.name);
        let workload = format!("deployment/{RELEASE}-jaeger");
        kubectl::run(&["scale", &workload, replicas, "--namespace", name])?;
        kubectl::run(&["rollout", "status", &workload, "--timeout=50s", "--namespace", name])?;
        process::until(Duration::from_secs(50), Duration::from_millis(500), || {
            let pods = self.pods()?.into_iter().filter(|pod| container(pod) == "jaeger").count();
            Ok(if pods == usize::from(runs) { Ok(()) } else { Err(format!("there are {pods} Pods of Jaeger")) })
        })
    }

    /// The traces that have a span of a service.
    pub(super) fn traces(&self, service: &str) -> anyhow::Result<Vec<Trace>> {
        let path = format!("api/traces?service={service}&limit={MOST}");
        let traces = Trace::all_of(&self.get(&path)?)?;
        ensure!(traces.len() < usize::from(MOST), "Jaeger has more traces of {service} than it returns at once");
        Ok(traces)
    }

    /// The names of the services with a span.
    pub(super) fn services(&self) -> anyhow::Result<BTreeSet<String>> {
        let answer = self.get("api/services")?;
        let names = answer["data"].as_array().into_iter().flatten();
        Ok(names.filter_map(|name| name.as_str().map(str::to_owned)).collect())
    }

    /// Asks Jaeger's Pod through the API server, which reaches it without a policy.
    fn get(&self, path: &str) -> anyhow::Result<Value> {
        let pods = self.pods()?;
        let pod = pods.iter().find(|pod| container(pod) == "jaeger").context("Jaeger has no Pod")?;
        let (namespace, pod) = (&self.namespace.name, pod["metadata"]["name"].as_str().unwrap_or_default());
        let raw = format!("/api/v1/namespaces/{namespace}/pods/{pod}:{QUERY}/proxy/{path}");
        Ok(kubectl::parsed("Jaeger", &kubectl::run(&["get", "--raw", &raw])?)?)
    }

    /// The Pods of the gateway and of Jaeger.
    pub(super) fn pods(&self) -> anyhow::Result<Vec<Value>> {
        Ok(kubectl::items(&["get", "pods", "--namespace", &self.namespace.name, "--selector", &selector()])?)
    }

    /// The ports of the gateway and of Jaeger.
    pub(super) fn ports(&self) -> anyhow::Result<Vec<BackendPort>> {
        let mut found = Vec::new();
        for pod in self.pods()? {
            let address = pod["status"]["podIP"].as_str().context("a Pod has no address")?;
            for port in pod["spec"]["containers"][0]["ports"].as_array().into_iter().flatten() {
                let number = port["containerPort"].as_u64().context("a port has no number")?;
                found.push(BackendPort {
                    name: format!("{}:{number}", container(&pod)),
                    address: format!("{address}:{number}"),
                    takes_spans: container(&pod) == "gateway" && number == 4318,
                });
            }
        }
        Ok(found)
    }

    /// Fails if a container of the chart was restarted; the restarts of Jaeger that the scenario makes are new Pods.
    pub(super) fn whole(&self) -> anyhow::Result<()> {
        for pod in self.pods()? {
            let status = &pod["status"]["containerStatuses"][0];
            let is_whole = status["ready"] == true && status["restartCount"] == 0;
            ensure!(is_whole, "{} is not Ready without a restart: {status}", pod["metadata"]["name"]);
        }
        Ok(())
    }
}

/// The name of the release.
const RELEASE: &str = "traces";

fn selector() -> String {
    format!("app.kubernetes.io/instance={RELEASE}")
}

/// The name of a Pod's container.
pub(super) fn container(pod: &Value) -> &str {
    pod["spec"]["containers"][0]["name"].as_str().unwrap_or_default()
}

/// The block of values in the chart's notes: from the line `global:` on, as far as it is indented.
fn values_in(notes: &str) -> anyhow::Result<Value> {
    let mut lines = notes.lines().skip_while(|line| line.trim() != "global:");
    let first = lines.next().context("the notes of the chart show no values with `global:`")?;
    let indent = first.len() - first.trim_start().len();
    let is_within = |line: &&str| line.len() - line.trim_start().len() > indent;
    let text = lines.take_while(is_within).fold(format!("{first}\n"), |text, line| text + line + "\n");
    let values: Value = serde_yaml::from_str(&text).with_context(|| format!("the notes show no YAML:\n{text}"))?;
    ensure!(values["global"]["tracing"]["enabled"] == true, "the values in the notes enable no traces: {values}");
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_in_the_notes_end_with_their_indentation() {
        let notes = "Set in the platform:\n\n  global:\n    tracing:\n      enabled: true\n      egress:\n        - ports: []\n\nThen:\n  kubectl\n";
        let values = values_in(notes).expect("they are there");
        assert_eq!(values, json!({ "global": { "tracing": { "enabled": true, "egress": [{ "ports": [] }] } } }));
        assert!(values_in("no values").is_err() && values_in("global:\n  tracing: {enabled: false}").is_err());
    }
}
