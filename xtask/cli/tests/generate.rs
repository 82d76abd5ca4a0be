//! `cargo xtask generate` on a temporary folder: its changes, reports and exit codes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cli::generate::{self, Arguments, Outcome};
use insta::assert_snapshot;
use owned_tree::{HandEdits, Wanted};
use tempfile::TempDir;

/// A temporary `generated-chart` folder with files that `generate` wrote.
struct Folder {
    root: Utf8PathBuf,
    _temporary: TempDir,
}

impl Folder {
    fn generated(files: &[(&str, &str)]) -> Self {
        let temporary = TempDir::new().unwrap();
        let root = Utf8Path::from_path(temporary.path()).unwrap().join("generated-chart");
        owned_tree::write_tree(&root, &wanted(files), HandEdits::Keep).unwrap();
        Self { root, _temporary: temporary }
    }

    fn edit(&self, path: &str, text: &str) {
        fs::write(self.root.join(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }
}

fn wanted(files: &[(&str, &str)]) -> Wanted {
    files.iter().map(|(path, text)| (Utf8PathBuf::from(path), (*text).to_owned())).collect()
}

const WRITE: Arguments = Arguments { check: false, force: false, replace_platform: false };
const CHECK: Arguments = Arguments { check: true, ..WRITE };
const FORCE: Arguments = Arguments { force: true, ..WRITE };
const REPLACE: Arguments = Arguments { replace_platform: true, ..WRITE };

/// Runs the command in the folder: its outcome and what it printed, or its error.
fn run(folder: &Folder, arguments: Arguments, files: &[(&str, &str)]) -> Result<(Outcome, String), String> {
    let mut out = Vec::new();
    let outcome = generate::run_on(&folder.root, &wanted(files), arguments, &mut out).map_err(|e| format!("{e:#}"))?;
    Ok((outcome, String::from_utf8(out).unwrap()))
}

#[test]
fn check_says_4_until_generate_has_run() {
    let folder = Folder::generated(&[("a.yaml", "1\n")]);
    let files = [("a.yaml", "2\n")];

    let content = || [folder.read("a.yaml"), folder.read(".generated-files")];
    let before = content();
    let (outcome, text) = run(&folder, CHECK, &files).unwrap();
    assert_eq!(outcome.code(), 4);
    assert!(text.starts_with("stale: generated-chart/a.yaml\n"), "{text}");
    assert_eq!(content(), before, "a check changes nothing");

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
fn the_chart_of_another_platform_is_replaced_on_request_only() {
    let shop = [
        ("shop/Chart.yaml", "name: shop\n"),
        ("shop/charts/web/Chart.yaml", "name: web\n"),
        ("environments/dev.yaml", "a: 1\n"),
    ];
    let bank = [("bank/Chart.yaml", "name: bank\n"), ("environments/dev.yaml", "b: 1\n")];
    let folder = Folder::generated(&shop);
    let refusal = run(&folder, WRITE, &bank).unwrap_err();
    assert_snapshot!(refusal, @"
    nothing was written: generated-chart/ contains the chart `shop` of another platform; this platform's chart is `bank`
      Writing `bank` deletes 2 files of `shop`. If you want this, for example after renaming the platform, run `cargo xtask generate --replace-platform`.
      To keep both charts, give each platform a repository of its own.
    ");
    assert_eq!(run(&folder, FORCE, &bank).unwrap_err(), refusal);
    assert_eq!([folder.read(shop[0].0), folder.read(shop[2].0)], [shop[0].1, shop[2].1]);
    assert_eq!(run(&folder, CHECK, &bank).unwrap().0.code(), 4);
    assert_eq!(run(&folder, REPLACE, &bank).unwrap().0.code(), 0);
    assert_eq!(folder.read("bank/Chart.yaml"), bank[0].1);
    assert!(!folder.root.join("shop").exists());
    // Neither a removed service nor a removed chart beside the umbrella is another platform.
    assert_eq!(run(&folder, WRITE, &[bank[0], ("bank/charts/web/Chart.yaml", "name: web\n")]).unwrap().0.code(), 0);
    assert_eq!(run(&folder, WRITE, &bank).unwrap().0.code(), 0);
    assert_eq!(run(&folder, WRITE, &[bank[0], ("bank-logs/Chart.yaml", "name: bank-logs\n")]).unwrap().0.code(), 0);
    assert_eq!(run(&folder, WRITE, &bank).unwrap().0.code(), 0);
}
