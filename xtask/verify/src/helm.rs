//! The steps that run Helm 3 and Helm 4: `lint`, `template` and `pipeline`.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use render::{Case, Object, objects};
use serde_json::Value;
use tools::ToolBinary;

use super::context::{VerifyContext, in_parallel};
use super::report::{Outcome, Progress, by_finding};

/// The step `lint`. Helm itself lints the first case of each chart; the batch programs lint all.
pub(super) fn lint(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let (helms, batches) = (context.helms()?, context.batches()?);
    let first = context.charts.iter().filter_map(|chart| context.cases_of(chart).next());
    let by_helm = first.flat_map(|case| helms.iter().map(move |helm| (case, helm)));
    let by_batch = context.cases.iter().flat_map(|case| batches.iter().map(move |batch| (case, batch)));
    let all: Vec<(&Case, &ToolBinary)> = by_helm.chain(by_batch).collect();
    let lint = |(case, helm): &(&Case, &ToolBinary)| -> anyhow::Result<Option<String>> {
        let values: Vec<&Utf8Path> = case.values.iter().map(Utf8PathBuf::as_path).collect();
        // `helm lint` has no option `--api-versions`; a missing kind does not fail it.
        let arguments = case.arguments.iter().map(String::as_str).filter(|a| !a.starts_with("--api-versions"));
        let output = helm.lint(&case.chart, &values, &arguments.collect::<Vec<_>>())?;
        Ok(output.err().map(|output| format!("{} {}, {}:\n{output}", helm.tool.title(), helm.version, case.name)))
    };
    let found: Vec<_> = in_parallel(&all, &context.progress, lint).into_iter().collect::<Result<_, _>>()?;
    let summary = format!("{} cases with {} and {}", context.cases.len(), helms[0].version, helms[1].version);
    Ok(Outcome::of(summary).with(found.into_iter().flatten().collect()))
}

