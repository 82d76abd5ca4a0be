//! A release of the earlier version that must be reinstalled moves to this version with its data, and back, by the commands of `UPGRADING.md`.

mod old;

use std::collections::{BTreeMap, BTreeSet};
use std::slice::from_ref;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::process;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use serde_json::Value;
use tools::ToolBinary;
use vocabulary::{EarlierVersion, Platform, Reinstallation};

use super::loaded::{RECOVERY, recovers};
use crate::documents::{Document, Reader};
use crate::flow;
use crate::roles::Roles;
use old::OldRelease;

const UPGRADING: &str = "UPGRADING.md";

/// The steps of the document, by the positions of their blocks: the preparation, then those during which the services are stopped.
const PREPARATION: usize = 0;
const STOPPED: std::ops::RangeInclusive<usize> = 1..=5;

/// How often the old release is asked for a row.
const ROWS: usize = 25;

/// The version whose releases must be reinstalled.
pub(super) fn earlier(platform: &Platform) -> Option<(&'static EarlierVersion, &'static Reinstallation)> {
    platform.earlier_versions.iter().find_map(|earlier| Some((earlier, earlier.reinstallation.as_ref()?)))
}

pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    let (version, reinstallation) = earlier(context.platform.platform()).ok_or(Reported)?;
    let version = version.version.as_str();
    let namespace = TestNamespace::as_step(lane, "migrate")?;
    let Ok(helm) = context.helm4() else { return Err(Reported) };
    let release = Release::new(&namespace, helm, "afp");
    let _volumes = KeptVolumes { namespace: &namespace };
    let old = OldRelease { release: &release, version, reinstallation };
    lane.step(format!("install a release with the shape of version {version}, and store rows"), || {
        old.install()?;
        for _ in 0..ROWS {
            old.sends()?;
        }
        process::until(RECOVERY, Duration::from_secs(1), || {
            let rows = flow::rows(&release)?.len();
            Ok(if rows < ROWS { Err(format!("{rows} rows are stored")) } else { Ok(format!("{rows} rows")) })
        })
    })?;
    lane.step("helm upgrade is refused before it changes anything, with Helm 4 and 3", || {
        let versions = [context.helm4()?, context.helm3()?];
        versions
            .into_iter()
            .map(|helm| refused(&release, helm, version, reinstallation))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(String::new())
    })?;
    let mut moved = None;
    lane.step(format!("the commands of \"From {version}\" move the release with its rows"), || {
        // No row comes in between the two readings.
        old.stop_sender()?;
        let rows = settled(&release)?;
        let reader = Reader::of(&release)?.with("VALUES", values(&release));
        let blocks = Document::read(&context.chart, UPGRADING)?.commands(&format!("From {version}"))?;
        let block =
            |position: usize| blocks.get(position).with_context(|| format!("there is no block {}", position + 1));
        reader.run(block(PREPARATION)?)?;
        let start = Instant::now();
        for position in STOPPED {
            reader.run(block(position)?)?;
        }
        let stopped = start.elapsed();
        let found = flow::rows(&release)?;
        let lost = rows.difference(&found).count();
        ensure!(lost == 0, "{lost} of {} rows are lost", rows.len());
        moved = Some((reader, rows));
        // The last block also tests the release.
        Ok(format!("{} rows, {} s from the first stop to the end of the tests", found.len(), stopped.as_secs()))
    })?;
    let (reader, rows) = moved.ok_or(Reported)?;
    lane.step("the release works, with the server of this version and its owner's rights", || {
        recovers(&release, RECOVERY)?;
        runs_version(&release, &old.new_major(), &rows)
    })?;
    lane.step(format!("the commands of \"Back to {version}\" install the former release with its rows"), || {
        let blocks = Document::read(&context.chart, UPGRADING)?.commands(&format!("Back to {version}"))?;
        for block in &blocks {
            reader.run(block)?;
        }
        // Nothing new is stored, so the rows are exactly those of the dump.
        let found = settled(&release)?;
        ensure!(found == rows, "{} rows, then {}", rows.len(), found.len());
        runs_version(&release, old::MAJOR, &rows)?;
        old.sends()?;
        process::until(RECOVERY, Duration::from_secs(1), || {
            let now = flow::rows(&release)?.len();
            Ok(if now > rows.len() { Ok(format!("{now} rows")) } else { Err("no new row is stored".to_owned()) })
        })
    })
}

