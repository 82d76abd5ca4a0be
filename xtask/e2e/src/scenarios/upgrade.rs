//! Upgrades under load: from the last version in history that differs, with rollback and second upgrade; by values; and a reinstallation.

use std::collections::{BTreeMap, BTreeSet};
use std::slice::from_ref;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use e2e_kit::context::E2eContext;
use e2e_kit::history::{self, OlderVersion};
use e2e_kit::kubectl;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use serde_yaml::Value;
use tools::Template;

use super::loaded::{RECOVERY, recovers, restarts_since, under_load};
use crate::flow;
use crate::roles::{Roles, never_reconnect, servers};
use e2e_kit::lane::{Lane, Work, all, side_by_side};

/// Runs two lanes in parallel: versions and values.
pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    let values = |lane: &Lane| {
        let install = |release: &Release| release.install(from_ref(&context.small), &[]);
        under_load(lane, "upgrade", install, |lane, release| all([values(lane, release), reinstalled(lane, release)]))
    };
    side_by_side(context, 2, vec![Work::new("versions", versions), Work::new("values", values)])
}

/// Upgrades from the last version that differs to the current one, rolls back, and upgrades again.
fn versions(lane: &Lane) -> Outcome {
    let context = lane.context;
    let mut older = None;
    lane.step("find the last version that renders other objects", || {
        let found = older_version(context)?;
        let commit = found.commit.chars().take(10).collect();
        older = Some(found);
        Ok(commit)
    })?;
    let Some(older) = older else { return Err(Reported) };
    let unchanged =
        lane.step("both versions have the same immutable fields", || same_immutable_fields(context, &older));
    let mut values = Vec::new();
    lane.step("write values for both versions", || {
        // The upgrade keeps the passwords of the installation.
        let passwords = passwords_of(&older.chart);
        context.names_builds(&older.chart)?;
        values = vec![passwords, context.small_for(&older.chart)?, context.overlay_for(&older.chart)?];
        Ok(String::new())
    })?;
    let today = [context.small.clone(), passwords_of(&older.chart)];
    let install = |release: &Release| {
        release.apply(&release.arguments_of("install", &older.chart, &values, &[]), true)?;
        release.whole()
    };
    let upgraded = under_load(lane, "upgrade", install, |lane, release| {
        let upgrade = |wait| release.apply(&release.arguments("upgrade", &today, &[]), wait);
        change(lane, release, "helm upgrade --wait to the current version", || upgrade(true))?;
        change(lane, release, "helm rollback", || release.rollback(1, true))?;
        change(lane, release, "helm upgrade to the current version again, without --wait", || upgrade(false))
    });
    all([unchanged, upgraded])
}

/// Makes a change; afterwards the platform must work, keep every stored alert, and restart only the services that never reconnect.
fn change(lane: &Lane, release: &Release, what: &str, change: impl FnOnce() -> anyhow::Result<()>) -> Outcome {
    lane.step(what, || {
        let (rows, before) = (flow::rows(release)?, release.uids()?);
        change()?;
        recovers(release, RECOVERY)?;
        let lost = rows.difference(&flow::rows(release)?).count();
        ensure!(lost == 0, "{lost} stored alerts are lost");
        // Services that never reopen a lost connection restart when a server rolls.
        let platform = lane.context.platform.platform();
        let restarts: BTreeSet<_> =
            servers(platform).into_iter().flat_map(|server| never_reconnect(platform, server)).collect();
        let mends_itself = |of: &String| !restarts.contains(of.as_str());
        let restarted: Vec<_> = restarts_since(release, &before)?.into_keys().filter(mends_itself).collect();
        ensure!(restarted.is_empty(), "unexpected restarts: {}", restarted.join(", "));
        let rolled = release.rolled_since(&before)?;
        Ok(if rolled.is_empty() { "no pod rolled".to_owned() } else { format!("rolled: {}", rolled.join(", ")) })
    })
}

fn older_version(context: &E2eContext) -> anyhow::Result<OlderVersion> {
    let today = rendered(context, &context.chart, &[])?;
    history::newest_that_differs(&context.root, &context.chart_in_history, &context.folder("history")?, |chart| {
        Ok(rendered(context, chart, &[])? != today)
    })
}

