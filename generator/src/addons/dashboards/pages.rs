//! The page of a service or of a server.

use vocabulary::{Meaning, Metric};

use super::{Page, has_page, uid};
use crate::addons::alerts::WATCHDOG;
use crate::dashboard::{NAMESPACE, Panel, Query, RELEASE, Row, Series, ServerDashboards, States, Unit, View};
use crate::graph::{Component, Graph};
use crate::names::EXPORTER;
use crate::text::cell;

/// The metrics of targets that Prometheus makes itself and a page shows.
pub(super) const OF_SCRAPES: &[&str] = &["up", "scrape_duration_seconds", "scrape_samples_scraped"];

pub(super) fn page(graph: &Graph, component: &Component) -> Page {
    let rows = if component.has_metrics() {
        vec![state(component)]
    } else {
        vec![Row { title: "State".to_owned(), panels: vec![exports_nothing(component)] }]
    };
    let of_server = component.server().and_then(|server| server.kind.dashboards());
    let role = if component.is_optional() { "service" } else { "server" };
    Page {
        file: format!("{role}s/{}", component.name),
        component: Some(component.name),
        uid: uid(graph.name, Some(component.name)),
        title: format!("{} / {}", graph.name, component.name),
        description: component.doc.clone(),
        tags: vec![graph.name.to_owned(), role.to_owned()],
        overview: Some(uid(graph.name, None)),
        rows: rows
            .into_iter()
            .chain(metrics(component))
            .chain(of_server.map(|kind| kind.rows(graph, component)).unwrap_or_default())
            .chain(at_servers(graph, component))
            .chain(used(graph, component))
            .collect(),
    }
}

/// The targets and the alerts of a component, and its connections.
fn state(component: &Component) -> Row {
    let own = Series::of(component.name);
    let target = |metric| Query::new(own.select(metric, &[]), "{{pod}} {{instance}}");
    let lines =
        |title, description, unit, metric| Panel::lines(title, description, unit, vec![target(metric)]).width(8);
    let [up, duration, samples] = OF_SCRAPES else { unreachable!("these are three") };
    let panels = [answering(component)].into_iter().chain(connections(component)).chain([
        alerts(component),
        lines("Targets", "1 while the Pod answers Prometheus, else 0.", Unit::Short, up),
        lines("Duration of scrapes", "The time that a Pod takes to answer Prometheus.", Unit::Seconds, duration),
        lines("Samples", "The values that a Pod serves at each scrape.", Unit::Short, samples),
        alert_table(Some(component.name)),
    ]);
    Row { title: "State".to_owned(), panels: panels.collect() }
}

/// The targets of a component that answer.
pub(super) fn answering(component: &Component) -> Panel {
    let query = Query::new(Series::of(component.name).answering(), "answering");
    let description = if component.exporter().is_some() {
        format!(
            "Exporters of {name} that answer Prometheus. Without a target, `{name}.{EXPORTER}.enabled` is false, or Prometheus does not find the exporter.",
            name = component.name
        )
    } else {
        "Targets of the component that answer Prometheus; without a target, it is switched off or Prometheus does not find it.".to_owned()
    };
    Panel::stat("Answers", &description, Unit::Short, States::SomeIsGood, vec![query]).without_value("no target")
}

/// Whether the service is connected to each server for which it reports that.
pub(super) fn connections(component: &Component) -> Option<Panel> {
    let own = Series::of(component.name);
    let queries = declared(component).iter().filter_map(|metric| match metric.meaning {
        // The worst of all Pods.
        Meaning::Connection(server) => Some(Query::new(own.min(metric), server.as_str())),
        Meaning::Shown | Meaning::FailedPublishes(_) | Meaning::Findings => None,
    });
    let queries: Vec<_> = queries.collect();
    let states = States::Words { one: "connected", zero: "disconnected" };
    let description = "Whether all Pods of the service are connected, as the program reports it.";
    (!queries.is_empty()).then(|| Panel::stat("Connections", description, Unit::Short, states, queries).width(6))
}

pub(super) fn declared(component: &Component) -> &'static [Metric] {
    component.service().map_or(&[], |service| service.metrics)
}

/// The number of firing alerts of a component.
pub(super) fn alerts(component: &Component) -> Panel {
    let description = "Alerts of the component that fire.";
    firing("Firing alerts", description, &[&of_component(component.name)])
}

