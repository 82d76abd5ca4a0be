//! The platform: the whole declaration in one value.

use crate::{
    Backing, ChartVersion, Diagnostics, EarlierVersion, Environment, PlatformName, Publication, Resolved, Service,
    SourceLocation, Tests,
};

/// A whole platform. Plain data: [`Platform::resolve`] checks it.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Its name, which is also the name of the umbrella chart.
    pub name: PlatformName,
    /// A description, in one line.
    pub doc: &'static str,
    /// The version of the chart.
    pub version: ChartVersion,
    /// The URL of its home page.
    pub home: &'static str,
    /// What chart repositories show about its charts, and the changelog.
    pub publication: Publication,
    /// The longest release name that the chart accepts, in characters. Objects are named `<release>-<service>` and Kubernetes bounds their names, so a
    /// longer release name leaves less room for the names of services and servers.
    pub longest_release_name: u8,
    /// Its services.
    pub services: Vec<Service>,
    /// The servers that its services use.
    pub backing: Vec<Backing>,
    /// The environments that it is installed in.
    pub environments: Vec<Environment>,
    /// What the chart's tests need to know beyond the uses.
    pub tests: Tests,
    /// Passwords that were published with an earlier chart, an image or the documentation of the platform. The chart and `cargo xtask secrets` refuse
    /// them, and passwords that consist of little more. Each has at least 4 characters; case does not matter.
    pub published_passwords: &'static [&'static str],
    /// Earlier versions of the chart that had other values, and what became of these. The chart refuses a value of such a version with its successor.
    pub earlier_versions: &'static [EarlierVersion],
    /// Where it is declared.
    pub location: SourceLocation,
}

impl Platform {
    /// Checks the whole declaration.
    ///
    /// # Errors
    /// Every mistake, each with its source locations and a fix.
    pub fn resolve(self) -> Result<Resolved, Diagnostics> {
        crate::resolve::resolve(self)
    }
}