fn passwords_of(chart: &Utf8Path) -> Utf8PathBuf {
    chart.join("ci/default-values.yaml")
}

/// The rendered objects of a chart, by kind and name.
fn rendered(
    context: &E2eContext,
    chart: &Utf8Path,
    sets: &[String],
) -> anyhow::Result<BTreeMap<(String, String), Value>> {
    let passwords = passwords_of(chart);
    let arguments: Vec<_> = sets.iter().map(String::as_str).collect();
    let template = Template { chart, release: "afp", values: &[&passwords], arguments: &arguments };
    let manifest = context.helm4()?.template(&template)?.map_err(anyhow::Error::msg)?;
    let objects = tools::objects(&manifest).map_err(anyhow::Error::msg)?;
    objects.into_iter().map(|object| Ok(((object.kind, object.name), serde_yaml::from_str(&object.text)?))).collect()
}

/// The immutable fields of each object that an upgrade patches. Hooks are excluded, because Helm recreates them.
fn immutable(objects: &BTreeMap<(String, String), Value>) -> BTreeMap<(String, String), BTreeMap<&'static str, Value>> {
    let fields = |kind: &str| -> &'static [&'static str] {
        match kind {
            "Deployment" => &["selector"],
            "StatefulSet" => &["selector", "serviceName", "volumeClaimTemplates", "podManagementPolicy"],
            "Service" => &["clusterIP"],
            // Matters only for Jobs with the same name; a changed Job gets a new name.
            "Job" => &["template"],
            "PersistentVolumeClaim" => &["accessModes", "storageClassName"],
            _ => &[],
        }
    };
    let of = |(id, object): (&(String, String), &Value)| {
        let spec = object.get("spec").cloned().unwrap_or_default();
        let values =
            fields(&id.0).iter().map(|field| (*field, spec.get(*field).cloned().unwrap_or_default())).collect();
        (id.clone(), values)
    };
    objects.iter().filter(|((kind, _), object)| !fields(kind).is_empty() && !is_hook(object)).map(of).collect()
}

fn is_hook(object: &Value) -> bool {
    let annotations = object.get("metadata").and_then(|metadata| metadata.get("annotations"));
    annotations.is_some_and(|annotations| annotations.get("helm.sh/hook").is_some())
}

/// Compares the current immutable fields with those of the older version and of changed values.
fn same_immutable_fields(context: &E2eContext, older: &OlderVersion) -> anyhow::Result<String> {
    let today = immutable(&rendered(context, &context.chart, &[])?);
    let changed: Vec<_> =
        changes(context)?.iter().flat_map(|change| change.sets.clone()).map(|set| format!("--set={set}")).collect();
    let mut differ = Vec::new();
    for (what, other) in [
        ("the older version", immutable(&rendered(context, &older.chart, &[])?)),
        ("changed values", immutable(&rendered(context, &context.chart, &changed)?)),
    ] {
        for (id, fields) in &today {
            let Some(others) = other.get(id) else { continue };
            let of_this = fields.iter().filter(|(field, value)| others.get(*field) != Some(value));
            differ.extend(of_this.map(|(field, _)| format!("{} {}: {field} differs from {what}", id.0, id.1)));
        }
    }
    ensure!(differ.is_empty(), "{}", differ.join("; "));
    Ok(format!("{} objects", today.len()))
}

/// A changed value and the charts whose pods must roll.
struct Change {
    what: &'static str,
    sets: Vec<String>,
    rolls: Vec<&'static str>,
}