pub(super) fn template(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let (helms, batches) = (context.helms()?, context.batches()?);
    // When Helm 4 refuses a case, there are no manifests. Then each case is rendered here, and the refusal is reported with its case.
    let manifests = context.manifests().unwrap_or_default();
    let by_helm = with_new_arguments(&context.cases);
    let compare = |case: &Case| {
        let known = manifests.iter().find(|manifest| manifest.case.name == case.name);
        let rendered = [0, 1].map(|position| case.render(&batches[position]));
        let mut wrong = Vec::new();
        if by_helm.contains(&case.name) {
            for ((helm, batch), of_batch) in helms.iter().zip(batches).zip(&rendered) {
                wrong.extend(unlike(helm, &case.render(helm), batch, of_batch));
            }
        }
        // Rendered twice: a tool that compares with what is installed would find a difference for ever.
        if known.is_some_and(|known| !rendered[1].as_ref().is_ok_and(|text| *text == known.manifest)) {
            wrong.push("a second rendering by Helm 4 is another one".to_owned());
        }
        let count = match rendered.map(|text| text.and_then(|text| Ok(sorted(objects(&text)?)))) {
            [Ok(three), Ok(four)] => {
                wrong.extend(differences(&three, &four));
                four.len()
            }
            both => {
                wrong.extend(both.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")));
                0
            }
        };
        (count, wrong)
    };
    let (counts, wrong): (Vec<usize>, Vec<_>) =
        in_parallel(&context.cases, &context.progress, compare).into_iter().unzip();
    let (cases, count) = (context.cases.len(), counts.iter().sum::<usize>());
    let compared = by_helm.len();
    let summary = format!(
        "{cases} cases, {count} objects, the same from both versions; in {compared} cases, which have all kinds of arguments, Helm gives what its batch program gives"
    );
    let named = context
        .cases
        .iter()
        .zip(wrong)
        .flat_map(|(case, all)| all.into_iter().map(|wrong| (case.name.as_str(), wrong)));
    Ok(Outcome::of(summary).with(by_finding(named, cases)))
}

/// The names of the cases that Helm itself renders, too: the first of each chart, and each with a kind of argument that no case before it has. The batch
/// programs call Helm's code, so they can differ from it in how they read arguments and print results; a test of the crate `tools` also compares refusals and
/// lint.
fn with_new_arguments(cases: &[Case]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut is_new = |case: &&Case| {
        let kinds =
            case.arguments.iter().map(|argument| argument.split_once('=').map_or(argument.as_str(), |(flag, _)| flag));
        let files = case.values.iter().map(|_| "--values");
        let known = seen.len();
        seen.extend(kinds.chain(files).map(str::to_owned).chain([case.chart.to_string()]));
        seen.len() > known
    };
    cases.iter().filter(|case| is_new(case)).map(|case| case.name.clone()).collect()
}

/// The finding that a program of many renderings does not give what Helm gives for a case. Of the same version it must give the same bytes and the same
/// message. Of another version, which is that of a Helm on `PATH`, it must give the same objects.
fn unlike(
    helm: &ToolBinary,
    of_helm: &anyhow::Result<String>,
    batch: &ToolBinary,
    of_batch: &anyhow::Result<String>,
) -> Option<String> {
    let is_same = match (of_helm, of_batch) {
        (Ok(one), Ok(other)) if helm.version == batch.version => one == other,
        (Err(one), Err(other)) if helm.version == batch.version => format!("{one:#}") == format!("{other:#}"),
        (Ok(one), Ok(other)) => match (objects(one), objects(other)) {
            (Ok(one), Ok(other)) => differences(&sorted(one), &sorted(other)).is_empty(),
            _ => false,
        },
        (one, other) => one.is_err() && other.is_err(),
    };
    let finding = || {
        let (title, version) = (helm.tool.title(), &helm.version);
        format!(
            "{title} {version} does not give what its batch program {} gives, on which other steps rely",
            batch.path
        )
    };
    (!is_same).then(finding)
}

/// The objects by kind and name. The versions may print them in a different order.
fn sorted(mut all: Vec<Object>) -> Vec<Object> {
    all.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
    all
}

fn differences(three: &[Object], four: &[Object]) -> Vec<String> {
    let only = |ours: &[Object], theirs: &[Object], what: &str| -> Vec<String> {
        let missing = ours.iter().filter(|one| !theirs.iter().any(|other| other.value == one.value));
        missing.map(|one| format!("{} {} differs: this form is rendered by {what} only", one.kind, one.name)).collect()
    };
    [only(three, four, "Helm 3"), only(four, three, "Helm 4")].concat()
}

/// The step `pipeline`: runs `helm dependency build` on a copy without network access, renders with a commit hash as image tag, and packages the chart
/// with build metadata in its version, as Flux does.
pub(super) fn pipeline(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let copy = tempfile::tempdir()?;
    let copy = Utf8Path::from_path(copy.path()).context("the path of the temporary folder is not UTF-8")?;
    let status = Command::new("cp").args(["-R", context.folder.as_str(), copy.as_str()]).status()?;
    if !status.success() {
        bail!("cannot copy {} to {copy}", context.folder);
    }
    let folder = copy.join(owned_tree::FOLDER);
    let copied = |case: &Case| -> anyhow::Result<Case> {
        Ok(Case { chart: folder.join(case.chart.strip_prefix(&context.folder)?), ..case.clone() })
    };
    let defaults = copied(context.cases.first().context("the chart has no case to render")?)?;
    let mut wrong = Vec::new();
    for helm in context.helms()? {
        let built = helm.command().args(["dependency", "build", defaults.chart.as_str()]).output()?;
        if !built.status.success() {
            wrong.push(format!("{}: {}", helm.version, String::from_utf8_lossy(&built.stderr)));
        }
        let tagged = |service: &String| -> anyhow::Result<Option<String>> {
            // A declared digest has precedence over a tag.
            let arguments = vec![format!("--set={service}.image.tag={COMMIT},{service}.image.digest=")];
            let manifest = Case { arguments, ..defaults.clone() }.render(helm)?;
            let is_there = manifest.contains(&format!(":{COMMIT}\""));
            let wrong = || format!("{}: {service} does not render the image tag that was set", helm.version);
            Ok((!is_there).then(wrong))
        };
        let found = in_parallel(&context.traffic.services, &Progress::default(), tagged);
        wrong.extend(found.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten());
        for case in context.charts.iter().filter_map(|chart| context.cases_of(chart).next()) {
            wrong.extend(wrong_labels(&copied(case)?, helm, copy)?);
        }
    }
    Ok(Outcome::of("dependency build, commit tags and versions with build metadata, with both versions").with(wrong))
}

/// The label values of the packaged chart that the API server would refuse.
fn wrong_labels(case: &Case, helm: &ToolBinary, folder: &Utf8Path) -> anyhow::Result<Vec<String>> {
    let metadata = fs::read_to_string(case.chart.join("Chart.yaml"))?;
    let metadata: Value = serde_yaml::from_str(&metadata)?;
    let text =
        |key: &str| metadata.get(key).and_then(Value::as_str).with_context(|| format!("Chart.yaml has no {key}"));
    let version = format!("{}{BUILD_METADATA}", text("version")?);
    let mut package = helm.command();
    package.args(["package", case.chart.as_str(), "--destination", folder.as_str()]);
    let packaged = package.args(["--version", &version, "--app-version", BUILD_METADATA]).output()?;
    if !packaged.status.success() {
        return Ok(vec![format!("{}: {}", helm.version, String::from_utf8_lossy(&packaged.stderr))]);
    }
    let package = Case { chart: folder.join(format!("{}-{version}.tgz", text("name")?)), ..case.clone() };
    let mut wrong = Vec::new();
    for object in objects(&package.render(helm)?)? {
        let labels = object.value["metadata"]["labels"].as_object();
        for (label, value) in labels.into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            if !is_label_value(value) {
                let version = &helm.version;
                wrong.push(format!("{version}: {} {} has the label {label}: {value}", object.kind, object.name));
            }
        }
    }
    Ok(wrong)
}

