//! What chart repositories read: the metadata and annotations of `Chart.yaml`, the licence, and the changelog; and links from packaged documents to files
//! that no package contains.

use std::fmt::Write as _;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vocabulary::{ChangeKind, DefaultTag, Diagnostic, Icon, Image, NotedChange, Publication, ReleaseNotes};

use crate::files::{Files, PublishedImage, render};
use crate::graph::Graph;
use crate::text::{cell, scalar};

/// The changes that name a chart beside the umbrella which the platform does not have.
pub(crate) fn unknown_charts(graph: &Graph, charts: &[&str]) -> Vec<Diagnostic> {
    let list: Vec<_> = charts.iter().map(|chart| format!("`{chart}`")).collect();
    let of_notes = |notes: &'static ReleaseNotes| {
        // The charts of an earlier version need not exist any more.
        let is_newest = notes.version.as_str() == graph.version;
        let names = notes.changes.iter().filter_map(|change| change.chart);
        names.filter(move |name| is_newest && !charts.contains(name)).map(move |name| (name, notes.location))
    };
    let mistakes = graph.publication.changelog.iter().flat_map(of_notes).map(|(name, location)| {
        Diagnostic::new("ChangeOfUnknownChart", format!("the changelog names the chart `{name}`, which does not exist"))
            .at("declared", location)
            .help(format!(
                "write one of {} behind `of_chart`, or omit it for a change of `{}`",
                list.join(", "),
                graph.name
            ))
    });
    mistakes.collect()
}

/// The file with the changes of all versions, beside the charts. No package contains it, because it grows and Helm stores every file with each release.
const CHANGELOG: &str = "CHANGELOG.md";

/// Adds the changelog, if one is declared.
pub(super) fn files(graph: &Graph, files: &mut Files) {
    let releases: Vec<_> = graph.publication.changelog.iter().map(|notes| Release::of(graph, notes)).collect();
    if !releases.is_empty() {
        files.beside(CHANGELOG, render(&Changelog { c: graph, releases }));
    }
}

/// The text of the file `LICENSE` of each chart.
pub(crate) fn licence(graph: &Graph) -> Option<String> {
    graph.publication.licence.map(|licence| licence.text.to_owned())
}

/// A reference in a document of a package to a file that the package does not contain, by its path below the folder with the charts, which an anchor
/// can follow. It is a link if the address of that folder is declared.
pub(crate) fn link(graph: &Graph, text: &str, path: &str) -> String {
    match folder(graph) {
        Some(folder) => format!("[{text}]({folder}/{path})"),
        None => text.to_owned(),
    }
}

/// The name of a file that the package does not contain, as [`link`].
pub(crate) fn file_link(graph: &Graph, path: &str) -> String {
    let (_, name) = path.rsplit_once('/').unwrap_or(("", path));
    link(graph, &format!("`{name}`"), path)
}

/// The address of the folder with the charts in this version.
fn folder(graph: &Graph) -> Option<String> {
    graph.publication.files.map(|files| files.replace(Publication::VERSION, graph.version))
}

/// The part of `Chart.yaml` that chart repositories show.
pub(crate) struct Metadata {
    pub(crate) home: String,
    pub(crate) icon: Option<String>,
    pub(crate) sources: Vec<String>,
    pub(crate) keywords: Vec<String>,
    pub(crate) maintainers: Vec<Maintainer>,
    /// Key and value of each annotation.
    pub(crate) annotations: Vec<(&'static str, String)>,
}

pub(crate) struct Maintainer {
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) url: Option<String>,
}

impl Metadata {
    /// That of a chart, by what its name has behind the platform's (none for the umbrella), with the images that it installs.
    pub(crate) fn of(graph: &Graph, chart: Option<&str>, images: &[PublishedImage]) -> Self {
        let Publication { sources, keywords, maintainers, icon, .. } = graph.publication;
        let maintainer = |one: &vocabulary::Maintainer| Maintainer {
            name: scalar(one.name),
            email: one.email.map(scalar),
            url: one.url.map(scalar),
        };
        Self {
            home: scalar(graph.home),
            icon: icon.map(|icon| match icon {
                Icon::Url(url) => scalar(url),
                Icon::Svg(text) => scalar(&format!("data:image/svg+xml;base64,{}", STANDARD.encode(text.trim()))),
            }),
            sources: sources.iter().map(|url| scalar(url)).collect(),
            keywords: keywords.iter().map(|word| scalar(word)).collect(),
            maintainers: maintainers.iter().map(maintainer).collect(),
            annotations: annotations(graph, chart, images),
        }
    }
}

