//! Environments: the same platform with other sizes and settings.

use crate::{BackingName, EnvironmentName, Quantity, ServiceName, SourceLocation, Tag, VariableName};

/// An environment that the platform is installed in: a list of changes of sizes and settings. It cannot change the structure.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// A description, in one line.
    pub doc: &'static str,
    /// The differences from the defaults.
    pub changes: &'static [Change],
    /// Where it is declared.
    pub location: SourceLocation,
}

impl Environment {
    /// An environment, with its differences from the defaults.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(name: &'static str, doc: &'static str, changes: &'static [Change]) -> Self {
        Self { name: EnvironmentName::new(name), doc, changes, location: SourceLocation::here() }
    }
}

/// A difference from the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sets a setting of a service.
    Setting {
        /// The service.
        service: ServiceName,
        /// The setting's variable.
        variable: VariableName,
        /// The value, as text.
        value: &'static str,
    },
    /// Sets the tag of a service's image.
    ImageTag {
        /// The service.
        service: ServiceName,
        /// The tag.
        tag: Tag,
    },
    /// Sets the number of pods, while autoscaling is disabled.
    Replicas {
        /// The service.
        service: ServiceName,
        /// The number of pods.
        count: u16,
    },
    /// Enables autoscaling.
    Autoscaled {
        /// The service.
        service: ServiceName,
    },
    /// Exposes a service on a port of every node.
    NodePort {
        /// The service.
        service: ServiceName,
        /// The port, from the cluster's range of node ports: 30000 to 32767.
        port: u16,
    },
    /// Sets the size of a server's data volume.
    Storage {
        /// The server.
        backing: BackingName,
        /// The size.
        size: Quantity,
    },
}

/// Sets a setting of a service.
#[must_use]
pub const fn setting(service: ServiceName, variable: VariableName, value: &'static str) -> Change {
    Change::Setting { service, variable, value }
}

/// Sets the default tag of a service's image.
///
/// Use a moving tag (`latest`) in test environments only: two installations may run different builds, so may two pods, and a rollback does not restore the
/// previous build.
///
/// # Panics
/// When the text is not a tag; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn image_tag(service: ServiceName, tag: &'static str) -> Change {
    Change::ImageTag { service, tag: Tag::new(tag) }
}

/// Sets the number of pods, while autoscaling is disabled.
#[must_use]
pub const fn replicas(service: ServiceName, count: u16) -> Change {
    Change::Replicas { service, count }
}

/// Enables autoscaling.
#[must_use]
pub const fn autoscaled(service: ServiceName) -> Change {
    Change::Autoscaled { service }
}

/// Exposes a service on this port of every node.
#[must_use]
pub const fn exposed_at_node_port(service: ServiceName, port: u16) -> Change {
    Change::NodePort { service, port }
}

/// Sets the size of a server's data volume.
///
/// # Panics
/// When the size is not a quantity; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn storage(backing: BackingName, size: &'static str) -> Change {
    Change::Storage { backing, size: Quantity::new(size) }
}
