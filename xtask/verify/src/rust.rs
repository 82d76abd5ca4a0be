//! The steps about Rust code: `generate`, `tests` and `snapshots`.

use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use owned_tree::OwnedTree;
use tools::Tool;

use super::context::VerifyContext;
use super::report::Outcome;

pub(super) fn up_to_date(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let tree = OwnedTree::open(&context.folder)?;
    let plan = tree.plan(&context.wanted)?;
    if !plan.is_up_to_date() {
        bail!("{}", plan.report());
    }
    Ok(Outcome::of("all files are up to date"))
}

/// Builds the tests, and the tools that they need. Shows cargo's progress, which takes minutes on a fresh machine.
pub(super) fn build_tests(context: &VerifyContext) -> anyhow::Result<()> {
    let helms = [Tool::Helm3, Tool::Helm4, Tool::BatchHelm3, Tool::BatchHelm4];
    for tool in helms.into_iter().chain([Tool::Kubeconform, Tool::Sops, Tool::AgeKeygen]) {
        tool.ensure()?;
    }
    // Standard output is reserved for the verdicts.
    let status = cargo_test(context).arg("--no-run").stdout(Stdio::from(std::io::stderr())).status();
    if !status.context("cannot run cargo")?.success() {
        bail!("the tests do not compile; see cargo's output above");
    }
    Ok(())
}

/// Runs all Rust tests. insta records the snapshots that they refer to.
pub(super) fn tests(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let references = references(context);
    match std::fs::remove_file(&references) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).context(references),
        _ => {}
    }
    let mut command = cargo_test(context);
    command.env("INSTA_UPDATE", "no").env("INSTA_SNAPSHOT_REFERENCES_FILE", &references);
    let Output { status, stdout, stderr } = command.output().context("cannot run cargo")?;
    if status.success() {
        // insta writes no file if no test has a snapshot.
        std::fs::OpenOptions::new().create(true).append(true).open(&references).context(references)?;
        return Ok(Outcome::of("all tests passed"));
    }
    // A failed run is incomplete: its references do not show which snapshots are unused.
    std::fs::remove_file(&references).ok();
    bail!("{}\n{}", failures(&String::from_utf8_lossy(&stdout)), String::from_utf8_lossy(&stderr).trim_end())
}

fn cargo_test(context: &VerifyContext) -> Command {
    let mut command = Command::new("cargo");
    command.args(["test", "--workspace", "--quiet"]).current_dir(&context.root);
    command
}

/// The output of the tests, without the lines about those that passed.
fn failures(output: &str) -> String {
    let is_dots = |line: &str| line.starts_with(['.', 'i']) && line.chars().all(|c| ".i/0123456789 ".contains(c));
    let is_about_success =
        |line: &str| line.starts_with("running ") || line.starts_with("test result: ok.") || is_dots(line);
    let mut lines: Vec<_> = output.trim().lines().filter(|line| !is_about_success(line)).collect();
    lines.dedup_by(|next, line| next.is_empty() && line.is_empty());
    lines.join("\n").trim().to_owned()
}

fn references(context: &VerifyContext) -> Utf8PathBuf {
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| context.root.join("target"), Utf8PathBuf::from);
    target.join("snapshot-references.txt")
}

pub(super) fn snapshots(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let mut stored = Vec::new();
    files(&context.root, &mut stored)?;
    let mut wrong = Vec::new();
    let waits = |path: &&Utf8PathBuf| path.as_str().ends_with(".snap.new") || path.extension() == Some("pending-snap");
    wrong.extend(stored.iter().filter(waits).map(|path| format!("{path} waits for review: run `cargo insta review`")));
    let references = references(context);
    let asked = std::fs::read_to_string(&references).with_context(|| {
        format!("cannot read {references}: run the step `tests` first; it records the snapshots in use when it passes")
    })?;
    let asked: Vec<_> = asked.lines().filter_map(|line| Utf8Path::new(line).canonicalize_utf8().ok()).collect();
    let all: Vec<_> = stored.iter().filter(|path| path.extension() == Some("snap")).collect();
    for path in &all {
        if !asked.contains(&path.canonicalize_utf8()?) {
            wrong.push(format!("no test uses {path}: delete it"));
        }
    }
    Ok(Outcome::of(format!("{} snapshots", all.len())).with(wrong))
}

/// The files of a repository, without `.git` and cargo's target folders.
fn files(folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) -> anyhow::Result<()> {
    for entry in folder.read_dir_utf8().with_context(|| folder.to_string())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            // Cargo marks its target folders with this file.
            if entry.file_name() != ".git" && !entry.path().join("CACHEDIR.TAG").exists() {
                files(entry.path(), found)?;
            }
        } else {
            found.push(entry.into_path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_failed_tests_are_shown() {
        let output = "\nrunning 2 tests\n.. 2/2\n..\ntest result: ok. 2 passed; 0 failed\n\nrunning 1 test\n\
                      some::test --- FAILED\n\n---- some::test stdout ----\nleft: 1.5\ntest result: FAILED. 0 passed; 1 failed\n";
        let shown =
            "some::test --- FAILED\n\n---- some::test stdout ----\nleft: 1.5\ntest result: FAILED. 0 passed; 1 failed";
        assert_eq!(super::failures(output), shown);
    }
}
