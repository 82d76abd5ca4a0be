//! The upgrade of a definition by the commands of `CRDS.md`, with objects of the chart.
//!
//! The definition is that of Velero's `Schedule` in two releases of Velero, since no scenario needs Velero and no cluster of a trial has it. Velero stored its
//! objects in one version only, so the older definition gets an earlier version here, in which objects are stored.

use std::slice::from_ref;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use e2e_kit::context::E2eContext;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use e2e_kit::{kubectl, process};
use serde_json::{Value, json};

use super::beside;
use crate::documents::{Document, Reader};

const CRDS: &str = "CRDS.md";

/// The kind of the test.
const KIND: &str = "Schedule";

/// The added version.
const EARLIER: &str = "v1beta1";

/// A field that the newer definition alone has.
const NEW_FIELD: &str = r#"{"spec":{"template":{"volumeGroupSnapshotLabelKey":"example.org/group"}}}"#;

pub(super) fn upgraded(lane: &Lane) -> Outcome {
    let context = lane.context;
    let kinds = generator::custom_kinds(&context.platform);
    let Some(kind) = kinds.into_iter().find(|kind| kind.kind == KIND) else {
        lane.not_applicable("the upgrade of a definition", &format!("the chart never renders a {KIND}"));
        return Ok(());
    };
    let name = kind.definition();
    let namespace = TestNamespace::as_step(lane, "gitops")?;
    let release = Release::new(&namespace, context.helm4().map_err(|_| Reported)?, "afp");
    let mut guard = None;
    let mut files = None;
    lane.step(format!("install the older {name}, which stores objects in {EARLIER}"), || {
        let texts = tools::upgraded_definition()?;
        let [older, newer] = [&texts.older, &texts.newer].map(|text| serde_yaml::from_str::<Value>(text));
        let (older, newer) = (older?, newer?);
        ensure!(older["metadata"]["name"] == name.as_str(), "the definition is another one");
        guard = Some(Replaced::take(context, &name)?);
        apply(&with_earlier(&older, true)?)?;
        established(&name)?;
        files = Some(newer);
        Ok(String::new())
    })?;
    let (Some(_guard), Some(newer)) = (guard, files) else { return Err(Reported) };
    let mut before = Value::Null;
    lane.step("helm install: the chart's object is stored in the earlier version", || {
        let sets = ["global.velero.enabled=true".to_owned(), format!("global.velero.namespace={}", namespace.name)];
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let words = release.arguments("install", from_ref(&context.small), &sets);
        let output = release.try_helm_without_hooks(&words)?;
        ensure!(output.success, "{}", output.all());
        before = object(&name, &namespace.name)?;
        stores(&name, &[EARLIER])?;
        // The older definition drops the new field.
        ensure!(patched(&before, &name)?.is_null(), "the older definition has the new field");
        Ok(String::new())
    })?;
    lane.step("the API server refuses a definition without the version of stored objects", || {
        let Err(refused) = by_command(&release, &newer) else { bail!("the definition was accepted") };
        let text = format!("{refused:#}");
        ensure!(text.contains("status.storedVersions"), "the message is another one: {text}");
        Ok(String::new())
    })?;
    lane.step("the command of CRDS.md applies the next definition; both versions are listed", || {
        by_command(&release, &with_earlier(&newer, false)?)?;
        stores(&name, &[EARLIER, kind.version])?;
        let blocks = Document::read(beside(&context.chart)?, CRDS)?.commands("Conversion and stored versions")?;
        let listed = Reader::of(&release)?.run(blocks.first().context("no block that lists versions")?)?;
        let own = listed.lines().find(|line| line.starts_with(&name)).context("the definition is not listed")?;
        ensure!(own.contains(EARLIER) && own.contains(kind.version), "the list has: {own}");
        unchanged(&before, &object(&name, &namespace.name)?)
    })?;
    lane.step("the commands of CRDS.md rewrite the objects, and remove the earlier version from the list", || {
        let blocks = Document::read(beside(&context.chart)?, CRDS)?.commands("Conversion and stored versions")?;
        let block = blocks.get(1).context("no block that rewrites objects")?;
        let placeholder = "<version of the table>";
        ensure!(block.contains(placeholder), "the block has no place for the version");
        Reader::of(&release)?.with("DEFINITION", name.as_str()).run(&block.replace(placeholder, kind.version))?;
        stores(&name, &[kind.version])
    })?;
    lane.step("the command applies the newest definition: the object is the same, and new fields are kept", || {
        by_command(&release, &newer)?;
        stores(&name, &[kind.version])?;
        let now = object(&name, &namespace.name)?;
        unchanged(&before, &now)?;
        ensure!(patched(&now, &name)? == "example.org/group", "the newer definition drops its new field");
        Ok(String::new())
    })?;
    lane.step("helm upgrade of the release works", || {
        let output = release.try_helm_without_hooks(
            &["upgrade", &release.name, context.chart.as_str(), "--reset-then-reuse-values"].map(str::to_owned),
        )?;
        ensure!(output.success, "{}", output.all());
        let uninstalled = release.try_helm(&["uninstall", &release.name])?;
        ensure!(uninstalled.success, "{}", uninstalled.all());
        Ok(String::new())
    })
}

/// A definition of the cluster that the test replaces. Dropping it puts the former one back.
struct Replaced<'a> {
    context: &'a E2eContext,
    name: String,
    former: Option<Value>,
}

