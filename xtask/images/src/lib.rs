//! `cargo xtask images`: compares the declared images with their registries, and updates the declarations.
//!
//! crane asks the registries, by the distribution API of OCI and with the logins of Docker's configuration.

mod declarations;
mod tag;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use generator::PublishedImage;
use tools::{Tool, ToolBinary};
use vocabulary::{DefaultTag, Image, ServerVersion};

pub use declarations::Edit;

/// A declared image, and what its registry has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageState {
    /// The image.
    pub image: Image,
    /// What it is for, such as `rabbitmq`, by chart.
    pub used_by: Vec<String>,
    /// What the registry has, or why that is unknown.
    pub found: Result<Found, String>,
}

/// What a registry has of an image with a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The digest of the declared tag.
    pub digest: String,
    /// The newest tag of the same form that is newer and fits, and its digest.
    pub newer: Option<(String, String)>,
    /// The newest tag of the same form that is of another version of the server. Data of the declared version does not fit it.
    pub other_version: Option<String>,
}

impl ImageState {
    /// What an update declares: another tag, or the same with another digest. None if nothing changes.
    #[must_use]
    pub fn update(&self) -> Option<(String, Option<String>)> {
        let found = self.found.as_ref().ok()?;
        let declared = self.image.digest.map(|digest| digest.as_str().to_owned());
        let (tag, digest) = match &found.newer {
            Some((tag, digest)) => (tag.clone(), digest.clone()),
            None => (tag_of(self.image)?.to_owned(), found.digest.clone()),
        };
        let digest = declared.is_some().then_some(digest);
        (tag_of(self.image) != Some(tag.as_str()) || digest != declared).then_some((tag, digest))
    }

    /// One line for a reader, and a second one where there is something to do.
    #[must_use]
    pub fn text(&self) -> String {
        let reference = declarations::reference(self.image);
        let mut text = match &self.found {
            Err(why) => return format!("{reference}: not compared: {why}"),
            Ok(found) if self.image.digest.is_some_and(|digest| digest.as_str() == found.digest) => {
                format!("{reference}: the tag has the declared digest")
            }
            Ok(found) if self.image.digest.is_some() => format!("{reference}: the tag has the digest {}", found.digest),
            Ok(found) => format!("{reference}: {}", found.digest),
        };
        if let Ok(found) = &self.found {
            if let Some((tag, digest)) = &found.newer {
                let _ = write!(text, "\n  newer: {tag} ({digest})");
            }
            if let Some(tag) = &found.other_version {
                let _ = write!(
                    text,
                    "\n  another version, whose data differs: {tag}; see UPGRADING.md before you declare it with its `version`"
                );
            }
        }
        text
    }
}

fn tag_of(image: Image) -> Option<&'static str> {
    match image.tag {
        DefaultTag::Fixed(tag) => Some(tag.as_str()),
        DefaultTag::Absent(_) => None,
    }
}

/// Asks the registries about all images that have a tag. An image that several charts use is asked for once.
///
/// # Errors
/// If crane is not available. What a registry does not answer is part of the result.
pub fn states(images: &[PublishedImage]) -> anyhow::Result<Vec<ImageState>> {
    let crane = Tool::Crane.ensure()?;
    let mut unique: BTreeMap<String, (Image, Option<ServerVersion>, Vec<String>)> = BTreeMap::new();
    for one in images.iter().filter(|one| tag_of(one.image).is_some()) {
        let key = declarations::reference(one.image);
        let entry = unique.entry(key).or_insert_with(|| (one.image, one.version, Vec::new()));
        entry.2.push(format!("{} ({})", one.name, one.chart));
    }
    let state = |(image, version, used_by): (Image, Option<ServerVersion>, Vec<String>)| {
        let found = ask(&crane, image, version).map_err(|error| format!("{error:#}"));
        ImageState { image, used_by, found }
    };
    Ok(unique.into_values().map(state).collect())
}

fn ask(crane: &ToolBinary, image: Image, version: Option<ServerVersion>) -> anyhow::Result<Found> {
    let repository = image.repository.as_str();
    let declared = tag_of(image).context("the image has no tag")?;
    let digest = |tag: &str| run(crane, &["digest", &format!("{repository}:{tag}")]);
    let own = digest(declared)?;
    let tags = run(crane, &["ls", "--omit-digest-tags", repository])?;
    let fits = |tag: &&str| version.is_none_or(|version| version.fits_text(tag));
    let newest = |tags: Vec<&str>| tag::newest(declared, tags).map(str::to_owned);
    let (fitting, others): (Vec<&str>, Vec<&str>) = tags.lines().partition(fits);
    let newer = match newest(fitting) {
        Some(tag) => Some((tag.clone(), digest(&tag)?)),
        None => None,
    };
    Ok(Found { digest: own, newer, other_version: newest(others) })
}

fn run(crane: &ToolBinary, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command: Command = crane.command();
    let output = command.args(arguments).output().with_context(|| format!("cannot run {}", crane.path))?;
    if !output.status.success() {
        // Lines before the last one report attempts.
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().lines().last().unwrap_or_default();
        bail!("crane {} fails: {}", arguments.join(" "), said.trim_start_matches("Error: "));
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The result of an update.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Updated {
    /// The declarations that were changed.
    pub edits: Vec<Edit>,
    /// Images with an update whose declaration is not in the repository, but in a crate that it depends on.
    pub elsewhere: Vec<String>,
}

/// Writes the newer tags and digests into the declarations in the repository `root`: calls of `Image::new` with literals in its Rust code, tests
/// excepted.
///
/// # Errors
/// If git or a file cannot be read or written. Each file is written as a whole.
pub fn update(root: &Utf8Path, states: &[ImageState]) -> anyhow::Result<Updated> {
    let mut updated = Updated::default();
    let mut files: BTreeMap<Utf8PathBuf, String> = BTreeMap::new();
    for path in declarations::sources(root)? {
        let text = std::fs::read_to_string(root.join(&path)).with_context(|| format!("cannot read {path}"))?;
        files.insert(path, text);
    }
    let mut changed: BTreeMap<Utf8PathBuf, String> = BTreeMap::new();
    for state in states {
        let Some((tag, digest)) = state.update() else { continue };
        let before = updated.edits.len();
        for (path, text) in &mut files {
            let (new, count) = declarations::replaced(text, state.image, &tag, digest.as_deref());
            if count > 0 {
                *text = new;
                changed.insert(path.clone(), text.clone());
                let pin = digest.as_deref().map(|digest| format!("@{digest}")).unwrap_or_default();
                let to = format!("{}:{tag}{pin}", state.image.repository);
                updated.edits.push(Edit { path: path.clone(), from: declarations::reference(state.image), to });
            }
        }
        if updated.edits.len() == before {
            updated.elsewhere.push(declarations::reference(state.image));
        }
    }
    for (path, text) in changed {
        declarations::write(&root.join(&path), &text)?;
    }
    Ok(updated)
}
