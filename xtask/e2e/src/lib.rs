//! The proof on a real cluster: scenarios that install the chart, use it, break what it runs on, and look at what becomes of it.
//!
//! They take Helm, kubectl and the cluster of the current kube context, and nothing else: which images run is the chart's own business, or a
//! file's that says which images take their place.
//!
//! ```text
//! cli ─▶ scenarios ─▶ lanes of steps ─▶ releases in namespaces (e2e-kit) ─▶ helm, kubectl
//! ```
//!
//! *Invariant:* expectations come from the declaration ([`generator::Resolved`]), never from what the chart renders.

mod credentials;
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
