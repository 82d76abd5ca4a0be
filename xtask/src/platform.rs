//! The platform whose chart is generated: the one place that names it.

use anyhow::anyhow;
use generator::Chart;

use crate::owned_tree::Wanted;

/// The chart of the platform, as it is declared.
///
/// # Errors
/// When the declaration has mistakes; the error's text is their report.
pub fn chart() -> anyhow::Result<Chart> {
    let resolved = auditflow::platform().resolve().map_err(|mistakes| anyhow!("{mistakes}"))?;
    Ok(generator::generate(&resolved))
}

/// Every file of that chart, by its path below `generated-chart/`.
///
/// # Errors
/// As [`chart`].
pub fn rendered() -> anyhow::Result<Wanted> {
    Ok(chart()?.into_files())
}