/// The annotations that Artifact Hub reads. A platform that declares nothing for a repository has none: a release would store them for nobody.
fn annotations(graph: &Graph, chart: Option<&str>, images: &[PublishedImage]) -> Vec<(&'static str, String)> {
    let publication = graph.publication;
    let is_declared =
        !publication.changelog.is_empty() || publication.licence.is_some() || !publication.links.is_empty();
    if !is_declared {
        return Vec::new();
    }
    let is_of_chart = |change: &&NotedChange| change.chart == chart;
    let newest = publication.changelog.first().map_or(&[][..], |notes| notes.changes);
    let changes = newest.iter().filter(is_of_chart).fold(String::new(), |mut text, change| {
        let _ = write!(text, "\n    - kind: {}\n      description: {}", change.kind.word(), scalar(change.text));
        text
    });
    let images = images.iter().filter_map(|one| Some((one.name.as_str(), reference(one.image)?)));
    let images = images.fold(String::new(), |mut text, (name, image)| {
        let _ = write!(text, "\n    - name: {}\n      image: {}", scalar(name), scalar(&image));
        text
    });
    let changelog = (!publication.changelog.is_empty()).then(|| folder(graph)).flatten();
    let changelog = changelog.map(|folder| ("Changelog", format!("{folder}/{CHANGELOG}")));
    let links = publication.links.iter().map(|link| (link.name, link.url.to_owned())).chain(changelog);
    let links = links.fold(String::new(), |mut text, (name, url)| {
        let _ = write!(text, "\n    - name: {}\n      url: {}", scalar(name), scalar(&url));
        text
    });
    let block = |key, items: String| (!items.is_empty()).then(|| (key, format!("|{items}")));
    let licence = publication.licence.map(|licence| ("artifacthub.io/license", scalar(licence.expression)));
    let is_prerelease = graph.version.contains('-').to_string();
    let all = [
        block("artifacthub.io/changes", changes),
        block("artifacthub.io/images", images),
        licence,
        block("artifacthub.io/links", links),
        Some(("artifacthub.io/operator", "\"false\"".to_owned())),
        Some(("artifacthub.io/prerelease", format!("\"{is_prerelease}\""))),
    ];
    all.into_iter().flatten().collect()
}

/// What a container runtime pulls by default: none if the installer names the tag.
pub(crate) fn reference(image: Image) -> Option<String> {
    let repository = image.repository;
    match (image.tag, image.digest) {
        (_, Some(digest)) => Some(format!("{repository}@{digest}")),
        (DefaultTag::Fixed(tag), None) => Some(format!("{repository}:{tag}")),
        (DefaultTag::Absent(_), None) => None,
    }
}

#[derive(Template)]
#[template(path = "beside/CHANGELOG.md")]
struct Changelog<'a> {
    c: &'a Graph,
    releases: Vec<Release>,
}

/// A version in the changelog.
struct Release {
    title: String,
    groups: Vec<Group>,
}

/// The changes of one kind.
struct Group {
    title: String,
    changes: Vec<String>,
}

impl Release {
    fn of(graph: &Graph, notes: &ReleaseNotes) -> Self {
        let group = |kind: ChangeKind| {
            let of_kind = notes.changes.iter().filter(|change| change.kind == kind);
            let changes: Vec<_> = of_kind.map(|change| shown(graph, change)).collect();
            let (first, rest) = kind.word().split_at(1);
            (!changes.is_empty()).then(|| Group { title: first.to_uppercase() + rest, changes })
        };
        Self {
            title: format!("{} ({})", notes.version, notes.date.unwrap_or("unreleased")),
            groups: ChangeKind::ALL.into_iter().filter_map(group).collect(),
        }
    }
}

fn shown(graph: &Graph, change: &NotedChange) -> String {
    let text = cell(change.text);
    change.chart.map_or(text.clone(), |chart| format!("`{}-{chart}`: {text}", graph.name))
}
