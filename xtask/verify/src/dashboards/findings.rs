//! What is wrong with dashboards, compared with the declaration.

use std::collections::{BTreeMap, BTreeSet};

use generator::{AlertProof, ExportedMetric, MetricKind};

use super::{Dashboard, Grid, Panel, Query, Selector};

/// What the dashboards are compared with.
pub(super) struct Declared<'a> {
    /// The metrics that something exports.
    pub(super) metrics: &'a [ExportedMetric],
    pub(super) alerts: &'a [AlertProof],
    /// The names of the services.
    pub(super) services: &'a [&'static str],
}

/// Everything that is wrong with the dashboards of a case.
pub(super) fn of(dashboards: &[Dashboard], declared: &Declared) -> Vec<String> {
    let mut wrong = Vec::new();
    for one in dashboards {
        let found = if one.errors.is_empty() { of_dashboard(one, dashboards, declared) } else { one.errors.clone() };
        wrong.extend(found.into_iter().map(|what| format!("dashboard {}: {what}", one.file)));
    }
    // A dashboard that the types do not accept was not read.
    if dashboards.iter().all(|one| one.errors.is_empty()) {
        wrong.extend(shared(dashboards));
        wrong.extend(missing(dashboards, declared));
    }
    wrong
}

/// Grafana's longest identifier of a dashboard.
const LONGEST_UID: usize = 40;
/// The columns of Grafana's grid.
const COLUMNS: u32 = 24;

fn of_dashboard(one: &Dashboard, all: &[Dashboard], declared: &Declared) -> Vec<String> {
    let mut wrong = Vec::new();
    let in_uid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if one.uid.is_empty() || one.uid.len() > LONGEST_UID || !one.uid.chars().all(in_uid) {
        wrong.push(format!("the uid `{}` is not 1 to {LONGEST_UID} of A-Z, a-z, 0-9, - and _", one.uid));
    }
    for link in &one.links {
        let target = link.strip_prefix("/d/").map(|rest| rest.split('?').next().unwrap_or_default());
        if !all.iter().any(|other| Some(other.uid.as_str()) == target) {
            wrong.push(format!("the link {link} leads to no dashboard of the chart"));
        }
    }
    wrong.extend(places(&one.panels));
    for panel in &one.panels {
        let is_drawn = !matches!(panel.kind.as_str(), "row" | "text");
        if is_drawn && (panel.title.is_empty() || panel.description.is_empty() || panel.queries.is_empty()) {
            wrong.push(format!("panel {} (`{}`) has no title, no description or no query", panel.id, panel.title));
        }
        for query in &panel.queries {
            let found = of_query(query, declared);
            wrong.extend(found.into_iter().map(|what| format!("`{}`: {what} in {}", panel.title, query.expr)));
        }
    }
    for variable in &one.variables {
        let Some(query) = &variable.query else { continue };
        let selected = query.selectors.iter().flat_map(|selector| declared.named(&selector.metric));
        let has_label = SCRAPE_LABELS.contains(&variable.label.as_str());
        if selected.count() == 0 || !has_label || query.selectors.len() != 1 {
            wrong.push(format!("the variable {} asks for a series or a label that nothing exports", variable.name));
        }
    }
    wrong
}

/// The panels that share a number or a place, or stand outside the grid.
fn places(panels: &[Panel]) -> Vec<String> {
    let overlap = |a: Grid, b: Grid| a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
    let mut wrong = Vec::new();
    for (position, panel) in panels.iter().enumerate() {
        let place = panel.grid;
        if place.w == 0 || place.h == 0 || place.x + place.w > COLUMNS {
            wrong.push(format!("`{}` stands outside the grid of {COLUMNS} columns", panel.title));
        }
        for other in &panels[..position] {
            if overlap(place, other.grid) {
                wrong.push(format!("`{}` overlaps `{}`", panel.title, other.title));
            }
            if panel.id == other.id {
                wrong.push(format!("`{}` and `{}` have the number {}", panel.title, other.title, panel.id));
            }
        }
    }
    wrong
}

/// The labels of every series that is scraped, with both ways of discovery.
const SCRAPE_LABELS: &[&str] =
    &["app_kubernetes_io_instance", "app_kubernetes_io_name", "instance", "job", "namespace", "pod"];
/// The labels that Prometheus gives to every firing alert, besides those of the rule.
const ALERT_LABELS: &[&str] = &["alertname", "alertstate"];
/// The metric that Prometheus makes of firing alerts.
const ALERTS: &str = "ALERTS";

impl Declared<'_> {
    /// The declared metrics that have a series of this name.
    fn named(&self, series: &str) -> impl Iterator<Item = &ExportedMetric> {
        self.metrics.iter().filter(move |metric| match metric.kind {
            MetricKind::Counter | MetricKind::Gauge => metric.name == series,
            MetricKind::Histogram => {
                let suffix = series.strip_prefix(metric.name);
                matches!(suffix, Some("_bucket" | "_sum" | "_count"))
            }
        })
    }

    /// The labels of a series of this name.
    fn labels(&self, series: &str) -> BTreeSet<&str> {
        if series == ALERTS {
            let of_rules = self.alerts.iter().flat_map(|alert| alert.labels.iter().map(|(label, _)| *label));
            return of_rules.chain(ALERT_LABELS.iter().copied()).collect();
        }
        let own = self.named(series).flat_map(|metric| metric.labels.iter().copied());
        let bucket = series.ends_with("_bucket").then_some("le");
        own.chain(bucket).chain(SCRAPE_LABELS.iter().copied()).collect()
    }
}

