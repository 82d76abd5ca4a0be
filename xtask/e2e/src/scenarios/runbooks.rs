//! The runbooks of the chart's `UPGRADING.md`, with the commands as they stand there.

use std::collections::BTreeMap;
use std::slice::from_ref;

use anyhow::{Context as _, bail, ensure};
use e2e_kit::context::E2eContext;
use e2e_kit::kubectl;
use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use serde_json::{Value, json};
use tools::ToolBinary;

use super::loaded::{RECOVERY, recovers};
use crate::documents::{Document, Reader};
use crate::flow;
use crate::roles::Roles;

const UPGRADING: &str = "UPGRADING.md";

/// Runs two lanes in parallel: volumes; then manual changes and deployments with each Helm.
pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    lane.step("find Helm 3 and Helm 4", || Ok(format!("{}, {}", context.helm4()?.version, context.helm3()?.version)))?;
    let (helm4, helm3) = (context.helm4().map_err(|_| Reported)?, context.helm3().map_err(|_| Reported)?);
    let deployments =
        move |lane: &Lane| all([deployed(lane, helm4), deployed(lane, helm3), changed_helm(lane, helm3, helm4)]);
    let work = vec![Work::new("volumes", move |lane| volumes(lane, helm4)), Work::new("deployments", deployments)];
    side_by_side(context, 2, work)
}

/// Manual changes and two deployments in a row. The pods are not waited for: the image tags of the deployments do not exist.
fn deployed(lane: &Lane, helm: &ToolBinary) -> Outcome {
    let title = helm.tool.title();
    let namespace = TestNamespace::as_step(lane, "runbooks")?;
    let release = Release::new(&namespace, helm, "afp");
    lane.step(format!("{title}: helm install"), || {
        let values = release.arguments("install", from_ref(&lane.context.small), &[]);
        let output = release.try_helm_without_hooks(&values)?;
        ensure!(output.success, "{}", output.all());
        Ok(String::new())
    })?;
    let manual = lane.step(format!("{title}: manual changes, and the runbook for conflicts"), || manual(&release));
    let kept = lane.step(format!("{title}: two deployments that keep the installed values"), || {
        in_a_row(&release, |reader, service, commit| {
            let document = Document::read(&lane.context.chart, UPGRADING)?;
            let commands = document.commands("Several deployments in a row")?;
            let reader = reader.with("SERVICE", service).with("COMMIT", commit);
            reader.run(&quick(commands.first().context("no first block")?))
        })
    });
    let tags = lane.step(format!("{title}: two deployments with a file of tags"), || {
        let mut all_tags = BTreeMap::new();
        in_a_row(&release, |reader, service, commit| {
            all_tags.insert(service.to_owned(), json!({"image": {"tag": commit}}));
            let tags = serde_yaml::to_string(&all_tags)?;
            std::fs::write(reader.path("tags.yaml"), tags)?;
            // As the values of an environment may do.
            let environment = reader.path("values-environment.yaml");
            std::fs::write(&environment, serde_yaml::to_string(&json!({service: {"image": {"tag": "latest"}}}))?)?;
            let mut files = lane.context.values(from_ref(&lane.context.small));
            files.push(environment);
            let files: Vec<_> = files.iter().map(|file| file.as_str()).collect();
            let document = Document::read(&lane.context.chart, UPGRADING)?;
            let commands = document.commands("Several deployments in a row")?;
            reader.with("VALUES", files.join(",")).run(&quick(commands.get(1).context("no second block")?))
        })
    });
    all([manual, kept, tags])
}

/// The block with `helm upgrade --no-hooks`: hooks wait for pods, and these images do not exist.
fn quick(block: &str) -> String {
    block.replace("helm upgrade ", "helm upgrade --no-hooks ")
}