fn changes(context: &E2eContext) -> anyhow::Result<Vec<Change>> {
    let Roles { sender, worker, keeper, page, fixture, .. } = Roles::of(context)?;
    let change = |what, set: String, rolls: &[&'static str]| Change { what, sets: vec![set], rolls: rolls.to_vec() };
    Ok(vec![
        change("a changed image", another_name(context, worker), &[worker]),
        change("a changed number of replicas", format!("{page}.replicas=2"), &[]),
        change("changed resources", format!("{keeper}.resources.limits.memory=300Mi"), &[keeper]),
        change("a changed setting", fixture.setting.to_owned(), &[sender]),
    ])
}

/// A value that changes a service's image reference but not its image.
///
/// Adds the default registry to the name; if the name already has a registry, changes the pull policy.
fn another_name(context: &E2eContext, service: &str) -> String {
    let repository = context.repository_of(service).unwrap_or_default();
    let registry = repository.split_once('/').is_some_and(|(host, _)| host.contains(['.', ':']) || host == "localhost");
    if registry {
        format!("{service}.image.pullPolicy=Always")
    } else {
        format!("{service}.image.repository=docker.io/{repository}")
    }
}

/// Changes one kind of value after the other; each must roll exactly the expected pods.
fn values(lane: &Lane, release: &Release) -> Outcome {
    let mut sets: Vec<String> = Vec::new();
    let mut outcome = Ok(());
    for change in changes(lane.context).map_err(|_| Reported)? {
        sets.extend(change.sets);
        let step = lane.step(change.what, || {
            let before = release.uids()?;
            let sets: Vec<_> = sets.iter().map(String::as_str).collect();
            release.apply(&release.arguments("upgrade", from_ref(&lane.context.small), &sets), true)?;
            recovers(release, RECOVERY)?;
            let rolled = release.rolled_since(&before)?;
            ensure!(rolled == change.rolls, "rolled: {rolled:?}, expected: {:?}", change.rolls);
            Ok(if rolled.is_empty() { "rolls nothing".to_owned() } else { format!("rolls only {}", rolled.join(", ")) })
        });
        outcome = step.and(outcome);
    }
    outcome
}

/// Uninstalls and reinstalls with the same passwords; volumes and alerts must survive.
fn reinstalled(lane: &Lane, release: &Release) -> Outcome {
    lane.step("uninstall and install again: volumes and alerts survive", || {
        let (rows, volumes) = (flow::rows(release)?, claims(release)?);
        ensure!(!rows.is_empty() && !volumes.is_empty(), "the release has no stored alert or no volume");
        release.uninstall()?;
        ensure!(claims(release)? == volumes, "uninstalling changed the PersistentVolumeClaims: {:?}", claims(release)?);
        release.apply(&release.arguments("install", from_ref(&lane.context.small), &[]), true)?;
        recovers(release, RECOVERY)?;
        ensure!(claims(release)? == volumes, "installing replaced the PersistentVolumeClaims: {:?}", claims(release)?);
        let lost = rows.difference(&flow::rows(release)?).count();
        ensure!(lost == 0, "{lost} of {} stored alerts are lost", rows.len());
        Ok(format!("{} claims, {} alerts", volumes.len(), rows.len()))
    })
}

fn claims(release: &Release) -> anyhow::Result<BTreeSet<(String, String)>> {
    let selector = format!("app.kubernetes.io/instance={}", release.name);
    let items = kubectl::items(&["get", "pvc", "--namespace", &release.namespace.name, "--selector", &selector])?;
    let read = |claim: &serde_json::Value| {
        let text = |name: &str| claim["metadata"][name].as_str().map(str::to_owned).context("a claim without a name");
        Ok((text("name")?, text("uid")?))
    };
    items.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_may_change_since_it_is_made_anew() {
        let job = |annotations: &str| {
            let text = format!("{{metadata: {{annotations: {{{annotations}}}}}, spec: {{template: a}}}}");
            immutable(&BTreeMap::from([(
                ("Job".to_owned(), "a".to_owned()),
                serde_yaml::from_str(&text).expect("YAML"),
            )]))
        };
        assert_eq!(job("helm.sh/hook: post-install").len(), 0);
        assert_eq!(job("").len(), 1);
    }

    #[test]
    fn selectors_and_claims_are_what_may_not_change() {
        let objects = |text: &str| {
            BTreeMap::from([(("StatefulSet".to_owned(), "a".to_owned()), serde_yaml::from_str(text).expect("YAML"))])
        };
        let one = immutable(&objects("spec: {serviceName: x, selector: {a: b}, replicas: 1}"));
        assert_eq!(one, immutable(&objects("spec: {serviceName: x, selector: {a: b}, replicas: 2}")));
        assert_ne!(one, immutable(&objects("spec: {serviceName: y, selector: {a: b}}")));
        assert_ne!(one, immutable(&objects("spec: {serviceName: x, selector: {a: b, version: '1'}}")));
    }
}
