//! The step `conftest`: checks every case against the rules in `xtask/verify/policies`, and runs the tests of the rules.

use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;

use anyhow::{Context as _, anyhow, bail};
use camino::{Utf8Path, Utf8PathBuf};
use generator::CredentialPath;
use render::NAMESPACE;
use serde::Deserialize;
use serde_json::{Value, json};
use tools::{Tool, ToolBinary};

use super::context::{Rendered, VerifyContext, in_parallel};
use super::report::{Outcome, by_finding};
use super::values::at;

pub(super) fn conftest(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let folder = folder();
    let conftest = Tool::Conftest.ensure()?;
    let promises = Promises::read(&folder)?;
    let mut wrong = promises.wrong();
    let failed = FAILED_TESTS.get_or_init(|| failed_tests(&conftest, &folder).map_err(|error| format!("{error:#}")));
    wrong.extend(failed.clone().map_err(|error| anyhow!("{error}"))?);

    let manifests = context.manifests()?;
    let inputs: Vec<(&str, Value)> =
        manifests.iter().map(|one| (one.case.name.as_str(), input(one, context))).collect();
    // A conftest process checks one file after the other.
    let parts: Vec<_> = inputs.chunks(inputs.len().div_ceil(PROCESSES).max(1)).collect();
    let found = in_parallel(&parts, &context.progress, |part| findings(&conftest, &folder, part));
    let found = found.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    wrong.extend(by_finding(found, inputs.len()));
    let summary =
        format!("{} rules, each with a test that breaks it, in {} cases", promises.made.len(), manifests.len());
    Ok(Outcome::of(summary).with(wrong))
}

/// The failed tests of the rules. They depend on no platform, so a process runs them once.
static FAILED_TESTS: OnceLock<Result<Vec<String>, String>> = OnceLock::new();

/// The number of conftest processes that share the cases.
const PROCESSES: usize = 4;

/// The folder of the rules. It belongs to this crate, so it also exists where cargo checks the crate out as a git dependency.
fn folder() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

/// The input document of the rules for one case.
fn input(one: &Rendered, context: &VerifyContext) -> Value {
    let text = |credential: &CredentialPath| at(&one.values, &credential.value).and_then(Value::as_str);
    let passwords: Vec<&str> =
        context.credentials.iter().filter_map(text).filter(|password| !password.is_empty()).collect();
    let moving_tags = one.case.environment.as_ref().and_then(|environment| context.moving_tags.get(environment));
    let moving_tags = moving_tags.map_or(&[][..], Vec::as_slice);
    json!({
        "case": one.case.name,
        "moving_tags": moving_tags,
        "release": one.case.release,
        "namespace": NAMESPACE,
        "values": one.values,
        "passwords": passwords,
        "objects": one.objects.iter().map(|object| &object.value).collect::<Vec<_>>(),
    })
}

/// The names of the rules, and the names of the rules that a test breaks.
#[derive(Debug, Default)]
struct Promises {
    made: BTreeSet<String>,
    broken: BTreeSet<String>,
    /// Rules whose finding has no name.
    nameless: Vec<String>,
}

impl Promises {
    fn read(folder: &Utf8Path) -> anyhow::Result<Self> {
        let mut promises = Self::default();
        for entry in folder.read_dir_utf8().with_context(|| folder.to_string())? {
            let path = entry?.into_path();
            if path.extension() == Some("rego") {
                promises.add(&path, &fs::read_to_string(&path).with_context(|| path.to_string())?);
            }
        }
        Ok(promises)
    }

    fn add(&mut self, path: &Utf8Path, text: &str) {
        let name = path.file_name().unwrap_or_default();
        if name.ends_with("_test.rego") {
            self.broken.extend(after(text, "breaks(\""));
            return;
        }
        self.made.extend(after(text, "deny contains finding(\""));
        let rules = text.lines().filter(|line| line.starts_with("deny"));
        let nameless = rules.filter(|line| !line.starts_with("deny contains finding(\""));
        self.nameless.extend(nameless.map(|line| format!("{name}: a rule without a name: {line}")));
    }

    fn wrong(&self) -> Vec<String> {
        let untested = self.made.difference(&self.broken);
        let untested =
            untested.map(|promise| format!("no test breaks the rule {promise}: add one to a `_test.rego` file"));
        let unmade = self.broken.difference(&self.made);
        let unmade = unmade.map(|promise| format!("a test breaks {promise}, which is not a rule"));
        untested.chain(unmade).chain(self.nameless.iter().cloned()).collect()
    }
}

/// The texts between each `before` and the next quote.
fn after<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = String> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned)
}

/// conftest's result for one file.
#[derive(Deserialize)]
struct Checked {
    filename: String,
    #[serde(default)]
    failures: Vec<Finding>,
    #[serde(default)]
    exceptions: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    msg: String,
}

