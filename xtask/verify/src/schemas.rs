//! The step `kubeconform`: validates every object against the schemas of Kubernetes and of custom resources.

use std::collections::{BTreeMap, BTreeSet};

use tools::{KUBERNETES_VERSIONS, KubeconformReport, KubernetesVersion, Verdict};

use super::context::{Rendered, VerifyContext, in_parallel};
use super::report::Outcome;

pub(super) fn kubeconform(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let distinct = distinct(context.manifests()?);
    let (texts, cases): (Vec<&str>, Vec<&str>) = distinct.into_iter().unzip();
    let all = texts.join("---\n");
    let ask = |version: &KubernetesVersion| tools::kubeconform_with(*version, &context.crd_schemas, &all);
    let reports =
        in_parallel(&KUBERNETES_VERSIONS, &context.progress, ask).into_iter().collect::<Result<Vec<_>, _>>()?;
    let reports: Vec<_> = KUBERNETES_VERSIONS.into_iter().zip(reports).collect();
    let objects: usize = context.manifests()?.iter().map(|one| one.objects.len()).sum();
    let summary = format!(
        "{objects} objects of {} cases, {} of them distinct, against {} versions",
        context.cases.len(),
        cases.len(),
        reports.len()
    );
    Ok(judge(summary, &reports, &cases, context.strict))
}

/// Every distinct object, with the first case that contains it. Equal objects are checked only once.
fn distinct(manifests: &[Rendered]) -> Vec<(&str, &str)> {
    let mut seen = BTreeSet::new();
    let each = manifests
        .iter()
        .flat_map(|one| one.objects.iter().map(|object| (object.text.as_str(), one.case.name.as_str())));
    each.filter(|(text, _)| seen.insert(*text)).collect()
}

/// `cases` names the case of each object, in the order of the reports.
fn judge(summary: String, reports: &[(KubernetesVersion, KubeconformReport)], cases: &[&str], strict: bool) -> Outcome {
    let mut wrong = Vec::new();
    let mut invalid: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut unchecked: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (version, report) in reports {
        if report.resources.len() != cases.len() {
            let (found, given) = (report.resources.len(), cases.len());
            wrong.push(format!("{version}: kubeconform reported {found} of {given} objects"));
            continue;
        }
        for (resource, case) in report.resources.iter().zip(cases) {
            match resource.verdict {
                Verdict::Valid => {}
                Verdict::NoSchema => {
                    let kind = format!("{} {}", resource.api_version, resource.kind);
                    unchecked.entry(kind).or_default().insert(resource.name.as_str());
                }
                _ => {
                    invalid.entry(format!("{case}: {resource}")).or_default().insert(version.to_string());
                }
            }
        }
    }
    let told = invalid.into_iter().map(|(finding, versions)| {
        let versions: Vec<String> = versions.into_iter().collect();
        format!("{finding} ({})", versions.join(", "))
    });
    wrong.extend(told);
    if unchecked.is_empty() {
        return Outcome::of(summary + "; every kind has a schema").with(wrong);
    }
    let kinds: Vec<String> = unchecked.iter().map(|(kind, names)| format!("{kind} ({})", names.len())).collect();
    let output =
        format!("{} not checked, because no schema was found: {}", kinds_in_words(kinds.len()), kinds.join(", "));
    if strict {
        wrong.push(format!("{output}; pass a folder with the schema to --crd-schemas"));
        return Outcome::of(summary).with(wrong);
    }
    Outcome::of(format!("{summary}; {output}")).with(wrong)
}

fn kinds_in_words(count: usize) -> String {
    if count == 1 { "1 kind was".to_owned() } else { format!("{count} kinds were") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTS: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: good}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: bad}
dataa: {}
---
apiVersion: example.org/v1
kind: Odd
metadata: {name: unknown}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: custom}
spec: {refreshIntervall: 1h}
";

    fn judged(strict: bool) -> Outcome {
        let version = KubernetesVersion::V1_37;
        let report = tools::kubeconform_with(version, &[], OBJECTS).expect("a report");
        judge("4".to_owned(), &[(version, report)], &["a", "b", "c", "d"], strict)
    }

    #[test]
    fn what_is_not_valid_fails_and_a_kind_without_schema_is_named() {
        let outcome = judged(false);
        assert_eq!(outcome.summary, "4; 1 kind was not checked, because no schema was found: example.org/v1 Odd (1)");
        assert_eq!(outcome.wrong.len(), 2, "{outcome:?}");
        assert!(
            outcome.wrong[0].starts_with("b: v1 ConfigMap bad: ") && outcome.wrong[0].ends_with(" (1.37.2)"),
            "{outcome:?}"
        );
        assert!(outcome.wrong[1].contains("additional properties 'refreshIntervall' not allowed"), "{outcome:?}");
    }

    #[test]
    fn strict_makes_a_failure_of_what_was_not_checked() {
        let outcome = judged(true);
        assert_eq!(outcome.wrong.len(), 3, "{outcome:?}");
        assert!(outcome.wrong[2].starts_with("1 kind was not checked"), "{outcome:?}");
    }

    #[test]
    fn a_report_that_is_too_short_is_no_proof() {
        let outcome = judge("4".to_owned(), &[(KubernetesVersion::V1_34, KubeconformReport::default())], &["a"], false);
        assert_eq!(outcome.wrong, ["1.34.4: kubeconform reported 0 of 1 objects"]);
    }
}
