//! The number of pods of a service.

/// How the number of a service's pods is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// The installer sets a number; the default is 1.
    Fixed,
    /// The installer may enable autoscaling, which adapts the number to the load. Until then it is [`Scaling::Fixed`].
    Horizontal {
        /// The minimum number of pods while autoscaling is enabled.
        min: u16,
        /// The maximum number of pods.
        max: u16,
        /// The average CPU utilization to aim at, in percent of the requested CPU.
        cpu_percent: u16,
    },
}

impl Scaling {
    /// Between `min` and `max` pods, at `cpu_percent` percent of the requested CPU.
    ///
    /// # Panics
    /// When `min` is 0, `max` is below `min`, or the percentage is not 1 to 100; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn horizontal(min: u16, max: u16, cpu_percent: u16) -> Self {
        assert!(min >= 1, "an autoscaled service has at least one pod");
        assert!(min <= max, "the minimum number of pods is not above the maximum");
        assert!(cpu_percent >= 1 && cpu_percent <= 100, "the CPU utilization to aim at is 1 to 100 percent");
        Self::Horizontal { min, max, cpu_percent }
    }
}