fn of_component(name: &str) -> String {
    format!("component=\"{name}\"")
}

/// The alert that always fires while Prometheus evaluates the rules of the release.
pub(super) fn watchdog() -> String {
    format!("count({})", firing_series(&[&format!("alertname=\"{}\"", WATCHDOG.name)]))
}

/// The number of firing alerts with these labels; 0 only while Prometheus evaluates the rules of the release.
pub(super) fn firing(title: &str, description: &str, matchers: &[&str]) -> Panel {
    let expr = format!("count({}) or 0 * {}", firing_series(matchers), watchdog());
    Panel::stat(title, description, Unit::Short, States::NoneIsGood, vec![Query::new(expr, "firing")])
        .without_value("no rules")
}

/// The firing alerts of a component, or of the release.
pub(super) fn alert_table(component: Option<&str>) -> Panel {
    // The watchdog has no severity.
    let matcher = component.map_or_else(|| "severity!=\"none\"".to_owned(), of_component);
    let query = Query::new(firing_series(&[&matcher]), "");
    let hidden = &["Time", "Value", "__name__", "alertstate", "namespace", "release"];
    let description = "The alerts that fire now. ALERTS.md of the chart says what to do.";
    Panel::new("Firing alerts now", description, View::Table { hidden }, vec![query], 24)
}

/// The alerts of the release that fire. Their labels are those of the rules.
fn firing_series(matchers: &[&str]) -> String {
    let of_release = format!("namespace=\"${NAMESPACE}\",release=\"${RELEASE}\",alertstate=\"firing\"");
    let all: Vec<_> = std::iter::once(of_release.as_str()).chain(matchers.iter().copied()).collect();
    format!("ALERTS{{{}}}", all.join(","))
}

/// What stands in the place of the metrics of a component that exports none.
pub(super) fn exports_nothing(component: &Component) -> Panel {
    let name = component.name;
    Panel::text(
        "No metrics",
        format!(
            "{name} exports no metrics. Its Pods: `kubectl get pods --namespace ${{{NAMESPACE}}} --selector app.kubernetes.io/instance=${{{RELEASE}}},app.kubernetes.io/name={name}`."
        ),
    )
}

/// Each declared metric of a service, by its type.
fn metrics(component: &Component) -> Option<Row> {
    let own = Series::of(component.name);
    let panels: Vec<_> = declared(component).iter().flat_map(|metric| own.panels(metric)).collect();
    (!panels.is_empty()).then(|| Row { title: "Metrics".to_owned(), panels })
}

/// What concerns a service at the servers that it uses.
fn at_servers(graph: &Graph, component: &Component) -> Vec<Row> {
    let edges = graph.edges_from(component.name);
    edges.filter_map(|edge| Some(server_dashboards(graph, edge.target)?.client_rows(edge))).flatten().collect()
}

/// The dashboards of a server's kind, if the server has metrics.
pub(super) fn server_dashboards(graph: &Graph, name: &str) -> Option<&'static dyn ServerDashboards> {
    let component = graph.component(name);
    component.server().filter(|_| component.has_metrics())?.kind.dashboards()
}

/// The servers and services that a service uses: whether they answer, or that they export no metrics.
fn used(graph: &Graph, component: &Component) -> Option<Row> {
    let mut targets: Vec<&str> = graph.edges_from(component.name).map(|edge| edge.target).collect();
    targets.dedup();
    let (scraped, others): (Vec<_>, Vec<_>) =
        targets.into_iter().map(|target| graph.component(target)).partition(|target| target.has_metrics());
    let mut panels: Vec<_> = scraped
        .into_iter()
        .map(|target| Panel { title: target.name.to_owned(), ..answering(target).page(target.name) })
        .collect();
    if !others.is_empty() {
        let line = |target: &Component| {
            let name = if has_page(target) { page_link(graph, target.name) } else { target.name.to_owned() };
            format!("- {name}: {}\n", cell(&target.doc))
        };
        let lines: String = others.into_iter().map(line).collect();
        panels.push(Panel::text("Without metrics", lines).width(12));
    }
    (!panels.is_empty()).then(|| Row { title: format!("Used by {}", component.name), panels })
}

/// A link in Markdown to the page of a component.
fn page_link(graph: &Graph, component: &str) -> String {
    format!("[{component}](/d/{}?${{__all_variables}}&${{__url_time_range}})", uid(graph.name, Some(component)))
}
