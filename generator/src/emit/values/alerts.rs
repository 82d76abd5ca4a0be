//! Values of the alerts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::kubernetes;

/// Alerts of the release, as rules for Prometheus. ALERTS.md describes each.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alerts {
    /// Whether to create the rules. They need `global.metrics.enabled`, and series with the labels that ALERTS.md lists.
    enabled: bool,
    /// The kind of object: `PrometheusRule` for the Prometheus operator, or a `ConfigMap` in the release's namespace, whose key `alerts.yaml` is a file of rules.
    format: Format,
    /// Labels of the object, by which your Prometheus selects rules.
    #[schemars(schema_with = "kubernetes::labels")]
    labels: BTreeMap<String, String>,
    /// Address of ALERTS.md. Each alert links to its section there. Empty adds no links.
    #[schemars(regex(pattern = r"^(https?://[!$-~]+)?$"))]
    runbook_base_url: String,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum Format {
    PrometheusRule,
    #[expect(dead_code, reason = "not a default; an installer can select it")]
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
        }
    }
}
