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
    tags(root, &["--merged", "HEAD"])
}

/// As [`version_tags`], without those of the commit itself.
pub(crate) fn version_tags_before(root: &Utf8Path) -> anyhow::Result<Vec<String>> {
    tags(root, &["--merged", "HEAD", "--no-contains", "HEAD"])
}

/// The tags `v…` of these commits.
fn tags(root: &Utf8Path, commits: &[&str]) -> anyhow::Result<Vec<String>> {
    let said = text(root, &[&["tag", "--list", "v*"], commits].concat())?;
    Ok(said.lines().map(str::to_owned).collect())
}

/// Writes the files that `folder` of the repository has at a tag into the folder `into`; false if the tag has no such folder.
pub(crate) fn export(root: &Utf8Path, tag: &str, folder: &str, into: &Utf8Path) -> anyhow::Result<bool> {
    // Git reads paths of a tree, and writes files of an index, relative to the top of the work tree.
    let top = text(root, &["rev-parse", "--show-toplevel"])?;
    let prefix = text(root, &["rev-parse", "--show-prefix"])?;
    let top = Utf8Path::new(top.trim_end_matches('\n'));
    let tree = format!("refs/tags/{tag}:{}{folder}", prefix.trim_end_matches('\n'));
    if run(top, &["rev-parse", "--quiet", "--verify", &tree], None)?.status.code() == Some(1) {
        return Ok(false);
    }
    // An index of its own: that of the repository stays as it is.
    let index = tempfile::tempdir()?;
    let index = index.path().join("index");
    accepted(top, "read-tree", run(top, &["read-tree", &tree], Some(&index))?)?;
    let prefix = format!("--prefix={into}/");
    accepted(top, "checkout-index", run(top, &["checkout-index", "--all", &prefix], Some(&index))?)?;
    Ok(true)
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

/// Whether the folder is in a work tree of git, and git is installed.
pub(crate) fn is_work_tree(root: &Utf8Path) -> anyhow::Result<bool> {
    match command(root, &["rev-parse", "--is-inside-work-tree"]).output() {
        Ok(output) => Ok(output.status.success()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).context("cannot run git"),
    }
}

/// Whether anything is committed.
pub(crate) fn has_commit(root: &Utf8Path) -> anyhow::Result<bool> {
    Ok(run(root, &["rev-parse", "--quiet", "--verify", "HEAD"], None)?.status.success())
}

fn text(root: &Utf8Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = accepted(root, arguments[0], run(root, arguments, None)?)?;
    String::from_utf8(output.stdout).context("a path in the repository is not UTF-8")
}

/// The output of a command that has succeeded.
fn accepted(root: &Utf8Path, what: &str, output: Output) -> anyhow::Result<Output> {
    if !output.status.success() {
        bail!("git {what} fails in {root}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output)
}

fn run(root: &Utf8Path, arguments: &[&str], index: Option<&std::path::Path>) -> anyhow::Result<Output> {
    let mut git = command(root, arguments);
    git.envs(index.map(|index| ("GIT_INDEX_FILE", index)));
    git.output().context("cannot run git, which a release needs: install it")
}

fn command(root: &Utf8Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.args(["-C", root.as_str()]).args(arguments).envs([("LC_ALL", "C"), ("TZ", "UTC")]);
    git
}
