//! Services.

use crate::{
    ApiRule, Exposure, Health, Image, Metric, Port, Resources, Runtime, Scaling, ServiceName, SourceLocation, Use,
    Variable, WritablePath,
};

/// A service: a program of the platform, with what it needs. Everything else is derived.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// A description, in one line.
    pub doc: &'static str,
    /// Its image.
    pub image: Image,
    /// What runs its program.
    pub runtime: Runtime,
    /// The ports that it listens on.
    pub ports: &'static [Port],
    /// Its health probes.
    pub health: Health,
    /// The servers and services that it uses.
    pub uses: &'static [Use],
    /// The metrics on its port for metrics.
    pub metrics: &'static [Metric],
    /// The personal data in its log, as a part of a sentence, such as `names of users`; `None` if none is known.
    pub personal_log: Option<&'static str>,
    /// Further environment variables: the uses set their own.
    pub environment: &'static [Variable],
    /// CPU and memory of a pod.
    pub resources: Resources,
    /// The folders that it writes to; all others are read-only.
    pub writable: &'static [WritablePath],
    /// How the number of its pods is set.
    pub scaling: Scaling,
    /// The port that users outside the cluster reach, if there is one.
    pub exposure: Option<Exposure>,
    /// Its rights at the Kubernetes API.
    pub kubernetes: &'static [ApiRule],
    /// The UID and GID that it runs as; not 0.
    pub run_as_user: u32,
    /// Where it is declared.
    pub location: SourceLocation,
}

impl Service {
    /// A service with the fields that have no default. It has no ports, uses and writable folders; add these by struct update:
    /// `Service { ports: &[HTTP], ..Service::new(…) }`.
    #[must_use]
    #[track_caller]
    pub const fn new(name: ServiceName, doc: &'static str, image: Image, health: Health, resources: Resources) -> Self {
        Self {
            name,
            doc,
            image,
            runtime: Runtime::Other,
            ports: &[],
            health,
            uses: &[],
            metrics: &[],
            personal_log: None,
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
