//! How Prometheus finds the metrics: a `PodMonitor` per component, or annotations of its Service.

use askama::Template;

use super::AddOn;
use crate::files::Files;
use crate::graph::{Component, Graph};
use crate::text::scalar;

/// The add-on.
pub(super) struct Metrics;

impl AddOn for Metrics {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let scraped: Vec<_> = graph.components.iter().flat_map(scraped).collect();
        if !scraped.is_empty() {
            files.umbrella("templates/metrics/podmonitors.yaml", &PodMonitors { c: graph });
            files.umbrella("templates/metrics/_metrics.tpl", &Helpers { c: graph, scraped });
        }
    }
}

fn scraped(component: &Component) -> impl Iterator<Item = Scraped> + '_ {
    let name = component.name;
    component.metrics_ports().map(move |(port, path)| Scraped { name, port: scalar(port.name), path })
}

/// A port with metrics.
struct Scraped {
    name: &'static str,
    port: String,
    path: &'static str,
}

#[derive(Template)]
#[template(path = "addons/metrics/podmonitors.yaml")]
struct PodMonitors<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/metrics/_metrics.tpl")]
struct Helpers<'a> {
    c: &'a Graph,
    scraped: Vec<Scraped>,
}
