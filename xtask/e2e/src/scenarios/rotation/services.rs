//! The services' own credentials: each replaced in turn, back, and forward again, with and without waiting.

use e2e_kit::report::{Outcome, Reported};

use super::around::{beside_load, install, restarted};
use super::change::Site;
use super::purse::Purse;
use super::{login_in_use, stuck};
use crate::credentials::Credential;
use crate::flow::{ANALYSIS, GENERATOR, NOTIFICATION};
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;

/// Each by itself, with Helm 4 and `--wait`.
pub(super) fn waiting(lane: &Lane) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "rotation")?;
    let (site, first) = install(lane, &namespace, true)?;
    let credentials = first.credentials(false);
    let (generators, others) = by_load(&credentials);
    let mut now = first.clone();
    let mut outcomes = Vec::new();
    for (load, some) in [(ANALYSIS, generators), (GENERATOR, others)] {
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

/// Those that the generator's load would keep in use, and the others.
fn by_load(credentials: &[Credential]) -> (Vec<Credential>, Vec<Credential>) {
    credentials.iter().cloned().partition(|one| one.of == GENERATOR)
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
    let credentials = first.credentials(false);
    let (generators, others) = by_load(&credentials);
    let mut now = first.clone();
    let generator = beside_load(&site, ANALYSIS, || replaced(&site, &mut now, &generators));
    generator?;
    let outcome = beside_load(&site, GENERATOR, || {
        let (before, mut revision) = (now.clone(), 0);
        site.lane.step("what is to be rolled back to", || {
            revision = site.revision()?;
            Ok(format!("revision {revision}"))
        })?;
        replaced(&site, &mut now, &others)?;
        site.change("all of them rolled back at once", (&now, &before), || site.rollback(revision))?;
        site.change("all of them forward again at once", (&before, &now), || site.upgrade(&now, &[]))?;
        let broker = now.credential(&format!("{NOTIFICATION}.rabbitmq")).map_err(|_| Reported)?;
        login_in_use::in_use(&site, &mut now, &broker)?;
        let analysis = now.credential(&format!("{ANALYSIS}.rabbitmq")).map_err(|_| Reported)?;
        stuck::old_pod_restarts(&site, &mut now, &analysis)
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
