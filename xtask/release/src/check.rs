//! The state in which charts can be released.

use std::cmp::Ordering;

use camino::Utf8Path;
use generator::Resolved;
use owned_tree::{FOLDER, OwnedTree};
use vocabulary::{ChartVersion, Platform};

use crate::released::{SHALLOW, highest};
use crate::{charts, git};

/// A reason against a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, as a clause.
    pub problem: String,
    /// What to do, as an imperative.
    pub remedy: String,
}

fn finding(problem: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { problem: problem.into(), remedy: remedy.into() }
}

/// All reasons against a release of the platform in the repository `root`. `tag` is the tag that the release is for, if there is one.
///
/// # Errors
/// If git or the generated files cannot be read.
pub fn check(root: &Utf8Path, platform: &Resolved, tag: Option<&str>) -> anyhow::Result<Vec<Finding>> {
    let mut found = lacking(platform.platform());
    found.extend(working_tree(root)?);
    let chart = generator::generate(platform);
    let folders: Vec<_> = charts(&chart).map(|name| format!("{FOLDER}/{name}")).collect();
    let tree = OwnedTree::open(&root.join(FOLDER))?;
    if !tree.plan(chart.files())?.is_up_to_date() {
        found.push(finding(
            format!("{FOLDER}/ is not what the model generates"),
            "run `cargo xtask generate`, review and commit",
        ));
    }
    let version = platform.platform().version;
    found.extend(versions(root, version, &folders)?);
    if let Some(tag) = tag.filter(|tag| *tag != format!("v{version}")) {
        found.push(finding(
            format!("the tag `{tag}` is for a release, and the version of the charts is {version}"),
            format!("tag the commit `v{version}`, or change `version` of the platform"),
        ));
    }
    Ok(found)
}

/// What the declaration lacks for a release.
fn lacking(platform: &Platform) -> Vec<Finding> {
    let publication = platform.publication;
    let newest = publication.changelog.first();
    let is_dated = newest.is_some_and(|notes| notes.date.is_some());
    let version = platform.version;
    let lacks = [
        (
            publication.licence.is_none(),
            "no licence",
            "licence: Some(Licence::new(\"Apache-2.0\", include_str!(\"../LICENSE\")))",
        ),
        (publication.maintainers.is_empty(), "no maintainer", "maintainers: &[Maintainer::new(\"…\")]"),
        (publication.sources.is_empty(), "no address of its sources", "sources: &[\"https://…\"]"),
        (publication.keywords.is_empty(), "no keyword", "keywords: &[\"…\"]"),
        (publication.icon.is_none(), "no icon", "icon: Some(Icon::Svg(include_str!(\"icon.svg\")))"),
        (
            publication.files.is_none(),
            "no address of the folder with the charts, to which packaged documents refer",
            "files: Some(\"https://…/v{version}/…\")",
        ),
    ];
    let mut found: Vec<_> = lacks
        .into_iter()
        .filter(|(is_lacking, ..)| *is_lacking)
        .map(|(_, what, declaration)| {
            finding(
                format!("the platform `{}` declares {what}", platform.name),
                format!("add `{declaration}` to its `publication`"),
            )
        })
        .collect();
    match newest {
        None => found.push(finding(
            format!("the changelog has no entry for version {version}"),
            format!("add `changelog: &[ReleaseNotes::released(\"{version}\", \"<date>\", …)]` to the `publication` of the platform"),
        )),
        Some(_) if !is_dated => found.push(finding(
            format!("version {version} has no date in the changelog"),
            "write `ReleaseNotes::released(…)` with the day of the release in place of `unreleased`, generate and commit",
        )),
        Some(_) => {}
    }
    found
}

fn working_tree(root: &Utf8Path) -> anyhow::Result<Option<Finding>> {
    const SHOWN: usize = 5;
    let files = git::changed_files(root)?;
    let more = match files.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Ok((!files.is_empty()).then(|| {
        finding(
            format!("the working tree differs from the commit: {}{more}", files[..files.len().min(SHOWN)].join(", ")),
            "commit these files, or remove them: a release can be made again from its commit only",
        )
    }))
}

/// The tag with the highest version, and whether the version of the platform can follow it.
fn versions(root: &Utf8Path, version: ChartVersion, folders: &[String]) -> anyhow::Result<Option<Finding>> {
    if git::is_shallow(root)? {
        return Ok(Some(finding(SHALLOW.0, SHALLOW.1)));
    }
    let Some((tag, last)) = highest(git::version_tags(root)?) else { return Ok(None) };
    let raise = format!("raise `version` of the platform above {last}, and begin `changelog` with it");
    Ok(match version.cmp_precedence(last) {
        Ordering::Greater => None,
        Ordering::Less => {
            Some(finding(format!("version {version} is below {last}, which is released (tag {tag})"), raise))
        }
        Ordering::Equal => {
            let changed = git::changed_since(root, &tag, folders)?;
            changed.first().map(|first| {
                let count = changed.len();
                finding(format!("version {version} is released (tag {tag}), and {count} files of the charts differ from it, such as {first}"), raise)
            })
        }
    })
}
