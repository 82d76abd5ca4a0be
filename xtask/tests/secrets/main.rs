//! `cargo xtask secrets` with real sops and age keys: the files that it creates, the problems that it finds, that it never prints a password or
//! leaves one unencrypted, and that failures change nothing.
//!
//! The first run builds sops if it is not on `PATH`. That takes minutes, so a plain `cargo test` does not run these tests.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
// The tests replace sops by shell scripts.
#![cfg(unix)]

mod check;
mod failures;
mod keep;
mod new;
mod plaintext;
mod support;

/// A built tool reports its own version, not that of the module in which it was built.
#[test]
fn sops_and_age_keygen_have_the_pinned_versions() {
    use tools::{Origin, Tool};

    for (tool, arguments) in
        [(Tool::Sops, &["--disable-version-check", "--version"][..]), (Tool::AgeKeygen, &["--version"][..])]
    {
        let binary = tool.ensure().unwrap();
        let output = binary.command().args(arguments).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let version = if binary.origin == Origin::Built { tool.pinned() } else { &binary.version };
        assert!(said.trim().ends_with(version.trim_start_matches('v')), "{said}");
    }
}
