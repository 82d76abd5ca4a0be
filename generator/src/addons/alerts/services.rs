//! The alerts of any component with metrics, and those that follow from what a service declares about its metrics.

use vocabulary::Meaning;

use crate::alert::{Alert, Needs, Runbook, Severity, increase, series};
use crate::graph::Component;

pub(super) fn alerts(component: &Component) -> Vec<Alert> {
    let name = component.name;
    let mut alerts = Vec::new();
    if component.scraped().is_some() {
        let up = series("up", &[]);
        let summary = format!("No pod of {name} answers Prometheus.");
        // A server that is away explains other alerts, so it is reported before them.
        let wait = if component.server().is_some() { "1m" } else { "5m" };
        alerts.push(Alert::new(&NOT_SCRAPED, wait, format!("absent({up} == 1)"), summary).sample(&up, "0x60", "1x60"));
    }
    if component.exporter().is_some() {
        let up = series("up", &[]);
        let summary = format!("The exporter of {name} does not answer Prometheus.");
        let alert = Alert::new(&NOT_SCRAPED, "5m", format!("absent({up} == 1)"), summary);
        alerts.push(alert.needs(Needs::Exporter).sample(&up, "0x60", "1x60"));
    }
    for metric in component.service().map_or(&[][..], |service| service.metrics) {
        let selector = series(metric.name.as_str(), &[]);
        let increased = |window| increase(&selector, window, !metric.labels.is_empty());
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
                let expr = format!("{} > 0", increased("5m"));
                let alert = Alert::new(&FAILED_PUBLISHES, "0m", expr, summary).label("server", server);
                Some(alert.sample(&selector, "0+1x60", "0x60"))
            }
            Meaning::Findings => {
                let expr = format!("{} > {MANY_FINDINGS}", increased("10m"));
                let summary = format!("{name} has raised {{{{ $value | printf \"%.0f\" }}}} findings in 10 minutes.");
                let late = format!("_x45 {}x60", MANY_FINDINGS + 1);
                let broken = if metric.labels.is_empty() { "0+20x60".to_owned() } else { late };
                let alert = Alert::new(&MANY, "0m", expr, summary).sample(&selector, broken, "0+1x60");
                // A scrape that fails ten minutes before makes no old series a new one.
                Some(alert.stays_silent(&[(&selector, "5000x39 stale 5000x20")]))
            }
        });
    }
    alerts
}

/// Findings in 10 minutes that are more than people can look at one by one.
const MANY_FINDINGS: u32 = 100;

pub(super) const NOT_SCRAPED: Runbook = Runbook {
    name: "NotScraped",
    severity: Severity::Critical,
    meaning: "No pod of the component answers Prometheus: it is down, or Prometheus cannot reach its metrics. Meanwhile the other alerts of the component cannot fire.",
    steps: &[
        "`kubectl get pods --namespace <namespace> --selector app.kubernetes.io/instance=<release>,app.kubernetes.io/name=<component>`: if no pod is Ready, read its events and its log.",
        "If the pods are Ready, look for the component among the targets of Prometheus. If it has a target, the error beside it says why it does not answer; `global.metrics.namespace` must be the namespace of Prometheus.",
        "If it has no target, or one without the labels `namespace`, `app_kubernetes_io_instance` and `app_kubernetes_io_name`, see [Connect Prometheus](#connect-prometheus).",
    ],
    inhibits: &[],
};

pub(super) const DISCONNECTED: Runbook = Runbook {
    name: "Disconnected",
    severity: Severity::Critical,
    meaning: "The service has reported for two minutes that it has no connection to the server. Some programs notice a lost connection only when they use it.",
    steps: &[
        "If other services report the same server, or alerts of the server itself fire, fix the server first.",
        "Read the log of the service: `kubectl logs deployment/<release>-<component> --namespace <namespace>`. A refused login means that its password differs from the server's; see “Replace a credential” in README.md.",
        "If the server accepts connections and the log shows no attempt, restart the service: `kubectl rollout restart deployment/<release>-<component> --namespace <namespace>`.",
    ],
    inhibits: &[],
};

pub(super) const FAILED_PUBLISHES: Runbook = Runbook {
    name: "PublishesFail",
    severity: Severity::Warning,
    meaning: "The service could not publish messages, and has dropped them.",
    steps: &[
        "Look for alerts of the broker at the same time: it is away, full, or blocks publishers. Fix that first.",
        "Count the loss in Prometheus: the expression below, over a longer time than 5 minutes.",
    ],
    inhibits: &[],
};

const MANY: Runbook = Runbook {
    name: "ManyFindings",
    severity: Severity::Warning,
    meaning: "The platform raises unusually many findings: an attack, or a source that misbehaves.",
    steps: &[
        "Group the metric below by its labels in Prometheus, such as `sum by (<label>) (increase(<metric>[10m]))`; [Metrics](#metrics) lists the labels.",
        "Look at the findings themselves before you silence the alert.",
    ],
    inhibits: &[],
};
