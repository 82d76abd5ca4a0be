//! The versions of Kubernetes that the chart supports.

use std::ops::RangeInclusive;

/// The supported minor versions of Kubernetes 1: the oldest is the chart's `kubeVersion`, and every proof runs on all of them.
///
/// `kubeVersion` has no upper bound. Helm would refuse an upgrade of the release after an upgrade of the cluster, and nothing is known to fail there.
pub const MINOR_VERSIONS: RangeInclusive<u8> = 34..=37;
