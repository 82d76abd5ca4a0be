//! Rotation of the servers' administrators: replaced without a restart, rolled back, and replaced again.

use e2e_kit::release::Release;
use e2e_kit::report::Outcome;

use super::change::Site;
use super::common_steps::{beside_load, install, restarted};
use super::credential_set::CredentialSet;
use crate::roles::Roles;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;

/// Replaces each administrator with `--wait`, then rolls all three back at once, then replaces them again without `--wait`.
pub(super) fn run(lane: &Lane) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "rotation")?;
    let (site, first) = install(lane, &namespace, true)?;
    let mut now = first.clone();
    let outcome = beside_load(&site, Roles::of_lane(lane)?.sender, || {
        let mut before = 0;
        site.lane.step("note the revision to roll back to", || {
            before = site.revision()?;
            Ok(format!("revision {before}"))
        })?;
        for credential in first.credentials(true) {
            let next = now.with_replaced(&credential);
            site.change(&format!("replace {}", credential.path.name), (&now, &next), || site.upgrade(&next, &[]))?;
            now = next;
        }
        site.change("roll back all at once", (&now, &first), || site.rollback(before))?;
        forward(&site, (&first, &now))
    });
    all([outcome, restarted(&site, (&first, &now))])
}

fn forward(site: &Site, (first, now): (&CredentialSet, &CredentialSet)) -> Outcome {
    let Release { namespace, helm, name } = &site.release;
    let hasty = Site { lane: site.lane, release: Release::new(namespace, helm, name), wait: false };
    hasty.change("replace all again at once, without --wait", (first, now), || hasty.upgrade(now, &[]))
}
