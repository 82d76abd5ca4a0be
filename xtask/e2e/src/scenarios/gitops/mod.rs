//! What Argo CD and Flux rely on: no difference without a change, a release that is applied as Argo CD does, definitions that are upgraded by the commands of
//! `CRDS.md`, and the script that examines a cluster.
//!
//! Argo CD and Flux themselves do not run here.

mod definitions;
mod sync;

use std::os::unix::fs::symlink;
use std::slice::from_ref;

use anyhow::{Context as _, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use e2e_kit::kubectl;
use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use render::objects;
use serde_json::{Value, json};
use vocabulary::Scaling;

use super::loaded::{RECOVERY, recovers};
use crate::documents::{Document, Reader};
use crate::roles::Roles;

use sync::{MANAGER, Manifest, differences, sync};

const GITOPS: &str = "GITOPS.md";
const README: &str = "README.md";

/// The values that select Secrets of the installer.
const EXISTING: &str = r#"{"global": {"secrets": {"mode": "existing"}}}"#;

/// Runs two lanes at once: an installed release, a release by Kustomize, definitions, and the script `doctor`.
pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    lane.step("find Helm 4", || Ok(context.helm4()?.version.clone()))?;
    let work = vec![
        Work::new("differences", compared),
        Work::new("kustomize", kustomized),
        Work::new("definitions", definitions::upgraded),
        Work::new("doctor", examined),
    ];
    side_by_side(context, 2, work)
}

/// The folder that has the charts and the pages beside them.
fn beside(chart: &Utf8Path) -> anyhow::Result<&Utf8Path> {
    chart.parent().with_context(|| format!("{chart} has no parent"))
}

/// An installed release has no difference to its values, with the passwords in the values and with Secrets of the installer.
fn compared(lane: &Lane) -> Outcome {
    let context = lane.context;
    let namespace = TestNamespace::as_step(lane, "gitops")?;
    let release = Release::new(&namespace, context.helm4().map_err(|_| Reported)?, "afp");
    let sets = features(&release).map_err(|_| Reported)?;
    let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
    lane.step("helm install --wait, with backups, exporters and an autoscaler", || {
        release.apply(&release.arguments("install", from_ref(&context.small), &sets), true)?;
        Ok(String::new())
    })?;
    let values = context.values(from_ref(&context.small));
    let inline = lane.step("inline: no difference to a dry run of Helm, and to one of Argo CD", || {
        no_difference(&release, &values, &sets)
    });
    let control = lane.step("a changed value is a difference for both", || {
        let page = Roles::of(context)?.page;
        let changed = format!("{page}.podAnnotations.changed=yes");
        let sets = [&sets[..], &[&changed]].concat();
        let Err(found) = no_difference(&release, &values, &sets) else { bail!("the changed value is no difference") };
        let object = format!("Deployment {}-{page}", release.name);
        ensure!(format!("{found:#}").contains(&object), "the difference does not name {object}: {found:#}");
        let manifest = Manifest::rendered(&release, &values, &sets)?;
        ensure!(!differences(&release, &manifest)?.is_empty(), "Argo CD would find no difference");
        Ok(String::new())
    });
    let existing = lane.step("existing: the same after an upgrade to Secrets of one's own", || {
        make_secrets(&release, &sets)?;
        let values = own_values(&release, None)?;
        // The objects are compared, so nothing waits for Pods.
        let upgraded =
            release.try_helm_without_hooks(&release.arguments_of("upgrade", &context.chart, &values, &sets))?;
        ensure!(upgraded.success, "{}", upgraded.all());
        no_difference(&release, &values, &sets)
    });
    all([inline, control, existing])
}

/// The values that switch on what a production environment has: those of its objects that controllers change.
fn features(release: &Release) -> anyhow::Result<Vec<String>> {
    let context = release.namespace.context;
    let platform = context.platform.platform();
    let scalable = platform.services.iter().find(|service| service.scaling != Scaling::Fixed);
    let scaled = scalable.map(|service| format!("{}.autoscaling.enabled=true", service.name));
    let backups = format!("{}.backup.enabled=true", Roles::of(context)?.database_server);
    Ok([backups].into_iter().chain(scaled).collect())
}

/// Fails with the first difference between the installed release and a rendering with these values.
fn no_difference(release: &Release, values: &[Utf8PathBuf], sets: &[&str]) -> anyhow::Result<String> {
    let installed = release.try_helm(&["get", "manifest", &release.name])?.ok("helm get manifest")?;
    let mut words = release.arguments_of("upgrade", &release.namespace.context.chart, values, sets);
    words.extend(["--dry-run=server", "--output=json"].map(str::to_owned));
    let output =
        release.try_helm(&words.iter().map(String::as_str).collect::<Vec<_>>())?.ok("helm upgrade --dry-run")?;
    let planned = kubectl::parsed("helm upgrade --dry-run=server", &output)?;
    let planned = planned["manifest"].as_str().context("helm upgrade --dry-run=server prints no manifest")?;
    let (before, after) = (objects(&installed)?, objects(planned)?);
    ensure!(!before.is_empty(), "the installed release has no object");
    let changed = before.iter().chain(&after).find(|one| !(before.contains(one) && after.contains(one)));
    if let Some(one) = changed {
        bail!("an upgrade would change {} {}", one.kind, one.name);
    }
    ensure!(installed.trim() == planned.trim(), "the manifests have the same objects and other texts");
    let manifest = Manifest::rendered(release, values, sets)?;
    let found = differences(release, &manifest)?;
    ensure!(found.is_empty(), "Argo CD would never be in sync:\n{found}");
    Ok(format!("{} objects", before.len()))
}

