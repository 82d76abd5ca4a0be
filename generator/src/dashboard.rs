//! Dashboards: rows of panels with their queries, in the terms of a page. `addons/dashboards` turns them into Grafana's JSON.

use vocabulary::{Metric, MetricKind};

use crate::graph::{Component, Edge, Graph};

/// What a kind of server contributes to the dashboards.
pub(crate) trait ServerDashboards: Sync {
    /// The metrics that a server of this kind, or its exporter, exports and that a dashboard shows.
    fn metrics(&self, server: &Component) -> Vec<Metric>;

    /// The server's row on the overview: its health at a glance.
    fn glance(&self, server: &Component) -> Vec<Panel>;

    /// The rows of the server's own page.
    fn rows(&self, graph: &Graph, server: &Component) -> Vec<Row>;

    /// The rows on the page of a client: what at the server concerns this client.
    fn client_rows(&self, _edge: &Edge) -> Vec<Row> {
        Vec::new()
    }

    /// The work that waits for a client at the server, for the client's row on the overview.
    fn backlog(&self, _edge: &Edge) -> Option<Panel> {
        None
    }
}

/// Panels below a heading.
pub(crate) struct Row {
    pub(crate) title: String,
    pub(crate) panels: Vec<Panel>,
}

/// A panel.
pub(crate) struct Panel {
    pub(crate) title: String,
    /// What it shows, as sentences.
    pub(crate) description: String,
    pub(crate) view: View,
    pub(crate) queries: Vec<Query>,
    /// Its share of a line. A full line has [`COLUMNS`]; the panels of a shorter line are widened.
    pub(crate) width: u8,
    /// The component whose page a click on the title opens.
    pub(crate) page: Option<&'static str>,
}

/// How a panel shows its queries.
pub(crate) enum View {
    /// Lines over time.
    Lines { unit: Unit },
    /// The last value of each query, in large type.
    Stat { unit: Unit, states: States, no_value: &'static str },
    /// The labels of each series in a table. The labels in `hidden` have no column.
    Table { hidden: &'static [&'static str] },
    /// Markdown.
    Text(String),
}

/// A query with the name of its lines, in which `{{label}}` stands for the value of a label.
pub(crate) struct Query {
    pub(crate) expr: String,
    pub(crate) legend: String,
}

/// What the colour and the text of a value say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum States {
    /// Nothing.
    Plain,
    /// 0 is wrong, and more is right.
    SomeIsGood,
    /// 0 is right, and more is wrong.
    NoneIsGood,
    /// 1 is right, 0 is wrong; each with its word.
    Words { one: &'static str, zero: &'static str },
}

/// A unit, as Grafana names it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Short,
    Bytes,
    BytesPerSecond,
    Seconds,
    /// A number from 0 to 1.
    Share,
    PerSecond,
    MessagesPerSecond,
}

impl Unit {
    /// Grafana's identifier of the unit.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "Bps",
            Self::Seconds => "s",
            Self::Share => "percentunit",
            Self::PerSecond => "cps",
            Self::MessagesPerSecond => "mps",
        }
    }

    /// Whether the scale of its values begins at 0.
    pub(crate) const fn is_never_negative(self) -> bool {
        !matches!(self, Self::Short | Self::Seconds)
    }

    /// The unit of a metric's values, from the suffix of its name; that of its rate for a counter.
    pub(crate) fn of(metric: &Metric) -> Self {
        let name = metric.name.as_str();
        let base = name.strip_suffix("_total").unwrap_or(name);
        let is_counter = metric.kind == MetricKind::Counter;
        match base.rsplit('_').next().unwrap_or_default() {
            "bytes" if is_counter => Self::BytesPerSecond,
            "bytes" => Self::Bytes,
            // Seconds in a second.
            "seconds" if is_counter => Self::Share,
            "seconds" => Self::Seconds,
            "ratio" => Self::Share,
            _ if is_counter => Self::PerSecond,
            _ => Self::Short,
        }
    }
}

/// The columns of Grafana's grid.
pub(crate) const COLUMNS: u8 = 24;

