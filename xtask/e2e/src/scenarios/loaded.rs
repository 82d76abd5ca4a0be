//! A release under load, and what is looked at whatever happens to it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::process;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};

use crate::flow;
use crate::load::{Amount, Load};
use crate::roles::Roles;
use e2e_kit::lane::{Lane, all};

/// Beyond what the README promises ("about a minute after the server is back"): the machine is busy with other lanes.
pub(super) const RECOVERY: Duration = Duration::from_mins(4);

/// Pods by their identity: whose, and how often restarted.
pub(super) type Uids = BTreeMap<String, (String, u64)>;

/// Installs in a namespace of its own, puts load on, does what is to be done, and looks for what was lost.
pub(super) fn under_load(
    lane: &Lane,
    purpose: &str,
    install: impl FnOnce(&Release) -> anyhow::Result<()>,
    what: impl FnOnce(&Lane, &Release) -> Outcome,
) -> Outcome {
    let (mut namespace, mut helm) = (None, None);
    lane.step("a namespace", || {
        namespace = Some(TestNamespace::new(lane, purpose)?);
        helm = Some(lane.context.helm4()?);
        Ok(String::new())
    })?;
    let (Some(namespace), Some(helm)) = (&namespace, helm) else { return Err(Reported) };
    let release = Release::new(namespace, helm, "afp");
    let mut load = None;
    lane.step("helm install --wait, and load", || {
        install(&release)?;
        load =
            Some(Load::start(&release, Roles::of(lane.context)?.sender, Amount { rate: 4, alert_every: 4, count: 0 })?);
        Ok(String::new())
    })?;
    let outcome = what(lane, &release);
    let lost = lane.step("nothing that was confirmed is lost", || {
        let load = load.context("no load was started")?;
        load.stop()?.is_stored(&release, Duration::from_mins(1))
    });
    all([outcome, lost])
}

/// Waits until all is Ready and an event is seen on the page.
pub(super) fn recovers(release: &Release, limit: Duration) -> anyhow::Result<()> {
    process::until(limit, Duration::from_secs(1), || {
        let lacking = release.lacking()?;
        if !lacking.is_empty() {
            return Ok(Err(format!("not Ready: {}", lacking.join(", "))));
        }
        // A pod may end between the question which one there is and the visit to it.
        Ok(flow::is_seen(release, Duration::from_secs(10)).map(|_| ()).map_err(|error| format!("{error:#}")))
    })
}

/// How often containers were restarted, by chart, in pods that were there before and in those that came since.
pub(super) fn restarts_since(release: &Release, before: &Uids) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut restarts = BTreeMap::new();
    for (uid, (of, now)) in release.uids()? {
        let then = before.get(&uid).map_or(0, |(_, then)| *then);
        if now > then {
            *restarts.entry(of).or_default() += now - then;
        }
    }
    Ok(restarts)
}
