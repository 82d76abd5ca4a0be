//! The step `alerts`: Prometheus reads the rules that Helm renders, each alert fires on a series that breaks it and on no healthy one, and Alertmanager routes it
//! by its severity.

use std::fmt::Write as _;
use std::fs;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use generator::AlertProof;
use render::NAMESPACE;
use serde_json::{Value, json};
use tools::Tool;

use super::context::{Rendered, VerifyContext, check};
use super::report::Outcome;

/// Long enough for every `for`.
const EVALUATED_AT: &str = "50m";

pub(super) fn alerts(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let proofs = &context.alerts;
    let mut wrong = Vec::new();
    let temporary = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(temporary.path()).context("the temporary folder is not UTF-8")?;
    // Both forms of the object have the same rules.
    let mut tried: Vec<Value> = Vec::new();
    let mut routes = 0;
    let mut is_complete = false;
    for one in context.manifests()? {
        let name = &one.case.name;
        if let Some(rules) = rules(one).filter(|rules| !tried.contains(rules)) {
            let file = folder.join(format!("{name}.yaml"));
            fs::write(&file, serde_yaml::to_string(&rules)?)?;
            // An environment may leave groups of alerts out.
            let proofs = if one.case.environment.is_some() { &of_rules(&rules, proofs)[..] } else { &proofs[..] };
            let tests = unit_tests(&folder.join(name), &file, &rules, proofs)?;
            let test: Vec<&str> = ["test", "rules"].into_iter().chain(tests.iter().map(|file| file.as_str())).collect();
            // A lint is that two rules are the same alert.
            let check: &[&str] = &["check", "rules", "--lint=all", "--lint-fatal", file.as_str()];
            for words in [check, &test] {
                if let Err(message) = run(Tool::Promtool, words)? {
                    wrong.push(format!("{name}: promtool {}: {message}", words[..2].join(" ")));
                }
            }
            wrong.extend(missing(&rules, proofs).into_iter().map(|what| format!("{name}: {what}")));
            is_complete |= one.case.environment.is_none();
            tried.push(rules);
        }
        if let Some(configuration) = configuration(one)? {
            let file = folder.join(format!("{name}-alertmanager.yml"));
            fs::write(&file, serde_yaml::to_string(&configuration)?)?;
            let found = wrong_routes(&configuration, &file, proofs)?
                .into_iter()
                .chain(wrong_inhibitions(&configuration, proofs));
            wrong.extend(found.map(|what| format!("{name}: {what}")));
            routes += 1;
        }
    }
    if proofs.is_empty() {
        return Ok(Outcome::of("the platform has no metrics, and so no alerts".to_owned()));
    }
    if !is_complete || routes < 2 {
        wrong.push("no case has all rules, or a form of the routes is in no case".to_owned());
    }
    let summary = format!(
        "{} alerts: each fires on a broken series, none on a healthy one, and {routes} configurations of Alertmanager route them by severity",
        proofs.len()
    );
    Ok(Outcome::of(summary).with(wrong))
}

/// The configuration of Alertmanager in a case, with the receivers' names only; the operator's form as the operator converts it.
fn configuration(one: &Rendered) -> anyhow::Result<Option<Value>> {
    if let Some(object) = one.object("ConfigMap", "-alertmanager") {
        let text = object["data"]["alertmanager.yml"].as_str().context("the ConfigMap has no configuration")?;
        return Ok(Some(serde_yaml::from_str(text)?));
    }
    let Some(object) = one.object("AlertmanagerConfig", "-alertmanager") else { return Ok(None) };
    let spec = &object["spec"];
    let matchers = |list: &Value| -> Vec<String> {
        let text = |one: &Value| {
            let word = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            format!("{} {} {:?}", word("name"), word("matchType"), word("value"))
        };
        list.as_array().into_iter().flatten().map(text).collect()
    };
    let route = |route: &Value| json!({"receiver": route["receiver"], "matchers": matchers(&route["matchers"])});
    let namespace = format!("namespace = {NAMESPACE:?}");
    let mut own = route(&spec["route"]);
    own["matchers"].as_array_mut().context("a list")?.push(json!(namespace));
    own["routes"] = spec["route"]["routes"].as_array().into_iter().flatten().map(route).collect();
    let inhibition = |rule: &Value| {
        let side = |key: &str| [vec![namespace.clone()], matchers(&rule[key])].concat();
        json!({"source_matchers": side("sourceMatch"), "target_matchers": side("targetMatch"), "equal": rule["equal"]})
    };
    let receivers = spec["receivers"].as_array().into_iter().flatten().map(|one| json!({"name": one["name"]}));
    Ok(Some(json!({
        "route": {"receiver": spec["route"]["receiver"], "routes": [own]},
        "inhibit_rules": spec["inhibitRules"].as_array().into_iter().flatten().map(inhibition).collect::<Vec<_>>(),
        "receivers": receivers.collect::<Vec<_>>(),
    })))
}

