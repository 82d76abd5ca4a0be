//! The servers' administrators: replaced without a restart, back, and forward again.

use e2e_kit::release::Release;
use e2e_kit::report::Outcome;

use super::around::{beside_load, install, restarted};
use super::change::Site;
use super::purse::Purse;
use crate::roles::Roles;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;

/// Each in turn with `--wait`; then all three back at once, and, without waiting, forward again.
pub(super) fn run(lane: &Lane) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "rotation")?;
    let (site, first) = install(lane, &namespace, true)?;
    let mut now = first.clone();
    let outcome = beside_load(&site, Roles::of_lane(lane)?.sender, || {
        let mut before = 0;
        site.lane.step("what is to be rolled back to", || {
            before = site.revision()?;
            Ok(format!("revision {before}"))
        })?;
        for credential in first.credentials(true) {
            let next = now.with_another(&credential);
            site.change(&format!("{} replaced", credential.path.name), (&now, &next), || site.upgrade(&next, &[]))?;
            now = next;
        }
        site.change("all rolled back at once", (&now, &first), || site.rollback(before))?;
        forward(&site, (&first, &now))
    });
    all([outcome, restarted(&site, (&first, &now))])
}

fn forward(site: &Site, (first, now): (&Purse, &Purse)) -> Outcome {
    let Release { namespace, helm, name } = &site.release;
    let hasty = Site { lane: site.lane, release: Release::new(namespace, helm, name), wait: false };
    hasty.change("all forward again at once, without waiting", (first, now), || hasty.upgrade(now, &[]))
}
