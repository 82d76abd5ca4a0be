//! A release under load, and the checks that every scenario under load makes.

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

/// Time limit for recovery. The chart's README promises "about a minute after the server is back"; other lanes slow the node down.
pub(super) const RECOVERY: Duration = Duration::from_mins(4);

/// Chart and restarts of each pod, by UID.
pub(super) type Uids = BTreeMap<String, (String, u64)>;

/// Installs a release in its own namespace, runs `what` under load, and checks that no confirmed event was lost.
pub(super) fn under_load(
    lane: &Lane,
    purpose: &str,
    install: impl FnOnce(&Release) -> anyhow::Result<()>,
    what: impl FnOnce(&Lane, &Release) -> Outcome,
) -> Outcome {
    let (mut namespace, mut helm) = (None, None);
    lane.step("create a namespace", || {
        namespace = Some(TestNamespace::new(lane, purpose)?);
        helm = Some(lane.context.helm4()?);
        Ok(String::new())
    })?;
    let (Some(namespace), Some(helm)) = (&namespace, helm) else { return Err(Reported) };
    let release = Release::new(namespace, helm, "afp");
    let mut load = None;
    lane.step("helm install --wait, and start the load", || {
        install(&release)?;
        load =
            Some(Load::start(&release, Roles::of(lane.context)?.sender, Amount { rate: 4, alert_every: 4, count: 0 })?);
        Ok(String::new())
    })?;
    let outcome = what(lane, &release);
    let lost = lane.step("no confirmed event is lost", || {
        let load = load.context("no load was started")?;
        load.stop()?.is_stored(&release, Duration::from_mins(1))
    });
    all([outcome, lost])
}

/// Waits until every workload is Ready and the page shows a new event.
pub(super) fn recovers(release: &Release, limit: Duration) -> anyhow::Result<()> {
    process::until(limit, Duration::from_secs(1), || {
        let lacking = release.lacking()?;
        if !lacking.is_empty() {
            return Ok(Err(format!("not Ready: {}", lacking.join(", "))));
        }
        // A pod may terminate between its lookup and the request to it.
        Ok(flow::is_seen(release, Duration::from_secs(10)).map(|_| ()).map_err(|error| format!("{error:#}")))
    })
}

/// Container restarts since `before`, by chart, in old and new pods.
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
