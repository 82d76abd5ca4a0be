//! How Alertmanager delivers the alerts, and which it leaves out beside others.

use askama::Template;

use super::services::{DISCONNECTED, FAILED_PUBLISHES, NOT_SCRAPED};
use crate::alert::{Alert, Runbook, SERVER_DOWN};
use crate::graph::{Component, Graph};

/// The template of the objects.
#[derive(Template)]
#[template(path = "addons/alerts/routing.yaml")]
pub(super) struct Routing<'a> {
    pub(super) c: &'a Graph,
    pub(super) inhibitions: Vec<Inhibition>,
}

/// Alerts that are not delivered while another one fires in the same release.
pub(super) struct Inhibition {
    /// The labels of the alert that fires.
    source: Vec<Matcher>,
    /// Those of the alerts that are not delivered.
    target: Vec<Matcher>,
    /// The labels that both have in common, as a YAML list.
    equal: &'static str,
}

/// A label and its value.
type Matcher = (&'static str, String);

/// What follows from a server that is away, and from the worse one of two alerts of a queue.
pub(super) fn inhibitions(alerts: &[(&Component, &Alert)]) -> Vec<Inhibition> {
    let follows = |consequence: &Runbook, server: &str| {
        let is_one = |alert: &Alert| {
            alert.about.name == consequence.name
                && alert.labels.iter().any(|label| *label == ("server", server.to_owned()))
        };
        alerts.iter().any(|(_, alert)| is_one(alert))
    };
    let mut found: Vec<Inhibition> = Vec::new();
    for (component, alert) in alerts {
        let name = alert.about.name;
        // An exporter that is not scraped says nothing about its server.
        let is_away = name == SERVER_DOWN.name || name == NOT_SCRAPED.name && component.scraped().is_some();
        for consequence in [&DISCONNECTED, &FAILED_PUBLISHES] {
            if is_away && follows(consequence, component.name) {
                found.push(Inhibition {
                    source: vec![is("alertname", name), is("component", component.name)],
                    target: vec![is("alertname", consequence.name), is("server", component.name)],
                    equal: "[namespace, release]",
                });
            }
        }
        for milder in alert.about.inhibits {
            found.push(Inhibition {
                source: vec![is("alertname", name), is("component", component.name)],
                target: vec![is("alertname", milder), is("component", component.name)],
                equal: "[namespace, release, queue]",
            });
        }
    }
    found
}

fn is(label: &'static str, value: &str) -> Matcher {
    (label, value.to_owned())
}
