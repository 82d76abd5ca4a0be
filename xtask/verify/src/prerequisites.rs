//! The step `prerequisites`: the list of custom kinds equals what the cases render, and the operators' values fit their charts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use generator::Prerequisite;
use render::{Object, objects};
use serde_json::Value;
use tempfile::TempDir;
use tools::{OperatorChart, Template, operator_chart};

use super::context::VerifyContext;
use super::report::Outcome;

/// The API groups of Kubernetes that the charts use, besides the core group. Every other group is another project's.
const OF_KUBERNETES: [&str; 6] =
    ["apps", "autoscaling", "batch", "networking.k8s.io", "policy", "rbac.authorization.k8s.io"];

pub(super) fn prerequisites(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let mut rendered: BTreeMap<String, &str> = BTreeMap::new();
    for one in context.manifests()? {
        for object in &one.objects {
            if let Some(kind) = custom_kind(&object.value) {
                rendered.entry(kind).or_insert(&one.case.name);
            }
        }
    }
    let listed = generator::custom_kinds(&context.platform);
    let listed: BTreeSet<String> = listed.iter().map(|kind| format!("{} {}", kind.api_version(), kind.kind)).collect();
    let mut wrong = compare(&listed, &rendered);
    let mut fitting = Vec::new();
    let mut not_rendered = Vec::new();
    for prerequisite in generator::prerequisites(&context.platform) {
        let title = format!("{} {}", prerequisite.chart, prerequisite.version);
        match operator_chart(prerequisite.chart)? {
            None => not_rendered.push(title),
            Some(chart) => {
                let found = render(context, &prerequisite, &chart).with_context(|| title.clone())?;
                wrong.extend(found.into_iter().map(|found| format!("{title}: {found}")));
                fitting.push(title);
            }
        }
    }
    let summary = format!(
        "{} custom kinds; the values of {} charts fit ({}), and their Pods keep to the Pod Security of their namespaces",
        listed.len(),
        fitting.len(),
        fitting.join(", ")
    );
    let notes = (!not_rendered.is_empty()).then(|| {
        format!("not rendered, because no Go module contains the charts: the values of {}", not_rendered.join(", "))
    });
    Ok(Outcome::of(summary).with(wrong).noting(notes.into_iter().collect()))
}

/// API version and kind of an object of another project.
fn custom_kind(object: &Value) -> Option<String> {
    let version = object["apiVersion"].as_str()?;
    let (group, _) = version.split_once('/')?;
    (!OF_KUBERNETES.contains(&group)).then(|| format!("{version} {}", object["kind"].as_str().unwrap_or_default()))
}

/// What is listed and not rendered, and the reverse; `rendered` has a case for each kind.
fn compare(listed: &BTreeSet<String>, rendered: &BTreeMap<String, &str>) -> Vec<String> {
    let list = "`kinds` in generator/src/addons/prerequisites/kinds.rs";
    let missing = rendered.iter().filter(|(kind, _)| !listed.contains(*kind));
    let missing =
        missing.map(|(kind, case)| format!("the case {case} renders {kind}, which {list} lacks: add it there"));
    let idle = listed.iter().filter(|kind| !rendered.contains_key(*kind));
    let idle =
        idle.map(|kind| format!("{list} has {kind}, which no case renders: remove it, or add a case in xtask/render"));
    missing.chain(idle).collect()
}

/// What is wrong with the values of an operator.
fn render(context: &VerifyContext, prerequisite: &Prerequisite, chart: &OperatorChart) -> anyhow::Result<Vec<String>> {
    let values = context.folder.join(&prerequisite.values);
    let temporary = tempfile::tempdir()?;
    let (copy, version) = copy_without_dependencies(&chart.folder, &temporary)?;
    let version = if version == "v0.0.0" { chart.module_version } else { version.as_str() };
    if version != prerequisite.version {
        return Ok(vec![format!(
            "its sources are of the chart {version}: pin this version, or the sources of the other"
        )]);
    }
    let template = Template { chart: &copy, release: prerequisite.chart, values: &[&values], arguments: &[] };
    let manifest = match context.helm()?.template(&template)? {
        Ok(manifest) => manifest,
        Err(message) => return Ok(vec![format!("Helm refuses {}: {}", prerequisite.values, message.trim())]),
    };
    let objects = objects(&manifest)?;
    let pods: Vec<(&Object, &Value)> = objects.iter().filter_map(|object| Some((object, object.pod()?))).collect();
    if pods.is_empty() {
        return Ok(vec!["it renders no Pod".to_owned()]);
    }
    if prerequisite.pod_security != "restricted" {
        return Ok(Vec::new());
    }
    let named = |(object, pod): &(&Object, &Value)| {
        let name = format!("{} {}", object.kind, object.name);
        unrestricted(&pod["spec"]).into_iter().map(|found| format!("{name}: {found}")).collect::<Vec<_>>()
    };
    Ok(pods.iter().flat_map(named).collect())
}

