//! What git knows of the repository.

use std::process::{Command, Output};

use anyhow::{Context as _, bail};
use camino::Utf8Path;

use crate::CommitTime;

pub(crate) fn time(root: &Utf8Path) -> anyhow::Result<CommitTime> {
    let said = text(root, &["log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%ct %cd"])?;
    let (seconds, text) = said.trim().split_once(' ').context("git names no time of the commit")?;
    let seconds = seconds.parse().context("git names no time of the commit")?;
    Ok(CommitTime { seconds, text: text.to_owned() })
}

/// The files that differ from the commit, or are not tracked and not ignored.
pub(crate) fn changed_files(root: &Utf8Path) -> anyhow::Result<Vec<String>> {
    let said = text(root, &["status", "--porcelain=v1", "-z"])?;
    let mut entries = said.split('\0');
    let mut files = Vec::new();
    while let Some(entry) = entries.next() {
        let (Some(state), Some(path)) = (entry.get(..2), entry.get(3..)) else { continue };
        files.push(path.to_owned());
        // The former path of a renamed file follows.
        if state.contains('R') || state.contains('C') {
            entries.next();
        }
    }
    Ok(files)
}

/// The tags of versions, `v…`, of the commit and of those before it.
pub(crate) fn version_tags(root: &Utf8Path) -> anyhow::Result<Vec<String>> {
    let said = text(root, &["tag", "--list", "v*", "--merged", "HEAD"])?;
    Ok(said.lines().map(str::to_owned).collect())
}

/// The files below `folders` that differ between a tag and the commit.
pub(crate) fn changed_since(root: &Utf8Path, tag: &str, folders: &[String]) -> anyhow::Result<Vec<String>> {
    let reference = format!("refs/tags/{tag}");
    let mut arguments = vec!["diff", "--name-only", "-z", &reference, "HEAD", "--"];
    arguments.extend(folders.iter().map(String::as_str));
    let said = text(root, &arguments)?;
    Ok(said.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

/// Whether history is cut off, so that tags may be missing.
pub(crate) fn is_shallow(root: &Utf8Path) -> anyhow::Result<bool> {
    Ok(text(root, &["rev-parse", "--is-shallow-repository"])?.trim() == "true")
}

fn text(root: &Utf8Path, arguments: &[&str]) -> anyhow::Result<String> {
    let Output { status, stdout, stderr } = Command::new("git")
        .args(["-C", root.as_str()])
        .args(arguments)
        .envs([("LC_ALL", "C"), ("TZ", "UTC")])
        .output()
        .context("cannot run git, which a release needs: install it")?;
    if !status.success() {
        bail!("git {} fails in {root}: {}", arguments[0], String::from_utf8_lossy(&stderr).trim());
    }
    String::from_utf8(stdout).context("a path in the repository is not UTF-8")
}