impl<'a> Replaced<'a> {
    /// Takes the definition away.
    ///
    /// # Errors
    /// If there are objects of it, which would be lost.
    fn take(context: &'a E2eContext, name: &str) -> anyhow::Result<Self> {
        let found =
            kubectl::try_run(&["get", "customresourcedefinition", name, "--ignore-not-found", "--output=json"], "")?
                .ok("kubectl get")?;
        let former = if found.trim().is_empty() { None } else { Some(kubectl::parsed("kubectl get", &found)?) };
        if former.is_some() {
            let objects = kubectl::items(&["get", name, "--all-namespaces"])?;
            if let Some(one) = objects.first() {
                bail!(
                    "the cluster has {} objects of {name}, such as {}, which this test would delete: use a cluster without them",
                    objects.len(),
                    one["metadata"]["name"]
                );
            }
            kubectl::run(&["delete", "customresourcedefinition", name, "--wait"])?;
        }
        Ok(Self { context, name: name.to_owned(), former })
    }
}

impl Drop for Replaced<'_> {
    fn drop(&mut self) {
        let deleted =
            kubectl::tidy(&["delete", "customresourcedefinition", &self.name, "--ignore-not-found", "--wait"]);
        let put_back = || -> anyhow::Result<()> {
            deleted?;
            let Some(former) = &self.former else { return Ok(()) };
            let kept = ["annotations", "labels", "name"].map(|key| (key.to_owned(), former["metadata"][key].clone()));
            let metadata: serde_json::Map<String, Value> =
                kept.into_iter().filter(|(_, value)| !value.is_null()).collect();
            apply(&json!({
                "apiVersion": former["apiVersion"], "kind": former["kind"], "metadata": metadata, "spec": former["spec"],
            }))
        };
        if let Err(error) = put_back() {
            self.context.reporter.line(format_args!("   cannot put the definition {} back: {error:#}", self.name));
        }
    }
}

/// The definition with the earlier version beside its own.
fn with_earlier(definition: &Value, is_stored: bool) -> anyhow::Result<Value> {
    let mut definition = definition.clone();
    let versions = definition["spec"]["versions"].as_array_mut().context("the definition has no versions")?;
    let own = versions.first_mut().context("the definition has no version")?;
    own["storage"] = json!(!is_stored);
    let mut earlier = own.clone();
    earlier["name"] = json!(EARLIER);
    earlier["storage"] = json!(is_stored);
    earlier["served"] = json!(is_stored);
    versions.push(earlier);
    Ok(definition)
}

fn apply(definition: &Value) -> anyhow::Result<()> {
    let words = ["apply", "--server-side", "--force-conflicts", "--filename=-"];
    kubectl::try_run(&words, &definition.to_string())?.ok("kubectl apply")?;
    Ok(())
}

/// Applies a definition by the command of the page, with a chart of this folder in place of the one in the repository of its project.
fn by_command(release: &Release, definition: &Value) -> anyhow::Result<()> {
    let context = release.namespace.context;
    let blocks = Document::read(beside(&context.chart)?, CRDS)?.commands("How definitions come, change and go")?;
    let begin = "helm show crds velero ";
    let command = blocks.iter().flat_map(|block| block.lines()).find(|line| line.starts_with(begin));
    let command = command.with_context(|| format!("{CRDS} has no command that begins with `{begin}`"))?;
    let (_, applied) = command.split_once(" | ").context("the command applies nothing")?;
    let reader = Reader::of(release)?;
    let chart = reader.path("velero");
    std::fs::create_dir_all(chart.join("crds"))?;
    std::fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: velero\nversion: 0.0.0\n")?;
    // JSON is YAML.
    std::fs::write(chart.join("crds/schedules.yaml"), definition.to_string())?;
    reader.run(&format!("helm show crds ./velero | {applied}"))?;
    Ok(())
}

fn established(name: &str) -> anyhow::Result<()> {
    let definition = format!("customresourcedefinition/{name}");
    kubectl::run(&["wait", &definition, "--for=condition=Established", "--timeout=30s"])?;
    Ok(())
}

/// Fails unless objects are stored in these versions.
fn stores(name: &str, versions: &[&str]) -> anyhow::Result<String> {
    process::until(Duration::from_secs(20), Duration::from_millis(500), || {
        let definition = kubectl::json(&["get", "customresourcedefinition", name])?;
        let stored = &definition["status"]["storedVersions"];
        Ok(if *stored == json!(versions) { Ok(()) } else { Err(format!("{name} stores objects in {stored}")) })
    })?;
    Ok(versions.join(", "))
}

/// The one object of the definition in a namespace.
fn object(name: &str, namespace: &str) -> anyhow::Result<Value> {
    let mut objects = kubectl::items(&["get", name, "--namespace", namespace])?;
    ensure!(objects.len() == 1, "{} objects of {name} instead of one", objects.len());
    Ok(objects.remove(0))
}

fn unchanged(before: &Value, now: &Value) -> anyhow::Result<String> {
    ensure!(before["metadata"]["uid"] == now["metadata"]["uid"], "the object was made anew");
    ensure!(before["spec"] == now["spec"], "the object is another one: {}, then {}", before["spec"], now["spec"]);
    Ok("the object is unchanged".to_owned())
}

/// The value of the new field after a patch that sets it; the patch is a dry run.
fn patched(object: &Value, name: &str) -> anyhow::Result<Value> {
    let [own, namespace] = ["name", "namespace"].map(|key| object["metadata"][key].as_str().unwrap_or_default());
    let words =
        ["patch", name, own, "--namespace", namespace, "--type=merge", "--dry-run=server", "--patch", NEW_FIELD];
    Ok(kubectl::json(&words)?["spec"]["template"]["volumeGroupSnapshotLabelKey"].take())
}
