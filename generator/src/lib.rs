//! A resolved platform in, its whole Helm chart out.
//!
//! ```text
//! Resolved ─▶ access graph ─▶ values ─▶ views ─▶ askama templates ─▶ Chart (path → text)
//! ```
//!
//! **Invariant.** Pure: no disk, no clock, no environment, no randomness. The same [`Resolved`] gives the same bytes.
//! **Invariant.** Nothing here knows AuditFlow: what is particular to a platform comes from its declaration alone.

mod access;
mod backing;
mod chart;
mod pods;
mod text;
mod values;
pub mod yaml;

pub use chart::{Chart, ChartPaths};
pub use vocabulary::Resolved;

/// Renders the whole chart: every file that the generator owns, below the folder that holds the chart.
#[must_use]
pub fn generate(platform: &Resolved) -> Chart {
    chart::render(platform)
}
