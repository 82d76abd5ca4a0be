//! Alerts: rules for Prometheus that follow from services, servers and queues, and a page with a runbook for each.

mod cluster;
mod routing;
mod services;

use std::collections::BTreeSet;

use askama::Template;

use routing::{Routing, inhibitions};

use super::AddOn;
use crate::alert::{
    self, Alert, Each, NAMESPACE, Needs, OWN, QUEUE, QueueFacts, RELEASE, Runbook, Sample, Scene, Severity, ValueWord,
};
use crate::expr::{go_string, value};
use crate::files::Files;
use crate::graph::{Component, Graph};
use crate::text::{Row, code_cell, scalar};
use crate::{AlertProof, SceneProof, SeriesProof};

/// The add-on.
pub(super) struct Alerts;

impl AddOn for Alerts {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let groups = groups(graph);
        if groups.is_empty() {
            return;
        }
        files.umbrella("files/alerts.yaml", &Rules { groups: groups.iter().map(GroupView::of).collect() });
        files.umbrella(
            "templates/alerts/rules.yaml",
            &RulesObject { c: graph, words: words(graph, &groups), objects: cluster::objects(graph) },
        );
        let all = groups.iter().filter_map(|group| Some((group.component?, &group.alerts.rules)));
        let all = all.flat_map(|(component, alerts)| alerts.iter().map(move |alert| (component, alert)));
        files.umbrella(
            "templates/alerts/routing.yaml",
            &Routing { c: graph, inhibitions: inhibitions(&all.collect::<Vec<_>>()) },
        );
        files.umbrella(
            "ALERTS.md",
            &Page { c: graph, runbooks: runbooks(&groups), metrics: metrics(graph), cluster: cluster::METRICS },
        );
    }
}

/// The alerts of a release, with what proves each.
pub(crate) fn proofs(graph: &Graph, namespace: &str, release: &str) -> Vec<AlertProof> {
    let mut proofs = Vec::new();
    let objects = cluster::objects(graph);
    for group in groups(graph) {
        let component = group.component.map_or("", |component| component.name);
        let own = format!(
            "namespace=\"{namespace}\",app_kubernetes_io_instance=\"{release}\",app_kubernetes_io_name=\"{component}\""
        );
        for alert in &group.alerts.rules {
            let all: Vec<_> = group.alerts.queues.iter().collect();
            let queues = match alert.each {
                Each::Component => vec![""],
                Each::Queue => all.iter().map(|queue| queue.name).collect(),
                Each::ConsumedQueue => {
                    all.iter().filter(|queue| !queue.consumers.is_empty()).map(|queue| queue.name).collect()
                }
            };
            for queue in queues {
                let filled = |text: &str| {
                    let text = text.replace(OWN, &own).replace(QUEUE, queue).replace(cluster::OWN, &objects);
                    text.replace(NAMESPACE, namespace).replace(RELEASE, release)
                };
                let sample = |sample: &Sample| SeriesProof {
                    series: filled(&sample.series),
                    broken: sample.broken.clone(),
                    healthy: sample.healthy.clone(),
                };
                let scene = |scene: &Scene| SceneProof {
                    fires: scene.fires,
                    series: scene.series.iter().map(|(series, values)| (filled(series), *values)).collect(),
                };
                let labels = labels(alert, group.component);
                proofs.push(AlertProof {
                    name: alert.about.name,
                    labels: labels.into_iter().map(|(name, value)| (name, filled(&value))).collect(),
                    of_cluster: alert.needs == Needs::ClusterMetrics,
                    samples: alert.samples.iter().map(sample).collect(),
                    scenes: alert.scenes.iter().map(scene).collect(),
                });
            }
        }
    }
    proofs
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
    alerts: alert::Alerts,
}

fn groups(graph: &Graph) -> Vec<Group<'_>> {
    let of = |component: &'_ Component| {
        let mut alerts = component.server().map(|server| server.kind.alerts(graph, component)).unwrap_or_default();
        alerts.rules.splice(0..0, services::alerts(component));
        alerts
    };
    let groups = graph.components.iter().map(|component| Group { component: Some(component), alerts: of(component) });
    let groups: Vec<_> = groups.filter(|group| !group.alerts.rules.is_empty()).collect();
    if groups.is_empty() {
        return groups;
    }
    let summary = format!("The alerts of {RELEASE} in {NAMESPACE} are evaluated and delivered.");
    let mut rules = vec![Alert::new(&WATCHDOG, "0m", "vector(1)".to_owned(), summary)];
    rules.extend(cluster::alerts(graph));
    let watchdog = Group { component: None, alerts: alert::Alerts { rules, queues: Vec::new() } };
    std::iter::once(watchdog).chain(groups).collect()
}

pub(crate) const WATCHDOG: Runbook = Runbook {
    name: "Watchdog",
    severity: Severity::None,
    meaning: "Nothing is wrong: this alert always fires. If it stops, Prometheus does not evaluate the rules of this release, or Alertmanager does not deliver.",
    steps: &[
        "Send this alert to a service outside the cluster that tells you when it stops coming (a dead man's switch), and no other receiver.",
        "If it has stopped, look at the rules of Prometheus, then at the log of Alertmanager.",
    ],
    inhibits: &[],
};

