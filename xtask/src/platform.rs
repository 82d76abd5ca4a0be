//! The platform whose chart is generated: the one place that names it.

use anyhow::anyhow;
use generator::{Chart, Resolved};

use crate::owned_tree::Wanted;

/// The platform, as it is declared.
///
/// # Errors
/// When the declaration has mistakes; the error's text is their report.
pub fn resolved() -> anyhow::Result<Resolved> {
    auditflow::platform().resolve().map_err(|diagnostics| anyhow!("{diagnostics}"))
}

/// Its chart.
///
/// # Errors
/// As [`resolved`].
pub fn chart() -> anyhow::Result<Chart> {
    Ok(generator::generate(&resolved()?))
}

/// Every file of that chart, by its path below `generated-chart/`.
///
/// # Errors
/// As [`resolved`].
pub fn rendered() -> anyhow::Result<Wanted> {
    Ok(chart()?.into_files())
}
