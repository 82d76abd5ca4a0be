//! A Prometheus, an Alertmanager and a receiver of its messages in a namespace of their own.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::Reported;
use e2e_kit::{kubectl, process};
use serde_json::{Value, json};

use crate::documents::{Document, Reader};

/// The address of the runbooks.
pub(super) const RUNBOOKS: &str = "https://example.org/ALERTS.md";

/// The objects, with `__RELEASE_NAMESPACE__` and `__NAMESPACE__` for the namespaces of the release and of Prometheus.
const OBJECTS: &str = include_str!("monitoring.yaml");

pub(super) struct Monitoring<'a> {
    namespace: TestNamespace<'a>,
    values: Vec<String>,
}

/// The receivers of ALERTS.md.
const RECEIVERS: [&str; 3] = ["critical", "warning", "watchdog"];

impl<'a> Monitoring<'a> {
    /// Creates the namespace, in which nothing runs yet.
    pub(super) fn as_step(lane: &Lane<'a>) -> Result<Self, Reported> {
        let namespace = TestNamespace::as_step(lane, "observe-monitoring")?;
        let mut values = vec![
            "global.metrics.enabled=true".to_owned(),
            format!("global.metrics.namespace={}", namespace.name),
            "global.metrics.discovery=Annotations".to_owned(),
            "global.alerts.enabled=true".to_owned(),
            "global.alerts.format=ConfigMap".to_owned(),
            format!("global.alerts.runbookBaseUrl={RUNBOOKS}"),
            "global.alerts.routing.format=ConfigMap".to_owned(),
        ];
        values.extend(RECEIVERS.map(|receiver| {
            format!("global.alerts.routing.receivers.{receiver}.webhook.existingSecret=alerts-{receiver}")
        }));
        Ok(Self { namespace, values })
    }

    /// The values by which the release is observed.
    pub(super) fn values(&self) -> Vec<&str> {
        self.values.iter().map(String::as_str).collect()
    }

    /// Starts both with the configuration of ALERTS.md and the rules of an installed release.
    pub(super) fn start(&self, release: &Release) -> anyhow::Result<String> {
        let page = Document::read(&release.namespace.context.chart, "ALERTS.md")?;
        let mut jobs: Value = serde_yaml::from_str(&page.values("Connect Prometheus")?.concat())?;
        let discovery = jobs.pointer_mut("/0/kubernetes_sd_configs/0").context("the job finds nothing")?;
        // Prometheus may read this namespace only.
        discovery["namespaces"] = json!({ "names": [release.namespace.name] });
        let configuration = json!({
            "global": { "scrape_interval": "5s", "evaluation_interval": "5s" },
            "rule_files": ["/etc/prometheus/alerts.yaml"],
            "alerting": { "alertmanagers": [{ "static_configs": [{ "targets": ["alertmanager:9093"] }] }] },
            "scrape_configs": jobs,
        });
        let reader = Reader::of(release)?;
        for heading in ["Connect Prometheus", "Connect Alertmanager"] {
            reader.run(&page.commands(heading)?.concat())?;
        }
        let read = |file: &str| std::fs::read_to_string(reader.path(file)).context(file.to_owned());
        let name = &self.namespace.name;
        let alerts = read(&format!("{}-alerts.yaml", release.name))?;
        let prometheus = json!({ "prometheus.yml": configuration.to_string(), "alerts.yaml": alerts });
        let alertmanager = json!({ "alertmanager.yml": read("alertmanager.yml")? });
        for (of, data) in [("prometheus", prometheus), ("alertmanager", alertmanager)] {
            let metadata = json!({ "name": of, "namespace": name });
            kubectl::apply(&json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data }))?;
        }
        for receiver in RECEIVERS {
            kubectl::apply(&json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": { "name": format!("alerts-{receiver}"), "namespace": name },
                "stringData": { "url": format!("http://receiver:8080/{receiver}") },
            }))?;
        }
        let context = release.namespace.context;
        let python = context.images.reference(&context.platform.platform().tests.image);
        let objects = OBJECTS
            .replace("__RELEASE_NAMESPACE__", &release.namespace.name)
            .replace("__NAMESPACE__", name)
            .replace("__PYTHON__", &python);
        kubectl::try_run(&["apply", "--filename=-"], &objects)?.ok("kubectl apply")?;
        kubectl::run(&[
            "wait",
            "deployment",
            "--all",
            "--for=condition=Available",
            "--timeout=2m",
            "--namespace",
            name,
        ])?;
        Ok(String::new())
    }

    /// The targets of Prometheus.
    pub(super) fn targets(&self) -> anyhow::Result<Vec<Value>> {
        let mut answer = self.get("prometheus:9090", "api/v1/targets?state=active")?;
        list(answer["data"]["activeTargets"].take())
    }

    /// The series that an expression selects now.
    pub(super) fn query(&self, expression: &str) -> anyhow::Result<Vec<Value>> {
        let encoded = expression.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
        let mut answer = self.get("prometheus:9090", &format!("api/v1/query?query={encoded}"))?;
        list(answer["data"]["result"].take())
    }

    /// The names of the alerts that are pending or fire in Prometheus.
    pub(super) fn pending_or_firing(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut answer = self.get("prometheus:9090", "api/v1/alerts")?;
        let alerts = list(answer["data"]["alerts"].take())?;
        Ok(alerts.iter().filter_map(|alert| alert["labels"]["alertname"].as_str().map(str::to_owned)).collect())
    }

    /// Waits until the active alerts of Alertmanager are as they should be, and returns them.
    pub(super) fn delivered(&self, limit: Duration, is_right: impl Fn(&[Value]) -> bool) -> anyhow::Result<Vec<Value>> {
        process::until(limit, Duration::from_secs(3), || {
            let all = list(self.get("alertmanager:9093", "api/v2/alerts?active=true")?)?;
            let labels = || all.iter().map(|alert| alert["labels"].to_string()).collect::<Vec<_>>().join("\n");
            Ok(if is_right(&all) { Ok(all) } else { Err(format!("Alertmanager has\n{}", labels())) })
        })
    }

    /// The messages that the receiver of this name has got.
    pub(super) fn received(&self, receiver: &str) -> anyhow::Result<Vec<Value>> {
        let log = kubectl::run(&["logs", "deployment/receiver", "--namespace", &self.namespace.name])?;
        let messages = log.lines().map(|line| kubectl::parsed("the receiver", line)).collect::<Result<Vec<_>, _>>()?;
        let own = messages.into_iter().filter(|message| message["path"] == format!("/{receiver}"));
        Ok(own.map(|mut message| message["body"].take()).collect())
    }

    /// Asks a Service through the API server, which reaches it without a policy.
    fn get(&self, service: &str, path: &str) -> anyhow::Result<Value> {
        let path = format!("/api/v1/namespaces/{}/services/{service}/proxy/{path}", self.namespace.name);
        Ok(kubectl::parsed(service, &kubectl::run(&["get", "--raw", &path])?)?)
    }
}

fn list(value: Value) -> anyhow::Result<Vec<Value>> {
    serde_json::from_value(value).context("no list")
}
