//! Rotation of the services' credentials: each is replaced, rolled back and replaced again, with and without `--wait`.

use e2e_kit::report::{Outcome, Reported};

use super::change::Site;
use super::common_steps::{beside_load, install, restarted};
use super::credential_set::CredentialSet;
use super::{login_in_use, stuck};
use crate::credentials::Credential;
use crate::roles::Roles;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;

/// Rotates each credential alone, with Helm 4 and `--wait`.
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
                replace_roll_back_replace(&site, &mut now, credential)?;
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

/// Splits the credentials into those of one service and the others. A load with a service's login would keep its old login in use.
fn by_owner(credentials: Vec<Credential>, service: &str) -> (Vec<Credential>, Vec<Credential>) {
    credentials.into_iter().partition(|one| one.owner == service)
}

fn replace_roll_back_replace(site: &Site, now: &mut CredentialSet, credential: &Credential) -> Outcome {
    let name = &credential.path.name;
    let next = now.with_replaced(credential);
    let mut before = 0;
    site.change(&format!("replace {name}"), (now, &next), || {
        before = site.revision()?;
        site.upgrade(&next, &[])
    })?;
    site.change(&format!("roll back {name}"), (&next, now), || site.rollback(before))?;
    site.change(&format!("replace {name} again"), (now, &next), || site.upgrade(&next, &[]))?;
    *now = next;
    Ok(())
}

/// Rotates with Helm 3 without `--wait`: each credential alone, then all but the load's own rolled back and replaced again at once.
///
/// Then tests a login in use and an old pod that restarts during a rollout.
pub(super) fn not_waiting(lane: &Lane) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "rotation")?;
    let (site, first) = install(lane, &namespace, false)?;
    let Roles { sender, worker, keeper, broker, .. } = Roles::of_lane(lane)?;
    let (senders, others) = by_owner(first.credentials(false), sender);
    let mut now = first.clone();
    beside_load(&site, worker, || replaced(&site, &mut now, &senders))?;
    let outcome = beside_load(&site, sender, || {
        let (before, mut revision) = (now.clone(), 0);
        site.lane.step("note the revision to roll back to", || {
            revision = site.revision()?;
            Ok(format!("revision {revision}"))
        })?;
        replaced(&site, &mut now, &others)?;
        site.change("roll back all at once", (&now, &before), || site.rollback(revision))?;
        site.change("replace all again at once", (&before, &now), || site.upgrade(&now, &[]))?;
        let keepers = now.credential(&format!("{keeper}.{broker}")).map_err(|_| Reported)?;
        login_in_use::in_use(&site, &mut now, &keepers)?;
        let workers = now.credential(&format!("{worker}.{broker}")).map_err(|_| Reported)?;
        stuck::old_pod_restarts(&site, &mut now, &workers)
    });
    all([outcome, restarted(&site, (&first, &now))])
}

fn replaced(site: &Site, now: &mut CredentialSet, credentials: &[Credential]) -> Outcome {
    for credential in credentials {
        let next = now.with_replaced(credential);
        site.change(&format!("replace {}", credential.path.name), (now, &next), || site.upgrade(&next, &[]))?;
        *now = next;
    }
    Ok(())
}
