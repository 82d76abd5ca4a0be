//! The common steps of the rotation lanes: installation, load during the changes, and restart of the servers afterwards.

use std::slice::from_ref;
use std::time::Duration;

use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::{Pod, Release};
use e2e_kit::report::{Outcome, Reported};

use super::change::Site;
use super::credential_set::CredentialSet;
use super::login_probe;
use crate::load::{Amount, Load};
use crate::scenarios::loaded::{RECOVERY, recovers};

/// Installs a release with the initial credentials, and starts login probes. Uses Helm 4 if `wait` is true, and Helm 3 otherwise.
pub(super) fn install<'a>(
    lane: &'a Lane<'a>,
    namespace: &'a TestNamespace<'a>,
    wait: bool,
) -> Result<(Site<'a>, CredentialSet), Reported> {
    let context = lane.context;
    let mut installed = None;
    lane.step("helm install --wait, and start the login probes", || {
        let helm = if wait { context.helm4()? } else { context.helm3()? };
        let site = Site { lane, release: Release::new(namespace, helm, "afp"), wait };
        let credentials = CredentialSet::initial(context)?;
        site.release.install(from_ref(&context.small), &[])?;
        login_probe::start(&site.release, &[credentials.credentials(false), credentials.credentials(true)].concat())?;
        installed = Some((site, credentials));
        Ok(helm.version.clone())
    })?;
    installed.ok_or(Reported)
}

/// Runs `what` while the load client publishes with a login that does not change; no publish may be refused or lost.
pub(super) fn beside_load(site: &Site, login_of: &str, what: impl FnOnce() -> Outcome) -> Outcome {
    let mut load = None;
    site.lane.step(format!("start the load with the login of {login_of}"), || {
        load = Some(Load::start(&site.release, login_of, Amount { rate: 4, alert_every: 4, count: 0 })?);
        Ok(String::new())
    })?;
    let Some(load) = load else { return Err(Reported) };
    let outcome = what();
    let lost = site.lane.step("no publish is refused and no confirmed event is lost", || {
        let ledger = load.stop()?;
        ledger.at_once()?;
        ledger.is_stored(&site.release, Duration::from_mins(1))
    });
    all([outcome, lost])
}

/// Restarts the servers, which must then accept and refuse the same credentials as before.
pub(super) fn restarted(site: &Site, (first, now): (&CredentialSet, &CredentialSet)) -> Outcome {
    site.lane.step("restart the servers: they refuse the old credentials and accept the new ones", || {
        let release = &site.release;
        let servers = &site.lane.context.platform.platform().backing;
        let is_server = |pod: &Pod| servers.iter().any(|one| one.name().as_str() == pod.chart);
        let old: Vec<_> = release.pods()?.into_iter().filter(is_server).collect();
        release.delete_pods(&old, &[])?;
        recovers(release, RECOVERY)?;
        let changed = first.differing(now);
        changed
            .iter()
            .try_for_each(|credential| login_probe::old_refused_new_accepted(release, credential, first, now))?;
        Ok(format!("{} credentials tried", changed.len()))
    })
}
