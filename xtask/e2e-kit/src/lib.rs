//! Tools for scenarios on a cluster: programs with a time limit, kubectl, Helm releases in temporary namespaces, image replacements, earlier
//! versions of the chart, and the report.
//!
//! *Invariant:* this crate contains no scenario and no service name.

#![expect(
    clippy::missing_errors_doc,
    reason = "each error is the failure of a program or of the cluster, which the report of a step shows"
)]

pub mod context;
pub mod diagnose;
pub mod error;
pub mod fixture;
pub mod history;
pub mod images;
pub mod kubectl;
pub mod lane;
pub mod matrix;
pub mod namespace;
pub mod pods;
pub mod process;
pub mod random;
pub mod release;
pub mod report;
pub mod warnings;

pub use error::Error;
