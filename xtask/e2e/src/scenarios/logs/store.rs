//! Loki and VictoriaLogs in a namespace of their own, and the records that they have.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::report::Reported;
use e2e_kit::{kubectl, process};
use serde_json::Value;

const OBJECTS: &str = include_str!("stores.yaml");

/// A log store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    Loki,
    VictoriaLogs,
}

/// Both.
pub(super) const STORES: [Store; 2] = [Store::Loki, Store::VictoriaLogs];

/// A record of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) text: String,
    /// Its attributes and those of its resource, with the store's names.
    pub(super) attributes: Value,
}

impl Store {
    /// Its name, which is that of its Deployment and of its Service.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Loki => "loki",
            Self::VictoriaLogs => "victoria-logs",
        }
    }

    pub(super) const fn port(self) -> u16 {
        match self {
            Self::Loki => 3100,
            Self::VictoriaLogs => 9428,
        }
    }

    /// The path that takes OTLP.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Loki => "/otlp/v1/logs",
            Self::VictoriaLogs => "/insert/opentelemetry/v1/logs",
        }
    }
}

impl Record {
    /// An attribute, by the name that OpenTelemetry gives it.
    pub(super) fn attribute(&self, name: &str) -> &str {
        // Loki replaces the dots.
        let of = |name: &str| self.attributes[name].as_str();
        of(name).or_else(|| of(&name.replace(['.', '/'], "_"))).unwrap_or_default()
    }

    pub(super) fn service(&self) -> &str {
        self.attribute("service.name")
    }

    /// Its severity, such as `ERROR`.
    pub(super) fn severity(&self) -> &str {
        let text = self.attribute("severity_text");
        if text.is_empty() { self.attribute("severity") } else { text }
    }
}

pub(super) struct Stores<'a> {
    pub(super) namespace: TestNamespace<'a>,
}

impl<'a> Stores<'a> {
    pub(super) fn as_step(lane: &Lane<'a>) -> Result<Self, Reported> {
        let stores = Self { namespace: TestNamespace::as_step(lane, "logs-stores")? };
        lane.step("Loki and VictoriaLogs start", || {
            let name = stores.namespace.name.as_str();
            kubectl::try_run(&["apply", "--namespace", name, "--filename=-"], OBJECTS)?.ok("kubectl apply")?;
            let wait = ["wait", "deployment", "--all", "--for=condition=Available", "--timeout=50s"];
            kubectl::run(&[&wait[..], &["--namespace", name]].concat())?;
            Ok(String::new())
        })?;
        Ok(stores)
    }

    /// Makes the stores unreachable, or reachable again: their Services select no Pod. What they have stays.
    pub(super) fn reachable(&self, reachable: bool) -> anyhow::Result<()> {
        for store in STORES {
            let name = if reachable { store.name() } else { "nobody" };
            let patch = format!(r#"{{"spec":{{"selector":{{"app.kubernetes.io/name":"{name}"}}}}}}"#);
            let words = ["patch", "service", store.name(), "--namespace", &self.namespace.name, "--patch", &patch];
            kubectl::run(&words)?;
        }
        Ok(())
    }

    /// The records of a store whose text contains this one, in no order.
    pub(super) fn records(&self, store: Store, text: &str) -> anyhow::Result<Vec<Record>> {
        match store {
            Store::Loki => self.loki(&format!(r#"{{service_namespace=~".+"}} |= "{text}""#)),
            Store::VictoriaLogs => self.victoria_logs(&format!(r#"_time:1h ~"{text}""#)),
        }
    }

    fn loki(&self, query: &str) -> anyhow::Result<Vec<Record>> {
        let path = format!("loki/api/v1/query_range?limit=100000&since=1h&query={}", encoded(query));
        let answer = kubectl::parsed("Loki", &self.get(Store::Loki, &path)?)?;
        let streams = answer["data"]["result"].as_array().context("Loki answers with no list")?;
        let of_stream = |stream: &Value| -> Vec<Record> {
            let values = stream["values"].as_array().into_iter().flatten();
            let text = |value: &Value| value[1].as_str().unwrap_or_default().to_owned();
            values.map(|value| Record { text: text(value), attributes: stream["stream"].clone() }).collect()
        };
        Ok(streams.iter().flat_map(of_stream).collect())
    }

    fn victoria_logs(&self, query: &str) -> anyhow::Result<Vec<Record>> {
        let answer = self.get(Store::VictoriaLogs, &format!("select/logsql/query?query={}", encoded(query)))?;
        let record = |line: &str| -> anyhow::Result<Record> {
            let attributes = kubectl::parsed("VictoriaLogs", line)?;
            Ok(Record { text: attributes["_msg"].as_str().unwrap_or_default().to_owned(), attributes })
        };
        answer.lines().map(record).collect()
    }

    /// The number of records that a store has for each number in `<marker> line <number>`.
    pub(super) fn numbers(&self, store: Store, marker: &str) -> anyhow::Result<BTreeMap<u32, u32>> {
        let mut numbers = BTreeMap::new();
        match store {
            // A list of the lines would be too long for Loki, whose parts send each other at most 4 MB.
            Store::Loki => {
                let lines =
                    format!(r#"{{service_namespace=~".+"}} |= "{marker} line " | regexp "line (?P<n>[0-9]+) ""#);
                let query = format!("sum by (n) (count_over_time({lines} [1h]))");
                let path = format!("loki/api/v1/query?query={}", encoded(&query));
                let answer = kubectl::parsed("Loki", &self.get(store, &path)?)?;
                for series in answer["data"]["result"].as_array().context("Loki answers with no list")? {
                    let number = series["metric"]["n"].as_str().context("a line has no number")?.parse()?;
                    numbers.insert(number, series["value"][1].as_str().context("a series has no value")?.parse()?);
                }
            }
            Store::VictoriaLogs => {
                let query = format!(r#"_time:1h ~"{marker} line " | extract "line <n> " from _msg | fields n"#);
                for record in self.victoria_logs(&query)? {
                    *numbers.entry(record.attribute("n").parse().context("a line has no number")?).or_default() += 1;
                }
            }
        }
        Ok(numbers)
    }

    /// Waits until the records with this text are as they should be in each store. `wrong` says what is lacking.
    pub(super) fn until(
        &self,
        limit: Duration,
        text: &str,
        wrong: impl Fn(&[Record]) -> Option<String>,
    ) -> anyhow::Result<()> {
        for store in STORES {
            process::until(limit, Duration::from_secs(2), || {
                let lacking = wrong(&self.records(store, text)?);
                Ok(lacking.map_or(Ok(()), |lacking| Err(format!("{}: {lacking}", store.name()))))
            })?;
        }
        Ok(())
    }

    /// Asks a Pod through the API server, which reaches it without a policy, whatever its Service selects.
    fn get(&self, store: Store, path: &str) -> anyhow::Result<String> {
        let selector = format!("--selector=app.kubernetes.io/name={}", store.name());
        let pods = kubectl::items(&["get", "pods", "--namespace", &self.namespace.name, &selector])?;
        let pod = pods.first().and_then(|pod| pod["metadata"]["name"].as_str()).context("the store has no Pod")?;
        let (namespace, port) = (&self.namespace.name, store.port());
        Ok(kubectl::run(&["get", "--raw", &format!("/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/{path}")])?)
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}
