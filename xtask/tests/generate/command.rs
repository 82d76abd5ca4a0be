//! The command line and its exit codes.

use std::process::{Command, Output};

use insta::assert_snapshot;
use xtask::commands::generate::{self, Arguments, Outcome};

use crate::support::{Folder, wanted};

const CHECK: Arguments = Arguments { check: true, force: false };
const WRITE: Arguments = Arguments { check: false, force: false };
const FORCE: Arguments = Arguments { check: false, force: true };

/// Runs the command in the folder: its outcome and what it printed, or its error.
fn run(folder: &Folder, arguments: Arguments, files: &[(&str, &str)]) -> Result<(Outcome, String), String> {
    let mut out = Vec::new();
    let outcome = generate::run_on(&folder.root, &wanted(files), &arguments, &mut out).map_err(|e| format!("{e:#}"))?;
    Ok((outcome, String::from_utf8(out).unwrap()))
}

#[test]
fn check_says_4_until_generate_has_run() {
    let folder = Folder::generated(&[("a.yaml", "1\n")]);
    let files = [("a.yaml", "2\n")];

    let before = folder.content();
    let (outcome, text) = run(&folder, CHECK, &files).unwrap();
    assert_eq!(outcome.code(), 4);
    assert!(text.starts_with("stale: generated-chart/a.yaml\n"), "{text}");
    assert_eq!(folder.content(), before, "a check changes nothing");

    let (outcome, text) = run(&folder, WRITE, &files).unwrap();
    assert_eq!(outcome.code(), 0);
    assert_snapshot!(text, @"
    generated-chart: 1 written, 0 deleted, 0 unchanged
      written  generated-chart/a.yaml
    ");

    let (outcome, text) = run(&folder, CHECK, &files).unwrap();
    assert_eq!(outcome.code(), 0);
    assert_snapshot!(text, @"generated-chart: up to date, 1 files");
}

#[test]
fn a_refused_write_is_an_error_until_it_is_forced() {
    let folder = Folder::generated(&[("a.yaml", "1\n")]);
    folder.edit("a.yaml", "by hand\n");
    let files = [("a.yaml", "2\n")];

    assert_eq!(run(&folder, CHECK, &files).unwrap().0.code(), 4);
    let message = run(&folder, WRITE, &files).unwrap_err();
    assert!(message.starts_with("nothing was written"), "{message}");
    assert_eq!(run(&folder, FORCE, &files).unwrap().0.code(), 0);
    assert_eq!(folder.read("a.yaml"), "2\n");
}

#[test]
fn an_unreadable_record_fails_a_check_too() {
    let folder = Folder::generated(&[("a.yaml", "1\n")]);
    folder.edit(".generated-files", "<<<<<<< HEAD\n");
    run(&folder, CHECK, &[("a.yaml", "1\n")]).unwrap_err();
}

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

      -h, --help
              Print help (see a summary with '-h')
    ");
}

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().unwrap()
}
