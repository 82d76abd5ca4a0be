//! The versions that are released, as git knows them by their tags.

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use owned_tree::FOLDER;
use tempfile::TempDir;
use vocabulary::ChartVersion;

use crate::git;

/// The error for a shallow clone, and its remedy.
pub(crate) const SHALLOW: (&str, &str) = (
    "the history of the repository is cut off, so the versions that are released are unknown",
    "run `git fetch --unshallow --tags`; in GitHub Actions set `fetch-depth: 0`",
);

/// The release before the checked out commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastRelease {
    /// The highest version with a tag.
    Tagged(Released),
    /// No commit before this one has the tag of a version.
    None,
    /// It is unknown: why, and what to do.
    Unknown(String),
}

/// A released version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// Its tag, `v` and the version.
    pub tag: String,
    /// The version of the charts.
    pub version: ChartVersion,
}

impl LastRelease {
    /// That of the repository which contains `root`. A tag of the checked out commit is the release that is being made, not the last one.
    ///
    /// # Errors
    /// If git fails.
    pub fn before_head(root: &Utf8Path) -> anyhow::Result<Self> {
        if !git::is_work_tree(root)? {
            return Ok(Self::Unknown(format!("{root} is in no work tree of git, which has the tags of releases")));
        }
        if git::is_shallow(root)? {
            let (problem, remedy) = SHALLOW;
            return Ok(Self::Unknown(format!("{problem}: {remedy}")));
        }
        if !git::has_commit(root)? {
            return Ok(Self::None);
        }
        let last = highest(git::version_tags_before(root)?);
        Ok(last.map_or(Self::None, |(tag, version)| Self::Tagged(Released { tag, version })))
    }
}

impl Released {
    /// The generated files of this version, in a temporary folder; none if its commit had none.
    ///
    /// # Errors
    /// If git or the disk fails.
    pub fn files(&self, root: &Utf8Path) -> anyhow::Result<Option<(TempDir, Utf8PathBuf)>> {
        let folder = tempfile::tempdir()?;
        let path =
            Utf8PathBuf::try_from(folder.path().to_owned()).context("the folder for temporary files is not UTF-8")?;
        Ok(git::export(root, &self.tag, FOLDER, &path)?.then_some((folder, path)))
    }
}

/// The tag with the highest version, and the version.
pub(crate) fn highest(tags: Vec<String>) -> Option<(String, ChartVersion)> {
    let released = tags.into_iter().filter_map(|tag| {
        let text: &'static str = tag.strip_prefix('v')?.to_owned().leak();
        Some((tag, ChartVersion::checked(text).ok()?))
    });
    released.max_by(|(_, left), (_, right)| left.cmp_precedence(*right))
}
