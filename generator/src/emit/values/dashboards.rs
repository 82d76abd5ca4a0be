//! Values of the chart with the dashboards.

use schemars::JsonSchema;
use serde::Serialize;

use super::rules::{KEY, LABEL_OR_EMPTY};

/// All values of the chart.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DashboardsValues {
    /// Namespace of the `ConfigMap` objects, which must exist. Empty selects that of the release.
    #[schemars(regex(pattern = LABEL_OR_EMPTY))]
    namespace: String,
    label: Label,
    folder: Folder,
}

/// The label by which Grafana's sidecar finds the objects.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Label {
    /// Label key.
    #[schemars(regex(pattern = KEY))]
    key: String,
    /// Label value.
    #[schemars(regex(pattern = "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"))]
    value: String,
}

/// The folder in Grafana.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Folder {
    /// Key of the annotation in which the sidecar looks for the folder. The sidecar must be told to look there.
    #[schemars(regex(pattern = KEY))]
    annotation: String,
    /// Name of the folder. Empty leaves the choice to Grafana.
    #[schemars(regex(pattern = "^([A-Za-z0-9]([A-Za-z0-9 ._-]{0,126}[A-Za-z0-9])?)?$"))]
    name: String,
}

impl DashboardsValues {
    /// The defaults. The label is that of Grafana's Helm charts.
    pub(crate) fn of(platform: &str) -> Self {
        Self {
            namespace: String::new(),
            label: Label { key: "grafana_dashboard".to_owned(), value: "1".to_owned() },
            folder: Folder { annotation: "grafana_folder".to_owned(), name: platform.to_owned() },
        }
    }
}
