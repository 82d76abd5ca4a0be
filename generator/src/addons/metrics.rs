//! How Prometheus finds the metrics: a `PodMonitor` per component and exporter, or annotations of their Services.

use askama::Template;

use super::{AddOn, exporter};
use crate::files::Files;
use crate::graph::{Component, Graph};
use crate::text::scalar;

/// The add-on.
pub(super) struct Metrics;

impl AddOn for Metrics {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let of_exporter = |(component, _): (&Component, _)| Scraped {
            name: component.name,
            exporter: Some(exporter::identity(component)),
            port: exporter::PORT.to_owned(),
            path: "/metrics",
        };
        let exporters = exporter::exporters(graph).map(of_exporter);
        let scraped: Vec<_> = graph.components.iter().flat_map(scraped).chain(exporters).collect();
        if !scraped.is_empty() {
            files.umbrella("templates/metrics/podmonitors.yaml", &PodMonitors { c: graph });
            files.umbrella("templates/metrics/_metrics.tpl", &Helpers { c: graph, scraped });
        }
    }
}

fn scraped(component: &Component) -> impl Iterator<Item = Scraped> + '_ {
    let name = component.name;
    component.metrics_ports().map(move |(port, path)| Scraped { name, exporter: None, port: scalar(port.name), path })
}

/// A port with metrics.
struct Scraped {
    /// The chart.
    name: &'static str,
    /// The identity of the exporter's Pod, if the port is the exporter's.
    exporter: Option<String>,
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
