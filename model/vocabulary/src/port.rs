//! Ports that a service listens on.

use crate::{PortName, SourceLocation};

/// A port that a service listens on. Declared once as a constant, which is then the handle for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name, unique within its service.
    pub name: PortName,
    /// Its number, the same in the container and on the Service, so that policies mean the same on both.
    pub number: u16,
    /// What is spoken on it.
    pub protocol: Protocol,
    /// Where it was declared.
    pub location: SourceLocation,
}

/// What is spoken on a port, and so who has a reason to connect to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP: other services and, when exposed, users.
    Http,
    /// Prometheus' text format over HTTP at `/metrics`: the monitoring alone.
    Metrics,
    /// Anything else over TCP: other services.
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

    /// A port that serves metrics and nothing else.
    ///
    /// # Panics
    /// As [`Port::http`].
    #[must_use]
    #[track_caller]
    pub const fn metrics(name: &'static str, number: u16) -> Self {
        Self::new(name, number, Protocol::Metrics)
    }

    /// A port that speaks another protocol over TCP.
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
        assert!(number > 0, "a port's number is 1 to 65535");
        Self { name: PortName::new(name), number, protocol, location: SourceLocation::here() }
    }
}
