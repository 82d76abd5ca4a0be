//! The files that every subchart has: `Chart.yaml` and the ServiceAccount.

use askama::Template;

use crate::graph::Graph;
use crate::text::scalar;

/// A subchart's `Chart.yaml`.
#[derive(Template)]
#[template(path = "umbrella/charts/service/Chart.yaml")]
pub(crate) struct ChartYaml<'a> {
    source: &'a str,
    name: String,
    doc: String,
    version: &'a str,
}

pub(crate) fn chart_yaml<'a>(graph: &'a Graph, name: &str, doc: &str, source: &'a str) -> ChartYaml<'a> {
    ChartYaml { source, name: scalar(name), doc: scalar(doc), version: graph.version }
}

/// A subchart's ServiceAccount, whose token no Pod mounts unless the Pod says so itself.
#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/serviceaccount.yaml")]
pub(crate) struct ServiceAccount<'a> {
    c: &'a Graph,
    source: &'a str,
}

pub(crate) fn service_account<'a>(graph: &'a Graph, source: &'a str) -> ServiceAccount<'a> {
    ServiceAccount { c: graph, source }
}
