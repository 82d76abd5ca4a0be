//! Environments: the same platform with other sizes.

use crate::{BackingName, EnvironmentName, Quantity, ServiceName, SourceLocation, Tag, VariableName};

/// An environment that the platform is installed in. It changes sizes and settings, never structure.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// What differs from the defaults.
    pub changes: &'static [Change],
    /// Where it was declared.
    pub location: SourceLocation,
}

impl Environment {
    /// An environment and what differs there.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(name: &'static str, doc: &'static str, changes: &'static [Change]) -> Self {
        Self { name: EnvironmentName::new(name), doc, changes, location: SourceLocation::here() }
    }
}

/// One difference from the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A setting of a service has another value.
    Setting {
        /// The service.
        service: ServiceName,
        /// The setting's variable.
        variable: VariableName,
        /// Its value here, as text.
        value: &'static str,
    },
    /// Another tag of a service's image.
    ImageTag {
        /// The service.
        service: ServiceName,
        /// The tag.
        tag: Tag,
    },
    /// Another number of pods, while autoscaling is off.
    Replicas {
        /// The service.
        service: ServiceName,
        /// How many.
        count: u16,
    },
    /// Autoscaling is on.
    Autoscaled {
        /// The service.
        service: ServiceName,
    },
    /// An exposed service is reached through this port of every node.
    NodePort {
        /// The service.
        service: ServiceName,
        /// The port: 30000 to 32767 unless the cluster was set up otherwise.
        port: u16,
    },
    /// Another size of a backing service's volume.
    Storage {
        /// The backing service.
        backing: BackingName,
        /// The size.
        size: Quantity,
    },
}

/// A setting has another value here.
#[must_use]
pub const fn setting(service: ServiceName, variable: VariableName, value: &'static str) -> Change {
    Change::Setting { service, variable, value }
}

/// A service's image has this tag here, unless whoever installs names another.
///
/// A tag that moves (`latest`) is for environments of trial alone: two installations of it may differ, each pod that starts may be of
/// another build, and a rollback brings none back.
///
/// # Panics
/// When the text is not a tag; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn image_tag(service: ServiceName, tag: &'static str) -> Change {
    Change::ImageTag { service, tag: Tag::new(tag) }
}

/// Another number of pods runs here, while autoscaling is off.
#[must_use]
pub const fn replicas(service: ServiceName, count: u16) -> Change {
    Change::Replicas { service, count }
}

/// Autoscaling is on here.
#[must_use]
pub const fn autoscaled(service: ServiceName) -> Change {
    Change::Autoscaled { service }
}

/// An exposed service is reached through this port of every node here.
#[must_use]
pub const fn exposed_at_node_port(service: ServiceName, port: u16) -> Change {
    Change::NodePort { service, port }
}

/// A backing service's volume has another size here.
///
/// # Panics
/// When the size is not a quantity; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn storage(backing: BackingName, size: &'static str) -> Change {
    Change::Storage { backing, size: Quantity::new(size) }
}