/// Creates Secrets of the installer's own with the script of the chart.
fn make_secrets(release: &Release, sets: &[&str]) -> anyhow::Result<()> {
    let context = release.namespace.context;
    let platform = context.platform.platform().name.as_str();
    let sets = sets.iter().map(|set| format!(" --set {set}")).collect::<Vec<_>>().concat();
    let command = format!("sh ./{platform}/existing-secrets.sh \"$RELEASE\" \"$NAMESPACE\" --values \"$VALUES\"{sets}");
    let values = context.values(from_ref(&context.small));
    Reader::of(release)?.with("VALUES", joined(&values)).run(&command)?;
    Ok(())
}

/// The values files of an installation without passwords, with further values as JSON.
fn own_values(release: &Release, further: Option<&Value>) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let context = release.namespace.context;
    // The passwords come first.
    let mut values = context.values(from_ref(&context.small))[1..].to_vec();
    values.push(context.file("existing.json", EXISTING)?);
    if let Some(further) = further {
        values.push(context.file("further.json", &further.to_string())?);
    }
    Ok(values)
}

fn joined(files: &[Utf8PathBuf]) -> String {
    files.iter().map(|file| file.as_str()).collect::<Vec<_>>().join(",")
}

/// The recipe of `GITOPS.md`: a release that Kustomize changes is applied as Argo CD applies it, twice, the second time with another login.
fn kustomized(lane: &Lane) -> Outcome {
    let context = lane.context;
    let namespace = TestNamespace::as_step(lane, "gitops")?;
    let release = Release::new(&namespace, context.helm4().map_err(|_| Reported)?, "afp");
    let mut first = None;
    lane.step("create the Secrets, and run the recipe of GITOPS.md", || {
        make_secrets(&release, &[])?;
        let manifest = recipe(&release, &own_values(&release, None)?)?;
        let summary = format!("{} objects, {} hooks", manifest.objects.len(), manifest.hooks.len());
        first = Some(manifest);
        Ok(summary)
    })?;
    let first = first.ok_or(Reported)?;
    lane.step("apply the result as Argo CD does: the platform works, with the changed field", || {
        sync(&release, &first, None)?;
        recovers(&release, RECOVERY)?;
        is_patched(&release)
    })?;
    lane.step("there is no difference afterwards", || in_sync(&release, &first))?;
    let replaced = lane.step("a raised revision: apply, wait, prune, reconcile; the platform works", || {
        let credential = super::secrets::sources::moved_credential(&context.platform).context("no credential")?;
        let revision = credential.revision.iter().rev().fold(json!(2), |value, key| json!({ key: value }));
        make_secrets(&release, &[&format!("{}=2", credential.revision.join("."))])?;
        let second = recipe(&release, &own_values(&release, Some(&revision))?)?;
        let pruned = sync(&release, &second, Some(&first))?;
        ensure!(pruned > 0, "nothing was pruned, although the names of Jobs end with a digest");
        recovers(&release, RECOVERY)?;
        in_sync(&release, &second)?;
        Ok(format!("{pruned} objects pruned"))
    });
    let encrypted = lane
        .step("the passwords for Flux: encrypted by the commands of GITOPS.md, and decrypted", || encrypted(&release));
    all([replaced, encrypted])
}

fn in_sync(release: &Release, manifest: &Manifest) -> anyhow::Result<String> {
    let found = differences(release, manifest)?;
    ensure!(found.is_empty(), "Argo CD would never be in sync:\n{found}");
    Ok(format!("{} objects", manifest.objects.len()))
}

/// Runs the recipe, and returns what Kustomize makes of the chart. Fails unless it changes exactly what the recipe says.
fn recipe(release: &Release, values: &[Utf8PathBuf]) -> anyhow::Result<Manifest> {
    let context = release.namespace.context;
    let document = Document::read(beside(&context.chart)?, GITOPS)?;
    let blocks = document.commands("Change what no value reaches")?;
    let reader = Reader::of(release)?.with("VALUES", joined(values));
    reader.run(blocks.first().context("no block about Kustomize")?)?;
    let rendered = std::fs::read_to_string(reader.path("rendered/manifest.yaml"))?;
    let before = Manifest::of(&rendered)?;
    let after = Manifest::of(&reader.run("kubectl kustomize rendered")?)?;
    let patched = format!("{}-{}", release.name, patched(release)?);
    ensure!(before.hooks.len() == after.hooks.len(), "Kustomize has changed the number of hooks");
    for object in &before.objects {
        let found = after.objects.iter().find(|other| (&other.kind, &other.name) == (&object.kind, &object.name));
        let found = found.with_context(|| format!("Kustomize has lost {} {}", object.kind, object.name))?;
        let is_patched = object.kind == "Deployment" && object.name == patched;
        let is_same = found.value == object.value;
        ensure!(is_same != is_patched, "{} {}: same: {is_same}", object.kind, object.name);
    }
    Ok(after)
}