/// The findings about a configuration of Alertmanager: `amtool` rejects it, or the receiver of an alert is not that of its severity.
fn wrong_routes(configuration: &Value, file: &Utf8Path, proofs: &[AlertProof]) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    if let Err(message) = run(Tool::Amtool, &["check-config", file.as_str()])? {
        return Ok(vec![format!("amtool check-config: {message}")]);
    }
    // The plain form has the names of namespace and release before those of the receivers.
    let root = configuration["route"]["receiver"].as_str().unwrap_or_default();
    let prefix = root.strip_suffix("blackhole").context("the root receiver is not `blackhole`")?;
    let with = |labels: &[(&'static str, String)], name: &str, value: &str| -> Vec<(&'static str, String)> {
        labels
            .iter()
            .map(|(label, text)| (*label, if *label == name { value.to_owned() } else { text.clone() }))
            .collect()
    };
    let mut asked: Vec<(Vec<(&'static str, String)>, &str)> = Vec::new();
    for (severity, receiver) in [("critical", "critical"), ("warning", "warning"), ("none", "watchdog")] {
        // Alerts with the same severity differ in labels that no route asks for.
        let of_severity = proofs.iter().find(|proof| proof.labels.contains(&("severity", severity.to_owned())));
        let Some(proof) = of_severity else { continue };
        asked.push((with(&proof.labels, "namespace", "other"), "blackhole"));
        asked.push((with(&proof.labels, "release", "other"), "blackhole"));
        asked.push((proof.labels.clone(), receiver));
    }
    for (labels, receiver) in asked {
        let receiver = format!("{prefix}{receiver}");
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let config = format!("--config.file={file}");
        let verify = format!("--verify.receivers={receiver}");
        let words = ["config", "routes", "test", &config, &verify].into_iter().chain(labels.iter().map(String::as_str));
        if let Err(message) = run(Tool::Amtool, &words.collect::<Vec<_>>())? {
            wrong.push(format!("{} does not go to {receiver}: {message}", labels.join(" ")));
        }
    }
    Ok(wrong)
}

/// The inhibitions whose source or target is no alert.
fn wrong_inhibitions(configuration: &Value, proofs: &[AlertProof]) -> Vec<String> {
    let rules = configuration["inhibit_rules"].as_array().into_iter().flatten();
    let matches = |proof: &AlertProof, matcher: &Value| {
        let text = matcher.as_str().unwrap_or_default();
        let (label, value) = text.split_once(" = ").unwrap_or_default();
        let value = value.trim_matches('"');
        label == "alertname" && value == proof.name || proof.labels.iter().any(|one| one.0 == label && one.1 == value)
    };
    let is_alert = |matchers: &Value| {
        let all = || matchers.as_array().into_iter().flatten();
        proofs.iter().any(|proof| all().count() > 0 && all().all(|matcher| matches(proof, matcher)))
    };
    rules
        .into_iter()
        .filter(|rule| !is_alert(&rule["source_matchers"]) || !is_alert(&rule["target_matchers"]))
        .map(|rule| format!("an inhibition between alerts that do not exist: {rule}"))
        .collect()
}

/// The rules of a case in the format of a Prometheus rule file; `None` if it renders none.
fn rules(one: &Rendered) -> Option<Value> {
    let of_operator = one.object("PrometheusRule", "-alerts").map(|object| object["spec"].clone());
    of_operator
        .or_else(|| serde_yaml::from_str(one.object("ConfigMap", "-alerts")?["data"]["alerts.yaml"].as_str()?).ok())
}

/// The alerts without a rule, and the rules without a proof.
fn missing(rules: &Value, proofs: &[AlertProof]) -> Vec<String> {
    let rendered = rendered(rules);
    let of_rule = |rule: &&RenderedRule| !proofs.iter().any(|proof| is_of(proof, rule));
    let of_proof = |proof: &&AlertProof| !rendered.iter().any(|rule| is_of(proof, rule));
    let lacks_rule =
        proofs.iter().filter(of_proof).map(|proof| format!("{} has no rule: {:?}", proof.name, proof.labels));
    let lacks_proof = rendered.iter().filter(of_rule).map(|(name, labels)| format!("{name} has no proof: {labels}"));
    lacks_rule.chain(lacks_proof).collect()
}

/// The name and the labels of a rule.
type RenderedRule<'a> = (&'a str, &'a Value);

fn rendered(rules: &Value) -> Vec<RenderedRule<'_>> {
    let all = rules["groups"].as_array().into_iter().flatten().filter_map(|group| group["rules"].as_array()).flatten();
    all.map(|rule| (rule["alert"].as_str().unwrap_or_default(), &rule["labels"])).collect()
}

fn is_of(proof: &AlertProof, (name, labels): &RenderedRule<'_>) -> bool {
    *name == proof.name && proof.labels.iter().all(|(label, value)| labels[label] == value.as_str())
}

/// The proofs of the alerts that have a rule.
fn of_rules(rules: &Value, proofs: &[AlertProof]) -> Vec<AlertProof> {
    let rendered = rendered(rules);
    proofs.iter().filter(|proof| rendered.iter().any(|rule| is_of(proof, rule))).cloned().collect()
}

/// Writes a file of tests for each alert, and one in which all is well. Each reads only the rules with the name of its alert: promtool evaluates all rules
/// that a test reads, minute by minute.
fn unit_tests(
    folder: &Utf8Path,
    all: &Utf8Path,
    rules: &Value,
    proofs: &[AlertProof],
) -> anyhow::Result<Vec<Utf8PathBuf>> {
    fs::create_dir(folder)?;
    let write = |name: &str, content: &Value| -> anyhow::Result<Utf8PathBuf> {
        let file = folder.join(name);
        fs::write(&file, serde_yaml::to_string(content)?)?;
        Ok(file)
    };
    let mut files = Vec::new();
    for (position, proof) in proofs.iter().enumerate() {
        let groups = rules["groups"].as_array().into_iter().flatten();
        let named =
            groups.filter_map(|group| group["rules"].as_array()).flatten().filter(|rule| rule["alert"] == proof.name);
        let rules = json!({"groups": [{"name": proof.name, "rules": named.collect::<Vec<_>>()}]});
        let rules = write(&format!("{position}-rules.yaml"), &rules)?;
        files.push(write(&format!("{position}.yaml"), &tests(&rules, &of_alert(proof)))?);
    }
    let mut healthy: Vec<Value> = Vec::new();
    for one in proofs.iter().flat_map(|proof| series(proof, false)) {
        if !healthy.contains(&one) {
            healthy.push(one);
        }
    }
    let silent = json!({"expr": r#"count(ALERTS{alertstate="firing",severity!="none"})"#, "eval_time": EVALUATED_AT, "exp_samples": []});
    files.push(write("healthy.yaml", &tests(all, &[test(&healthy, &json!([silent]))]))?);
    Ok(files)
}

fn tests(rules: &Utf8Path, tests: &[Value]) -> Value {
    json!({"rule_files": [rules.as_str()], "evaluation_interval": "1m", "tests": tests})
}

fn series(proof: &AlertProof, is_broken: bool) -> Vec<Value> {
    let values =
        |sample: &generator::SeriesProof| if is_broken { sample.broken.clone() } else { sample.healthy.clone() };
    proof.samples.iter().map(|sample| json!({"series": sample.series, "values": values(sample)})).collect()
}

/// The tests of an alert: it fires on its broken series, and in its scenes as they say.
fn of_alert(proof: &AlertProof) -> Vec<Value> {
    let test_that = |series: &[Value], fires: bool| {
        let expected = if fires { json!([{"labels": "{}", "value": 1}]) } else { json!([]) };
        test(series, &json!([{"expr": firing(proof), "eval_time": EVALUATED_AT, "exp_samples": expected}]))
    };
    let scenes = proof.scenes.iter().map(|scene| {
        let series: Vec<_> =
            scene.series.iter().map(|(series, values)| json!({"series": series, "values": values})).collect();
        test_that(&series, scene.fires)
    });
    std::iter::once(test_that(&series(proof, true), true)).chain(scenes).collect()
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

fn run(tool: Tool, words: &[&str]) -> anyhow::Result<Result<(), String>> {
    check(tool.ensure()?.command().args(words))
}
