//! What every scenario on a cluster works with: programs that are run with a time limit, kubectl, Helm releases in namespaces of their own, images
//! in place of others, earlier versions of the chart, and the report.
//!
//! *Invariant:* no scenario is here, and no name of a service.

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
