//! Access from outside the cluster.

use crate::{Port, SourceLocation};

/// Declares that users outside the cluster reach a service, and on which port. The installer decides how: through an Ingress, an `HTTPRoute`, a node port, a
/// load balancer, or not at all.
#[derive(Clone, Copy, Debug)]
pub struct Exposure {
    /// The port that users reach; it serves HTTP.
    pub port: Port,
    /// Where it is declared.
    pub location: SourceLocation,
}

impl Exposure {
    /// Exposes an HTTP port.
    #[must_use]
    #[track_caller]
    pub const fn http(port: Port) -> Self {
        Self { port, location: SourceLocation::here() }
    }
}