fn ask(conftest: &ToolBinary, arguments: &[&str], files: &[Utf8PathBuf]) -> anyhow::Result<Vec<Checked>> {
    let mut command = conftest.command();
    command.args(arguments).args(["--no-color", "--output", "json"]).args(files);
    let output = command.output().with_context(|| conftest.path.to_string())?;
    // conftest exits with an error when it has findings, and still prints its report.
    serde_json::from_slice(&output.stdout).map_err(|error| {
        let output = String::from_utf8_lossy(&output.stderr);
        anyhow!(
            "conftest printed no report: {}",
            if output.trim().is_empty() { error.to_string() } else { output.into() }
        )
    })
}

/// The failed tests of the rules.
fn failed_tests(conftest: &ToolBinary, folder: &Utf8Path) -> anyhow::Result<Vec<String>> {
    let checked = ask(conftest, &["verify", "--policy", folder.as_str()], &[])?;
    let failed = checked.iter().flat_map(|one| one.failures.iter().map(move |test| (&one.filename, &test.msg)));
    let how = format!("run `conftest verify --policy {folder} --report notes` for the reason");
    Ok(failed.map(|(file, test)| format!("the test {test} of {file} fails; {how}")).collect())
}

/// Every finding, with the name of its case.
fn findings<'a>(
    conftest: &ToolBinary,
    folder: &Utf8Path,
    inputs: &'a [(&'a str, Value)],
) -> anyhow::Result<Vec<(&'a str, String)>> {
    let place = tempfile::tempdir()?;
    let place = Utf8Path::from_path(place.path()).context("the path of the temporary folder is not UTF-8")?;
    let mut files = Vec::new();
    for (name, input) in inputs {
        let file = place.join(format!("{name}.json"));
        fs::write(&file, serde_json::to_vec(input)?)?;
        files.push(file);
    }
    let checked = ask(conftest, &["test", "--parser", "json", "--policy", folder.as_str()], &files)?;
    if checked.len() != inputs.len() {
        bail!("conftest reports {} of {} cases", checked.len(), inputs.len());
    }
    let mut found = Vec::new();
    for (name, _) in inputs {
        let of = checked.iter().filter(|one| Utf8Path::new(&one.filename).file_stem() == Some(name));
        found.extend(
            of.flat_map(|one| one.failures.iter().chain(&one.exceptions)).map(|finding| (*name, finding.msg.clone())),
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promises(policy: &str, test: &str) -> Vec<String> {
        let mut promises = Promises::default();
        promises.add(Utf8Path::new("a.rego"), policy);
        promises.add(Utf8Path::new("a_test.rego"), test);
        promises.wrong()
    }

    #[test]
    fn every_promise_has_a_test_that_breaks_it() {
        let policy = "deny contains finding(\"one\", of, \"is so\") if x\n";
        assert!(promises(policy, "test_one if breaks(\"one\", [\n").is_empty());
        assert_eq!(promises(policy, ""), ["no test breaks the rule one: add one to a `_test.rego` file"]);
        assert_eq!(promises("", "test_one if breaks(\"one\", ["), ["a test breaks one, which is not a rule"]);
        let nameless = promises("deny contains \"x\" if y\n", "");
        assert_eq!(nameless, ["a.rego: a rule without a name: deny contains \"x\" if y"]);
    }

    #[test]
    fn a_finding_is_said_with_its_cases() {
        let conftest = Tool::Conftest.ensure().expect("conftest");
        let folder = folder();
        let account = json!([{ "kind": "ServiceAccount", "metadata": { "name": "afp-x" }, "automountServiceAccountToken": true }]);
        let input = |objects: &Value| json!({ "moving_tags": [], "release": "afp", "namespace": "default", "values": {}, "passwords": [], "objects": objects });
        let inputs = [("a", input(&account)), ("b", input(&json!([]))), ("c", input(&account))];
        let found = findings(&conftest, &folder, &inputs).expect("a report");
        let finding = "no-token-by-default: ServiceAccount afp-x mounts a token into every pod that does not opt out";
        let of: Vec<&str> = found.iter().filter(|(_, one)| one == finding).map(|(case, _)| *case).collect();
        assert_eq!(of, ["a", "c"], "{found:?}");
    }

    #[test]
    fn a_test_of_a_policy_that_fails_is_named() {
        let conftest = Tool::Conftest.ensure().expect("conftest");
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        fs::write(folder.join("x_test.rego"), "package main\n\ntest_it if false\n").expect("a file");
        let failed = failed_tests(&conftest, folder).expect("a report");
        assert!(matches!(failed.as_slice(), [one] if one.starts_with("the test data.main.test_it of ")), "{failed:?}");
    }
}
