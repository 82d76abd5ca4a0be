//! Alerts: rules for Prometheus that follow from services, servers and queues, and a page with a runbook for each.

mod routing;
mod services;

use std::collections::BTreeSet;

use askama::Template;

use vocabulary::MetricKind;

use routing::{Routing, inhibitions};

use super::AddOn;
use crate::alert::{Alert, NAMESPACE, RELEASE, Runbook, Severity, own_labels};
use crate::expr::{go_string, value};
use crate::files::Files;
use crate::graph::{Component, Graph};
use crate::text::{Row, code_cell, scalar};
use crate::{AlertProof, SeriesProof};

/// The add-on.
pub(super) struct Alerts;

impl AddOn for Alerts {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let groups = groups(graph);
        if groups.is_empty() {
            return;
        }
        files.umbrella("files/alerts.yaml", &Rules { groups: groups.iter().map(GroupView::of).collect() });
        files.umbrella("templates/alerts/rules.yaml", &RulesObject { c: graph, words: words(&groups) });
        let all = groups.iter().filter_map(|group| Some((group.component?, &group.alerts)));
        let all = all.flat_map(|(component, alerts)| alerts.iter().map(move |alert| (component, alert)));
        files.umbrella("templates/alerts/routing.yaml", &Routing { c: graph, inhibitions: inhibitions(all) });
        files.umbrella("ALERTS.md", &Page { c: graph, runbooks: runbooks(&groups), metrics: metrics(graph) });
    }
}

/// The alerts of a release, with what proves each.
pub(crate) fn proofs(graph: &Graph, namespace: &str, release: &str) -> Vec<AlertProof> {
    let filled = |text: &str| text.replace(NAMESPACE, namespace).replace(RELEASE, release);
    let proof = |alert: &Alert, component| AlertProof {
        name: alert.about.name,
        labels: labels(alert, component).into_iter().map(|(name, value)| (name, filled(&value))).collect(),
        samples: alert
            .samples
            .iter()
            .map(|sample| SeriesProof {
                series: filled(&sample.series),
                broken: sample.broken.clone(),
                healthy: sample.healthy.clone(),
            })
            .collect(),
    };
    let groups = groups(graph);
    let all = groups.iter().flat_map(|group| group.alerts.iter().map(|alert| (alert, group.component)));
    all.map(|(alert, component)| proof(alert, component)).collect()
}

/// The labels of an alert.
fn labels(alert: &Alert, component: Option<&Component>) -> Vec<(&'static str, String)> {
    let component = component.map(|component| ("component", component.name.to_owned()));
    let own = [
        ("severity", alert.about.severity.as_str().to_owned()),
        ("namespace", NAMESPACE.to_owned()),
        ("release", RELEASE.to_owned()),
    ];
    own.into_iter().chain(component).chain(alert.labels.iter().cloned()).collect()
}

/// The rules of a component, or of the whole platform.
struct Group<'a> {
    component: Option<&'a Component>,
    alerts: Vec<Alert>,
}

fn groups(graph: &Graph) -> Vec<Group<'_>> {
    let of = |component| {
        let mut alerts = services::alerts(component);
        if let Some(server) = component.server() {
            alerts.extend(server.kind.alerts(graph, component));
        }
        Group { component: Some(component), alerts }
    };
    let groups: Vec<_> = graph.components.iter().map(of).filter(|group| !group.alerts.is_empty()).collect();
    if groups.is_empty() {
        return groups;
    }
    let watchdog = Alert::new(
        &WATCHDOG,
        "0m",
        "vector(1)".to_owned(),
        format!("The alerts of {RELEASE} in {NAMESPACE} are evaluated and delivered."),
    );
    std::iter::once(Group { component: None, alerts: vec![watchdog] }).chain(groups).collect()
}

const WATCHDOG: Runbook = Runbook {
    name: "Watchdog",
    severity: Severity::None,
    meaning: "Nothing is wrong: this alert always fires. If it stops, Prometheus does not evaluate the rules of this release, or Alertmanager does not deliver.",
    steps: &[
        "Send this alert to a service outside the cluster that tells you when it stops coming (a dead man's switch), and no other receiver.",
        "If it has stopped, look at the rules of Prometheus, then at the log of Alertmanager.",
    ],
    includes: &[],
};