/// Whether the API server accepts a text as the value of a label.
fn is_label_value(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let has_ends = !text.starts_with(['-', '_', '.']) && !text.ends_with(['-', '_', '.']);
    text.len() <= 63 && has_ends && text.chars().all(is_inner)
}

/// Build metadata behind a version: long, and with a character that no label takes.
const BUILD_METADATA: &str = "+3f2a9c1fedcba9876543210fedcba9876543210fedcba98.2026-11-27.linux-arm64";

/// A commit hash that no case uses as an image tag.
const COMMIT: &str = "fedcba9876543210fedcba9876543210fedcba98";

#[cfg(test)]
mod tests {
    use super::*;
    use tools::Tool;

    #[test]
    fn a_batch_program_that_gives_something_else_is_named() {
        let tool = |tool, version: &str| ToolBinary {
            tool,
            path: "helm-batch".into(),
            version: version.to_owned(),
            origin: tools::Origin::Built,
            home: "home".into(),
        };
        let [helm, other] = ["v4.3.1", "v4.1.0"].map(|version| tool(Tool::Helm4, version));
        let batch = tool(Tool::BatchHelm4, "v4.3.1");
        let text = |text: &str| Ok::<_, anyhow::Error>(text.to_owned());
        let (one, same, next) =
            ("kind: A\nmetadata: {name: x}\n", "kind: A\nmetadata: {name: 'x'}\n", "kind: A\nmetadata: {name: y}\n");
        assert_eq!(unlike(&helm, &text(one), &batch, &text(one)), None);
        let found = "helm 4 v4.3.1 does not give what its batch program helm-batch gives, on which other steps rely";
        assert_eq!(unlike(&helm, &text(one), &batch, &text(same)).as_deref(), Some(found));
        assert_eq!(unlike(&other, &text(one), &batch, &text(same)), None);
        assert!(unlike(&other, &text(one), &batch, &text(next)).is_some());
        let failed = |text: &str| Err(anyhow::anyhow!("{text}"));
        assert_eq!(unlike(&helm, &failed("a"), &batch, &failed("a")), None);
        assert!(unlike(&helm, &failed("a"), &batch, &failed("b")).is_some());
        assert!(unlike(&other, &failed("a"), &batch, &text(one)).is_some());
    }

    #[test]
    fn what_only_one_helm_renders_is_named() {
        let three = objects("kind: A\nmetadata: {name: x}\n---\nkind: B\nmetadata: {name: y}\n").expect("objects");
        let four =
            objects("kind: A\nmetadata: {name: x}\n---\nkind: B\nmetadata: {name: y, labels: {}}\n").expect("objects");
        assert!(differences(&three, &three).is_empty());
        let found = differences(&three, &four);
        assert_eq!(
            found,
            ["B y differs: this form is rendered by Helm 3 only", "B y differs: this form is rendered by Helm 4 only"]
        );
    }
}
