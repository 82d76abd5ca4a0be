//! How a service's health is seen from outside: readiness and liveness apart.

use crate::{BackingName, HttpPath, Port, SourceLocation};

/// How the kubelet finds out whether a service is ready and whether it lives.
#[derive(Clone, Copy, Debug)]
pub enum Health {
    /// Two probes: one decides about traffic, the other about a restart.
    Probes {
        /// Fails while the service cannot do its work, for whatever reason.
        readiness: Probe,
        /// Fails only when a restart would help; so never because something else is away.
        liveness: Probe,
    },
    /// The program's own connections tell, and nothing else does: for one that holds a client which never reconnects
    /// ([`crate::Client::never_reconnects`]). It is ready while it holds all of them, and restarted when one is missing although
    /// the other end accepts connections. Read from the pod's TCP table by the image's own Python.
    Connections(Python3),
}

impl Health {
    /// The folder in a container of a program that is judged by its connections where what judges it lies, read-only.
    pub const CONNECTIONS_FOLDER: &'static str = "/opt/connections";

    /// The name of that folder's volume.
    pub const CONNECTIONS_VOLUME: &'static str = "connections";

    /// Two probes.
    #[must_use]
    pub const fn probes(readiness: Probe, liveness: Probe) -> Self {
        Self::Probes { readiness, liveness }
    }

    /// The program's own connections; see [`Health::Connections`].
    #[must_use]
    pub const fn by_connections(interpreter: Python3) -> Self {
        Self::Connections(interpreter)
    }
}

/// The fact that an image has `python3` on its path (3.8 or later, standard library only).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Python3;

/// One way to ask.
#[derive(Clone, Copy, Debug)]
pub enum Probe {
    /// `GET` on a route: 200 to 399 is a yes.
    Http(HealthRoute),
    /// A TCP connection to a port: accepted is a yes.
    Tcp(Port),
}

impl Probe {
    /// A TCP connection to `port`.
    #[must_use]
    pub const fn tcp(port: Port) -> Self {
        Self::Tcp(port)
    }
}

/// A route that a program serves about its own health, and what makes it say no.
#[derive(Clone, Copy, Debug)]
pub struct HealthRoute {
    /// The port it is served on.
    pub port: Port,
    /// Its path.
    pub path: HttpPath,
    /// The backing services without which it answers with an error.
    pub fails_without: &'static [BackingName],
    /// Where it was declared.
    pub location: SourceLocation,
}

impl HealthRoute {
    /// A route that answers for the program alone.
    ///
    /// # Panics
    /// When the path breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(port: Port, path: &'static str) -> Self {
        Self { port, path: HttpPath::new(path), fails_without: &[], location: SourceLocation::here() }
    }

    /// The same route, which answers with an error while one of these is away.
    #[must_use]
    pub const fn fails_without(self, backing: &'static [BackingName]) -> Self {
        Self { fails_without: backing, ..self }
    }

    /// A probe that asks this route.
    #[must_use]
    pub const fn probe(self) -> Probe {
        Probe::Http(self)
    }
}