/// A release of Helm 3 that Helm 4 upgrades: as `UPGRADING.md` says, Helm 4 sets the chart's fields back without a conflict, also with the runbook.
fn changed_helm(lane: &Lane, helm3: &ToolBinary, helm4: &ToolBinary) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "runbooks")?;
    let [old, new] = [helm3, helm4].map(|helm| Release::new(&namespace, helm, "afp"));
    lane.step("helm 3, then helm 4: manual changes, and the runbook for conflicts", || {
        let small = from_ref(&lane.context.small);
        let output = old.try_helm_without_hooks(&old.arguments("install", small, &[]))?;
        ensure!(output.success, "{}", output.all());
        let page = Roles::of(lane.context)?.page;
        let scale = || {
            let name = format!("deployment/{}-{page}", new.name);
            kubectl::run(&["scale", &name, "--replicas=3", "--namespace", &namespace.name])
        };
        let is_set_back = || -> anyhow::Result<()> {
            let replicas = deployment(&new, page)?["spec"]["replicas"].take();
            ensure!(replicas == 1, "replicas: {replicas}");
            Ok(())
        };
        scale()?;
        let output = new.try_helm_without_hooks(&new.arguments("upgrade", small, &[]))?;
        ensure!(output.success, "{}", output.all());
        is_set_back()?;
        scale()?;
        let block = Document::read(&lane.context.chart, UPGRADING)?.commands("Manual changes")?.concat();
        Reader::of(&new)?.run(&quick(&block))?;
        is_set_back()?;
        Ok(String::new())
    })
}

fn deployment(release: &Release, service: &str) -> anyhow::Result<Value> {
    let name = format!("{}-{service}", release.name);
    Ok(kubectl::json(&["get", "deployment", &name, "--namespace", &release.namespace.name])?)
}

/// What `UPGRADING.md` says of manual changes: Helm 3 sets the chart's fields back, Helm 4 refuses the upgrade until it is forced to, and both keep
/// the fields that the chart does not set.
fn manual(release: &Release) -> anyhow::Result<String> {
    let context = release.namespace.context;
    let page = Roles::of(context)?.page;
    let name = format!("deployment/{}-{page}", release.name);
    let change = |words: &[&str]| {
        kubectl::run(&[&[words[0], words[1], &name], &words[2..], &["--namespace", &release.namespace.name]].concat())
    };
    kubectl::run(&["scale", &name, "--replicas=3", "--namespace", &release.namespace.name])?;
    change(&["set", "image", &format!("{page}=changed/by:hand")])?;
    change(&["set", "env", "ADDED_BY_HAND=1"])?;
    let before = release.arguments("upgrade", from_ref(&context.small), &[]);
    let upgraded = release.try_helm_without_hooks(&before)?;
    let refuses = release.helm.version.starts_with("v4");
    ensure!(upgraded.success != refuses, "helm upgrade: {}", upgraded.all());
    if refuses {
        let words = ["Apply failed with", "conflict", "\"kubectl"];
        ensure!(words.iter().all(|word| upgraded.err.contains(word)), "{}", upgraded.all());
        let block = Document::read(&context.chart, UPGRADING)?.commands("Manual changes")?.concat();
        Reader::of(release)?.run(&quick(&block))?;
        let again = release.try_helm_without_hooks(&before)?;
        ensure!(again.success, "the next upgrade: {}", again.all());
    }
    let after = deployment(release, page)?;
    let container = &after["spec"]["template"]["spec"]["containers"][0];
    ensure!(after["spec"]["replicas"] == 1, "replicas: {}", after["spec"]["replicas"]);
    ensure!(container["image"] != "changed/by:hand", "the image is still the one set by hand");
    let variables = container["env"].as_array().into_iter().flatten();
    ensure!(variables.clone().any(|variable| variable["name"] == "ADDED_BY_HAND"), "the added variable is gone");
    Ok(if refuses { "refused, then forced" } else { "set back" }.to_owned())
}

