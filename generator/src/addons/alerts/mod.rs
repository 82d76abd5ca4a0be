//! Alerts: rules for Prometheus that follow from services, servers and queues, and a page with a runbook for each.

mod services;

use std::collections::BTreeSet;

use askama::Template;

use super::AddOn;
use crate::alert::{Alert, NAMESPACE, RELEASE, Runbook, Severity};
use crate::expr::go_string;
use crate::files::Files;
use crate::graph::{Component, Graph};
use crate::text::scalar;
use crate::{AlertProof, SeriesProof};

/// The add-on.
pub(super) struct Alerts;

impl AddOn for Alerts {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let groups = groups(graph);
        if groups.is_empty() {
            return;
        }
        let mut seen = BTreeSet::new();
        let all = std::iter::once(&WATCHDOG)
            .chain(groups.iter().flat_map(|group| group.alerts.iter().map(|alert| alert.about)));
        let runbooks: Vec<_> = all.filter(|runbook| seen.insert(runbook.name)).collect();
        let rules = groups.iter().map(|group| GroupView {
            chart: group.component.map_or("\"\"", |component| component.name),
            rules: group.alerts.iter().map(|alert| RuleView::of(alert, group.component)).collect(),
        });
        files.umbrella("files/alerts.yaml", &Rules { groups: rules.collect() });
        let words = Words { namespace: NAMESPACE, release: RELEASE };
        files.umbrella("templates/alerts/rules.yaml", &RulesObject { c: graph, words });
        files.umbrella("ALERTS.md", &Page { c: graph, runbooks });
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
                broken: sample.broken,
                healthy: sample.healthy,
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
    let own = [("severity", alert.about.severity.as_str().to_owned()), ("namespace", NAMESPACE.to_owned())];
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
    let watchdog =
        Alert::new(&WATCHDOG, "0m", "vector(1)".to_owned(), format!("Alerts of {RELEASE} in {NAMESPACE} arrive."));
    std::iter::once(Group { component: None, alerts: vec![watchdog] }).chain(groups).collect()
}

const WATCHDOG: Runbook = Runbook {
    name: "Watchdog",
    severity: Severity::None,
    meaning: "Nothing is wrong: this alert always fires. If it stops, Prometheus does not evaluate the rules of this release, or Alertmanager does not deliver.",
    steps: &[
        "Let a service outside the cluster (a dead man's switch) tell you when it stops.",
        "If it has stopped, look at the rules and the targets in Prometheus, then at Alertmanager.",
    ],
};

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

/// A rule, with its texts as YAML.
struct RuleView {
    name: &'static str,
    expr: String,
    wait: &'static str,
    labels: Vec<(&'static str, String)>,
    summary: String,
    runbook: String,
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
        }
    }
}

/// What the template replaces in the rules.
struct Words {
    namespace: &'static str,
    release: &'static str,
}

#[derive(Template)]
#[template(path = "addons/alerts/rules.yaml")]
struct RulesObject<'a> {
    c: &'a Graph,
    words: Words,
}

#[derive(Template)]
#[template(path = "addons/alerts/ALERTS.md")]
struct Page<'a> {
    c: &'a Graph,
    runbooks: Vec<&'static Runbook>,
}
