//! Who reaches a service from outside the cluster.

use crate::{Port, SourceLocation};

/// The fact that a service is for users outside the cluster, and on which port. Through what (Ingress, `HTTPRoute`, a node's
/// port, a load balancer, or not at all) is decided by whoever installs.
#[derive(Clone, Copy, Debug)]
pub struct Exposure {
    /// The port that users reach; it serves HTTP.
    pub port: Port,
    /// Where it was declared.
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
