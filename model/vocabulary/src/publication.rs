//! What chart repositories show about the platform's charts, and what their packages contain beside the chart.

use crate::{ChartVersion, SourceLocation};

/// What a chart repository, such as Artifact Hub, shows about the charts of a platform.
///
/// All of it is optional until a release: `cargo xtask release` names what it lacks.
#[derive(Clone, Copy, Debug)]
pub struct Publication {
    /// Addresses of the source code of the charts and of the services.
    pub sources: &'static [&'static str],
    /// The maintainers of the charts.
    pub maintainers: &'static [Maintainer],
    /// Words by which users search for the charts.
    pub keywords: &'static [&'static str],
    /// The licence of the charts.
    pub licence: Option<Licence>,
    /// The icon of the charts.
    pub icon: Option<Icon>,
    /// Further addresses, such as that of the documentation.
    pub links: &'static [Link],
    /// The address of the folder that contains the charts, for links from packaged documents to files that no package contains. `{version}` stands for
    /// the version of the chart: `https://github.com/acme/shop/blob/v{version}/generated-chart`.
    pub files: Option<&'static str>,
    /// What each version changed, the newest first. If it is not empty, it begins with the version of the platform.
    pub changelog: &'static [ReleaseNotes],
    /// Where it is declared.
    pub location: SourceLocation,
}

impl Publication {
    /// The name in [`Publication::files`] that stands for the version of the chart.
    pub const VERSION: &'static str = "{version}";

    /// Declares nothing yet: for struct update syntax, and for a platform without a release.
    #[must_use]
    #[track_caller]
    #[allow(clippy::new_without_default, reason = "the location is that of the caller")]
    pub const fn new() -> Self {
        Self {
            sources: &[],
            maintainers: &[],
            keywords: &[],
            licence: None,
            icon: None,
            links: &[],
            files: None,
            changelog: &[],
            location: SourceLocation::here(),
        }
    }
}

/// A maintainer of the charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maintainer {
    /// The name.
    pub name: &'static str,
    /// The email address.
    pub email: Option<&'static str>,
    /// The address of a page.
    pub url: Option<&'static str>,
}

impl Maintainer {
    /// A maintainer without addresses.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, email: None, url: None }
    }

    /// Sets the email address.
    #[must_use]
    pub const fn email(self, email: &'static str) -> Self {
        Self { email: Some(email), ..self }
    }

    /// Sets the address of a page.
    #[must_use]
    pub const fn url(self, url: &'static str) -> Self {
        Self { url: Some(url), ..self }
    }
}

/// A licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Licence {
    /// The SPDX licence expression, such as `Apache-2.0`.
    pub expression: &'static str,
    /// The text, which becomes the file `LICENSE` of each chart. Usually `include_str!("../LICENSE")`.
    pub text: &'static str,
}

impl Licence {
    /// A licence by its SPDX licence expression, with its text.
    #[must_use]
    pub const fn new(expression: &'static str, text: &'static str) -> Self {
        Self { expression, text }
    }
}

/// An icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// The address of an image.
    Url(&'static str),
    /// The text of an SVG image, which `Chart.yaml` contains as a data URL: no server has to serve it.
    Svg(&'static str),
}

/// A named address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name, such as `Documentation`.
    pub name: &'static str,
    /// The address.
    pub url: &'static str,
}

impl Link {
    /// A named address.
    #[must_use]
    pub const fn new(name: &'static str, url: &'static str) -> Self {
        Self { name, url }
    }
}

/// What a version of the charts changed. All charts of a platform have the same version.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseNotes {
    /// The version.
    pub version: ChartVersion,
    /// The day of the release, `YYYY-MM-DD`; none before the release.
    pub date: Option<&'static str>,
    /// The changes.
    pub changes: &'static [NotedChange],
    /// Where it is declared.
    pub location: SourceLocation,
}

impl ReleaseNotes {
    /// A version that is not released yet.
    ///
    /// # Panics
    /// When the text is not a version; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn unreleased(version: &'static str, changes: &'static [NotedChange]) -> Self {
        Self { version: ChartVersion::new(version), date: None, changes, location: SourceLocation::here() }
    }

    /// A version that was released on this day, `YYYY-MM-DD`.
    ///
    /// # Panics
    /// When the first text is not a version; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn released(version: &'static str, date: &'static str, changes: &'static [NotedChange]) -> Self {
        Self { date: Some(date), ..Self::unreleased(version, changes) }
    }
}

/// A change that users of a chart read about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotedChange {
    /// Its kind.
    pub kind: ChangeKind,
    /// What changed, one line.
    pub text: &'static str,
    /// The chart beside the umbrella that it concerns, by what its name has behind the platform's, such as `logs`; none for the umbrella.
    pub chart: Option<&'static str>,
}

impl NotedChange {
    /// A change of the umbrella chart.
    #[must_use]
    pub const fn new(kind: ChangeKind, text: &'static str) -> Self {
        Self { kind, text, chart: None }
    }

    /// A feature that is new.
    #[must_use]
    pub const fn added(text: &'static str) -> Self {
        Self::new(ChangeKind::Added, text)
    }

    /// A feature that behaves differently.
    #[must_use]
    pub const fn changed(text: &'static str) -> Self {
        Self::new(ChangeKind::Changed, text)
    }

    /// A feature that a later version removes.
    #[must_use]
    pub const fn deprecated(text: &'static str) -> Self {
        Self::new(ChangeKind::Deprecated, text)
    }

    /// A feature that no longer exists.
    #[must_use]
    pub const fn removed(text: &'static str) -> Self {
        Self::new(ChangeKind::Removed, text)
    }

    /// A fault that is corrected.
    #[must_use]
    pub const fn fixed(text: &'static str) -> Self {
        Self::new(ChangeKind::Fixed, text)
    }

    /// A vulnerability that is corrected, or a protection that is new.
    #[must_use]
    pub const fn security(text: &'static str) -> Self {
        Self::new(ChangeKind::Security, text)
    }

    /// Makes it a change of a chart beside the umbrella, by what its name has behind the platform's.
    #[must_use]
    pub const fn of_chart(self, chart: &'static str) -> Self {
        Self { chart: Some(chart), ..self }
    }
}

/// The kind of a change, as Keep a Changelog and Artifact Hub name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// A feature that is new.
    Added,
    /// A feature that behaves differently.
    Changed,
    /// A feature that a later version removes.
    Deprecated,
    /// A feature that no longer exists.
    Removed,
    /// A fault that is corrected.
    Fixed,
    /// A vulnerability that is corrected, or a protection that is new.
    Security,
}

impl ChangeKind {
    /// All kinds, in the order of Keep a Changelog.
    pub const ALL: [Self; 6] =
        [Self::Added, Self::Changed, Self::Deprecated, Self::Removed, Self::Fixed, Self::Security];

    /// The word of Keep a Changelog, in lower case as Artifact Hub has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Deprecated => "deprecated",
            Self::Removed => "removed",
            Self::Fixed => "fixed",
            Self::Security => "security",
        }
    }
}
