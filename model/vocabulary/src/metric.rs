//! Metrics that a service serves for monitoring.

use crate::{BackingName, MetricName, SourceLocation};

/// A metric in the Prometheus format, on the service's port for metrics.
///
/// Alerts and dashboards are derived from what is declared here, so that they name only what exists.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, with the suffix that Prometheus adds: `_total` for a counter. A histogram's has none of `_bucket`, `_sum` and `_count`.
    pub name: MetricName,
    /// What it counts or measures, in one line.
    pub help: &'static str,
    /// Its type.
    pub kind: MetricKind,
    /// The names of its labels, besides those that a scrape adds.
    pub labels: &'static [MetricName],
    /// Those of its labels that name persons or their hosts.
    pub personal: &'static [MetricName],
    /// What follows from its value.
    pub meaning: Meaning,
    /// Where it is declared.
    pub location: SourceLocation,
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, until the program restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by size, in the series `<name>_bucket`, `<name>_sum` and `<name>_count`.
    Histogram,
}

/// What follows from the value of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing by itself: the metric is shown only.
    Shown,
    /// A gauge: 1 while the program is connected to this server, else 0.
    Connection(BackingName),
    /// A counter of messages that the program could not publish at this server, and has lost.
    FailedPublishes(BackingName),
    /// A counter of findings that people look at, such as security alerts.
    Findings,
}

/// The name of a label of a metric.
///
/// # Panics
/// When the name breaks its rule; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn label(name: &'static str) -> MetricName {
    MetricName::new(name)
}

impl Metric {
    /// A counter.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, MetricKind::Counter, Meaning::Shown)
    }

    /// A gauge.
    ///
    /// # Panics
    /// As [`Metric::counter`].
    #[must_use]
    #[track_caller]
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, MetricKind::Gauge, Meaning::Shown)
    }

    /// A histogram, such as `shop_request_duration_seconds`.
    ///
    /// # Panics
    /// As [`Metric::counter`].
    #[must_use]
    #[track_caller]
    pub const fn histogram(name: &'static str, help: &'static str) -> Self {
        Self::new(name, help, MetricKind::Histogram, Meaning::Shown)
    }

    /// A gauge that is 1 while the program is connected to a server, else 0.
    ///
    /// # Panics
    /// As [`Metric::counter`].
    #[must_use]
    #[track_caller]
    pub const fn connection(name: &'static str, server: BackingName) -> Self {
        Self::new(name, "1 while the program is connected, else 0.", MetricKind::Gauge, Meaning::Connection(server))
    }

    /// The metric with these labels.
    #[must_use]
    pub const fn labels(self, labels: &'static [MetricName]) -> Self {
        Self { labels, ..self }
    }

    /// The metric, of whose labels these name persons or their hosts, such as a user's name. The documents say so, and how to leave the metric out.
    #[must_use]
    pub const fn personal(self, labels: &'static [MetricName]) -> Self {
        Self { personal: labels, ..self }
    }

    /// The metric with this meaning.
    #[must_use]
    pub const fn means(self, meaning: Meaning) -> Self {
        Self { meaning, ..self }
    }

    #[track_caller]
    const fn new(name: &'static str, help: &'static str, kind: MetricKind, meaning: Meaning) -> Self {
        Self {
            name: MetricName::new(name),
            help,
            kind,
            labels: &[],
            personal: &[],
            meaning,
            location: SourceLocation::here(),
        }
    }
}

impl MetricKind {
    /// The type's name in Prometheus.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Meaning {
    /// The server that the metric is about.
    #[must_use]
    pub const fn server(self) -> Option<BackingName> {
        match self {
            Self::Connection(server) | Self::FailedPublishes(server) => Some(server),
            Self::Shown | Self::Findings => None,
        }
    }

    /// The type that a metric of this meaning has; none if it may have any.
    #[must_use]
    pub const fn kind(self) -> Option<MetricKind> {
        match self {
            Self::Connection(_) => Some(MetricKind::Gauge),
            Self::FailedPublishes(_) | Self::Findings => Some(MetricKind::Counter),
            Self::Shown => None,
        }
    }
}
