//! The environments, each with its differences from the defaults. The delivery pipeline sets the image tags; without it, `dev` runs the latest build.

use vocabulary::{
    Certificate, ClusterService, EdgeController, Environment, LogStore, Monitoring, ObjectName, SecretSource,
    autoscaled, backed_up, behind, exposed_at_host, exposed_at_node_port, external_secrets, image_tag, logged,
    monitored, setting,
};

use crate::{
    audit_event_generator, audit_log_analysis, event_audit_dashboard, hosts, notification_service, postgresql,
};

/// The ingress class of k3s' Traefik.
const INGRESS_CLASS: &str = "traefik";

/// The Secret with the certificate of the dashboard's host, in the namespace of the release.
const CERTIFICATE: Certificate = Certificate::secret("event-audit-dashboard-tls");

/// The stores with the passwords. Each environment has its own: the key of the passwords contains the name of the release, which can be the same in
/// both environments.
const STAGING_SECRETS: SecretSource = SecretSource::ClusterStore(ObjectName::new("auditflow-stg"));
const PRODUCTION_SECRETS: SecretSource = SecretSource::ClusterStore(ObjectName::new("auditflow-main"));

/// The Prometheus that the values in `prerequisites` install.
const MONITORING: Monitoring = Monitoring::kube_prometheus_stack("kube-prometheus-stack");

/// The store of the cluster for logs.
const LOGS: LogStore = LogStore::Loki(ClusterService::new("loki", "logs"));

pub(crate) const ALL: &[Environment] = &[
    Environment::new(
        "dev",
        "Development: changes are tried here first.",
        &[
            image_tag(audit_event_generator::NAME, "latest"),
            setting(audit_log_analysis::NAME, audit_log_analysis::ENVIRONMENT, "dev"),
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "dev"),
            setting(notification_service::NAME, notification_service::LOG_LEVEL, "DEBUG"),
            exposed_at_node_port(event_audit_dashboard::NAME, 30090),
        ],
    ),
    Environment::new(
        "test",
        "For the tests of a whole release.",
        &[
            setting(audit_log_analysis::NAME, audit_log_analysis::ENVIRONMENT, "test"),
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "test"),
            exposed_at_node_port(event_audit_dashboard::NAME, 30081),
        ],
    ),
    Environment::new(
        "stg",
        "Staging: a release is rehearsed here.",
        &[
            setting(audit_log_analysis::NAME, audit_log_analysis::ENVIRONMENT, "stg"),
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "stg"),
            external_secrets(STAGING_SECRETS),
            behind(EdgeController::Traefik),
            exposed_at_host(event_audit_dashboard::NAME, hosts::STAGING, INGRESS_CLASS, CERTIFICATE),
            autoscaled(audit_log_analysis::NAME),
            autoscaled(event_audit_dashboard::NAME),
            autoscaled(notification_service::NAME),
            backed_up(postgresql::POSTGRESQL.name),
            monitored(MONITORING),
            logged(LOGS),
        ],
    ),
    Environment::new(
        "main",
        "Production.",
        &[
            setting(audit_log_analysis::NAME, audit_log_analysis::ENVIRONMENT, "main"),
            setting(notification_service::NAME, notification_service::ENVIRONMENT, "main"),
            external_secrets(PRODUCTION_SECRETS),
            behind(EdgeController::Traefik),
            exposed_at_host(event_audit_dashboard::NAME, hosts::PRODUCTION, INGRESS_CLASS, CERTIFICATE),
            autoscaled(audit_log_analysis::NAME),
            autoscaled(event_audit_dashboard::NAME),
            autoscaled(notification_service::NAME),
            backed_up(postgresql::POSTGRESQL.name),
            monitored(MONITORING),
            logged(LOGS),
        ],
    ),
];
