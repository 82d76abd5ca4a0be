//! A service: a program of the platform.

use crate::{
    ApiRule, Exposure, Health, Image, Port, Resources, Scaling, ServiceName, SourceLocation, Use, Variable,
    WritablePath,
};

/// A program of the platform, with all that it needs. What follows from that is derived, never declared.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// Its image.
    pub image: Image,
    /// The ports that it listens on.
    pub ports: &'static [Port],
    /// How its health is seen.
    pub health: Health,
    /// What it uses.
    pub uses: &'static [Use],
    /// Variables that do not come from what it uses.
    pub environment: &'static [Variable],
    /// What one pod takes.
    pub resources: Resources,
    /// The folders that it writes to.
    pub writable: &'static [WritablePath],
    /// How many pods run.
    pub scaling: Scaling,
    /// Whether users outside the cluster reach it.
    pub exposure: Option<Exposure>,
    /// What it may do at the Kubernetes API.
    pub kubernetes: &'static [ApiRule],
    /// The user and group that it runs as; not 0.
    pub run_as_user: u32,
    /// Where it was declared.
    pub location: SourceLocation,
}

impl Service {
    /// A service that listens nowhere, uses nothing and writes nothing, with what nobody can guess: image, health and
    /// resources. The rest is added by struct update.
    #[must_use]
    #[track_caller]
    pub const fn new(name: ServiceName, doc: &'static str, image: Image, health: Health, resources: Resources) -> Self {
        Self {
            name,
            doc,
            image,
            ports: &[],
            health,
            uses: &[],
            environment: &[],
            resources,
            writable: &[],
            scaling: Scaling::Fixed,
            exposure: None,
            kubernetes: &[],
            run_as_user: 10001,
            location: SourceLocation::here(),
        }
    }
}
