//! The ways in which the committed chart is installed, and what Helm renders in each.
//!
//! *Invariant:* every proof renders the same cases ([`cases`]), so two of them never judge different charts.

pub mod cases;
mod objects;
mod stored;

pub use cases::{Case, RELEASE};
pub use objects::{Object, objects};
pub use stored::{SECRET_LIMIT, StoredRelease};

/// The namespace that `helm template` renders for.
pub const NAMESPACE: &str = "default";
