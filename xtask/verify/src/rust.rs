//! The steps about Rust code: `generate`, `tests` and `snapshots`.

use std::process::{Command, Stdio};

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

/// Runs all Rust tests. insta records the snapshots that they refer to.
pub(super) fn tests(context: &VerifyContext) -> anyhow::Result<Outcome> {
    // Build the tools before the tests need them: `cargo test --quiet` would hide the announcement of a long build.
    for tool in [Tool::Helm3, Tool::Helm4, Tool::Kubeconform, Tool::Sops, Tool::AgeKeygen] {
        tool.ensure()?;
    }
    let references = references(context);
    match std::fs::remove_file(&references) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).context(references),
        _ => {}
    }
    let status = Command::new("cargo")
        .args(["test", "--workspace", "--quiet"])
        .current_dir(&context.root)
        .env("INSTA_UPDATE", "no")
        .env("INSTA_SNAPSHOT_REFERENCES_FILE", &references)
        // Standard output is reserved for the verdicts.
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .context("cannot run cargo")?;
    if status.success() {
        // insta writes no file if no test has a snapshot.
        std::fs::OpenOptions::new().create(true).append(true).open(&references).context(references)?;
        return Ok(Outcome::of("all tests passed"));
    }
    // A failed run is incomplete: its references do not show which snapshots are unused.
    std::fs::remove_file(&references).ok();
    bail!("cargo test failed; see its output above")
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
