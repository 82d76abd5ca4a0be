//! What all scenarios work with: the chart, its values, the cluster, the tools.

use std::slice;
use std::sync::OnceLock;
use std::sync::mpsc::Sender;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use generator::Resolved;
use serde_yaml::Value;
use tempfile::TempDir;
use tools::{Tool, ToolBinary};

use super::fixture::Fixture;
use super::images::ImageMap;
use super::random;
use super::report::Reporter;

/// What a run is told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The chart, where it is not the committed one.
    pub chart: Option<Utf8PathBuf>,
    /// The file that says which images take the place of which.
    pub images: Option<Utf8PathBuf>,
    /// A command that restarts the node's kubelet.
    pub kubelet_restart: Option<String>,
    /// Whether namespaces stay.
    pub keep: bool,
    /// The lanes that are asked for, by parts of their names; all where there is none.
    pub lanes: Vec<String>,
    /// What the scenarios know of the platform's programs beyond the declaration.
    pub fixture: Option<Fixture>,
}

/// What a run was told, and what it found.
pub struct E2eContext {
    /// The repository that holds the chart.
    pub root: Utf8PathBuf,
    /// The umbrella chart that is installed.
    pub chart: Utf8PathBuf,
    /// Its fake passwords, with every character that could be misread, and tags of no image.
    pub passwords: Utf8PathBuf,
    /// Each environment's name and overlay.
    pub environments: Vec<(String, Utf8PathBuf)>,
    /// The chart's path below the workspace, as history knows it.
    pub chart_in_history: Utf8PathBuf,
    /// The images that take the place of others.
    pub images: ImageMap,
    /// The declaration: what the scenarios expect follows from it.
    pub platform: Resolved,
    /// A command that restarts the node's kubelet.
    pub kubelet_restart: Option<String>,
    /// Whether namespaces stay.
    pub keep: bool,
    /// The lanes that are asked for, by parts of their names; all where there is none.
    pub lanes: Vec<String>,
    /// What the scenarios know of the platform's programs beyond the declaration.
    pub fixture: Option<Fixture>,
    /// Takes what the run reports.
    pub reporter: Reporter,
    /// The images that it is to use instead of its own.
    pub overlay: Utf8PathBuf,
    /// Values with which several releases fit on one small node: less processor time set aside. The limits stay.
    pub small: Utf8PathBuf,
    helm3: OnceLock<ToolBinary>,
    helm4: OnceLock<ToolBinary>,
    temporary: TempDir,
}

impl E2eContext {
    /// The context of a run on the chart of `platform`, which the repository `root` holds; `lines` takes what the run reports.
    ///
    /// # Errors
    /// When the chart or the file of images cannot be read, or there is no place for temporary files.
    pub fn new(
        root: &Utf8Path,
        platform: &Resolved,
        settings: Settings,
        lines: Sender<String>,
    ) -> anyhow::Result<Self> {
        let folder = root.join(owned_tree::FOLDER);
        let rendered = generator::generate(platform);
        let paths = rendered.paths();
        let chart = settings.chart.unwrap_or_else(|| folder.join(&paths.umbrella));
        let images = settings.images.map(|file| ImageMap::read(&file)).transpose()?.unwrap_or_default();
        let temporary = tempfile::tempdir().context("no folder for temporary files")?;
        let context = Self {
            passwords: folder.join(&paths.ci_values),
            environments: paths.environments.iter().map(|(name, path)| (name.clone(), folder.join(path))).collect(),
            chart_in_history: Utf8Path::new(owned_tree::FOLDER).join(&paths.umbrella),
            kubelet_restart: settings.kubelet_restart,
            keep: settings.keep,
            lanes: settings.lanes,
            fixture: settings.fixture,
            reporter: Reporter::new(lines),
            overlay: Utf8PathBuf::new(),
            small: Utf8PathBuf::new(),
            helm3: OnceLock::new(),
            helm4: OnceLock::new(),
            platform: platform.clone(),
            root: root.to_owned(),
            chart,
            images,
            temporary,
        };
        let overlay = context.overlay_for(&context.chart)?;
        let small = context.small_for(&context.chart)?;
        Ok(Self { overlay, small, ..context })
    }

