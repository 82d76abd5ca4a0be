//! The GitHub workflows run every step of `verify`, and the scenarios on the supported versions of Kubernetes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use generator::kubernetes::MINOR_VERSIONS;
use serde_json::Value;

#[test]
fn every_step_of_verify_is_a_step_of_the_workflow() {
    let workflow = workflow("verify");
    let steps = workflow["jobs"]["verify"]["steps"].as_array().unwrap();
    let commands: Vec<_> = steps.iter().filter_map(|step| step["run"].as_str()).map(str::trim).collect();
    let verify =
        |name| format!("cargo xtask verify --only {name} --strict --report \"$RUNNER_TEMP/verify-{name}.json\"");
    let expected: Vec<_> = names(&["verify", "--list"]).iter().map(verify).collect();
    let found: Vec<_> = commands.into_iter().filter(|command| command.contains("verify --only")).collect();
    assert_eq!(found, expected);
}

#[test]
fn scenarios_run_on_the_oldest_and_the_newest_version_of_kubernetes() {
    let workflow = workflow("e2e");
    let matrix = workflow["jobs"]["e2e"]["strategy"]["matrix"]["include"].as_array().unwrap();
    let expected = [MINOR_VERSIONS.start(), MINOR_VERSIONS.end()].map(|minor| format!("1.{minor}"));
    assert_eq!(matrix.iter().map(|node| node["kubernetes"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    for node in matrix {
        let tag = format!("kindest/node:v{}.", node["kubernetes"].as_str().unwrap());
        let image = node["node"].as_str().unwrap();
        assert!(image.starts_with(&tag) && image.contains("@sha256:"), "{image}");
    }
}

#[test]
fn the_workflow_names_scenarios_that_exist() {
    let workflow = workflow("e2e");
    let expression = workflow["jobs"]["e2e"]["env"]["SCENARIOS"].as_str().unwrap();
    // … && 'install reach' || ''
    let short: Vec<_> = expression.split("&& '").nth(1).unwrap().split('\'').next().unwrap().split(' ').collect();
    let all = names(&["e2e", "--list"]);
    assert!(!short.is_empty() && short.iter().all(|name| all.iter().any(|one| one == name)), "{short:?}, {all:?}");
}

/// The workflow runs the commands of a release with options that exist; each run of `cargo xtask release` is one of them.
#[test]
fn the_workflow_of_a_release_runs_the_command() {
    let workflow = workflow("release");
    let steps = workflow["jobs"]["release"]["steps"].as_array().unwrap();
    let scripts: Vec<_> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    let joined = scripts.join("\n").replace("\\\n", " ");
    let commands: Vec<_> = joined.lines().filter(|line| line.contains("cargo xtask release")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let help = output(&["release", "--help"]);
    for command in &commands {
        let command = command.split('|').next().unwrap();
        for option in command.split_whitespace().filter(|word| word.starts_with("--")) {
            assert!(
                help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")),
                "{option} is not in {help}"
            );
        }
        assert!(command.contains("--tag \"$GITHUB_REF_NAME\""), "{command}");
    }
    // The check refuses files that git does not know, so the workflow writes nothing into the checkout.
    let text = std::fs::read_to_string(format!("{ROOT}/.github/workflows/release.yaml")).unwrap();
    assert!(!text.contains("github.workspace"), "a folder in the checkout");
    // Only this shell has `pipefail`, so that a failed release before `| tee` fails the step.
    assert_eq!(workflow["defaults"]["run"]["shell"], "bash");
    // The check runs `verify`, so the second command need not.
    assert!(commands[0].contains("--check") && !commands[0].contains("--without-verify"));
    let permissions = &workflow["jobs"]["release"]["permissions"];
    for permission in ["contents", "packages", "id-token"] {
        assert_eq!(permissions[permission], "write", "{permission}");
    }
    for step in steps.iter().filter_map(|step| step["uses"].as_str()) {
        let (_, commit) = step.split_once('@').unwrap();
        assert!(commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{step} is not pinned by commit");
    }
}

#[test]
fn documents_name_the_supported_versions() {
    let range = format!("Kubernetes 1.{} to 1.{}", MINOR_VERSIONS.start(), MINOR_VERSIONS.end());
    for text in [output(&["verify", "--list"]), std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap()] {
        assert!(text.contains(&range), "{range} is not in:\n{text}");
    }
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn workflow(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("{ROOT}/.github/workflows/{name}.yaml")).unwrap();
    generator::yaml::read_all(&text).unwrap().remove(0)
}

/// The first word of each line of a list.
fn names(arguments: &[&str]) -> Vec<String> {
    output(arguments).lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn output(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
