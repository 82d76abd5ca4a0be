//! Earlier versions of the chart from git history.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};

use super::error::Error;
use super::process;

const LIMIT: Duration = Duration::from_mins(1);

/// A version of the chart that renders other objects than the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OlderVersion {
    /// The commit of this version.
    pub commit: String,
    /// The chart's folder.
    pub chart: Utf8PathBuf,
}

/// The newest version in the history of `path` for which `differs` returns true.
///
/// Extracts every version that it examines below `into`. Skips versions that cannot be rendered, because they cannot have been installed
/// from git either.
pub fn newest_that_differs(
    root: &Utf8Path,
    path: &Utf8Path,
    into: &Utf8Path,
    differs: impl Fn(&Utf8Path) -> anyhow::Result<bool>,
) -> anyhow::Result<OlderVersion> {
    let mut log = git(root);
    log.args(["log", "--format=%H", "--", path.as_str()]);
    let commits = process::run(log, "", LIMIT, false)?.ok("git log")?;
    let mut looked_at = 0;
    for commit in commits.lines() {
        let folder = into.join(commit);
        extract(root, commit, path, &folder)?;
        let chart = folder.join(path);
        // A commit that deletes the chart is part of its history.
        if !chart.exists() {
            continue;
        }
        looked_at += 1;
        if differs(&chart).unwrap_or(false) {
            return Ok(OlderVersion { commit: commit.to_owned(), chart });
        }
    }
    Err(Error::NoOlderVersion { looked_at, path: path.to_string() }.into())
}

/// Extracts `path` of a commit into a new folder. The working tree and the index are unchanged.
fn extract(root: &Utf8Path, commit: &str, path: &Utf8Path, folder: &Utf8Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| folder.to_string())?;
    let archive = folder.join("archive.tar");
    let mut git = git(root);
    git.args(["archive", "--format=tar", &format!("--output={archive}"), commit, path.as_str()]);
    if !process::run(git, "", LIMIT, false)?.success {
        return Ok(());
    }
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--file", archive.as_str(), "--directory", folder.as_str()]);
    let output = process::run(tar, "", LIMIT, false)?;
    ensure!(output.success, "cannot unpack {commit}: {}", output.all());
    Ok(())
}

fn git(root: &Utf8Path) -> Command {
    let mut git = Command::new("git");
    git.args(["-C", root.as_str()]);
    git
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository whose chart had these contents, one after the other.
    fn repository(contents: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let run = |words: &[&str]| {
            let identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
            let mut command = git(root);
            command.args(identity).args(words);
            process::run(command, "", LIMIT, false).expect("git runs").ok("git").expect("git agrees");
        };
        run(&["init", "--quiet"]);
        std::fs::create_dir_all(root.join("out/chart")).expect("a folder");
        for content in contents {
            std::fs::write(root.join("out/chart/values.yaml"), content).expect("a file");
            run(&["add", "."]);
            run(&["commit", "--quiet", "--message", content]);
        }
        folder
    }

    fn find(contents: &[&str], today: &str) -> anyhow::Result<String> {
        let (folder, into) = (repository(contents), tempfile::tempdir().expect("a folder"));
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let into = Utf8Path::from_path(into.path()).expect("UTF-8");
        // What follows a `#` is not rendered, and what has a `!` cannot be.
        let rendered = |text: &str| text.split('#').next().unwrap_or_default().to_owned();
        let found = newest_that_differs(root, Utf8Path::new("out/chart"), into, |chart| {
            let text = std::fs::read_to_string(chart.join("values.yaml"))?;
            ensure!(!text.contains('!'), "it cannot be rendered");
            Ok(rendered(&text) != rendered(today))
        })?;
        Ok(std::fs::read_to_string(found.chart.join("values.yaml"))?)
    }

    #[test]
    fn the_newest_version_that_differs_is_found() {
        assert_eq!(find(&["a", "b", "c"], "c").expect("there is one"), "b");
        assert_eq!(find(&["a", "b", "c"], "not committed yet").expect("there is one"), "c");
    }

    #[test]
    fn a_version_that_renders_the_same_or_not_at_all_is_passed_over() {
        assert_eq!(find(&["a", "b", "c!", "d# a remark", "d"], "d").expect("there is one"), "b");
    }

    #[test]
    fn no_older_version_is_a_failure() {
        let error = find(&["a# first", "a"], "a").expect_err("there is none").to_string();
        assert!(error.starts_with("all 2 versions of out/chart in git history"), "{error}");
    }
}
