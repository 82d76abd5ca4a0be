//! The ways in which the committed chart is installed, and what Helm renders in each.
//!
//! *Invariant:* every proof renders the same cases ([`cases`]), so two of them never judge different charts.

pub mod cases;
mod objects;

pub use cases::{Case, RELEASE};
pub use objects::{Object, objects};

/// The namespace that `helm template` renders for.
pub const NAMESPACE: &str = "default";
