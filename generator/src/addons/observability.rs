//! The page about all parts of observability, beside the charts that it is about.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use vocabulary::MetricName;

use super::costs::{self, Cost};
use super::{AddOn, exporter, instrumentation, logs, traces};
use crate::emit::images::reference;
use crate::files::{Files, render};
use crate::graph::{Component, Graph};
use crate::kinds::Exporter;
use crate::text::{Row, cell, code_cell};

/// The add-on.
pub(super) struct Observability;

impl AddOn for Observability {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let exporters: Vec<(&Component, &Exporter)> = exporter::exporters(graph).collect();
        let metrics: Vec<_> = graph.services().flat_map(|(_, service)| service.metrics).collect();
        let personal = metrics.iter().filter(|metric| !metric.personal.is_empty());
        let personal: BTreeMap<&str, Vec<&str>> =
            personal.map(|metric| (metric.name.as_str(), words(metric.personal))).collect();
        let named: BTreeSet<&str> = personal.values().flatten().copied().collect();
        let labels = metrics.iter().flat_map(|metric| words(metric.labels)).filter(|label| !named.contains(label));
        let labels: BTreeSet<&str> = labels.collect();
        let logs =
            graph.services().filter_map(|(component, service)| Some((component.name, cell(service.personal_log?))));
        let of_exporters = exporters.iter().map(|(_, exporter)| (reference(exporter.image), exporter.image_source));
        let is_traced = instrumentation::has_traces(graph);
        let of_traces = [
            (reference(traces::JAEGER), traces::JAEGER_SOURCE),
            (reference(instrumentation::INSTRUMENTATION), instrumentation::INSTRUMENTATION_SOURCE),
        ];
        let of_traces = of_traces.into_iter().filter(|_| is_traced);
        let of_logs = (reference(logs::COLLECTOR), logs::COLLECTOR_SOURCE);
        let all: BTreeSet<(String, &str)> = of_exporters.chain(of_traces).chain([of_logs]).collect();
        let of_exporters_costs = exporters.iter().map(|(component, exporter)| cost(component, exporter));
        let of_parts = [&costs::LOG_AGENT].into_iter().chain(costs::TRACES.iter().filter(|_| is_traced));
        let page = Page {
            c: graph,
            has_alerts: graph.has_metrics(),
            is_traced,
            exporters: exporters.iter().map(|(component, _)| component.name).collect(),
            measured: of_exporters_costs.chain(of_parts.map(Cost::row)).collect(),
            images: all.into_iter().collect(),
            logs: logs.collect(),
            personal: personal.into_iter().collect(),
            labels: labels.into_iter().collect(),
        };
        files.beside("OBSERVABILITY.md", render(&page));
    }
}

fn words(labels: &'static [MetricName]) -> Vec<&'static str> {
    labels.iter().map(|label| label.as_str()).collect()
}

fn cost(component: &Component, exporter: &Exporter) -> Row {
    let [cpu, memory, ready] = exporter.measured.map(str::to_owned);
    let load = "a scrape every 5 s".to_owned();
    Row::of(&[format!("exporter of {}", code_cell(component.name)), load, cpu, memory, ready])
}

#[derive(Template)]
#[template(path = "addons/observability/OBSERVABILITY.md")]
struct Page<'a> {
    c: &'a Graph,
    /// Whether something reports metrics, so that there are alerts and dashboards.
    has_alerts: bool,
    /// Whether services can send traces.
    is_traced: bool,
    exporters: Vec<&'static str>,
    /// What each part was measured to take.
    measured: Vec<Row>,
    /// The images, and where their projects list the architectures.
    images: Vec<(String, &'static str)>,
    /// The services that log personal data, with what they log.
    logs: Vec<(&'static str, String)>,
    /// The metrics with personal labels, and these labels.
    personal: Vec<(&'a str, Vec<&'a str>)>,
    /// The other labels of the declared metrics.
    labels: Vec<&'a str>,
}
