//! An installation that fails midway leaves no pod without its NetworkPolicies.
//!
//! Helm 3 and 4 create objects in the order of their kinds, NetworkPolicies before everything but namespaces, and go on after an object that the API
//! server refuses. So a policy is missing only if the API server refuses the policy itself.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use camino::Utf8PathBuf;
use e2e_kit::kubectl;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;
use serde_json::json;
use tools::{Template, ToolBinary};

pub(super) fn run(lane: &Lane) -> Outcome {
    let mut helms = Vec::new();
    lane.step("find Helm 3 and Helm 4", || {
        helms = vec![lane.context.helm4()?, lane.context.helm3()?];
        Ok(helms.iter().map(|helm| helm.version.as_str()).collect::<Vec<_>>().join(", "))
    })?;
    all(helms.iter().map(|helm| with(lane, helm)))
}

fn with(lane: &Lane, helm: &ToolBinary) -> Outcome {
    let title = helm.tool.title();
    let failed = TestNamespace::as_step(lane, "partial")?;
    let half = lane.step(format!("{title}: an installation without Services has every NetworkPolicy"), || {
        kubectl::apply(&json!({
            "apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": {"name": "no-services", "namespace": failed.name}, "spec": {"hard": {"count/services": "0"}},
        }))?;
        let release = Release::new(&failed, helm, "afp");
        let output = release.try_helm_without_hooks(&release.arguments("install", &[], &[]))?;
        ensure!(!output.success && output.all().contains("no-services"), "{}", output.all());
        let inventory = failed.inventory()?;
        ensure!(
            inventory.iter().any(|name| name.starts_with("deployment.apps/")),
            "nothing was created: {inventory:?}"
        );
        policies_are_older(&failed)?;
        has_policies(&release)
    });
    let packaged = TestNamespace::as_step(lane, "partial")?;
    let metadata = lane.step(format!("{title}: a package whose version has build metadata installs"), || {
        let chart = package(lane, helm)?;
        let release = Release::new(&packaged, helm, "afp");
        let values = lane.context.values(&[]);
        let output = release.try_helm_without_hooks(&release.arguments_of("install", &chart, &values, &[]))?;
        ensure!(output.success, "{}", output.all());
        has_policies(&release)
    });
    all([half, metadata])
}

/// Packages the chart as Flux does.
fn package(lane: &Lane, helm: &ToolBinary) -> anyhow::Result<Utf8PathBuf> {
    let context = lane.context;
    let folder = context.folder("package")?;
    let platform = context.platform.platform();
    let version = format!("{}+3f2a9c1fedcb", platform.version);
    let mut command = helm.command();
    command.args(["package", context.chart.as_str(), "--version", &version, "--destination", folder.as_str()]);
    let output = command.output().context("helm package")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(folder.join(format!("{}-{version}.tgz", platform.name)))
}

/// Fails if a workload was created before a NetworkPolicy. The API server's time has seconds.
fn policies_are_older(namespace: &TestNamespace) -> anyhow::Result<()> {
    let created = |kinds: &str| -> anyhow::Result<BTreeSet<String>> {
        let items = kubectl::items(&["get", kinds, "--namespace", &namespace.name])?;
        let time = |item: &serde_json::Value| item["metadata"]["creationTimestamp"].as_str().map(str::to_owned);
        Ok(items.iter().filter_map(time).collect())
    };
    let policies = created("networkpolicies")?;
    let workloads = created("deployments,statefulsets,jobs,pods")?;
    let (last, first) = (policies.last().context("no policy")?, workloads.first().context("no workload")?);
    ensure!(last <= first, "a NetworkPolicy was created at {last}, after a workload at {first}");
    Ok(())
}

/// Fails unless the namespace has every NetworkPolicy of the chart that is not a hook.
fn has_policies(release: &Release) -> anyhow::Result<String> {
    let context = release.namespace.context;
    let values = context.values(&[]);
    let values: Vec<_> = values.iter().map(Utf8PathBuf::as_path).collect();
    let template =
        Template { chart: &context.chart, release: &release.name, values: &values, arguments: &["--no-hooks"] };
    let manifest = release.helm.template(&template)?.map_err(anyhow::Error::msg)?;
    let objects = tools::objects(&manifest).map_err(anyhow::Error::msg)?;
    let wanted: BTreeSet<_> =
        objects.into_iter().filter(|object| object.kind == "NetworkPolicy").map(|object| object.name).collect();
    let items = kubectl::items(&["get", "networkpolicies", "--namespace", &release.namespace.name])?;
    let found: BTreeSet<_> =
        items.iter().filter_map(|item| item["metadata"]["name"].as_str().map(str::to_owned)).collect();
    let missing: Vec<_> = wanted.difference(&found).cloned().collect();
    ensure!(!wanted.is_empty() && missing.is_empty(), "missing: {}", missing.join(", "));
    Ok(format!("{} policies", wanted.len()))
}
