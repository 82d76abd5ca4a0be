//! The services' own credentials: each replaced in turn, back, and forward again, with and without waiting.

use e2e_kit::report::{Outcome, Reported};

use super::around::{beside_load, install, restarted};
use super::change::Site;
use super::purse::Purse;
use super::{login_in_use, stuck};
use crate::credentials::Credential;
use crate::roles::Roles;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;

/// Each by itself, with Helm 4 and `--wait`.
pub(super) fn waiting(lane: &Lane) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "rotation")?;
    let (site, first) = install(lane, &namespace, true)?;
    let Roles { sender, worker, .. } = Roles::of_lane(lane)?;
    let (senders, others) = by_owner(first.credentials(false), sender);
    let mut now = first.clone();
    let mut outcomes = Vec::new();
    for (load, some) in [(worker, senders), (sender, others)] {
        let each = || {
            for credential in &some {
                there_back_and_there_again(&site, &mut now, credential)?;
            }
            Ok(())
        };
        let outcome = beside_load(&site, load, each);
        outcomes.push(outcome);
        outcome?;
    }
    outcomes.push(restarted(&site, (&first, &now)));
    all(outcomes)
}

/// Those of one service, which a load with its login would keep in use, and the others.
fn by_owner(credentials: Vec<Credential>, service: &str) -> (Vec<Credential>, Vec<Credential>) {
    credentials.into_iter().partition(|one| one.of == service)
}

fn there_back_and_there_again(site: &Site, now: &mut Purse, credential: &Credential) -> Outcome {
    let name = &credential.path.name;
    let next = now.with_another(credential);
    let mut before = 0;
    site.change(&format!("{name} replaced"), (now, &next), || {
        before = site.revision()?;
        site.upgrade(&next, &[])
    })?;
    site.change(&format!("{name} rolled back"), (&next, now), || site.rollback(before))?;
    site.change(&format!("{name} forward again"), (now, &next), || site.upgrade(&next, &[]))?;
    *now = next;
    Ok(())
}

/// With Helm 3 and nobody who waits: each in turn, then all but the load's own back at once and forward again; and what is worse.
pub(super) fn not_waiting(lane: &Lane) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "rotation")?;
    let (site, first) = install(lane, &namespace, false)?;
    let Roles { sender, worker, keeper, broker, .. } = Roles::of_lane(lane)?;
    let (senders, others) = by_owner(first.credentials(false), sender);
    let mut now = first.clone();
    beside_load(&site, worker, || replaced(&site, &mut now, &senders))?;
    let outcome = beside_load(&site, sender, || {
        let (before, mut revision) = (now.clone(), 0);
        site.lane.step("what is to be rolled back to", || {
            revision = site.revision()?;
            Ok(format!("revision {revision}"))
        })?;
        replaced(&site, &mut now, &others)?;
        site.change("all of them rolled back at once", (&now, &before), || site.rollback(revision))?;
        site.change("all of them forward again at once", (&before, &now), || site.upgrade(&now, &[]))?;
        let keepers = now.credential(&format!("{keeper}.{broker}")).map_err(|_| Reported)?;
        login_in_use::in_use(&site, &mut now, &keepers)?;
        let workers = now.credential(&format!("{worker}.{broker}")).map_err(|_| Reported)?;
        stuck::old_pod_restarts(&site, &mut now, &workers)
    });
    all([outcome, restarted(&site, (&first, &now))])
}

fn replaced(site: &Site, now: &mut Purse, credentials: &[Credential]) -> Outcome {
    for credential in credentials {
        let next = now.with_another(credential);
        site.change(&format!("{} replaced", credential.path.name), (now, &next), || site.upgrade(&next, &[]))?;
        *now = next;
    }
    Ok(())
}
