//! Every image of a platform: those of the services, and those of the servers.

use vocabulary::{Image, Platform};

use crate::text::value;

/// The image of a chart.
#[derive(Clone, Copy)]
pub(crate) struct ImageOf {
    /// The chart whose pods run it.
    pub(crate) chart: &'static str,
    pub(crate) image: Image,
    is_service: bool,
}

impl ImageOf {
    /// Whether its chart is installed, as an expression of the umbrella's templates; a server always is.
    pub(crate) fn enabled(&self) -> Option<String> {
        self.is_service.then(|| value(&[self.chart, "enabled"]))
    }
}

/// All of them, in the order of their declaration.
pub(crate) fn all(platform: &Platform) -> impl Iterator<Item = ImageOf> {
    let services =
        platform.services.iter().map(|s| ImageOf { chart: s.name.as_str(), image: s.image, is_service: true });
    let servers =
        platform.backing.iter().map(|b| ImageOf { chart: b.name().as_str(), image: b.image(), is_service: false });
    services.chain(servers)
}

/// Those of which whoever installs has to name a build, each with the reason.
pub(crate) fn unnamed(platform: &Platform) -> impl Iterator<Item = (ImageOf, &'static str)> {
    all(platform).filter_map(|of| Some((of, of.image.unnamed()?)))
}
