//! The context that every scenario works with: the chart, its values, the images and the tools.

use std::collections::BTreeSet;
use std::slice;
use std::sync::OnceLock;
use std::sync::mpsc::Sender;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use generator::Resolved;
use serde_yaml::Value;
use tempfile::TempDir;
use tools::{Tool, ToolBinary};

use super::fixture::Fixture;
use super::images::ImageMap;
use super::kubectl;
use super::random;
use super::report::Reporter;

/// The options of a run.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The chart to install; the committed chart if `None`.
    pub chart: Option<Utf8PathBuf>,
    /// The image map of `--images`.
    pub images: Option<Utf8PathBuf>,
    /// The command that restarts the node's kubelet.
    pub kubelet_restart: Option<String>,
    /// Whether to keep the namespaces after the run.
    pub keep: bool,
    /// Parts of the names of the lanes to run; empty selects all lanes.
    pub lanes: Vec<String>,
    /// Facts about the platform's programs that the declaration does not hold.
    pub fixture: Option<Fixture>,
    /// The seed of sampled values; a new one if `None`.
    pub seed: Option<u64>,
}

/// The options, paths and tools of one run.
pub struct E2eContext {
    /// The repository that holds the chart.
    pub root: Utf8PathBuf,
    /// The umbrella chart to install.
    pub chart: Utf8PathBuf,
    /// The chart's CI values: fake passwords with every character that a parser could misread, and image tags that do not exist.
    pub passwords: Utf8PathBuf,
    /// Name and overlay file of each environment.
    pub environments: Vec<(String, Utf8PathBuf)>,
    /// The chart's path below the repository root, as git history has it.
    pub chart_in_history: Utf8PathBuf,
    /// The replacements for the chart's images.
    pub images: ImageMap,
    /// The declaration, from which the scenarios derive all expectations.
    pub platform: Resolved,
    /// The command that restarts the node's kubelet.
    pub kubelet_restart: Option<String>,
    /// Whether to keep the namespaces after the run.
    pub keep: bool,
    /// Parts of the names of the lanes to run; empty selects all lanes.
    pub lanes: Vec<String>,
    /// Facts about the platform's programs that the declaration does not hold.
    pub fixture: Option<Fixture>,
    /// The seed of sampled values.
    pub seed: u64,
    /// Receives the lines of the report.
    pub reporter: Reporter,
    /// The values file that replaces the chart's images.
    pub overlay: Utf8PathBuf,
    /// The values file with the addresses of the cluster's API server, if a service declares access to it.
    pub api_server: Option<Utf8PathBuf>,
    /// The values file that lowers every CPU request to 10m, so that several releases fit on one small node. Limits are unchanged.
    pub small: Utf8PathBuf,
    helm3: OnceLock<ToolBinary>,
    helm4: OnceLock<ToolBinary>,
    temporary: TempDir,
}

impl E2eContext {
    /// The context of a run on the chart of `platform` in the repository `root`. `lines` receives the report.
    ///
    /// # Errors
    /// If the chart or the image map cannot be read, or a temporary file cannot be created.
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
        let temporary = tempfile::tempdir().context("cannot create a temporary folder")?;
        let context = Self {
            passwords: folder.join(&paths.ci_values),
            environments: paths.environments.iter().map(|(name, path)| (name.clone(), folder.join(path))).collect(),
            chart_in_history: Utf8Path::new(owned_tree::FOLDER).join(&paths.umbrella),
            kubelet_restart: settings.kubelet_restart,
            keep: settings.keep,
            lanes: settings.lanes,
            fixture: settings.fixture,
            seed: settings.seed.unwrap_or_else(random::number),
            reporter: Reporter::new(lines),
            overlay: Utf8PathBuf::new(),
            small: Utf8PathBuf::new(),
            api_server: None,
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
        let has_clients = !generator::traffic(platform).kubernetes.is_empty();
        let api_server = has_clients.then(|| context.file("api-server.json", &api_server()?)).transpose()?;
        Ok(Self { overlay, api_server, small, ..context })
    }

    /// The values files of an installation: passwords, then the addresses of the API server, then `values`, then images.
    ///
    /// The CI values name an address for documentation, and image tags that do not exist, as some environments do.
    pub fn values(&self, values: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
        let api_server = self.api_server.as_slice();
        [slice::from_ref(&self.passwords), api_server, values, slice::from_ref(&self.overlay)].concat()
    }

