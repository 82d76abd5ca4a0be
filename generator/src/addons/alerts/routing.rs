//! How Alertmanager delivers the alerts, and which it leaves out beside others.

use askama::Template;

use super::services::NOT_SCRAPED;
use crate::alert::Alert;
use crate::graph::{Component, Graph};

/// The template of the objects.
#[derive(Template)]
#[template(path = "addons/alerts/routing.yaml")]
pub(super) struct Routing<'a> {
    pub(super) c: &'a Graph,
    pub(super) inhibitions: Vec<Inhibition>,
}

/// Alerts that are not delivered while another one fires.
pub(super) struct Inhibition {
    /// The matchers of the alert that fires: label, operator, value.
    source: Vec<Matcher>,
    /// Those of the alerts that are left out.
    target: Vec<Matcher>,
    /// The labels that both have in common, as a YAML list.
    equal: &'static str,
}

type Matcher = (&'static str, &'static str, String);

/// What follows from a server that is away, and from the worse one of two alerts of a queue.
pub(super) fn inhibitions<'a>(alerts: impl Iterator<Item = (&'a Component, &'a Alert)>) -> Vec<Inhibition> {
    let mut found = Vec::new();
    for (component, alert) in alerts {
        if alert.about.name == NOT_SCRAPED.name && component.server().is_some() {
            found.push(Inhibition {
                source: vec![is("alertname", alert.about.name), is("component", component.name)],
                target: vec![is("server", component.name)],
                equal: "[namespace, release]",
            });
        }
        for milder in alert.about.includes {
            let rule = Inhibition {
                source: vec![is("alertname", alert.about.name)],
                target: vec![is("alertname", milder)],
                equal: "[namespace, release, component, queue]",
            };
            if !found.iter().any(|other: &Inhibition| other.source == rule.source && other.target == rule.target) {
                found.push(rule);
            }
        }
    }
    found
}

fn is(label: &'static str, value: &str) -> Matcher {
    (label, "=", value.to_owned())
}
