//! The cases in which the committed chart is rendered, and the objects of the rendered manifests.
//!
//! *Invariant:* all checks render the same cases ([`cases`]), so no two checks judge different charts.

pub mod cases;
mod objects;
mod parallel;
mod stored;

pub use cases::Case;
pub use objects::{Object, objects};
pub use parallel::in_parallel;
pub use stored::{SECRET_LIMIT, StoredRelease};

/// The namespace of the rendered manifests: the default of `helm template`.
pub const NAMESPACE: &str = "default";
