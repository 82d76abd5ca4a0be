//! `cargo xtask secrets`, with real sops and real age keys: what it makes and finds, that it says no password and leaves none in the clear, and
//! that no failure costs what is there.
//!
//! The first run builds sops where it is not on `PATH`, which takes minutes, so a plain `cargo test` leaves these tests out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
// Programs in the place of sops are shell scripts.
#![cfg(unix)]

mod check;
mod failures;
mod keep;
mod new;
mod support;

/// What is built is a release in all but name: it says its version, and not that of the module it was built in.
#[test]
fn sops_and_age_keygen_are_what_is_pinned() {
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
