//! Dashboards for Grafana, from the metrics that services and servers export: an overview, and a page for each service and each server that is
//! scraped.

mod json;
mod layout;
mod overview;
mod pages;
mod schema;

use vocabulary::{Metric, MetricKind};

use super::AddOn;
use crate::ExportedMetric;
use crate::dashboard::Row;
use crate::files::Files;
use crate::graph::{Component, Graph};
use crate::text::digest;

/// The add-on.
pub(super) struct Dashboards;

impl AddOn for Dashboards {
    fn files(&self, graph: &Graph, _files: &mut Files) {
        let _ = dashboards(graph);
    }
}

/// A dashboard.
pub(crate) struct Page {
    pub(crate) uid: String,
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
    /// A regular expression of the names of components that are scraped, by which a release of the platform is found.
    components: String,
    /// The release and its namespace that the documents use as an example.
    namespace: &'static str,
    release: &'static str,
}

impl Variables {
    fn of(graph: &Graph) -> Self {
        let names = |holds: fn(&Component) -> bool| -> Vec<&str> {
            let found = graph.components.iter().filter(|one| one.scraped().is_some() && holds(one));
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

/// All dashboards, each with the path of its file and its text; none if nothing is scraped.
pub(crate) fn dashboards(graph: &Graph) -> Vec<(String, String)> {
    if graph.components.iter().all(|component| component.scraped().is_none()) {
        return Vec::new();
    }
    let variables = Variables::of(graph);
    let pages = graph.components.iter().filter(|one| has_page(one)).map(|component| {
        let folder = if component.is_optional() { "services" } else { "servers" };
        (format!("dashboards/{folder}/{}.json", component.name), pages::page(graph, component))
    });
    let overview = ("dashboards/overview.json".to_owned(), overview::page(graph));
    std::iter::once(overview).chain(pages).map(|(path, page)| (path, json::text(page, &variables))).collect()
}

/// Whether a component has a page: every service, and a server that is scraped.
fn has_page(component: &Component) -> bool {
    component.is_optional() || component.scraped().is_some()
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
    let of = |component: &Component| -> &'static [Metric] {
        match (component.service(), component.server()) {
            (Some(service), _) => service.metrics,
            (None, Some(server)) => server.kind.dashboards().map_or(&[], |kind| kind.metrics()),
            (None, None) => &[],
        }
    };
    let scraped = || graph.components.iter().filter(|component| component.scraped().is_some());
    let declared = scraped().flat_map(|component| {
        of(component).iter().map(|metric| ExportedMetric {
            component: component.name,
            name: metric.name.as_str(),
            kind: metric.kind,
            labels: metric.labels.iter().map(|label| label.as_str()).collect(),
        })
    });
    let of_scrapes = scraped().flat_map(|component| {
        pages::OF_SCRAPES.iter().map(|name| ExportedMetric {
            component: component.name,
            name,
            kind: MetricKind::Gauge,
            labels: Vec::new(),
        })
    });
    declared.chain(of_scrapes).collect()
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
