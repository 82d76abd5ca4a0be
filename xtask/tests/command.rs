//! The command line and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use insta::assert_snapshot;

#[test]
fn an_invalid_command_line_exits_with_2() {
    for arguments in [&["generate", "--chekc"][..], &["generate", "--check", "--force"], &["genrate"], &[]] {
        let output = xtask(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn help_lists_the_exit_codes() {
    let output = xtask(&["generate", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @"
    Writes generated-chart/ from the model

    Exit codes: 0 the chart is up to date, or was updated; 1 the command failed; 2 invalid command line;
    4 with --check, the chart is not up to date.

    Usage: cargo xtask generate [OPTIONS]

    Options:
          --check
              Change nothing; print a diff of each file that differs, and exit with 4 if there are any

          --force
              Overwrite hand-edited files, and delete hand-edited files that are no longer generated

          --replace-platform
              Replace the chart of another platform in generated-chart/

      -h, --help
              Print help (see a summary with '-h')
    ");
}

#[test]
fn doctor_passes_its_arguments_and_the_exit_code_of_the_script_through() {
    for arguments in [&["doctor", "--help"][..], &["doctor", "--no-such-option"]] {
        let output = xtask(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("sh doctor [--values FILE]..."), "{arguments:?}: {said}");
    }
    let output = xtask(&["doctor", "--values", "/no/such/file"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("The values file /no/such/file cannot be read"), "{said}");
}

#[test]
fn a_closed_pipe_changes_no_exit_code_and_prints_no_error() {
    let missing = ["doctor", "--values", "/no/such/file"];
    for arguments in [&["generate", "--check"][..], &["verify", "--only", "generate"], &["images", "--help"], &missing]
    {
        let expected = xtask(arguments);
        // Closed before the command writes, so that its first line meets the closed pipe.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let cut = Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).stdout(writer).output().unwrap();
        assert_eq!(cut.status, expected.status, "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&cut.stderr), String::from_utf8_lossy(&expected.stderr), "{arguments:?}");
    }
}

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().unwrap()
}
