//! The chart as a map from path to text.

use std::collections::BTreeMap;

use askama::Template;
use camino::{Utf8Path, Utf8PathBuf};
use vocabulary::{Image, ServerVersion};

/// All generated files: their paths below the folder that contains the chart, and their text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    files: BTreeMap<Utf8PathBuf, String>,
    paths: ChartPaths,
    images: Vec<PublishedImage>,
}

/// An image that a chart installs by default, or for which it takes a tag from the installer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedImage {
    /// The name of the chart.
    pub chart: String,
    /// Its name for readers, such as `postgresql-exporter`.
    pub name: String,
    /// The image.
    pub image: Image,
    /// The only version that the image may have, for a server.
    pub version: Option<ServerVersion>,
}

/// The paths of the main parts of a [`Chart`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartPaths {
    /// The umbrella chart's folder.
    pub umbrella: Utf8PathBuf,
    /// Values that complete the defaults for lint and tests: fake passwords and tags.
    pub ci_values: Utf8PathBuf,
    /// The overlays of the environments, by the environment's name.
    pub environments: BTreeMap<String, Utf8PathBuf>,
    /// The charts beside the umbrella. Each is installed as a release of its own, with values of its own.
    pub further: Vec<FurtherChart>,
}

/// A chart beside the umbrella, and the paths of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FurtherChart {
    /// What its name has behind the platform's, such as `logs` in `shop-logs`.
    pub name: &'static str,
    /// Its folder.
    pub folder: Utf8PathBuf,
    /// Values that complete the defaults for lint and tests.
    pub ci_values: Utf8PathBuf,
    /// The overlays of the environments that declare values for this chart, by the environment's name.
    pub environments: BTreeMap<String, Utf8PathBuf>,
}

impl Chart {
    /// The files, in the order of their paths.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<Utf8PathBuf, String> {
        &self.files
    }

    /// The images of all charts, by chart.
    #[must_use]
    pub fn images(&self) -> &[PublishedImage] {
        &self.images
    }

    /// Consumes the chart and returns its files.
    #[must_use]
    pub fn into_files(self) -> BTreeMap<Utf8PathBuf, String> {
        self.files
    }

    /// The paths of its main parts.
    #[must_use]
    pub const fn paths(&self) -> &ChartPaths {
        &self.paths
    }
}

/// A chart under construction.
pub(crate) struct Files {
    /// By the text of their paths: a comparison of paths takes ten times as long, since it goes through their components.
    texts: BTreeMap<String, String>,
    paths: ChartPaths,
    images: Vec<PublishedImage>,
}

impl Files {
    pub(crate) fn new(platform: &str) -> Self {
        let umbrella = Utf8PathBuf::from(platform);
        let ci_values = umbrella.join("ci/default-values.yaml");
        let paths = ChartPaths { umbrella, ci_values, environments: BTreeMap::new(), further: Vec::new() };
        Self { texts: BTreeMap::new(), paths, images: Vec::new() }
    }

    /// Adds a file of the umbrella chart.
    pub(crate) fn umbrella(&mut self, path: impl AsRef<Utf8Path>, view: &impl Template) {
        self.text(path, render(view));
    }

    /// Adds a file of a subchart.
    pub(crate) fn subchart(&mut self, chart: &str, path: &str, view: &impl Template) {
        self.text(Utf8Path::new("charts").join(chart).join(path), render(view));
    }

    /// Adds a file of the umbrella chart from its final text.
    pub(crate) fn text(&mut self, path: impl AsRef<Utf8Path>, text: String) {
        let path = self.paths.umbrella.join(path);
        self.insert(path, text);
    }

    /// Adds the overlay of an environment.
    pub(crate) fn environment(&mut self, name: &str, text: String) {
        let path = Utf8PathBuf::from(format!("environments/values-{name}.yaml"));
        self.paths.environments.insert(name.to_owned(), path.clone());
        self.insert(path, text);
    }

    /// Adds a chart beside the umbrella; its name has `name` behind the platform's.
    pub(crate) fn further(&mut self, name: &'static str) -> FurtherFiles<'_> {
        let folder = Utf8PathBuf::from(format!("{}-{name}", self.paths.umbrella));
        let ci_values = folder.join("ci/default-values.yaml");
        let environments = BTreeMap::new();
        self.paths.further.push(FurtherChart { name, folder: folder.clone(), ci_values, environments });
        FurtherFiles { chart: self.paths.further.len() - 1, folder, files: self }
    }

    /// Adds a file beside the umbrella chart.
    pub(crate) fn beside(&mut self, name: &str, text: String) {
        self.insert(Utf8PathBuf::from(name), text);
    }

    /// Adds an image of a chart.
    pub(crate) fn image(&mut self, chart: &str, name: String, image: Image, version: Option<ServerVersion>) {
        self.images.push(PublishedImage { chart: chart.to_owned(), name, image, version });
    }

    /// The images of the charts that were added so far.
    pub(crate) fn images(&self) -> &[PublishedImage] {
        &self.images
    }

    pub(crate) fn into_chart(self) -> Chart {
        let files = self.texts.into_iter().map(|(path, text)| (Utf8PathBuf::from(path), text));
        Chart { files: files.collect(), paths: self.paths, images: self.images }
    }

    fn insert(&mut self, path: Utf8PathBuf, mut text: String) {
        // askama drops one line break at the end of a template.
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let before = self.texts.insert(path.into_string(), text);
        debug_assert!(before.is_none(), "two views have one path");
    }
}

/// A chart beside the umbrella under construction.
pub(crate) struct FurtherFiles<'a> {
    /// Its position among the charts beside the umbrella.
    chart: usize,
    folder: Utf8PathBuf,
    files: &'a mut Files,
}

impl FurtherFiles<'_> {
    /// Adds a file.
    pub(crate) fn view(&mut self, path: &str, view: &impl Template) {
        self.text(path, render(view));
    }

    /// Adds a file from its final text.
    pub(crate) fn text(&mut self, path: &str, text: String) {
        self.files.insert(self.folder.join(path), text);
    }

    /// Adds the overlay of an environment, beside those for the umbrella.
    pub(crate) fn environment(&mut self, name: &str, text: String) {
        let chart = &mut self.files.paths.further[self.chart];
        let path = Utf8PathBuf::from(format!("environments/{}/values-{name}.yaml", chart.name));
        chart.environments.insert(name.to_owned(), path.clone());
        self.files.insert(path, text);
    }
}

/// The text of a view.
pub(crate) fn render(view: &impl Template) -> String {
    view.render().expect("a view holds strings alone, and writing to a string does not fail")
}
