//! End-to-end scenarios: they install the chart on a real cluster, use it, inject faults, and check the result.
//!
//! A run needs Helm, kubectl and the cluster of the current kube context. It installs the chart's own images, or the replacements of an
//! image map (`--images`).
//!
//! ```text
//! cli ─▶ scenarios ─▶ lanes of steps ─▶ releases in namespaces (e2e-kit) ─▶ helm, kubectl
//! ```
//!
//! *Invariant:* expectations come from the declaration ([`generator::Resolved`]), never from what the chart renders.

mod credentials;
mod documents;
mod flow;
mod load;
mod passes;
mod plan;
mod roles;
mod run;
mod scenarios;

pub use e2e_kit::context::Settings;
pub use e2e_kit::fixture::Fixture;
pub use passes::{Passes, State};
pub use plan::{Plan, report_stale};
pub use run::run;
pub use scenarios::{ALL, Scenario, applicable};