/// The words in the rules that stand for values of the chart, with their expressions.
fn words(graph: &Graph, groups: &[Group]) -> Vec<(String, String)> {
    let values: BTreeSet<_> =
        groups.iter().flat_map(|group| &group.alerts.rules).flat_map(|alert| &alert.values).collect();
    let expression = |one: &ValueWord| {
        if !one.is_quantity {
            return value(&one.path);
        }
        // A limit can be missing.
        let keys: Vec<_> = one.path[1..].iter().map(|key| go_string(key)).collect();
        let found = format!("dig {} \"0\" {}", keys.join(" "), value(&one.path[..1]));
        format!("include \"{}.quantity\" (({found}) | default \"0\" | toString) | float64", graph.name)
    };
    values.into_iter().map(|one| (one.word.clone(), expression(one))).collect()
}

/// Each runbook once, with its rules.
fn runbooks(groups: &[Group]) -> Vec<(&'static Runbook, Vec<RuleLine>)> {
    let mut runbooks: Vec<(&'static Runbook, Vec<RuleLine>)> = Vec::new();
    let of_group = |group: &'_ Group| group.component.map_or("", |component| component.name);
    for (component, alert) in
        groups.iter().flat_map(|group| group.alerts.rules.iter().map(move |rule| (of_group(group), rule)))
    {
        let place = runbooks.iter().position(|(about, _)| about.name == alert.about.name).unwrap_or_else(|| {
            runbooks.push((alert.about, Vec::new()));
            runbooks.len() - 1
        });
        let line = RuleLine { component, expr: for_readers(alert), wait: alert.wait };
        if !runbooks[place].1.contains(&line) {
            runbooks[place].1.push(line);
        }
    }
    runbooks
}

/// The expression of an alert, without what selects the component's series.
fn for_readers(alert: &Alert) -> String {
    let mut expr =
        alert.expr.replace(&format!("{{{OWN},"), "{").replace(&format!("{{{OWN}}}"), "").replace(QUEUE, "<queue>");
    for value in &alert.values {
        let path = std::iter::once("<component>").chain(value.path[1..].iter().copied());
        expr = expr.replace(&value.word, &path.collect::<Vec<_>>().join("."));
    }
    expr = expr.replace(cluster::OWN, "<release>-…");
    // The expression stands in a table.
    expr.replace(NAMESPACE, "<namespace>").replace(RELEASE, "<release>").replace('|', "\\|")
}

/// A rule on the page.
#[derive(PartialEq, Eq)]
struct RuleLine {
    /// The component that the rule is about; empty if it is about the release.
    component: &'static str,
    expr: String,
    wait: &'static str,
}

/// The declared metrics, as rows of a table.
fn metrics(graph: &Graph) -> Vec<Row> {
    let rows = graph.services().flat_map(|(component, service)| {
        service.metrics.iter().map(|metric| {
            let labels: Vec<_> = metric.labels.iter().map(|label| code_cell(label.as_str())).collect();
            Row::of(&[
                code_cell(component.name),
                code_cell(metric.name.as_str()),
                metric.kind.as_str().to_owned(),
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
    /// The queues, each with its consumers as a YAML list.
    queues: Vec<(String, String)>,
    rules: Vec<RuleView>,
}

impl GroupView {
    fn of(group: &Group) -> Self {
        let queue = |queue: &QueueFacts| (go_string(queue.name), format!("[{}]", queue.consumers.join(", ")));
        Self {
            chart: group.component.map_or("\"\"", |component| component.name),
            queues: group.alerts.queues.iter().map(queue).collect(),
            rules: group.alerts.rules.iter().map(RuleView::of).collect(),
        }
    }
}

/// A rule, with its texts as YAML.
struct RuleView {
    name: &'static str,
    each: Option<&'static str>,
    /// The sections of the chart's values that must be enabled, as a YAML list.
    needs: Option<String>,
    expr: String,
    wait: &'static str,
    severity: &'static str,
    labels: Vec<(&'static str, String)>,
    summary: String,
}

impl RuleView {
    fn of(alert: &Alert) -> Self {
        Self {
            name: alert.about.name,
            each: match alert.each {
                Each::Component => None,
                Each::Queue => Some("queue"),
                Each::ConsumedQueue => Some("consumed queue"),
            },
            needs: (!alert.needs.sections().is_empty()).then(|| format!("[{}]", alert.needs.sections().join(", "))),
            expr: scalar(&alert.expr),
            wait: alert.wait,
            severity: alert.about.severity.as_str(),
            labels: alert.labels.iter().map(|(name, value)| (*name, go_string(value))).collect(),
            summary: scalar(&alert.summary),
        }
    }
}

#[derive(Template)]
#[template(path = "addons/alerts/rules.yaml")]
struct RulesObject<'a> {
    c: &'a Graph,
    words: Vec<(String, String)>,
    /// The pattern that stands for [`cluster::OWN`].
    objects: String,
}

#[derive(Template)]
#[template(path = "addons/alerts/ALERTS.md")]
struct Page<'a> {
    c: &'a Graph,
    runbooks: Vec<(&'static Runbook, Vec<RuleLine>)>,
    metrics: Vec<Row>,
    /// The metrics of the cluster's own monitoring, and what reports each.
    cluster: &'static [(&'static str, &'static str)],
}
