//! Values of the alerts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::kubernetes;
use super::rules::{SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};

/// Alerts of the release, as rules for Prometheus. ALERTS.md describes each.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alerts {
    /// Whether to create the rules. They need `global.metrics.enabled`, and series with the labels that ALERTS.md lists.
    pub(super) enabled: bool,
    /// The kind of object: `PrometheusRule` for the Prometheus operator, or a `ConfigMap` in the release's namespace, whose key `alerts.yaml` is a file of rules.
    pub(super) format: Format,
    /// Labels of the object, by which your Prometheus selects rules.
    #[schemars(schema_with = "kubernetes::labels")]
    pub(super) labels: BTreeMap<String, String>,
    /// Address of ALERTS.md. Each alert links to its section there. Empty adds no links.
    #[schemars(regex(pattern = r"^(https?://[A-Za-z0-9._~:/?@!$&'()*+,;=%-]+)?$"))]
    runbook_base_url: String,
    cluster_metrics: ClusterMetrics,
    routing: Routing,
}

/// Further alerts, from metrics that the cluster's monitoring must report to the same Prometheus: those of kube-state-metrics, the kubelet and cert-manager.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct ClusterMetrics {
    /// Whether to create the rules.
    enabled: bool,
}

/// How Alertmanager delivers the alerts of the release.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Routing {
    /// The kind of object: `AlertmanagerConfig` for the Prometheus operator, a `ConfigMap` in the release's namespace, whose key `alertmanager.yml` is a
    /// configuration of Alertmanager, or `None`.
    format: RoutingFormat,
    /// Labels of the object, by which your Alertmanager selects configurations.
    #[schemars(schema_with = "kubernetes::labels")]
    labels: BTreeMap<String, String>,
    /// With `ConfigMap`: the folder of Alertmanager that has a folder for each Secret of the receivers, with a file for each key.
    #[schemars(regex(pattern = r"^(/[A-Za-z0-9._-]+)+$"))]
    secrets_folder: String,
    receivers: Receivers,
}

/// Where the alerts go, by severity. A severity without a receiver is not delivered.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
struct Receivers {
    /// Of the severity `critical`.
    critical: Receiver,
    /// Of the severity `warning`.
    warning: Receiver,
    /// Of the watchdog, which always fires: a service outside the cluster that tells you when it stops.
    watchdog: Receiver,
}

/// An alert is sent to every receiver whose Secret is set. The Secrets lie in the namespace of the release, or with `ConfigMap` in that of Alertmanager.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Receiver {
    slack: Slack,
    pager_duty: PagerDuty,
    email: Email,
    webhook: Webhook,
}

/// A channel of Slack.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Slack {
    /// Name of a Secret whose key `url` is the address of an incoming webhook.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
    /// The channel, such as `#alerts`. Empty selects that of the webhook.
    #[schemars(regex(pattern = r"^[#@]?[A-Za-z0-9._-]*$"))]
    channel: String,
}

/// A service of `PagerDuty`.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PagerDuty {
    /// Name of a Secret whose key `routingKey` is the integration key of the Events API v2.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
}

/// A mailbox.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Email {
    /// Name of a Secret whose key `password` is the password at the mail server.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
    /// The mailbox.
    #[schemars(regex(pattern = MAILBOX))]
    to: String,
    /// The sender.
    #[schemars(regex(pattern = MAILBOX))]
    from: String,
    /// Host and port of the mail server, such as `smtp.example.org:587`. It must offer STARTTLS.
    #[schemars(regex(pattern = r"^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?:[0-9]{1,5})?$"))]
    smarthost: String,
    /// The user at the mail server. Empty selects the sender.
    #[schemars(schema_with = "kubernetes::text")]
    username: String,
}

/// An address that takes the JSON of Alertmanager.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    /// Name of a Secret whose key `url` is the address.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
}

/// A mailbox, or nothing.
const MAILBOX: &str = r"^([A-Za-z0-9._%+-]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)?$";

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum RoutingFormat {
    None,
    #[expect(dead_code, reason = "not a default; an installer can select it")]
    AlertmanagerConfig,
    #[expect(dead_code, reason = "not a default; an installer can select it")]
    ConfigMap,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(super) enum Format {
    PrometheusRule,
    ConfigMap,
}

impl Alerts {
    /// The defaults.
    pub(super) fn off() -> Self {
        Self {
            enabled: false,
            format: Format::PrometheusRule,
            labels: BTreeMap::new(),
            runbook_base_url: String::new(),
            cluster_metrics: ClusterMetrics { enabled: false },
            routing: Routing {
                format: RoutingFormat::None,
                labels: BTreeMap::new(),
                secrets_folder: "/etc/alertmanager/secrets".to_owned(),
                receivers: Receivers::default(),
            },
        }
    }
}