/// The values files of the new release, as the document's `VALUES` takes them.
fn values(release: &Release) -> String {
    let context = release.namespace.context;
    let files = context.values(from_ref(&context.small));
    files.iter().map(|file| file.as_str()).collect::<Vec<_>>().join(",")
}

/// The stored rows, once they no longer change.
fn settled(release: &Release) -> anyhow::Result<BTreeSet<(String, String)>> {
    let mut before = None;
    process::until(RECOVERY, Duration::from_secs(5), || {
        let now = flow::rows(release)?;
        let settled = before.as_ref() == Some(&now);
        before = Some(now.clone());
        Ok(if settled { Ok(now) } else { Err("rows are still stored".to_owned()) })
    })
}

/// Upgrades the old release with valid values. Helm must refuse it with the section of the document, and change no object.
fn refused(release: &Release, helm: &ToolBinary, version: &str, reinstallation: &Reinstallation) -> anyhow::Result<()> {
    let upgrade = Release::new(release.namespace, helm, &release.name);
    let before = objects(release)?;
    let arguments = upgrade.arguments("upgrade", from_ref(&release.namespace.context.small), &[]);
    let output = upgrade.try_helm(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
    let section = format!("the section \"From {version}\" in UPGRADING.md");
    ensure!(!output.success && output.err.contains(&section), "{} upgrades: {}", helm.version, output.all());
    ensure!(output.err.contains(reinstallation.reason), "{}", output.all());
    for claim in old::claims(release, reinstallation) {
        ensure!(output.err.contains(&format!("The volume claim {claim} belongs to version")), "{}", output.all());
    }
    let after = objects(release)?;
    let changed: Vec<_> =
        before.iter().filter(|(name, spec)| after.get(*name) != Some(*spec)).map(|(name, _)| name).collect();
    ensure!(changed.is_empty() && after.len() == before.len(), "{} changed {changed:?}", helm.version);
    Ok(())
}

/// The specifications of all objects, by kind and name.
fn objects(release: &Release) -> anyhow::Result<BTreeMap<String, Value>> {
    let kinds =
        "deployments,statefulsets,services,configmaps,secrets,persistentvolumeclaims,networkpolicies,serviceaccounts";
    let items = kubectl::items(&["get", kinds, "--namespace", &release.namespace.name])?;
    let named = |object: Value| {
        let name = format!("{}/{}", object["kind"], object["metadata"]["name"]);
        (name, object["spec"].clone())
    };
    Ok(items.into_iter().map(named).collect())
}

/// Fails unless the database server has this major version, and the rows' tables belong to the owner of the database.
fn runs_version(release: &Release, major: &str, rows: &BTreeSet<(String, String)>) -> anyhow::Result<String> {
    let database = Roles::of(release.namespace.context)?.database;
    let version = flow::sql(release, database, "SHOW server_version")?;
    ensure!(version.trim().starts_with(major), "the server has version {version}, not {major}");
    let foreign = "SELECT count(*) FROM pg_tables t JOIN pg_database d ON d.datname = current_database() \
                   WHERE schemaname = 'public' AND tableowner <> pg_get_userbyid(d.datdba)";
    let foreign = flow::sql(release, database, foreign)?;
    ensure!(foreign.trim() == "0", "{} tables of {database} have another owner", foreign.trim());
    Ok(format!("version {}, {} rows", version.trim(), rows.len()))
}

/// The volumes that the document keeps beyond the release. Dropping it lets the cluster remove them with the namespace.
struct KeptVolumes<'a> {
    namespace: &'a TestNamespace<'a>,
}

impl Drop for KeptVolumes<'_> {
    fn drop(&mut self) {
        let context = self.namespace.context;
        if context.keep {
            return;
        }
        let delete = || -> anyhow::Result<()> {
            for volume in kubectl::items(&["get", "persistentvolumes"])? {
                let of_namespace = volume["spec"]["claimRef"]["namespace"] == self.namespace.name.as_str();
                let name = volume["metadata"]["name"].as_str().unwrap_or_default();
                if of_namespace && volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain" {
                    let patch = r#"{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}"#;
                    kubectl::tidy(&["patch", "persistentvolume", name, "--patch", patch])?;
                }
            }
            Ok(())
        };
        if let Err(error) = delete() {
            context.reporter.line(format_args!("   cannot release the volumes of {}: {error:#}", self.namespace.name));
        }
    }
}
