//! The step `gitops`: the examples for Argo CD and Flux are valid, name files of the repository, and render; no template changes its result by itself.

mod delivery;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use render::{Object, objects};
use tools::{KUBERNETES_VERSIONS, ResourceReport, Tool, Verdict};

use super::context::{VerifyContext, in_parallel};
use super::report::{Outcome, Progress};

use delivery::Delivery;

/// The folder of the examples, below that of the charts.
const EXAMPLES: &str = "gitops";

/// The kind of Flux's releases.
const RELEASE: &str = "HelmRelease";

/// Template functions whose result is another one at each rendering, or depends on the network.
const CHANGING: [&str; 21] = [
    "ago",
    "bcrypt",
    "encryptAES",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "getHostByName",
    "htpasswd",
    "now",
    "randAlpha",
    "randAlphaNum",
    "randAscii",
    "randBytes",
    "randInt",
    "randNumeric",
    "shuffle",
    "uuidv4",
];

pub(super) fn gitops(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let mut wrong = changing(context);
    let mut documents = Vec::new();
    for (path, text) in context.wanted.iter().filter(|(path, _)| path.starts_with(EXAMPLES)) {
        for object in objects(text).with_context(|| path.to_string())? {
            documents.push((path.as_path(), object));
        }
    }
    ensure!(!documents.is_empty(), "there is no example below {EXAMPLES}");
    wrong.extend(invalid(&documents)?);
    wrong.extend(invalid_releases(&documents)?);
    let mut releases = Vec::new();
    for (path, object) in &documents {
        releases.extend(Delivery::of(&object.value).with_context(|| path.to_string())?.map(|one| (*path, one)));
    }
    let check = |(path, delivery): &(&Utf8Path, Delivery)| -> anyhow::Result<Vec<String>> {
        let found = delivery.check(context).with_context(|| path.to_string())?;
        Ok(found.into_iter().map(|found| format!("{path}: {found}")).collect())
    };
    let found = in_parallel(&releases, &Progress::default(), check).into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    wrong.extend(found.into_iter().flatten());
    let own = releases.iter().filter(|(_, one)| one.is_own()).count();
    let summary = format!(
        "{} objects; {own} of them render the chart, and {} name operators as the prerequisites do; no template uses a clock or a random number",
        documents.len(),
        releases.len() - own,
    );
    let note = "a HelmRelease is validated by the types of Flux, which know fields and no allowed values: no Go module has its definition";
    Ok(Outcome::of(summary).with(wrong).noting(vec![note.to_owned()]))
}

/// The templates that use a function with a changing result.
fn changing(context: &VerifyContext) -> Vec<String> {
    let is_template = |path: &Utf8Path| path.components().any(|part| part.as_str() == "templates");
    let templates = context.wanted.iter().filter(|(path, _)| is_template(path));
    let uses = templates.filter_map(|(path, text)| {
        let function = changing_function(text)?;
        Some(format!(
            "{path} uses {function}, whose result changes at each rendering, so that Argo CD never finds it in sync"
        ))
    });
    uses.collect()
}

/// The first function with a changing result that an action of a template calls.
fn changing_function(template: &str) -> Option<&'static str> {
    template.split("{{").skip(1).find_map(|rest| {
        let mut action = rest.split("}}").next().unwrap_or_default().to_owned();
        // Texts and comments are no calls.
        for quote in ['"', '`'] {
            action = action.split(quote).step_by(2).collect::<Vec<_>>().join(" ");
        }
        if action.trim_start_matches('-').trim_start().starts_with("/*") {
            return None;
        }
        let words: BTreeSet<&str> = action.split(|c: char| !(c.is_ascii_alphanumeric() || "._$".contains(c))).collect();
        CHANGING.into_iter().find(|function| words.contains(function))
    })
}

/// The objects that their schema refuses, and those without a schema, except a `HelmRelease`.
fn invalid(documents: &[(&Utf8Path, Object)]) -> anyhow::Result<Vec<String>> {
    let [.., newest] = KUBERNETES_VERSIONS;
    let text: Vec<&str> = documents.iter().map(|(_, object)| object.text.as_str()).collect();
    let report = tools::kubeconform_with(newest, &[tools::gitops_schemas()?.into_string()], &text.join("---\n"))?;
    let (found, given) = (report.resources.len(), documents.len());
    ensure!(found == given, "kubeconform reported {found} of {given} objects");
    let is_valid = |resource: &ResourceReport| match resource.verdict {
        Verdict::Valid => true,
        Verdict::NoSchema => resource.kind == RELEASE,
        _ => false,
    };
    let invalid = report.resources.iter().zip(documents).filter(|(resource, _)| !is_valid(resource));
    Ok(invalid.map(|(resource, (path, _))| format!("{path}: {resource}")).collect())
}

/// The objects of the kind `HelmRelease` that the types of Flux refuse.
fn invalid_releases(documents: &[(&Utf8Path, Object)]) -> anyhow::Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (position, (path, object)) in documents.iter().enumerate().filter(|(_, (_, object))| object.kind == RELEASE) {
        let file = Utf8PathBuf::try_from(folder.path().join(format!("{position}.yaml")))?;
        std::fs::write(&file, &object.text).with_context(|| file.to_string())?;
        files.insert(file.into_string(), format!("{path}: {RELEASE} {}", object.name));
    }
    let output = Tool::ReadReleases.ensure()?.command().args(files.keys()).output()?;
    ensure!(output.status.success(), "read-releases: {}", String::from_utf8_lossy(&output.stderr));
    let wrong: BTreeMap<String, String> =
        serde_json::from_slice(&output.stdout).context("read-releases prints no report")?;
    Ok(wrong.into_iter().map(|(file, reason)| format!("{}: {reason}", files.get(&file).unwrap_or(&file))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_with_a_changing_result_is_found() {
        assert_eq!(changing_function("a: {{ randAlphaNum 8 | quote }}"), Some("randAlphaNum"));
        assert_eq!(changing_function("a: {{- now | date \"2006\" }}"), Some("now"));
        assert_eq!(changing_function("a: {{ .Values.now }} {{ $now }} {{ \"now\" }} {{- /* now */ -}} now"), None);
    }

    #[test]
    fn a_misspelt_field_of_an_example_is_found() {
        let text = "
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a}
spec: {project: default, destination: {}, syncPolicy: {automated: {prun: true}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: b}
spec: {interval: 1m, chart: {spec: {chart: c, sourceRef: {kind: GitRepository, name: d}, reconcileStrateg: Revision}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: c}
spec: {interval: 1m}
";
        let path = Utf8Path::new("x.yaml");
        let documents: Vec<_> = objects(text).expect("objects").into_iter().map(|object| (path, object)).collect();
        let found = invalid(&documents).expect("a report");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("Application a: at /spec/syncPolicy/automated: additional properties 'prun'"),
            "{found:?}"
        );
        let found = invalid_releases(&documents).expect("a report");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("x.yaml: HelmRelease b: ") && found[0].contains("reconcileStrateg"), "{found:?}");
    }
}