/// The variables of every dashboard: the source of data, and what selects the release.
pub(crate) const DATASOURCE: &str = "datasource";
pub(crate) const NAMESPACE: &str = "namespace";
pub(crate) const RELEASE: &str = "release";

/// The time over which a rate is taken: Grafana computes it from the interval of the scrape and the width of the panel.
const RATE_INTERVAL: &str = "$__rate_interval";

/// The lines of a query that shows the largest ones only: a label can have any number of values.
const LARGEST: u8 = 10;

/// The series of one component in the release that the variables select.
#[derive(Clone, Copy)]
pub(crate) struct Series {
    component: &'static str,
}

impl Series {
    pub(crate) const fn of(component: &'static str) -> Self {
        Self { component }
    }

    /// A selector of a metric, with further matchers such as `("queue", "orders")`.
    ///
    /// The labels are those that `podTargetLabels` of a `PodMonitor` and the usual `labelmap` of annotations give, as in the alerts.
    pub(crate) fn select(self, metric: &str, matchers: &[(&str, &str)]) -> String {
        let own = format!(
            "namespace=\"${NAMESPACE}\",app_kubernetes_io_instance=\"${RELEASE}\",app_kubernetes_io_name=\"{}\"",
            self.component
        );
        let further = matchers.iter().map(|(label, value)| format!(",{label}={}", literal(value)));
        format!("{metric}{{{own}{}}}", further.collect::<String>())
    }

    /// The value of a gauge, one line per series.
    pub(crate) fn value(self, metric: &Metric, matchers: &[(&str, &str)]) -> String {
        self.select(metric.name.as_str(), matchers)
    }

    /// The values of a gauge, added up by these labels.
    pub(crate) fn sum(self, metric: &Metric, matchers: &[(&str, &str)], by: &[&str]) -> String {
        format!("{}({})", grouped("sum", by), self.value(metric, matchers))
    }

    /// The largest value of a gauge by these labels.
    pub(crate) fn max(self, metric: &Metric, matchers: &[(&str, &str)], by: &[&str]) -> String {
        format!("{}({})", grouped("max", by), self.value(metric, matchers))
    }

    /// The smallest value of a gauge: that of the worst Pod, if 0 is wrong.
    pub(crate) fn min(self, metric: &Metric) -> String {
        format!("min({})", self.value(metric, &[]))
    }

    /// The share of one counter's rate in the rates of two, by these labels, such as that of hits in hits and misses.
    pub(crate) fn share(self, [part, rest]: [&Metric; 2], matchers: &[(&str, &str)], by: &[&str]) -> String {
        let [part, rest] = [part, rest].map(|metric| self.rate(metric, matchers, by));
        format!("{part} / ({part} + {rest})")
    }

    /// The rate of a counter, or of a histogram's observations, added up by these labels.
    pub(crate) fn rate(self, metric: &Metric, matchers: &[(&str, &str)], by: &[&str]) -> String {
        let name = metric.name.as_str();
        let counter = match metric.kind {
            MetricKind::Histogram => format!("{name}_count"),
            MetricKind::Counter | MetricKind::Gauge => name.to_owned(),
        };
        format!("{}(rate({}[{RATE_INTERVAL}]))", grouped("sum", by), self.select(&counter, matchers))
    }

    /// The [`LARGEST`] largest rates of a counter by a label, which can have any number of values.
    pub(crate) fn largest_rates(self, metric: &Metric, by: &str) -> String {
        format!("topk({LARGEST}, {})", self.rate(metric, &[], &[by]))
    }

    /// A quantile of a histogram's observations, by these labels.
    pub(crate) fn quantile(self, quantile: &str, metric: &Metric, by: &[&str]) -> String {
        let buckets = self.select(&format!("{}_bucket", metric.name), &[]);
        let by = std::iter::once("le").chain(by.iter().copied()).collect::<Vec<_>>().join(", ");
        format!("histogram_quantile({quantile}, sum by ({by}) (rate({buckets}[{RATE_INTERVAL}])))")
    }

    /// The number of targets that answer Prometheus; nothing if there is no target.
    pub(crate) fn answering(self) -> String {
        format!("sum({})", self.select("up", &[]))
    }

