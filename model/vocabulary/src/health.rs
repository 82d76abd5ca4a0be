//! Health probes of a service.

use crate::{BackingName, HttpPath, Port, SourceLocation};

/// How the kubelet finds out whether a pod of a service is ready, and whether it must be restarted.
#[derive(Clone, Copy, Debug)]
pub enum Health {
    /// A readiness probe and a liveness probe.
    Probes {
        /// Fails while the service cannot do its work, for any reason. The pod then gets no traffic.
        readiness: Probe,
        /// Fails only when a restart helps, so never because another server or service is unavailable.
        liveness: Probe,
    },
    /// The program's connections, for a program with a client that never reconnects ([`crate::Use::never_reconnects`]). A pod is ready while all these
    /// connections are open, and is restarted when one is missing although its server accepts connections. A script that runs with the image's Python
    /// reads this from the pod's TCP table.
    Connections(Python3),
}

impl Health {
    /// The folder in which that script is mounted, read-only.
    pub const CONNECTIONS_FOLDER: &'static str = "/opt/connections";

    /// The name of the volume of that folder.
    pub const CONNECTIONS_VOLUME: &'static str = "connections";

    /// A readiness probe and a liveness probe.
    #[must_use]
    pub const fn probes(readiness: Probe, liveness: Probe) -> Self {
        Self::Probes { readiness, liveness }
    }

    /// The program's connections; see [`Health::Connections`].
    #[must_use]
    pub const fn by_connections(interpreter: Python3) -> Self {
        Self::Connections(interpreter)
    }
}

/// Declares that an image has `python3` on its path: version 3.8 or later, with the standard library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Python3;

/// A health probe.
#[derive(Clone, Copy, Debug)]
pub enum Probe {
    /// `GET` on a route; a status of 200 to 399 is a success.
    Http(HealthRoute),
    /// A TCP connection to a port; an accepted connection is a success.
    Tcp(Port),
}

impl Probe {
    /// A TCP connection to `port`.
    #[must_use]
    pub const fn tcp(port: Port) -> Self {
        Self::Tcp(port)
    }
}

/// A route on which a program reports its health.
#[derive(Clone, Copy, Debug)]
pub struct HealthRoute {
    /// The port that serves it.
    pub port: Port,
    /// Its path.
    pub path: HttpPath,
    /// The servers whose unavailability makes it fail.
    pub fails_without: &'static [BackingName],
    /// Where it is declared.
    pub location: SourceLocation,
}

impl HealthRoute {
    /// A route that depends on the program only.
    ///
    /// # Panics
    /// When the path breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(port: Port, path: &'static str) -> Self {
        Self { port, path: HttpPath::new(path), fails_without: &[], location: SourceLocation::here() }
    }

    /// Declares that the route fails while one of these servers is unavailable.
    #[must_use]
    pub const fn fails_without(self, backing: &'static [BackingName]) -> Self {
        Self { fails_without: backing, ..self }
    }

    /// A probe that requests this route.
    #[must_use]
    pub const fn probe(self) -> Probe {
        Probe::Http(self)
    }
}