    /// Fails if an image of the chart has neither a tag nor a digest.
    pub fn names_builds(&self, chart: &Utf8Path) -> anyhow::Result<()> {
        Ok(self.images.names_builds(&defaults(chart)?)?)
    }

    /// Writes the values file that replaces a chart's images.
    pub fn overlay_for(&self, chart: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
        self.file("images.yaml", &self.images.overlay(&defaults(chart)?)?)
    }

    /// Writes a temporary file, which is deleted at the end of the run.
    pub fn file(&self, name: &str, text: &str) -> anyhow::Result<Utf8PathBuf> {
        let path = self.folder(name)?.join(name);
        std::fs::write(&path, text).with_context(|| path.to_string())?;
        Ok(path)
    }

    /// Creates a temporary folder, which is deleted at the end of the run.
    pub fn folder(&self, name: &str) -> anyhow::Result<Utf8PathBuf> {
        let base =
            Utf8Path::from_path(self.temporary.path()).context("the path of the temporary folder is not UTF-8")?;
        let path = base.join(format!("{}-{name}", random::suffix()));
        std::fs::create_dir(&path).with_context(|| path.to_string())?;
        Ok(path)
    }

    /// Writes the values of [`E2eContext::small`] for another chart.
    pub fn small_for(&self, chart: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
        self.file("small.yaml", &less_processor_time(&parsed(&defaults(chart)?)?))
    }

    /// The installed image repository of a service.
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
    /// If it is not on `PATH` and cannot be built.
    pub fn helm4(&self) -> anyhow::Result<&ToolBinary> {
        binary(&self.helm4, Tool::Helm4)
    }

    /// Helm 3.
    ///
    /// # Errors
    /// If it is not on `PATH` and cannot be built.
    pub fn helm3(&self) -> anyhow::Result<&ToolBinary> {
        binary(&self.helm3, Tool::Helm3)
    }
}

/// Values with the addresses of the cluster's API server: its own, and that of its Service, since network plugins differ in what a policy sees.
fn api_server() -> anyhow::Result<String> {
    let slices = kubectl::items(&[
        "get",
        "endpointslices",
        "--namespace=default",
        "--selector=kubernetes.io/service-name=kubernetes",
    ])?;
    let service = kubectl::json(&["get", "service", "kubernetes", "--namespace=default"])?;
    api_server_values(&slices, &service)
}

fn api_server_values(slices: &[serde_json::Value], service: &serde_json::Value) -> anyhow::Result<String> {
    let list = |list: &serde_json::Value| list.as_array().cloned().unwrap_or_default();
    let endpoints = slices.iter().flat_map(|slice| list(&slice["endpoints"]));
    let own = endpoints.flat_map(|endpoint| list(&endpoint["addresses"]));
    let all = own.chain(list(&service["spec"]["clusterIPs"]));
    let block = |address: serde_json::Value| {
        let address = address.as_str()?.to_owned();
        Some(format!("{address}/{}", if address.contains(':') { 128 } else { 32 }))
    };
    let blocks: BTreeSet<String> = all.filter_map(block).collect();
    ensure!(!blocks.is_empty(), "the cluster's Service kubernetes has no address");
    Ok(serde_json::json!({ "global": { "network": { "apiServerCidrs": blocks } } }).to_string())
}

/// The text of a chart's `values.yaml`.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_api_server_has_its_own_addresses_and_that_of_its_service() {
        let slice = |address: &str| json!({ "endpoints": [{ "addresses": [address] }] });
        let service = json!({ "spec": { "clusterIPs": ["10.96.0.1"] } });
        let values = api_server_values(&[slice("192.0.2.7"), slice("2001:db8::7")], &service).expect("addresses");
        let values: serde_json::Value = serde_json::from_str(&values).expect("JSON");
        let blocks = &values["global"]["network"]["apiServerCidrs"];
        assert_eq!(*blocks, json!(["10.96.0.1/32", "192.0.2.7/32", "2001:db8::7/128"]));
        assert!(api_server_values(&[], &json!({})).is_err());
    }
}
