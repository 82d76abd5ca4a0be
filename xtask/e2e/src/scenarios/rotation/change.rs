//! One change of credentials under load, with all checks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::lane::Lane;
use e2e_kit::process;
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;

use super::credential_set::CredentialSet;
use super::login_probe;
use super::server_refusals::{LogPosition, Refusal};
use crate::credentials::Credential;
use crate::flow;
use crate::scenarios::loaded::{RECOVERY, recovers};

/// The lane and release that credentials are changed in.
pub(super) struct Site<'a> {
    pub(super) lane: &'a Lane<'a>,
    pub(super) release: Release<'a>,
    /// Whether Helm runs with `--wait`.
    pub(super) wait: bool,
}

impl Site<'_> {
    /// `helm upgrade` to these credentials.
    pub(super) fn upgrade(&self, to: &CredentialSet, sets: &[&str]) -> anyhow::Result<()> {
        let values = [self.lane.context.small.clone(), to.file(self.lane.context)?];
        self.release.apply(&self.release.arguments("upgrade", &values, sets), self.wait)
    }

    /// `helm rollback`.
    pub(super) fn rollback(&self, revision: u64) -> anyhow::Result<()> {
        self.release.rollback(revision, self.wait)
    }

    /// The current Helm revision.
    pub(super) fn revision(&self) -> anyhow::Result<u64> {
        let output = self.release.try_helm(&["status", &self.release.name, "--output=json"])?.ok("helm status")?;
        kubectl::parsed("helm status", &output)?["version"].as_u64().context("helm status has no version")
    }

    /// Changes from one set of credentials to another, as a step.
    ///
    /// Exactly the pods that use a replaced credential roll, the platform works, no stored alert is lost, no server refuses a current login,
    /// and the old passwords are invalid.
    pub(super) fn change(
        &self,
        what: &str,
        (from, to): (&CredentialSet, &CredentialSet),
        act: impl FnOnce() -> anyhow::Result<()>,
    ) -> Outcome {
        self.lane.step(what, || {
            let release = &self.release;
            let (rows, before) = (flow::rows(release)?, release.uids()?);
            let changed = from.differing(to);
            let position = LogPosition::now(release)?;
            act()?;
            release.wait_ready(RECOVERY)?;
            recovers(release, RECOVERY)?;
            let rolled = rolls_exactly(release, &before, &changed)?;
            let lost = rows.difference(&flow::rows(release)?).count();
            ensure!(lost == 0, "{lost} stored alerts are lost");
            let late = self.old_refused_new_accepted(&changed, (from, to))?;
            let waited = only_expected_refusals(release, &position, (from, to))?;
            Ok([Some(rolled), late, waited].into_iter().flatten().collect::<Vec<_>>().join(", "))
        })
    }

    /// Checks that the servers refuse the old passwords and accept the new ones.
    ///
    /// Without `--wait`, a login that was still in use is deleted only by the next upgrade, which this function runs.
    fn old_refused_new_accepted(
        &self,
        changed: &[Credential],
        (from, to): (&CredentialSet, &CredentialSet),
    ) -> anyhow::Result<Option<String>> {
        let mut left = Vec::new();
        for credential in changed {
            let login = from.login(&self.release, credential)?;
            if !self.wait && !credential.administrator && has_login(&self.release, &credential.server, &login.user)? {
                left.push(login.user);
            }
        }
        if !left.is_empty() {
            self.upgrade(to, &[])?;
        }
        changed
            .iter()
            .try_for_each(|credential| login_probe::old_refused_new_accepted(&self.release, credential, from, to))?;
        Ok((!left.is_empty()).then(|| format!("the next upgrade deleted {}", left.join(", "))))
    }
}

/// Fails unless exactly the pods of the credentials' owners rolled. A server takes a new administrator password without a restart.
pub(super) fn rolls_exactly(
    release: &Release,
    before: &BTreeMap<String, (String, u64)>,
    changed: &[Credential],
) -> anyhow::Result<String> {
    let wanted: BTreeSet<_> = changed.iter().filter(|one| !one.administrator).map(|one| one.owner.clone()).collect();
    let rolled = release.rolled_since(before)?;
    ensure!(rolled.iter().eq(&wanted), "rolled: {rolled:?}, expected: {wanted:?}");
    Ok(if rolled.is_empty() { "rolls no pod".to_owned() } else { format!("rolls only {}", rolled.join(", ")) })
}

/// Fails if a server refused a login other than the login probe's old one. A pod that waits for its new login may be refused.
pub(super) fn only_expected_refusals(
    release: &Release,
    position: &LogPosition,
    (from, to): (&CredentialSet, &CredentialSet),
) -> anyhow::Result<Option<String>> {
    let changed = from.differing(to);
    let users = |set: &CredentialSet, administrators: bool| -> anyhow::Result<BTreeSet<String>> {
        let some = changed.iter().filter(|one| one.administrator == administrators);
        some.map(|one| Ok(set.login(release, one)?.user)).collect()
    };
    let (old, new, administrators) = (users(from, false)?, users(to, false)?, users(to, true)?);
    // The Jobs retry with the administrator's new password until the server has it.
    let waits = |one: &Refusal| administrators.contains(&one.user) || (one.too_early && new.contains(&one.user));
    let refusals = process::until(Duration::from_secs(5), Duration::from_millis(300), || {
        let refusals = position.refusals(release)?;
        let probed = refusals.iter().filter(|one| old.contains(&one.user)).count();
        Ok(if probed < old.len() {
            Err("a server's log lacks the refusal of the login probe".to_owned())
        } else {
            Ok(refusals)
        })
    })?;
    let mut expected = old.clone();
    let is_unexpected = |one: &&Refusal| !waits(one) && !expected.remove(&one.user);
    let unexpected: Vec<_> = refusals.iter().filter(is_unexpected).map(|one| one.line.as_str()).collect();
    ensure!(unexpected.is_empty(), "{} unexpected refusals:\n{}", unexpected.len(), unexpected.join("\n"));
    let waited = refusals.iter().filter(|one| waits(one)).count();
    Ok((waited > 0).then(|| format!("{waited} attempts before the new login existed")))
}

/// Whether a server has a login of this name.
pub(super) fn has_login(release: &Release, server: &str, user: &str) -> anyhow::Result<bool> {
    Ok(super::state::logins(release)?.contains(&(server.to_owned(), user.to_owned())))
}
