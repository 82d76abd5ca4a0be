//! The alerts of any component with metrics, and those that follow from what a service declares about its metrics.

use vocabulary::Meaning;

use crate::alert::{Alert, Runbook, Severity, series};
use crate::graph::Component;

pub(super) fn alerts(component: &Component) -> Vec<Alert> {
    let name = component.name;
    let mut alerts = Vec::new();
    if component.scraped().is_some() {
        // absent() has no labels but those of its selector, so each component has a rule of its own.
        let up = series("up", name, &[]);
        let summary = format!("No pod of {name} answers Prometheus.");
        alerts.push(Alert::new(&NOT_SCRAPED, "5m", format!("absent({up} == 1)"), summary).sample(&up, "0x60", "1x60"));
    }
    for metric in component.service().map_or(&[][..], |service| service.metrics) {
        let selector = series(metric.name.as_str(), name, &[]);
        alerts.extend(match metric.meaning {
            Meaning::Shown => None,
            Meaning::Connection(server) => {
                let server = server.as_str();
                let summary = format!("{name} is not connected to {server}.");
                let expr = format!("{selector} == 0");
                let alert = Alert::new(&DISCONNECTED, "2m", expr, summary).label("server", server);
                Some(alert.sample(&selector, "0x60", "1x60"))
            }
            Meaning::FailedPublishes(server) => {
                let server = server.as_str();
                let summary = format!("{name} has lost messages that it could not publish at {server}.");
                let expr = format!("increase({selector}[5m]) > 0");
                let alert = Alert::new(&FAILED_PUBLISHES, "0m", expr, summary).label("server", server);
                Some(alert.sample(&selector, "0+1x60", "0x60"))
            }
            Meaning::Findings => {
                let expr = format!("sum(increase({selector}[10m])) > {MANY_FINDINGS}");
                let summary = format!("{name} has raised {{{{ $value }}}} findings in 10 minutes.");
                Some(Alert::new(&MANY, "0m", expr, summary).sample(&selector, "0+20x60", "0+1x60"))
            }
        });
    }
    alerts
}

/// Findings in 10 minutes that are more than people can look at one by one.
const MANY_FINDINGS: u32 = 100;

const NOT_SCRAPED: Runbook = Runbook {
    name: "NotScraped",
    severity: Severity::Critical,
    meaning: "Prometheus reaches no pod of the component. It is down, or the way to its metrics is closed; then its other alerts are blind.",
    steps: &[
        "`kubectl get pods --namespace <namespace> --selector app.kubernetes.io/instance=<release>,app.kubernetes.io/name=<component>`: if no pod is Ready, read its events and log.",
        "If the pods are Ready, compare `global.metrics.namespace` with the namespace of Prometheus, and look at the target's error in Prometheus.",
    ],
};

const DISCONNECTED: Runbook = Runbook {
    name: "Disconnected",
    severity: Severity::Critical,
    meaning: "The program has had no connection to the server for two minutes. It does its work again when the connection is back.",
    steps: &[
        "If the server's own alerts fire too, mend the server first.",
        "Read the log of the service: a refused login means a password that differs from the server's, see “Replace a credential” in README.md.",
        "If the server accepts connections and the log shows no attempt, restart the service: `kubectl rollout restart deployment/<release>-<component>`.",
    ],
};

const FAILED_PUBLISHES: Runbook = Runbook {
    name: "PublishesFail",
    severity: Severity::Warning,
    meaning: "Messages could not be published, and are lost.",
    steps: &[
        "Look for alerts of the broker at the same time: it is away, full, or blocks publishers.",
        "Count the loss: `increase(<metric>[1h])` in Prometheus.",
    ],
};

const MANY: Runbook = Runbook {
    name: "ManyFindings",
    severity: Severity::Warning,
    meaning: "The platform raises unusually many findings: an attack, or a source that misbehaves.",
    steps: &[
        "Group the metric by its labels in Prometheus, for example `sum by (alert_type) (increase(<metric>[10m]))`.",
        "Look at the findings themselves before you silence the alert.",
    ],
};
