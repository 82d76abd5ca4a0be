//! The platform: all of it in one value.

use crate::{Backing, ChartVersion, Diagnostics, Environment, PlatformName, Resolved, Service, SourceLocation, Tests};

/// Everything that is declared. Plain data: [`Platform::resolve`] is what checks it.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Its name: the umbrella chart's name.
    pub name: PlatformName,
    /// What it is, in one line.
    pub doc: &'static str,
    /// The chart's version.
    pub version: ChartVersion,
    /// The address of its home page.
    pub home: &'static str,
    /// The most characters that a release's name may have. Every object is called `<release>-<service>`; names that the cluster would not
    /// take with a release of this length are a mistake of the declaration, longer release names one of whoever installs.
    pub longest_release_name: u8,
    /// Its services.
    pub services: Vec<Service>,
    /// What they use.
    pub backing: Vec<Backing>,
    /// The environments it is installed in.
    pub environments: Vec<Environment>,
    /// What its tests need beside the uses.
    pub tests: Tests,
    /// Where it was declared.
    pub location: SourceLocation,
}

impl Platform {
    /// Checks the whole declaration.
    ///
    /// # Errors
    /// With every mistake there is, each with the places where to look and what to do.
    pub fn resolve(self) -> Result<Resolved, Diagnostics> {
        crate::resolve::resolve(self)
    }
}