/// Deploys two services one after the other; afterwards both must have their new tags.
fn in_a_row(
    release: &Release,
    mut deploy: impl FnMut(Reader, &str, &str) -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let Roles { sender, worker, .. } = Roles::of(release.namespace.context)?;
    let commits = [(sender, "a".repeat(40)), (worker, "b".repeat(40))];
    for (service, commit) in &commits {
        deploy(Reader::of(release)?, service, commit)?;
    }
    for (service, commit) in &commits {
        let deployment = deployment(release, service)?;
        let image = deployment["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
        ensure!(image.ends_with(&format!(":{commit}")), "{service} runs {image} after both deployments");
    }
    Ok(format!("{sender} and {worker} have their tags"))
}

/// A larger volume, and a server on a new volume with restored data.
fn volumes(lane: &Lane, helm: &ToolBinary) -> Outcome {
    let context = lane.context;
    let namespace = TestNamespace::as_step(lane, "runbooks")?;
    let release = Release::new(&namespace, helm, "afp");
    let mut class = None;
    lane.step("create a storage class that allows expansion", || {
        class = Some(ExpandableClass::create(context, &namespace.name)?);
        Ok(String::new())
    })?;
    let class = class.ok_or(Reported)?;
    lane.step("helm install --wait, and store an alert", || {
        // The runbook for another version of the database server takes its backups.
        let backups = format!("{}.backup.enabled=true", Roles::of(context)?.database_server);
        let classes: Vec<_> = classes(context, &class.name).into_iter().chain([backups]).collect();
        release.install(from_ref(&context.small), &classes.iter().map(String::as_str).collect::<Vec<_>>())?;
        recovers(&release, RECOVERY)?;
        Ok(String::new())
    })?;
    let refused = lane.step("what an upgrade cannot change is refused before anything changes", || {
        refused(&release, &classes(context, &class.name))
    });
    let larger = lane.step("larger volume: the claim has its new size, and no pod rolls", || {
        let (before, sizes_before) = (release.uids()?, sizes(&release)?);
        let blocks = Document::read(&context.chart, UPGRADING)?.commands("Larger volume")?;
        Reader::of(&release)?.run(blocks.first().context("no block about a larger volume")?)?;
        let rolled = release.rolled_since(&before)?;
        ensure!(rolled.is_empty(), "rolled: {}", rolled.join(", "));
        recovers(&release, RECOVERY)?;
        let sizes = sizes(&release)?;
        let changed: Vec<_> = sizes.iter().zip(&sizes_before).filter(|(after, before)| after != before).collect();
        let [(grown, was)] = changed[..] else {
            bail!("not one server has other sizes: {sizes_before:?}, then {sizes:?}")
        };
        ensure!(grown.claim == grown.template, "the claim and its template differ: {grown:?}");
        Ok(format!("{} from {} to {}", grown.server, was.claim, grown.claim))
    });
    let moved = lane.step("another version of the database server: every stored alert is restored", || {
        let rows = flow::rows(&release)?;
        ensure!(!rows.is_empty(), "no alert is stored");
        let server = Roles::of(context)?.database_server;
        let old = claim(&release, server)?;
        // The scenario has one version of the chart.
        let reader = Reader::of(&release)?.with("OLD_CHART", context.chart.as_str());
        for block in Document::read(&context.chart, UPGRADING)?.commands(server)? {
            reader.run(&block)?;
        }
        ensure!(claim(&release, server)? != old, "the volume is still the old one");
        recovers(&release, RECOVERY)?;
        let lost = rows.difference(&flow::rows(&release)?).count();
        ensure!(lost == 0, "{lost} of {} stored alerts are lost", rows.len());
        Ok(format!("{} alerts", rows.len()))
    });
    let reclassified = lane.step("another storage class: the server starts on a new volume of that class", || {
        let server = Roles::of(context)?.cache;
        let document = Document::read(&context.chart, UPGRADING)?;
        let delete = document.commands(server)?.concat();
        let blocks = document.commands("Larger volume")?;
        let upgrade = blocks.get(1).context("no block about another class")?;
        let other = ExpandableClass::create(context, &format!("{}-other", class.name))?;
        let reader = Reader::of(&release)?.with("SERVER", server).with("CLASS", &other.name).with("SIZE", "1Gi");
        reader.run(&format!("{delete}\n{upgrade}"))?;
        recovers(&release, RECOVERY)?;
        let claim =
            kubectl::json(&["get", "pvc", &claim_name(&release, server), "--namespace", &release.namespace.name])?;
        let found = &claim["spec"]["storageClassName"];
        ensure!(*found == other.name.as_str(), "the claim has the class {found}");
        Ok(other.name.clone())
    });
    all([refused, larger, moved, reclassified])
}

/// The values that give every server's volume this class.
fn classes(context: &E2eContext, class: &str) -> Vec<String> {
    let servers = context.platform.platform().backing.iter();
    servers.map(|server| format!("{}.persistence.storageClassName={class}", server.name())).collect()
}

/// Upgrades with another size, another class and another password; each must be refused with the remedy, and change nothing.
fn refused(release: &Release, classes: &[String]) -> anyhow::Result<String> {
    let context = release.namespace.context;
    let server = context.platform.platform().backing.first().context("no server")?.name();
    let credentials = generator::credential_paths(&context.platform);
    let credential = credentials.first().context("no credential")?.value.join(".");
    let cases = [
        (format!("{server}.persistence.size=77Gi"), "UPGRADING.md"),
        (format!("{server}.persistence.storageClassName=another"), "UPGRADING.md"),
        (format!("{credential}=another-Password-47110815"), "Set the revision to 2"),
    ];
    let before = release.namespace.inventory()?;
    for (set, remedy) in &cases {
        let sets: Vec<_> = classes.iter().chain([set]).map(String::as_str).collect();
        let arguments = release.arguments("upgrade", from_ref(&context.small), &sets);
        let output = release.try_helm(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
        ensure!(!output.success && output.err.contains(remedy), "{set}: {}", output.all());
        let path = set.split('=').next().unwrap_or_default();
        ensure!(output.err.contains(path), "the message lacks {path}: {}", output.all());
    }
    let after: Vec<_> =
        release.namespace.inventory()?.into_iter().filter(|name| !name.contains("helm.release")).collect();
    let missing: Vec<_> = after.iter().filter(|name| !before.contains(*name)).collect();
    ensure!(missing.is_empty(), "Helm refused the values but created: {missing:?}");
    Ok(format!("{} refusals", cases.len()))
}

/// The sizes of a server's volume.
#[derive(Debug, PartialEq, Eq)]
struct Sizes {
    server: String,
    /// What its claim requests.
    claim: String,
    /// What the template of its StatefulSet requests.
    template: String,
}

fn sizes(release: &Release) -> anyhow::Result<Vec<Sizes>> {
    let namespace = &release.namespace.name;
    let requested = |spec: &Value| spec["resources"]["requests"]["storage"].as_str().unwrap_or_default().to_owned();
    let servers = release.namespace.context.platform.platform().backing.iter();
    let size = |server: &vocabulary::Backing| {
        let server = server.name().as_str().to_owned();
        let (set, claim) = (format!("{}-{server}", release.name), claim_name(release, &server));
        let set = kubectl::json(&["get", "statefulset", &set, "--namespace", namespace])?;
        let claim = kubectl::json(&["get", "pvc", &claim, "--namespace", namespace])?;
        let template = requested(&set["spec"]["volumeClaimTemplates"][0]["spec"]);
        Ok(Sizes { server, claim: requested(&claim["spec"]), template })
    };
    servers.map(size).collect()
}

fn claim_name(release: &Release, server: &str) -> String {
    format!("data-{}-{server}-0", release.name)
}

/// The UID of a server's claim.
fn claim(release: &Release, server: &str) -> anyhow::Result<String> {
    let claim = kubectl::json(&["get", "pvc", &claim_name(release, server), "--namespace", &release.namespace.name])?;
    claim["metadata"]["uid"].as_str().map(str::to_owned).context("a claim without UID")
}

/// A copy of the default storage class that allows expansion. Nothing on the node resizes a volume; the API server only checks the class.
struct ExpandableClass<'a> {
    context: &'a E2eContext,
    name: String,
}

impl<'a> ExpandableClass<'a> {
    fn create(context: &'a E2eContext, name: &str) -> anyhow::Result<Self> {
        let is_default =
            |class: &&Value| class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
        let classes = kubectl::items(&["get", "storageclasses"])?;
        let default = classes.iter().find(is_default).context("the cluster has no default storage class")?;
        kubectl::apply(&json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
            "provisioner": default["provisioner"], "volumeBindingMode": default["volumeBindingMode"],
            "reclaimPolicy": "Delete", "allowVolumeExpansion": true,
        }))?;
        Ok(Self { context, name: name.to_owned() })
    }
}

impl Drop for ExpandableClass<'_> {
    fn drop(&mut self) {
        if self.context.keep {
            return;
        }
        if let Err(error) = kubectl::tidy(&["delete", "storageclass", &self.name]) {
            self.context.reporter.line(format_args!("   cannot delete storage class {}: {error}", self.name));
        }
    }
}
