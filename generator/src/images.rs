//! Every image of a platform: those of the services, those of the servers, and that of the tests.

use vocabulary::{Image, Platform};

use crate::text::value;

/// An image, and whose pods run it.
pub(crate) struct ImageOf {
    /// Where it lies in the values: the chart whose pods run it, or `global.tests`.
    section: Vec<&'static str>,
    pub(crate) image: Image,
    is_service: bool,
}

impl ImageOf {
    /// Whether its chart is installed, as an expression of the umbrella's templates; a server always is.
    pub(crate) fn enabled(&self) -> Option<String> {
        self.is_service.then(|| value(&[&self.section[..], &["enabled"]].concat()))
    }

    /// That place, as a path.
    pub(crate) fn name(&self) -> String {
        self.section.join(".")
    }

    /// The path of one of its values.
    pub(crate) fn path(&self, key: &'static str) -> Vec<&'static str> {
        [&self.section[..], &["image", key]].concat()
    }
}

/// All of them, in the order of their declaration.
pub(crate) fn all(platform: &Platform) -> impl Iterator<Item = ImageOf> {
    let services =
        platform.services.iter().map(|s| ImageOf { section: vec![s.name.as_str()], image: s.image, is_service: true });
    let servers = platform.backing.iter().map(|b| ImageOf {
        section: vec![b.name().as_str()],
        image: b.image(),
        is_service: false,
    });
    let tests = ImageOf { section: vec!["global", "tests"], image: platform.tests.image, is_service: false };
    services.chain(servers).chain([tests])
}

/// Those of which whoever installs has to name a build, each with the reason.
pub(crate) fn unnamed(platform: &Platform) -> impl Iterator<Item = (ImageOf, &'static str)> {
    all(platform).filter_map(|of| {
        let why = of.image.unnamed()?;
        Some((of, why))
    })
}
