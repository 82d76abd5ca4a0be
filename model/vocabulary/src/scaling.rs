//! How many pods of a service run.

/// How many pods of a service run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// A number that whoever installs decides; one unless they say otherwise.
    Fixed,
    /// As many as the load asks for, once autoscaling is switched on; until then one, or what whoever installs says.
    Horizontal {
        /// The fewest pods while autoscaling is on.
        min: u16,
        /// The most pods.
        max: u16,
        /// The mean use of the requested processor time that is aimed at, in percent.
        cpu_percent: u16,
    },
}

impl Scaling {
    /// Between `min` and `max` pods, aiming at `cpu_percent` of the requested processor time.
    ///
    /// # Panics
    /// When `min` is 0, `max` is below `min` or the percentage is not 1 to 100; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn horizontal(min: u16, max: u16, cpu_percent: u16) -> Self {
        assert!(min >= 1, "an autoscaled service has at least one pod");
        assert!(min <= max, "an autoscaled service's fewest pods are not more than its most");
        assert!(cpu_percent >= 1 && cpu_percent <= 100, "the aimed use of the processor is 1 to 100 percent");
        Self::Horizontal { min, max, cpu_percent }
    }
}