/// Copies a chart without its dependencies, which its sources do not contain and its defaults do not use. Returns the copy, and the version in
/// `Chart.yaml`.
fn copy_without_dependencies(chart: &Utf8Path, target: &TempDir) -> anyhow::Result<(Utf8PathBuf, String)> {
    let target = Utf8Path::from_path(target.path()).context("the temporary folder is not UTF-8")?.join("chart");
    copy(chart, &target)?;
    let file = target.join("Chart.yaml");
    let text = fs::read_to_string(chart.join("Chart.yaml"))?;
    let mut metadata: Value = serde_yaml::from_str(&text).with_context(|| file.to_string())?;
    let version = metadata["version"].as_str().ok_or_else(|| anyhow!("{file} has no version"))?.to_owned();
    if let Some(fields) = metadata.as_object_mut() {
        fields.remove("dependencies");
    }
    fs::remove_file(&file)?;
    // JSON is YAML.
    fs::write(&file, metadata.to_string())?;
    Ok((target, version))
}

fn copy(from: &Utf8Path, to: &Utf8Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(entry.path(), &target)?;
        } else if entry.file_name() != "Chart.lock" {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// What Pod Security `restricted` forbids in the specification of a Pod.
fn unrestricted(pod: &Value) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if pod[field] == true {
            found.push(format!("{field} is true"));
        }
    }
    let volumes = pod["volumes"].as_array().into_iter().flatten();
    found.extend(
        volumes
            .filter(|volume| volume.get("hostPath").is_some())
            .map(|volume| format!("the volume {} is a hostPath", volume["name"].as_str().unwrap_or_default())),
    );
    let containers =
        ["initContainers", "containers"].into_iter().flat_map(|list| pod[list].as_array().into_iter().flatten());
    for container in containers {
        let name = container["name"].as_str().unwrap_or_default();
        let own = &container["securityContext"];
        let either = |field: &str| if own[field].is_null() { &pod["securityContext"][field] } else { &own[field] };
        let drops = own["capabilities"]["drop"].as_array().is_some_and(|drop| drop.iter().any(|one| one == "ALL"));
        let seccomp = either("seccompProfile")["type"].as_str().unwrap_or_default();
        let rules = [
            (own["privileged"] == true, "privileged"),
            (own["allowPrivilegeEscalation"] != false, "allowPrivilegeEscalation is not false"),
            (!drops, "capabilities do not drop ALL"),
            (*either("runAsNonRoot") != true, "runAsNonRoot is not true"),
            (*either("runAsUser") == 0, "runAsUser is 0"),
            (!["RuntimeDefault", "Localhost"].contains(&seccomp), "no seccompProfile"),
        ];
        found.extend(
            rules.iter().filter(|(is_broken, _)| *is_broken).map(|(_, rule)| format!("container {name}: {rule}")),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_of_kubernetes_are_not_custom() {
        assert_eq!(custom_kind(&json!({ "apiVersion": "v1", "kind": "Secret" })), None);
        assert_eq!(custom_kind(&json!({ "apiVersion": "networking.k8s.io/v1", "kind": "Ingress" })), None);
        let route = json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute" });
        assert_eq!(custom_kind(&route).as_deref(), Some("gateway.networking.k8s.io/v1 HTTPRoute"));
    }

    #[test]
    fn a_kind_on_one_side_only_is_found() {
        let listed = BTreeSet::from(["a/v1 A".to_owned(), "b/v1 B".to_owned()]);
        let rendered = BTreeMap::from([("b/v1 B".to_owned(), "first"), ("c/v1 C".to_owned(), "second")]);
        let found = compare(&listed, &rendered);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("the case second renders c/v1 C, which"), "{found:?}");
        assert!(found[1].contains("has a/v1 A, which no case renders"), "{found:?}");
    }

    #[test]
    fn restricted_forbids_each_of_these() {
        let context = json!({
            "allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": { "drop": ["ALL"] },
            "seccompProfile": { "type": "RuntimeDefault" },
        });
        let good = json!({ "containers": [{ "name": "a", "securityContext": context }] });
        assert_eq!(unrestricted(&good), [""; 0]);
        let bad = json!({
            "hostNetwork": true,
            "volumes": [{ "name": "files", "hostPath": { "path": "/" } }],
            "initContainers": [{ "name": "a", "securityContext": { "privileged": true, "runAsUser": 0 } }],
            "containers": [],
        });
        assert_eq!(
            unrestricted(&bad),
            [
                "hostNetwork is true",
                "the volume files is a hostPath",
                "container a: privileged",
                "container a: allowPrivilegeEscalation is not false",
                "container a: capabilities do not drop ALL",
                "container a: runAsNonRoot is not true",
                "container a: runAsUser is 0",
                "container a: no seccompProfile",
            ]
        );
    }
}