/// The service that the recipe changes: the last one that is declared.
fn patched(release: &Release) -> anyhow::Result<&'static str> {
    let services = &release.namespace.context.platform.platform().services;
    Ok(services.last().context("the platform has no service")?.name.as_str())
}

fn is_patched(release: &Release) -> anyhow::Result<String> {
    let name = format!("{}-{}", release.name, patched(release)?);
    let deployment = kubectl::json(&["get", "deployment", &name, "--namespace", &release.namespace.name])?;
    let pod = &deployment["spec"]["template"]["spec"];
    ensure!(pod["dnsConfig"]["options"][0]["name"] == "ndots", "{name} has dnsConfig {}", pod["dnsConfig"]);
    let managers = kubectl::run(&[
        "get",
        "deployment",
        &name,
        "--namespace",
        &release.namespace.name,
        "--show-managed-fields",
        "--output=jsonpath={.metadata.managedFields[*].manager}",
    ])?;
    ensure!(managers.contains(MANAGER), "{name} is managed by {managers}");
    Ok(String::new())
}

/// Encrypts a file of passwords by the commands of the page, as the chart's README sets up sops, and compares what sops decrypts.
fn encrypted(release: &Release) -> anyhow::Result<String> {
    let context = release.namespace.context;
    let reader = Reader::of(release)?;
    let passwords = std::fs::read_to_string(&context.passwords)?;
    std::fs::write(reader.path("passwords.plaintext.yaml"), &passwords)?;
    let setup = Document::read(&context.chart, README)?.commands("Credentials in git")?;
    let setup = setup.first().context("the README has no commands about sops")?;
    let (setup, _) = setup.split_once("sops encrypt").context("the README does not encrypt")?;
    reader.run(setup)?;
    let document = Document::read(beside(&context.chart)?, GITOPS)?;
    reader.run(document.commands("Secrets")?.first().context("no block about Flux")?)?;
    let file = format!("secrets/{}/secrets-passwords.yaml", release.name);
    let encrypted = std::fs::read_to_string(reader.path(&file))?;
    ensure!(encrypted.contains("ENC[AES256_GCM"), "the file is not encrypted");
    let decrypted =
        reader.run(&format!("sops decrypt {file} | kubectl create --dry-run=client --output json --filename -"))?;
    let secret = kubectl::parsed("sops decrypt", &decrypted)?;
    let values = kubectl::try_run(
        &[
            "create",
            "--dry-run=client",
            "--filename=-",
            "--output=go-template={{index .data \"values.yaml\" | base64decode}}",
        ],
        &secret.to_string(),
    )?;
    ensure!(values.ok("kubectl create")?.trim() == passwords.trim(), "the decrypted passwords differ");
    Ok(String::new())
}

/// Runs `doctor` with its trial of the network, as the page about prerequisites says.
fn examined(lane: &Lane) -> Outcome {
    let context = lane.context;
    let namespace = TestNamespace::as_step(lane, "gitops")?;
    let release = Release::new(&namespace, context.helm4().map_err(|_| Reported)?, "afp");
    let what = "doctor finds what the first environment needs, and its trial of NetworkPolicies and Pod Security";
    let mut lacks_image = false;
    let outcome = lane.step(what, || {
        let folder = beside(&context.chart)?;
        let reader = Reader::of(&release)?;
        symlink(folder.join("prerequisites"), reader.path("prerequisites"))?;
        let page = Document::read(&folder.join("prerequisites"), README)?;
        let command = page.all_commands().map(|(_, text)| text).next().context("the page has no command")?;
        let report = reader.run(&command)?;
        lacks_image = report.contains("the Pods of the trial do not start");
        if lacks_image {
            return Ok("all but the trial".to_owned());
        }
        for subject in ["ok       Pod Security:", "ok       enforcement of NetworkPolicies:"] {
            ensure!(report.contains(subject), "the report has no line `{subject}`:\n{report}");
        }
        let left = kubectl::items(&["get", "namespaces"])?;
        let is_left = |one: &&Value| {
            let name = one["metadata"]["name"].as_str().unwrap_or_default();
            name.starts_with("doctor-trial-") && one["status"]["phase"] != "Terminating"
        };
        ensure!(!left.iter().any(|one| is_left(&one)), "the namespace of the trial is left");
        Ok(report.lines().last().unwrap_or_default().to_owned())
    });
    if lacks_image {
        lane.not_run("the trial of doctor", "the cluster has no image busybox:1.37 and cannot pull it");
    }
    outcome
}
