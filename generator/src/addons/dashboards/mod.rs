//! Dashboards for Grafana, from the metrics that services and servers export: an overview, and a page for each service and each server that has
//! metrics.

mod json;
mod layout;
mod overview;
mod pages;
mod schema;

use askama::Template;
use serde_yaml::{Mapping, Value};
use vocabulary::{Metric, MetricKind};

use super::{AddOn, exporter};
use crate::ExportedMetric;
use crate::dashboard::Row;
use crate::emit::further::{self, Further};
use crate::emit::publication::file_link;
use crate::emit::values::{DashboardsValues, Section};
use crate::files::Files;
use crate::graph::{Component, Graph};
use crate::text::{self, cell, code_cell, digest};

/// The add-on.
pub(super) struct Dashboards;

/// What the chart's name has behind the platform's.
const NAME: &str = "dashboards";

impl AddOn for Dashboards {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let variables = Variables::of(graph);
        if variables.components.is_empty() {
            return;
        }
        let pages = pages(graph);
        let chart = Further {
            name: NAME,
            doc: format!(
                "Dashboards of {} for Grafana, from the metrics that its services and servers export.",
                graph.name
            ),
            images: Vec::new(),
            tree: Section::of(&DashboardsValues::of(graph.name)),
            ci_values: Value::Mapping(Mapping::new()),
            overlays: Vec::new(),
        };
        let mut files = further::files::<DashboardsValues>(graph, files, &chart);
        files.view("templates/_helpers.tpl", &Helpers { c: graph });
        files.view("templates/configmaps.yaml", &ConfigMaps { c: graph });
        files.view("templates/NOTES.txt", &Notes);
        let alerts = file_link(graph, &format!("{}/ALERTS.md", graph.name));
        files.view("README.md", &Readme { c: graph, alerts, exporters: exporters(graph), rows: rows(graph, &pages) });
        for page in pages {
            files.text(&format!("files/{}.json", page.file), json::text(page, &variables));
        }
    }
}

/// A dashboard.
struct Page {
    /// The path of its file below `files/`, without `.json`. The name of its ConfigMap is made from it.
    file: String,
    uid: String,
    /// Its component; none for the overview.
    component: Option<&'static str>,
    title: String,
    description: String,
    tags: Vec<String>,
    /// The identifier of the overview, on the other pages.
    overview: Option<String>,
    rows: Vec<Row>,
}

/// What all dashboards of a platform have in common.
struct Variables {
    platform: &'static str,
    /// A regular expression of the names of components that have metrics, by which a release of the platform is found.
    components: String,
    /// The release and its namespace that the documents use as an example.
    namespace: &'static str,
    release: &'static str,
}

impl Variables {
    fn of(graph: &Graph) -> Self {
        let names = |holds: fn(&Component) -> bool| -> Vec<&str> {
            let found = graph.components.iter().filter(|one| one.has_metrics() && holds(one));
            found.map(|one| one.name).collect()
        };
        // Servers often have a name that other releases have, too.
        let mut components = names(Component::is_optional);
        if components.is_empty() {
            components = names(|_| true);
        }
        Self {
            platform: graph.name,
            components: components.join("|"),
            namespace: graph.example_release(),
            release: graph.example_release(),
        }
    }

    fn uid(&self, component: &str) -> String {
        uid(self.platform, Some(component))
    }
}

/// The overview, then the page of each component that has one.
fn pages(graph: &Graph) -> Vec<Page> {
    let of_components = graph.components.iter().filter(|one| has_page(one)).map(|one| pages::page(graph, one));
    std::iter::once(overview::page(graph)).chain(of_components).collect()
}

/// The pages with the declared metrics of their components, as rows of a table.
fn rows(graph: &Graph, pages: &[Page]) -> Vec<text::Row> {
    let exported = exported(graph);
    let row = |page: &Page| {
        let own = exported.iter().filter(|metric| Some(metric.component) == page.component);
        let own = own.filter(|metric| !pages::OF_SCRAPES.contains(&metric.name)).map(|metric| code_cell(metric.name));
        let own: Vec<_> = own.collect();
        let metrics = match page.component {
            None => "the most important ones of all components".to_owned(),
            Some(_) if own.is_empty() => "none of its own".to_owned(),
            Some(_) => own.join(", "),
        };
        text::Row::of(&[cell(&page.title), code_cell(&page.uid), metrics])
    };
    pages.iter().map(row).collect()
}

/// The servers whose metrics come from an exporter, as a list for a sentence.
fn exporters(graph: &Graph) -> String {
    let names: Vec<_> = exporter::exporters(graph).map(|(component, _)| code_cell(component.name)).collect();
    text::list(&names, "and")
}

/// Whether a component has a page: every service, and a server that has metrics.
fn has_page(component: &Component) -> bool {
    component.is_optional() || component.has_metrics()
}

/// Grafana's longest identifier of a dashboard.
const LONGEST_UID: usize = 40;

/// The identifier of a component's dashboard, or of the overview. Names have no underscore, so two pairs of names never have the same one.
fn uid(platform: &str, component: Option<&str>) -> String {
    let Some(component) = component else { return platform.to_owned() };
    let uid = format!("{platform}_{component}");
    if uid.len() <= LONGEST_UID {
        return uid;
    }
    let digest = digest([platform, component]);
    format!("{}_{digest}", &uid[..LONGEST_UID - digest.len() - 1])
}

/// The metrics that the dashboards may show: those that are declared, with the series of histograms, and those that Prometheus makes itself.
pub(crate) fn exported(graph: &Graph) -> Vec<ExportedMetric> {
    let of = |component: &Component| -> Vec<Metric> {
        match (component.service(), component.server()) {
            (Some(service), _) => service.metrics.to_vec(),
            (None, Some(server)) => server.kind.dashboards().map(|kind| kind.metrics(component)).unwrap_or_default(),
            (None, None) => Vec::new(),
        }
    };
    let measured = || graph.components.iter().filter(|component| component.has_metrics());
    let declared = measured().flat_map(|component| {
        of(component).into_iter().map(|metric| ExportedMetric {
            component: component.name,
            name: metric.name.as_str(),
            kind: metric.kind,
            labels: metric.labels.iter().map(|label| label.as_str()).collect(),
        })
    });
    let of_scrapes = measured().flat_map(|component| {
        pages::OF_SCRAPES.iter().map(|name| ExportedMetric {
            component: component.name,
            name,
            kind: MetricKind::Gauge,
            labels: Vec::new(),
        })
    });
    declared.chain(of_scrapes).collect()
}

#[derive(Template)]
#[template(path = "addons/dashboards/_helpers.tpl")]
struct Helpers<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/dashboards/configmaps.yaml")]
struct ConfigMaps<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/dashboards/NOTES.txt")]
struct Notes;

#[derive(Template)]
#[template(path = "addons/dashboards/README.md")]
struct Readme<'a> {
    c: &'a Graph,
    /// The page about alerts, which the chart of the platform contains.
    alerts: String,
    /// The servers whose metrics come from an exporter, as a list.
    exporters: String,
    rows: Vec<text::Row>,
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_UID, uid};

    #[test]
    fn identifiers_fit_and_differ() {
        assert_eq!(uid("shop", None), "shop");
        assert_eq!(uid("shop", Some("web")), "shop_web");
        let long = uid(&"p".repeat(LONGEST_UID), Some("a"));
        assert_eq!(long.len(), LONGEST_UID);
        assert_ne!(long, uid(&"p".repeat(LONGEST_UID), Some("b")));
        assert_ne!(uid("shop-api", Some("web")), uid("shop", Some("api-web")));
    }
}
