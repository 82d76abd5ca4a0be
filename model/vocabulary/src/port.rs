//! Ports of a service.

use crate::{PortName, SourceLocation};

/// A port that a service listens on. Declare it once, as a constant, which is the handle for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name, unique within its service.
    pub name: PortName,
    /// Its number, which is the same in the container and on the Service.
    pub number: u16,
    /// Its protocol, which decides who may connect.
    pub protocol: Protocol,
    /// Where it is declared.
    pub location: SourceLocation,
}

/// The protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP, for other services and, when the port is exposed, for users.
    Http,
    /// Metrics in the Prometheus text format over HTTP at `/metrics`, for monitoring only.
    Metrics,
    /// Another protocol over TCP, for other services.
    Tcp,
}

impl Port {
    /// A port that serves HTTP.
    ///
    /// # Panics
    /// When the name breaks its rule or the number is 0; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn http(name: &'static str, number: u16) -> Self {
        Self::new(name, number, Protocol::Http)
    }

    /// A port that serves only metrics.
    ///
    /// # Panics
    /// As [`Port::http`].
    #[must_use]
    #[track_caller]
    pub const fn metrics(name: &'static str, number: u16) -> Self {
        Self::new(name, number, Protocol::Metrics)
    }

    /// A port with another protocol over TCP.
    ///
    /// # Panics
    /// As [`Port::http`].
    #[must_use]
    #[track_caller]
    pub const fn tcp(name: &'static str, number: u16) -> Self {
        Self::new(name, number, Protocol::Tcp)
    }

    #[track_caller]
    const fn new(name: &'static str, number: u16, protocol: Protocol) -> Self {
        assert!(number > 0, "the number of a port is 1 to 65535");
        Self { name: PortName::new(name), number, protocol, location: SourceLocation::here() }
    }
}
