//! The names of the files with passwords, which the chart's `.gitignore` and `cargo xtask secrets` share.

/// The end of the name of a file with passwords in the clear. The generated `.gitignore` covers every such file in the chart's folder.
pub const PLAINTEXT: &str = ".plaintext.yaml";

/// The file with an environment's passwords, encrypted by sops. It belongs into version control.
#[must_use]
pub fn encrypted(environment: &str) -> String {
    format!("secrets-{environment}.yaml")
}

/// The file with an environment's passwords in the clear. It never enters version control: a name of its own lets git ignore it.
#[must_use]
pub fn plaintext(environment: &str) -> String {
    format!("secrets-{environment}{PLAINTEXT}")
}

/// A configuration of sops that encrypts the files with passwords, without a real recipient.
pub const SOPS_RULE: &str =
    "creation_rules:\n  - path_regex: secrets-.*\\.yaml$\n    age: age1…  # the public part of the key";