    /// The values that every installation of the chart gets: passwords, then `values`, then images. Images come last, since the file with the
    /// passwords and some environments name tags too, of images that are not there.
    pub fn values(&self, values: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
        [slice::from_ref(&self.passwords), values, slice::from_ref(&self.overlay)].concat()
    }

    /// Fails unless it is said of each image of a chart which build is to run.
    pub fn names_builds(&self, chart: &Utf8Path) -> anyhow::Result<()> {
        Ok(self.images.names_builds(&defaults(chart)?)?)
    }

    /// A file with the images that a chart is to use instead of its own.
    pub fn overlay_for(&self, chart: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
        self.file("images.yaml", &self.images.overlay(&defaults(chart)?)?)
    }

    /// A new file with this text, for as long as the run lasts.
    pub fn file(&self, name: &str, text: &str) -> anyhow::Result<Utf8PathBuf> {
        let path = self.folder(name)?.join(name);
        std::fs::write(&path, text).with_context(|| path.to_string())?;
        Ok(path)
    }

    /// A new folder, for as long as the run lasts.
    pub fn folder(&self, name: &str) -> anyhow::Result<Utf8PathBuf> {
        let base = Utf8Path::from_path(self.temporary.path()).context("the folder for temporary files is not UTF-8")?;
        let path = base.join(format!("{}-{name}", random::suffix()));
        std::fs::create_dir(&path).with_context(|| path.to_string())?;
        Ok(path)
    }

    /// As [`E2eContext::small`], for another chart.
    pub fn small_for(&self, chart: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
        self.file("small.yaml", &less_processor_time(&parsed(&defaults(chart)?)?))
    }

    /// The repository of a service's image, as it is installed.
    pub fn repository_of(&self, service: &str) -> anyhow::Result<String> {
        let overlay = std::fs::read_to_string(&self.overlay).with_context(|| self.overlay.to_string())?;
        let repository =
            |values: &Value| values.get(service)?.get("image")?.get("repository")?.as_str().map(str::to_owned);
        let (mapped, own) = (repository(&parsed(&overlay)?), repository(&parsed(&defaults(&self.chart)?)?));
        mapped.or(own).with_context(|| format!("{service} has no image"))
    }

    /// Helm 4.
    ///
    /// # Errors
    /// When it is neither on PATH nor can be built.
    pub fn helm4(&self) -> anyhow::Result<&ToolBinary> {
        binary(&self.helm4, Tool::Helm4)
    }

    /// Helm 3.
    ///
    /// # Errors
    /// When it is neither on PATH nor can be built.
    pub fn helm3(&self) -> anyhow::Result<&ToolBinary> {
        binary(&self.helm3, Tool::Helm3)
    }
}

/// A chart's own values.
fn defaults(chart: &Utf8Path) -> anyhow::Result<String> {
    let file = chart.join("values.yaml");
    std::fs::read_to_string(&file).with_context(|| file.to_string())
}

fn parsed(values: &str) -> anyhow::Result<Value> {
    Ok(serde_yaml::from_str(values)?)
}

fn less_processor_time(defaults: &Value) -> String {
    let charts = defaults.as_mapping().into_iter().flatten();
    let sized = charts.filter(|(_, section)| section.get("resources").is_some());
    let line = |name: &str| format!("{name}: {{resources: {{requests: {{cpu: 10m}}}}}}\n");
    sized.filter_map(|(name, _)| name.as_str().map(line)).collect()
}

fn binary(cell: &OnceLock<ToolBinary>, tool: Tool) -> anyhow::Result<&ToolBinary> {
    if let Some(binary) = cell.get() {
        return Ok(binary);
    }
    let binary = tool.ensure()?;
    Ok(cell.get_or_init(|| binary))
}
