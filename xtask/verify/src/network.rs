//! The step `network`: in each case, the NetworkPolicies allow exactly the declared connections, for every pair of endpoints and every port.

use std::collections::BTreeMap;

use anyhow::Context as _;
use netpol::Release;

use super::context::{Rendered, VerifyContext, in_parallel};
use super::report::{Outcome, by_finding};

pub(super) fn prove(context: &VerifyContext) -> anyhow::Result<Outcome> {
    // What a chart beside the umbrella may reach is the installer's choice, not the declaration's. The rules in `policies` hold for its policies, too.
    let manifests = context.manifests_of(context.umbrella())?;
    let defaults = manifests.first().context("the chart has no case to render")?;
    let usual = netpol::policies(&defaults.objects)?;
    let prove = |one: &&Rendered| -> anyhow::Result<(netpol::Findings, Option<String>)> {
        let release = Release { name: &one.case.release, traffic: &context.traffic };
        let found = netpol::compare(release, &one.values, &one.objects)?;
        // Policies hold for the pods of their own release.
        let is_comparable = one.case.release == defaults.case.release;
        let beyond = if is_comparable { netpol::beyond(release, &found, &usual) } else { None };
        Ok((found, beyond))
    };
    let proven: Vec<_> = in_parallel(&manifests, &context.progress, prove).into_iter().collect::<Result<_, _>>()?;

    let found = proven.iter().zip(&manifests);
    let found =
        found.flat_map(|((found, _), one)| found.wrong.iter().map(|wrong| (one.case.name.as_str(), wrong.clone())));
    let wrong = by_finding(found, manifests.len());
    let (pairs, paths) = proven.first().map_or((0, 0), |(found, _)| (found.pairs, found.open_pairs()));
    let summary = format!(
        "{} cases; in the defaults {pairs} pairs of endpoints on every port; {paths} pairs are open, as declared",
        manifests.len()
    );
    let mut widened: BTreeMap<&String, Vec<&str>> = BTreeMap::new();
    for ((_, beyond), one) in proven.iter().zip(&manifests) {
        if let Some(what) = beyond {
            widened.entry(what).or_default().push(&one.case.name);
        }
    }
    let notes = widened.into_iter().map(|(what, cases)| format!("{}: beyond the defaults, {what}", cases.join(", ")));
    Ok(Outcome::of(summary).with(wrong).noting(notes.collect()))
}