fn of_query(query: &Query, declared: &Declared) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut unknown = |labels: &[String], metrics: &[&str], what: &str| {
        for label in labels {
            if let Some(metric) = metrics.iter().find(|metric| !declared.labels(metric).contains(label.as_str())) {
                wrong.push(format!("{what} the label `{label}`, which `{metric}` does not have"));
            }
        }
    };
    for selector in &query.selectors {
        unknown(&selector.matchers, &[&selector.metric], "matches");
    }
    for grouping in &query.groupings {
        unknown(&grouping.labels, &grouping.metrics.iter().map(String::as_str).collect::<Vec<_>>(), "groups by");
    }
    let of_legend = placeholders(&query.legend);
    if let Some(labels) = &query.labels {
        for label in of_legend.iter().filter(|label| !labels.contains(label)) {
            wrong.push(format!("the legend has the label `{label}`, which the result does not have"));
        }
    } else {
        let metrics: Vec<_> = query.selectors.iter().map(|selector| selector.metric.as_str()).collect();
        unknown(&of_legend, &metrics, "the legend has");
    }
    wrong.extend(query.selectors.iter().filter_map(|selector| of_selector(selector, declared)));
    if query.selectors.is_empty() {
        wrong.push("no series is selected".to_owned());
    }
    wrong
}

/// The labels in a legend, each in double braces.
fn placeholders(legend: &str) -> Vec<String> {
    let parts = legend.split("{{").skip(1);
    parts.map(|part| part.split("}}").next().unwrap_or_default().trim().to_owned()).collect()
}

/// What is wrong with the series that a query selects, and with the function that it applies to them.
fn of_selector(selector: &Selector, declared: &Declared) -> Option<String> {
    let metric = selector.metric.as_str();
    let equals = |label: &str, value: &str| selector.equal.get(label).is_some_and(|found| found == value);
    let release_label = if metric == ALERTS { "release" } else { "app_kubernetes_io_instance" };
    if !equals("namespace", "$namespace") || !equals(release_label, "$release") {
        return Some(format!("`{metric}` of other releases is selected, too"));
    }
    if metric == ALERTS {
        let alert = |alert: &&AlertProof| {
            selector.equal.iter().all(|(label, value)| match label.as_str() {
                "alertname" => alert.name == value,
                "component" | "severity" => alert.labels.iter().any(|(name, has)| name == label && has == value),
                _ => true,
            })
        };
        let fires = equals("alertstate", "firing") && declared.alerts.iter().any(|one| alert(&one));
        return (!fires).then(|| "no alert has these labels".to_owned());
    }
    let component = selector.equal.get("app_kubernetes_io_name").map_or("", String::as_str);
    let Some(found) = declared.named(metric).find(|one| one.component == component) else {
        return Some(format!("nothing exports `{metric}` of `{component}`"));
    };
    let is_rate = selector.function == "rate" && selector.range == "$__rate_interval";
    match found.kind {
        MetricKind::Counter | MetricKind::Histogram if !is_rate => {
            Some(format!("`{metric}` only grows, and is not shown by its rate in $__rate_interval"))
        }
        MetricKind::Gauge if !selector.range.is_empty() => Some(format!("`{metric}` is a gauge, shown over a range")),
        MetricKind::Counter | MetricKind::Gauge | MetricKind::Histogram => None,
    }
}

/// The dashboards that share an identifier or a title.
fn shared(dashboards: &[Dashboard]) -> Vec<String> {
    let mut by_name: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for one in dashboards {
        by_name.entry(("uid", &one.uid)).or_default().push(&one.file);
        by_name.entry(("title", &one.title)).or_default().push(&one.file);
    }
    let shared = by_name.into_iter().filter(|(_, files)| files.len() > 1);
    shared.map(|((what, name), files)| format!("{} have the {what} `{name}`", files.join(" and "))).collect()
}

/// The services and the servers with metrics without a page, and the metrics that their component's page does not show.
fn missing(dashboards: &[Dashboard], declared: &Declared) -> Vec<String> {
    let scraped = declared.metrics.iter().map(|metric| metric.component);
    let components: BTreeSet<_> = scraped.chain(declared.services.iter().copied()).collect();
    let mut wrong = Vec::new();
    for component in &components {
        let end = format!(" / {component}");
        let Some(page) = dashboards.iter().find(|one| one.title.ends_with(&end)) else {
            wrong.push(format!("{component} has no dashboard"));
            continue;
        };
        let queries = || page.panels.iter().flat_map(|panel| &panel.queries);
        let shown: BTreeSet<_> = queries().flat_map(|query| &query.selectors).map(|one| one.metric.as_str()).collect();
        let of_component = declared.metrics.iter().filter(|metric| metric.component == *component);
        for metric in of_component {
            let is_shown = shown.iter().any(|series| declared.named(series).any(|one| one.name == metric.name));
            if !is_shown {
                wrong.push(format!("the dashboard of {component} does not show `{}`", metric.name));
            }
        }
    }
    if dashboards.len() != components.len() + 1 {
        wrong.push(format!("{} dashboards for {} components and the overview", dashboards.len(), components.len()));
    }
    wrong
}
