//! How long names become in the cluster, and how long they may be.

use crate::{Diagnostic, Platform, SourceLocation};

/// A DNS label (RFC 1123), which is what a Service's name and a label's value are held to.
pub const LABEL: usize = 63;

/// A StatefulSet's name: its pods carry `<name>-<hash of ten>` as a label's value, with a dash between.
pub const STATEFUL_SET: usize = LABEL - 11;

/// The longest that a Job's name adds behind `<release>-<chart>-`: `provision-` and a hash of eight, `test-isolation`.
/// A Job's name is a label's value of its pods.
pub const JOB_SUFFIX: usize = 19;

/// A release's name, by Helm's own rule.
pub const RELEASE: usize = 53;

/// What a chart's name becomes part of: what it is, the characters added to `<release>-<name>`, and the limit.
type Derived = (&'static str, usize, usize);

const JOB: Derived = ("a Job's name and its suffix", 1 + JOB_SUFFIX, LABEL);
const OF_SERVICE: &[Derived] = &[JOB, ("a Service's name", 0, LABEL)];
const OF_BACKING: &[Derived] =
    &[JOB, ("a headless Service's name", "-headless".len(), LABEL), ("a StatefulSet's name", 0, STATEFUL_SET)];

pub(super) fn check(platform: &Platform, found: &mut Vec<Diagnostic>) {
    let release = usize::from(platform.longest_release_name);
    if release == 0 || release > RELEASE {
        found.push(Diagnostic::ReleaseNameLength { declared: release, longest: RELEASE, location: platform.location });
        return;
    }
    let services = platform.services.iter().map(|s| (s.name.as_str(), s.location, OF_SERVICE));
    let backing = platform.backing.iter().map(|b| (b.name().as_str(), b.location(), OF_BACKING));
    for (name, location, derived) in services.chain(backing) {
        // The strictest alone: whoever mends that has mended the others.
        let over = |&(_, added, limit): &Derived| (release + 1 + name.len() + added).saturating_sub(limit);
        let strictest = derived.iter().max_by_key(|d| over(d)).expect("every chart has derived names");
        if over(strictest) > 0 {
            found.push(too_long(name, location, release, *strictest));
        }
    }
}

fn too_long(name: &'static str, location: SourceLocation, release: usize, (of, added, limit): Derived) -> Diagnostic {
    Diagnostic::NameTooLong { name, of, length: release + 1 + name.len() + added, limit, release, location }
}