/// What the template replaces in the rules, with the expressions of what comes in its place.
fn words(groups: &[Group]) -> Vec<(String, String)> {
    let of_release = [(NAMESPACE, ".Release.Namespace"), (RELEASE, ".Release.Name")];
    let values: BTreeSet<_> = groups.iter().flat_map(|group| &group.alerts).flat_map(|alert| &alert.values).collect();
    // Helm reads a whole number as a floating-point number.
    let of_values =
        values.into_iter().map(|one| (one.word.clone(), format!("({} | int64 | toString)", value(&one.path))));
    of_release.map(|(word, what)| (word.to_owned(), what.to_owned())).into_iter().chain(of_values).collect()
}

/// Each runbook once, with its rules.
fn runbooks(groups: &[Group]) -> Vec<(&'static Runbook, Vec<RuleLine>)> {
    let mut runbooks: Vec<(&'static Runbook, Vec<RuleLine>)> = Vec::new();
    for (group, alert) in groups.iter().flat_map(|group| group.alerts.iter().map(move |alert| (group, alert))) {
        let place = runbooks.iter().position(|(about, _)| about.name == alert.about.name).unwrap_or_else(|| {
            runbooks.push((alert.about, Vec::new()));
            runbooks.len() - 1
        });
        let line = RuleLine { expr: for_readers(alert, group.component), wait: alert.wait };
        if !runbooks[place].1.contains(&line) {
            runbooks[place].1.push(line);
        }
    }
    runbooks
}

/// The expression of an alert, without what selects the component's series, and with the names of its labels in place of their values.
fn for_readers(alert: &Alert, component: Option<&Component>) -> String {
    let mut expr = alert.expr.clone();
    if let Some(component) = component {
        let own = own_labels(component.name);
        expr = expr.replace(&format!("{{{own},"), "{").replace(&format!("{{{own}}}"), "");
    }
    for value in &alert.values {
        let path = std::iter::once("<component>").chain(value.path[1..].iter().copied());
        expr = expr.replace(&value.word, &path.collect::<Vec<_>>().join("."));
    }
    let labels = alert.labels.iter();
    labels.fold(expr, |expr, (name, value)| expr.replace(&format!("\"{value}\""), &format!("\"<{name}>\"")))
}

/// A rule on the page.
#[derive(PartialEq, Eq)]
struct RuleLine {
    expr: String,
    wait: &'static str,
}

/// The declared metrics, as rows of a table.
fn metrics(graph: &Graph) -> Vec<Row> {
    let rows = graph.services().flat_map(|(component, service)| {
        service.metrics.iter().map(|metric| {
            let labels: Vec<_> = metric.labels.iter().map(|label| code_cell(label.as_str())).collect();
            let kind = match metric.kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
            };
            Row::of(&[
                code_cell(component.name),
                code_cell(metric.name.as_str()),
                kind.to_owned(),
                labels.join(", "),
                metric.help.to_owned(),
            ])
        })
    });
    rows.collect()
}

#[derive(Template)]
#[template(path = "addons/alerts/alerts.yaml", escape = "none")]
struct Rules {
    groups: Vec<GroupView>,
}

struct GroupView {
    /// The name of the component's chart, or an empty YAML text.
    chart: &'static str,
    rules: Vec<RuleView>,
}

impl GroupView {
    fn of(group: &Group) -> Self {
        Self {
            chart: group.component.map_or("\"\"", |component| component.name),
            rules: group.alerts.iter().map(|alert| RuleView::of(alert, group.component)).collect(),
        }
    }
}

/// A rule, with its texts as YAML.
struct RuleView {
    name: &'static str,
    expr: String,
    wait: &'static str,
    labels: Vec<(&'static str, String)>,
    summary: String,
    runbook: String,
    /// Services of which one must run.
    services: String,
}

impl RuleView {
    fn of(alert: &Alert, component: Option<&Component>) -> Self {
        Self {
            name: alert.about.name,
            expr: scalar(&alert.expr),
            wait: alert.wait,
            // Quoted, because a namespace can be a number.
            labels: labels(alert, component).into_iter().map(|(name, value)| (name, go_string(&value))).collect(),
            summary: scalar(&alert.summary),
            runbook: go_string(&format!("#{}", alert.about.name.to_lowercase())),
            services: alert.services.join(", "),
        }
    }
}

#[derive(Template)]
#[template(path = "addons/alerts/rules.yaml")]
struct RulesObject<'a> {
    c: &'a Graph,
    words: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "addons/alerts/ALERTS.md")]
struct Page<'a> {
    c: &'a Graph,
    runbooks: Vec<(&'static Runbook, Vec<RuleLine>)>,
    metrics: Vec<Row>,
}
