//! The step `alerts`: Prometheus reads the rules that Helm renders, and each alert fires on a series that breaks it, and on no healthy one.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::Context as _;
use camino::Utf8Path;
use generator::AlertProof;
use serde_json::{Value, json};
use tools::Tool;

use super::context::{Rendered, VerifyContext};
use super::report::Outcome;

/// Long enough for every `for`.
const EVALUATED_AT: &str = "50m";

pub(super) fn alerts(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let cases = context.manifests()?.iter().filter_map(|one| Some((one, rules(one)?)));
    let mut wrong = Vec::new();
    let (mut alerts, mut tried) = (0, 0);
    let temporary = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(temporary.path()).context("the temporary folder is not UTF-8")?;
    for (one, rules) in cases {
        let name = &one.case.name;
        let proofs = &context.alerts;
        let file = folder.join(format!("{name}.yaml"));
        fs::write(&file, serde_yaml::to_string(&rules)?)?;
        let tests = folder.join(format!("{name}-test.yaml"));
        fs::write(&tests, serde_yaml::to_string(&unit_tests(&file, proofs))?)?;
        for words in [["check", "rules", file.as_str()], ["test", "rules", tests.as_str()]] {
            if let Err(message) = promtool(&words)? {
                wrong.push(format!("{name}: promtool {}: {message}", words[..2].join(" ")));
            }
        }
        wrong.extend(missing(&rules, proofs).into_iter().map(|what| format!("{name}: {what}")));
        alerts = proofs.len();
        tried += 1;
    }
    if alerts == 0 {
        return Ok(Outcome::of("the platform has no metrics, and so no alerts".to_owned()));
    }
    let summary = format!("{alerts} alerts in {tried} cases; each fires on a broken series, and none on a healthy one");
    Ok(Outcome::of(summary).with(wrong))
}

/// The rules of a case, as a file of Prometheus has them; none if the case has none.
fn rules(one: &Rendered) -> Option<Value> {
    let object = |kind: &str| one.objects.iter().find(|object| object.kind == kind && object.name.ends_with("-alerts"));
    let of_operator = object("PrometheusRule").map(|object| object.value["spec"].clone());
    of_operator.or_else(|| serde_yaml::from_str(object("ConfigMap")?.value["data"]["alerts.yaml"].as_str()?).ok())
}

/// The alerts without a rule, and the rules without a proof.
fn missing(rules: &Value, proofs: &[AlertProof]) -> Vec<String> {
    let all = rules["groups"].as_array().into_iter().flatten().filter_map(|group| group["rules"].as_array()).flatten();
    let rendered: Vec<_> = all.map(|rule| (rule["alert"].as_str().unwrap_or_default(), &rule["labels"])).collect();
    let is_of =
        |proof: &AlertProof, labels: &Value| proof.labels.iter().all(|(name, value)| labels[name] == value.as_str());
    let of_proof =
        |proof: &&AlertProof| !rendered.iter().any(|(name, labels)| *name == proof.name && is_of(proof, labels));
    let of_rule =
        |(name, labels): &&(&str, &Value)| !proofs.iter().any(|proof| *name == proof.name && is_of(proof, labels));
    let lacks_rule =
        proofs.iter().filter(of_proof).map(|proof| format!("{} has no rule: {:?}", proof.name, proof.labels));
    let lacks_proof = rendered.iter().filter(of_rule).map(|(name, labels)| format!("{name} has no proof: {labels}"));
    lacks_rule.chain(lacks_proof).collect()
}

/// A test for each alert, and one in which all is well.
fn unit_tests(rules: &Utf8Path, proofs: &[AlertProof]) -> Value {
    let series = |proof: &AlertProof, is_broken: bool| -> Vec<Value> {
        let values =
            |sample: &generator::SeriesProof| if is_broken { sample.broken.clone() } else { sample.healthy.clone() };
        proof.samples.iter().map(|sample| json!({"series": sample.series, "values": values(sample)})).collect()
    };
    let broken = proofs.iter().map(|proof| {
        test(
            &series(proof, true),
            &json!([{"expr": firing(proof), "eval_time": EVALUATED_AT, "exp_samples": [{"labels": "{}", "value": 1}]}]),
        )
    });
    let mut all = Vec::new();
    for one in proofs.iter().flat_map(|proof| series(proof, false)) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    let silent = r#"count(ALERTS{alertstate="firing",severity!="none"})"#;
    let healthy = test(&all, &json!([{"expr": silent, "eval_time": EVALUATED_AT, "exp_samples": []}]));
    json!({"rule_files": [rules.as_str()], "evaluation_interval": "1m", "tests": broken.chain([healthy]).collect::<Vec<_>>()})
}

fn test(series: &[Value], expressions: &Value) -> Value {
    json!({"interval": "1m", "input_series": series, "promql_expr_test": expressions})
}

/// An expression that is 1 while exactly this alert fires.
fn firing(proof: &AlertProof) -> String {
    let mut matchers = format!("alertstate=\"firing\",alertname=\"{}\"", proof.name);
    for (name, value) in &proof.labels {
        let _ = write!(matchers, ",{name}={value:?}");
    }
    format!("count(ALERTS{{{matchers}}})")
}

fn promtool(words: &[&str]) -> anyhow::Result<Result<(), String>> {
    let tool = Tool::Promtool.ensure()?;
    let output = Command::new(&tool.path).args(words).output().with_context(|| tool.path.to_string())?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    Ok(if output.status.success() { Ok(()) } else { Err(said) })
}
