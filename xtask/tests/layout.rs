//! The binary is thin: an edit of the model recompiles only the model's crate and the binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use serde_json::Value;

/// The crates that declare platforms.
const PLATFORMS: [&str; 3] = ["auditflow", "odd-platforms", "second-platform"];

#[test]
fn only_the_binary_depends_on_a_platform() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version=1"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let depends = |package: &&Value| {
        let is_platform = |dependency: &Value| {
            // Tests may use any platform; their dependencies are of the kind `dev`.
            dependency["kind"].is_null() && PLATFORMS.contains(&dependency["name"].as_str().unwrap())
        };
        package["dependencies"].as_array().unwrap().iter().any(is_platform)
    };
    let dependents: Vec<_> = metadata["packages"].as_array().unwrap().iter().filter(depends).collect();
    let names: Vec<_> = dependents.iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["xtask"]);
}
