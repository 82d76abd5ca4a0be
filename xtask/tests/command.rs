//! The command line and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use insta::assert_snapshot;

#[test]
fn a_wrong_command_line_is_2() {
    for arguments in [&["generate", "--chekc"][..], &["generate", "--check", "--force"], &["genrate"], &[]] {
        let output = xtask(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn help_tells_the_exit_codes() {
    let output = xtask(&["generate", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @"
    Writes generated-chart/ from the model

    Exit codes: 0 the chart is up to date (or now is); 4 it is not (--check); 1 the command failed; 2 it
    was called wrongly.

    Usage: cargo xtask generate [OPTIONS]

    Options:
          --check
              Change nothing: report each file that differs, with a diff, and exit with 4 if there is
              one

          --force
              Overwrite hand-edited files, and delete hand-edited ones that the model no longer has

          --replace-platform
              Delete the chart of another platform that this folder holds, and write this platform's

      -h, --help
              Print help (see a summary with '-h')
    ");
}

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().unwrap()
}
