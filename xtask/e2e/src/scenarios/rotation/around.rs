//! What is around the changes of a lane: the installation before, the load beside, the restart of the servers after.

use std::slice::from_ref;
use std::time::Duration;

use e2e_kit::kubectl;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};

use super::change::Site;
use super::purse::Purse;
use super::visitor;
use crate::load::{Amount, Load};
use crate::scenarios::loaded::{RECOVERY, recovers};

/// A release with the bench's passwords, and visitors who try them: with Helm 4 where Helm waits at each change, with Helm 3 otherwise.
pub(super) fn install<'a>(
    lane: &'a Lane<'a>,
    namespace: &'a TestNamespace<'a>,
    wait: bool,
) -> Result<(Site<'a>, Purse), Reported> {
    let context = lane.context;
    let mut installed = None;
    lane.step("helm install --wait, and visitors", || {
        let helm = if wait { context.helm4()? } else { context.helm3()? };
        let site = Site { lane, release: Release::new(namespace, helm, "afp"), wait };
        let purse = Purse::first(context)?;
        site.release.install(from_ref(&context.small), &[])?;
        visitor::send(&site.release, &[purse.credentials(false), purse.credentials(true)].concat())?;
        installed = Some((site, purse));
        Ok(helm.version.clone())
    })?;
    installed.ok_or(Reported)
}

/// Does something while a login that is not touched publishes; nothing of it is refused, and nothing lost.
pub(super) fn beside_load(site: &Site, login_of: &str, what: impl FnOnce() -> Outcome) -> Outcome {
    let mut load = None;
    site.lane.step(format!("load with the login of {login_of}"), || {
        load = Some(Load::start(&site.release, login_of, Amount { rate: 4, alert_every: 4, count: 0 })?);
        Ok(String::new())
    })?;
    let Some(load) = load else { return Err(Reported) };
    let outcome = what();
    let lost = site.lane.step("no publish was refused, nothing that was confirmed is lost", || {
        let ledger = load.stop()?;
        ledger.at_once()?;
        ledger.is_stored(&site.release, Duration::from_mins(1))
    });
    all([outcome, lost])
}

/// The servers restarted: what they took they take, what they refused they refuse.
pub(super) fn restarted(site: &Site, (first, now): (&Purse, &Purse)) -> Outcome {
    site.lane.step("after a restart of the servers: the same answers", || {
        let release = &site.release;
        let servers = site.lane.context.platform.platform().backing.iter();
        let pods: Vec<_> = servers.map(|one| format!("{}-{}-0", release.name, one.name().as_str())).collect();
        let mut words = vec!["delete", "pods", "--namespace", &release.namespace.name, "--timeout=55s"];
        words.extend(pods.iter().map(String::as_str));
        kubectl::run(&words)?;
        recovers(release, RECOVERY)?;
        let changed = first.differing(now);
        changed.iter().try_for_each(|credential| visitor::only_the_new(release, credential, first, now))?;
        Ok(format!("{} credentials tried", changed.len()))
    })
}
