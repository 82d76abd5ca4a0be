//! Every image of a chart: those of the components, of the tests, of the traces, of the backups, of the exporters and of the proxies.

use vocabulary::{DefaultTag, Image};

use crate::addons::authentication::OAUTH2_PROXY;
use crate::addons::{backup, exporter, instrumentation};
use crate::graph::Graph;
use crate::names::{EXPORTER, TRACING};

/// An image of the chart, and its place in the values.
pub(crate) struct ChartImage {
    /// The section of the values that holds it: that of a service's chart, `global.<server>`, `global.tests`, `global.tracing`, `<server>.exporter`,
    /// `<server>.backup.s3` or `<service>.exposure.authentication`.
    section: Vec<&'static str>,
    pub(crate) image: Image,
    /// The only version that it may have, for a server.
    pub(crate) version: Option<&'static str>,
    /// The variant of the image that the chart needs, which its tags name.
    pub(crate) variant: Option<&'static str>,
}

impl ChartImage {
    /// The section as a path.
    pub(crate) fn name(&self) -> String {
        self.section.join(".")
    }

    /// Its name for readers who do not know the values: the section without `global`.
    pub(crate) fn title(&self) -> String {
        let parts: Vec<_> = self.section.iter().copied().filter(|part| *part != "global").collect();
        parts.join("-")
    }

    /// The path of one of its values.
    pub(crate) fn path(&self, key: &'static str) -> Vec<&'static str> {
        [&self.section[..], &["image", key]].concat()
    }
}

/// The reference of an image by its default tag, for documents.
pub(crate) fn reference(image: Image) -> String {
    match image.tag {
        DefaultTag::Fixed(tag) => format!("{}:{tag}", image.repository),
        DefaultTag::Absent(_) => image.repository.to_string(),
    }
}

/// All of them, in the order of their declaration.
pub(crate) fn all(graph: &Graph) -> impl Iterator<Item = ChartImage> {
    let of_components = graph.components.iter().map(|component| ChartImage {
        section: if component.is_optional() { vec![component.name] } else { vec!["global", component.name] },
        image: component.image,
        version: component.server().map(|server| server.version),
        variant: component.server().and_then(|server| server.kind.profile().image_variant),
    });
    let of_tests =
        ChartImage { section: vec!["global", "tests"], image: graph.test_image, version: None, variant: None };
    let of_backups = backup::backed_up(graph).map(|(server, _)| ChartImage {
        section: vec![server.name, "backup", "s3"],
        image: backup::RCLONE,
        version: None,
        variant: None,
    });
    let of_exporters = exporter::exporters(graph).map(|(server, exporter)| ChartImage {
        section: vec![server.name, EXPORTER],
        image: exporter.image,
        version: None,
        variant: None,
    });
    let of_tracing = instrumentation::has_traces(graph).then(|| ChartImage {
        section: vec!["global", TRACING],
        image: instrumentation::INSTRUMENTATION,
        version: None,
        variant: None,
    });
    let of_proxies = graph.exposed().map(|(service, _)| ChartImage {
        section: vec![service, "exposure", "authentication"],
        image: OAUTH2_PROXY,
        version: None,
        variant: None,
    });
    of_components.chain([of_tests]).chain(of_tracing).chain(of_backups).chain(of_exporters).chain(of_proxies)
}

/// Those without a default tag or digest, which an installer has to give; each with the reason.
pub(crate) fn without_default(graph: &Graph) -> impl Iterator<Item = (ChartImage, &'static str)> {
    all(graph).filter_map(|image| {
        let reason = image.image.missing_tag_reason()?;
        Some((image, reason))
    })
}
