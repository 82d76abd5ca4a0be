//! Values of the exporter of a server.

use schemars::JsonSchema;
use serde::Serialize;

use super::kubernetes::{ContainerResources, ImageValues};
use crate::kinds::Exporter;

/// The program that reports the metrics of this server. It needs `global.metrics.enabled`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ExporterValues {
    /// Whether it runs.
    pub(super) enabled: bool,
    image: ImageValues,
    resources: ContainerResources,
}

impl ExporterValues {
    pub(super) fn of(exporter: &Exporter) -> Self {
        Self {
            enabled: false,
            image: ImageValues::of(exporter.image),
            resources: ContainerResources::of(exporter.resources, std::iter::empty()),
        }
    }
}
