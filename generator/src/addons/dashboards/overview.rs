//! The overview: the platform, then a row per service and per server that has metrics, with its health at a glance.

use vocabulary::{Meaning, MetricKind};

use super::pages::{
    alert_table, alerts, answering, connections, declared, exports_nothing, firing, server_dashboards, watchdog,
};
use super::{Page, has_page, uid};
use crate::dashboard::{Panel, Query, Row, Series, States, Unit};
use crate::graph::{Component, Graph};

pub(super) fn page(graph: &Graph) -> Page {
    let rows = graph.components.iter().filter(|one| has_page(one)).map(|component| {
        let panels = glance(graph, component).into_iter().map(|panel| panel.page(component.name)).collect();
        Row { title: component.name.to_owned(), panels }
    });
    Page {
        file: "overview".to_owned(),
        component: None,
        uid: uid(graph.name, None),
        title: format!("{} / Overview", graph.name),
        description: graph.doc.to_owned(),
        tags: vec![graph.name.to_owned(), "overview".to_owned()],
        overview: None,
        rows: std::iter::once(platform()).chain(rows).collect(),
    }
}

/// The alerts of the whole release.
fn platform() -> Row {
    let states = States::Words { one: "evaluated", zero: "not evaluated" };
    let description = "Whether the watchdog fires, that is whether Prometheus evaluates the alerts of the release.";
    let rules = Panel::stat("Rules", description, Unit::Short, states, vec![Query::new(watchdog(), "rules")]);
    let critical = "Alerts that an operator acts on now: a part of the platform does not work.";
    let warning = "Alerts for working hours: something was lost, or a fault is coming.";
    let panels = vec![
        rules.without_value("no rules"),
        firing("Critical", critical, &["severity=\"critical\""]),
        firing("Warnings", warning, &["severity=\"warning\""]),
        alert_table(None).width(12),
    ];
    Row { title: "Alerts".to_owned(), panels }
}

/// A component at a glance, on one line.
fn glance(graph: &Graph, component: &Component) -> Vec<Panel> {
    let has_metrics = component.has_metrics();
    let first = if has_metrics { answering(component).width(3) } else { exports_nothing(component).width(8) };
    let of_kind = component.server().filter(|_| has_metrics).and_then(|server| server.kind.dashboards());
    let lines = rates(component)
        .into_iter()
        .chain(errors(component))
        .chain(backlogs(graph, component))
        .map(|panel| panel.width(5));
    std::iter::once(first)
        .chain(has_metrics.then(|| alerts(component).width(3)))
        .chain(connections(component).map(|panel| panel.width(3)))
        .chain(lines)
        .chain(of_kind.map(|kind| kind.glance(component)).unwrap_or_default())
        .collect()
}

/// The rates of what a service does: its counters, except those of failures, and the observations of its histograms.
fn rates(component: &Component) -> Option<Panel> {
    let own = Series::of(component.name);
    let metrics = declared(component).iter().filter(|metric| match metric.meaning {
        Meaning::Shown | Meaning::Findings => metric.kind != MetricKind::Gauge,
        Meaning::Connection(_) | Meaning::FailedPublishes(_) => false,
    });
    let queries: Vec<_> = metrics.map(|metric| Query::new(own.rate(metric, &[], &[]), metric.name.as_str())).collect();
    let description = "What the service does per second: its counters, added up over Pods and labels.";
    (!queries.is_empty()).then(|| Panel::lines("Rates", description, Unit::PerSecond, queries))
}

/// The rates of the counters of failures.
fn errors(component: &Component) -> Option<Panel> {
    let own = Series::of(component.name);
    let queries = declared(component).iter().filter_map(|metric| match metric.meaning {
        Meaning::FailedPublishes(_) => Some(Query::new(own.rate(metric, &[], &[]), metric.name.as_str())),
        Meaning::Shown | Meaning::Connection(_) | Meaning::Findings => None,
    });
    let queries: Vec<_> = queries.collect();
    let description = "Messages per second that the service could not publish, and lost.";
    (!queries.is_empty()).then(|| Panel::lines("Errors", description, Unit::MessagesPerSecond, queries))
}

/// The work that waits for a service at each server.
fn backlogs(graph: &Graph, component: &Component) -> Vec<Panel> {
    let edges = graph.edges_from(component.name);
    edges.filter_map(|edge| server_dashboards(graph, edge.target)?.backlog(edge)).collect()
}