    /// The panels that show a metric, by its type: the rate of a counter in all and by each label, the value of a gauge, and the quantiles of a
    /// histogram with the rate of its observations.
    pub(crate) fn panels(self, metric: &Metric) -> Vec<Panel> {
        let name = metric.name.as_str();
        let unit = Unit::of(metric);
        let lines = |title: String, unit, queries| Panel::lines(&title, metric.help, unit, queries);
        let labels = || metric.labels.iter().map(|label| label.as_str());
        match metric.kind {
            MetricKind::Counter => {
                let all = lines(format!("{name}: rate"), unit, vec![Query::new(self.rate(metric, &[], &[]), "all")]);
                let by_label = labels().map(|label| {
                    let query = Query::new(self.largest_rates(metric, label), &format!("{{{{{label}}}}}"));
                    lines(format!("{name}: largest rates by {label}"), unit, vec![query])
                });
                std::iter::once(all).chain(by_label).collect()
            }
            MetricKind::Gauge => {
                let legend = labels().chain([POD]).map(|label| format!("{{{{{label}}}}}")).collect::<Vec<_>>();
                vec![lines(name.to_owned(), unit, vec![Query::new(self.value(metric, &[]), &legend.join(" "))])]
            }
            MetricKind::Histogram => {
                let quantiles = QUANTILES
                    .map(|(quantile, title)| Query::new(self.quantile(quantile, metric, &[]), title))
                    .into_iter()
                    .collect();
                let by_label = labels().map(|label| {
                    let query = Query::new(self.quantile("0.95", metric, &[label]), &format!("{{{{{label}}}}}"));
                    lines(format!("{name}: p95 by {label}"), unit, vec![query])
                });
                let observations = Query::new(self.rate(metric, &[], &[]), "all");
                let first = [
                    lines(format!("{name}: p50, p95 and p99"), unit, quantiles),
                    lines(format!("{name}: rate of observations"), Unit::PerSecond, vec![observations]),
                ];
                first.into_iter().chain(by_label).collect()
            }
        }
    }
}

/// The label with the name of the Pod, which both ways of discovery set.
pub(crate) const POD: &str = "pod";

const QUANTILES: [(&str, &str); 3] = [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")];

/// An aggregation, with the labels that it keeps.
fn grouped(function: &str, by: &[&str]) -> String {
    if by.is_empty() { function.to_owned() } else { format!("{function} by ({}) ", by.join(", ")) }
}

/// A text as a string of `PromQL`, without a dollar sign, behind which Grafana would look for a variable.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '$' => out.push_str(r"\x24"),
            c => out.push(c),
        }
    }
    out + "\""
}

impl Query {
    pub(crate) fn new(expr: String, legend: &str) -> Self {
        Self { expr, legend: legend.to_owned() }
    }
}

impl Panel {
    /// Lines over time, on half a line of the page.
    pub(crate) fn lines(title: &str, description: &str, unit: Unit, queries: Vec<Query>) -> Self {
        Self::new(title, description, View::Lines { unit }, queries, 12)
    }

    /// The last values of queries.
    pub(crate) fn stat(title: &str, description: &str, unit: Unit, states: States, queries: Vec<Query>) -> Self {
        Self::new(title, description, View::Stat { unit, states, no_value: "no data" }, queries, 4)
    }

    /// Markdown.
    pub(crate) fn text(title: &str, markdown: String) -> Self {
        Self::new(title, "", View::Text(markdown), Vec::new(), COLUMNS)
    }

    pub(crate) fn new(title: &str, description: &str, view: View, queries: Vec<Query>, width: u8) -> Self {
        Self { title: title.to_owned(), description: description.to_owned(), view, queries, width, page: None }
    }

    pub(crate) fn width(self, width: u8) -> Self {
        Self { width, ..self }
    }

    /// The panel whose values are missing for this reason, in place of `no data`.
    pub(crate) fn without_value(mut self, text: &'static str) -> Self {
        if let View::Stat { no_value, .. } = &mut self.view {
            *no_value = text;
        }
        self
    }

    /// The panel with a link to the page of a component.
    pub(crate) fn page(self, component: &'static str) -> Self {
        Self { page: Some(component), ..self }
    }
}
