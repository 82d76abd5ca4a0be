//! One change of credentials under load, and everything that must hold of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::lane::Lane;
use e2e_kit::process;
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;

use super::judge::{Mark, Refusal};
use super::purse::Purse;
use super::visitor;
use crate::credentials::Credential;
use crate::flow;
use crate::scenarios::loaded::{RECOVERY, recovers};

/// What a lane works on.
pub(super) struct Site<'a> {
    pub(super) lane: &'a Lane<'a>,
    pub(super) release: Release<'a>,
    /// Whether Helm waits until all is Ready.
    pub(super) wait: bool,
}

impl Site<'_> {
    /// `helm upgrade` to these credentials.
    pub(super) fn upgrade(&self, to: &Purse, sets: &[&str]) -> anyhow::Result<()> {
        let values = [self.lane.context.small.clone(), to.file(self.lane.context)?];
        self.release.apply(&self.release.arguments("upgrade", &values, sets), self.wait)
    }

    /// `helm rollback`.
    pub(super) fn rollback(&self, revision: u64) -> anyhow::Result<()> {
        self.release.rollback(revision, self.wait)
    }

    /// The number that Helm gives to what is installed.
    pub(super) fn revision(&self) -> anyhow::Result<u64> {
        let output = self.release.try_helm(&["status", &self.release.name, "--output=json"])?.ok("helm status")?;
        kubectl::parsed("helm status", &output)?["version"].as_u64().context("helm status has no version")
    }

    /// From one set of credentials to another, as a step: exactly the pods that use what is replaced roll, everything works, no stored alert
    /// is gone, no server refused anybody, and the old passwords are worth nothing.
    pub(super) fn change(
        &self,
        what: &str,
        (from, to): (&Purse, &Purse),
        act: impl FnOnce() -> anyhow::Result<()>,
    ) -> Outcome {
        self.lane.step(what, || {
            let release = &self.release;
            let (rows, before) = (flow::rows(release)?, release.uids()?);
            let changed = from.differing(to);
            let mark = Mark::now(release)?;
            act()?;
            release.wait_ready(RECOVERY)?;
            recovers(release, RECOVERY)?;
            let rolled = rolls_exactly(release, &before, &changed)?;
            let lost = rows.difference(&flow::rows(release)?).count();
            ensure!(lost == 0, "{lost} stored alerts are gone");
            let late = self.only_the_new(&changed, (from, to))?;
            let waited = nobody_refused(release, &mark, (from, to))?;
            Ok([Some(rolled), late, waited].into_iter().flatten().collect::<Vec<_>>().join(", "))
        })
    }

    /// The old passwords are refused, the new ones taken. A login that was still in use goes with the next upgrade, where nobody waited.
    fn only_the_new(&self, changed: &[Credential], (from, to): (&Purse, &Purse)) -> anyhow::Result<Option<String>> {
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
        changed.iter().try_for_each(|credential| visitor::only_the_new(&self.release, credential, from, to))?;
        Ok((!left.is_empty()).then(|| format!("{} went with the next upgrade", left.join(", "))))
    }
}

/// Fails unless pods of exactly those are others who use one of the credentials; a server uses its administrator's without a restart.
pub(super) fn rolls_exactly(
    release: &Release,
    before: &BTreeMap<String, (String, u64)>,
    changed: &[Credential],
) -> anyhow::Result<String> {
    let wanted: BTreeSet<_> = changed.iter().filter(|one| !one.administrator).map(|one| one.of.clone()).collect();
    let rolled = release.rolled_since(before)?;
    ensure!(rolled.iter().eq(&wanted), "rolled: {rolled:?}, and ought to have: {wanted:?}");
    Ok(if rolled.is_empty() { "no pod rolls".to_owned() } else { format!("rolls {} alone", rolled.join(", ")) })
}

/// Fails when a server refused anybody but the visitor with the old login; whoever waits for a new login is no failure.
pub(super) fn nobody_refused(
    release: &Release,
    mark: &Mark,
    (from, to): (&Purse, &Purse),
) -> anyhow::Result<Option<String>> {
    let changed = from.differing(to);
    let users = |purse: &Purse, administrators: bool| -> anyhow::Result<BTreeSet<String>> {
        let some = changed.iter().filter(|one| one.administrator == administrators);
        some.map(|one| Ok(purse.login(release, one)?.user)).collect()
    };
    let (old, new, administrators) = (users(from, false)?, users(to, false)?, users(to, true)?);
    // The Jobs ask with an administrator's new password until the server has it.
    let waits = |one: &Refusal| administrators.contains(&one.user) || (one.too_early && new.contains(&one.user));
    let refusals = process::until(Duration::from_secs(5), Duration::from_millis(300), || {
        let refusals = mark.refusals(release)?;
        let visits = refusals.iter().filter(|one| old.contains(&one.user)).count();
        Ok(if visits < old.len() { Err("a server's log lacks the visitor".to_owned()) } else { Ok(refusals) })
    })?;
    let mut visits = old.clone();
    let wrong = |one: &&Refusal| !waits(one) && !visits.remove(&one.user);
    let wrong: Vec<_> = refusals.iter().filter(wrong).map(|one| one.line.as_str()).collect();
    ensure!(wrong.is_empty(), "{} refusals:\n{}", wrong.len(), wrong.join("\n"));
    let waited = refusals.iter().filter(|one| waits(one)).count();
    Ok((waited > 0).then(|| format!("asked for the new login {waited} times too early")))
}

/// Whether a server has a login of this name.
pub(super) fn has_login(release: &Release, server: &str, user: &str) -> anyhow::Result<bool> {
    Ok(super::state::logins(release)?.contains(&(server.to_owned(), user.to_owned())))
}
