//! What chart repositories show about AuditFlow's charts, and the changelog.

use vocabulary::{Icon, Licence, Maintainer, NotedChange, Publication, ReleaseNotes};

pub(crate) const PUBLICATION: Publication = Publication {
    sources: &["https://github.com/jojees/project-genesis"],
    maintainers: &[Maintainer::new("jojees").url("https://github.com/jojees")],
    keywords: &["audit", "alerts", "events", "security", "siem", "rabbitmq", "postgresql", "valkey"],
    licence: Some(Licence::new("Apache-2.0", include_str!("../../../LICENSE"))),
    icon: Some(Icon::Svg(include_str!("icon.svg"))),
    files: Some("https://github.com/jojees/project-genesis/blob/v{version}/generated-chart"),
    changelog: CHANGELOG,
    ..Publication::new()
};

const CHANGELOG: &[ReleaseNotes] = &[ReleaseNotes::unreleased(
    "0.2.0",
    &[
        NotedChange::added(
            "Each service has a login of its own at each server, with the rights that it needs. A revision rotates a password without downtime.",
        ),
        NotedChange::added("Passwords from the values, from External Secrets, or from Secrets of your own."),
        NotedChange::added("`helm test` tries every declared connection, and that all others are blocked."),
        NotedChange::added(
            "Scheduled backups of PostgreSQL, a backup before each upgrade, and a daily verification by restoring.",
        ),
        NotedChange::added("Metrics, exporters, alerts with runbooks, and routes for Alertmanager."),
        NotedChange::added(
            "Access from outside by Ingress, HTTPRoute, NodePort or LoadBalancer, with TLS, and with a login by OAuth2 Proxy.",
        ),
        NotedChange::added("Traces by OpenTelemetry, with or without its operator."),
        NotedChange::added("Dashboards for Grafana.").of_chart("dashboards"),
        NotedChange::added("The log agent, for Loki, VictoriaLogs, Elasticsearch and Splunk.").of_chart("logs"),
        NotedChange::added("The gateway that samples traces, and Jaeger.").of_chart("traces"),
        NotedChange::changed(
            "Values have other keys. The chart refuses each former key with its successor; UPGRADING.md describes the way from 0.1.0.",
        ),
        NotedChange::security("No default passwords: the chart refuses weak and published ones."),
        NotedChange::security("NetworkPolicies allow the declared connections only."),
        NotedChange::security(
            "Pods run as non-root UIDs with read-only file systems, under Pod Security `restricted`.",
        ),
    ],
)];
