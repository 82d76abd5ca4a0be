//! The charts of operators that are part of a Go module.

use camino::Utf8PathBuf;

use crate::{ToolError, Toolbox};

/// A chart of an operator, as its project's sources have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorChart {
    /// Its folder, which is read-only.
    pub folder: Utf8PathBuf,
    /// The version of the sources, which is also the chart's version where `Chart.yaml` has `v0.0.0`.
    pub module_version: &'static str,
}

/// A chart in a Go module. Each module needs a line in `modules.sum`.
struct ChartModule {
    chart: &'static str,
    module: &'static str,
    version: &'static str,
    folder: &'static str,
}

/// All charts that a Go module contains.
const CHARTS: &[ChartModule] = &[
    ChartModule {
        chart: "cert-manager",
        module: "github.com/cert-manager/cert-manager",
        version: "v1.21.2",
        folder: "deploy/charts/cert-manager",
    },
    ChartModule {
        chart: "external-secrets",
        module: "github.com/external-secrets/external-secrets",
        version: "v1.3.2",
        folder: "deploy/charts/external-secrets",
    },
    ChartModule {
        chart: "metrics-server",
        module: "sigs.k8s.io/metrics-server",
        version: "v0.9.0",
        folder: "charts/metrics-server",
    },
];

/// The chart of this name, or none if no pinned Go module contains it.
///
/// # Errors
/// [`ToolError::Module`] if Go or the module is not available, and [`ToolError::Checksum`] if the module differs from the pinned one.
pub fn operator_chart(name: &str) -> Result<Option<OperatorChart>, ToolError> {
    let Some(found) = CHARTS.iter().find(|one| one.chart == name) else { return Ok(None) };
    let module = Toolbox::from_environment()?.module(found.module, found.version)?;
    Ok(Some(OperatorChart { folder: module.join(found.folder), module_version: found.version }))
}

#[cfg(test)]
mod tests {
    use super::CHARTS;
    use crate::pinned_schemas::pinned;

    #[test]
    fn every_module_is_pinned() {
        for one in CHARTS {
            assert!(pinned(one.module, one.version).expect("a checksum").starts_with("h1:"), "{}", one.module);
        }
    }
}
