//! A generated chart on disk, and what Helm makes of it.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use camino::{Utf8Path, Utf8PathBuf};
use generator::{Chart, Resolved};
use tools::{Template, Tool, ToolBinary};

/// A chart in a folder that goes when this goes.
pub(crate) struct OnDisk {
    folder: tempfile::TempDir,
    chart: Chart,
}

impl OnDisk {
    pub(crate) fn of(platform: &Resolved) -> Self {
        let on_disk =
            Self { folder: tempfile::tempdir().expect("a temporary folder"), chart: generator::generate(platform) };
        for (path, text) in on_disk.chart.files() {
            on_disk.write(path, text);
        }
        on_disk
    }

    pub(crate) fn chart(&self) -> &Chart {
        &self.chart
    }

    pub(crate) fn path(&self, path: impl AsRef<Utf8Path>) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).expect("the temporary folder is UTF-8").join(path)
    }

    pub(crate) fn umbrella(&self) -> Utf8PathBuf {
        self.path(&self.chart.paths().umbrella)
    }

    pub(crate) fn write(&self, path: impl AsRef<Utf8Path>, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }

    /// The manifest with what has no default (passwords, tags), and over it an environment's overlay if one is named.
    pub(crate) fn render(
        &self,
        helm: &ToolBinary,
        environment: Option<&str>,
        arguments: &[&str],
    ) -> Result<String, String> {
        let overlay = environment.map(|name| self.path(&self.chart.paths().environments[name]));
        let files: Vec<_> = std::iter::once(self.path(&self.chart.paths().ci_values)).chain(overlay).collect();
        let values: Vec<&Utf8Path> = files.iter().map(Utf8PathBuf::as_path).collect();
        let template = Template { chart: &self.umbrella(), release: "r", values: &values, arguments };
        helm.template(&template).expect("Helm runs")
    }
}

pub(crate) fn helm(tool: Tool) -> ToolBinary {
    tool.ensure().expect("Helm is there or can be built")
}

/// The objects of a manifest, read as Helm and Kubernetes read YAML (1.1) and not as this test would: Helm turns them into JSON.
pub(crate) fn read_by_helm(helm: &ToolBinary, manifest: &str) -> Vec<serde_json::Value> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let chart = Utf8Path::from_path(folder.path()).expect("the temporary folder is UTF-8");
    let write = |path: &str, text: &str| std::fs::write(chart.join(path), text).expect("a file can be written");
    std::fs::create_dir(chart.join("templates")).expect("a folder can be made");
    write("Chart.yaml", "apiVersion: v2\nname: reader\nversion: 0.0.0\n");
    write("manifest.txt", &format!("\n{manifest}"));
    let template = r#"{{ range splitList "\n---\n" (.Files.Get "manifest.txt") }}
---
json: {{ fromYaml . | toJson | b64enc }}
{{ end }}"#;
    write("templates/json.yaml", template);
    let read = Template { chart, release: "r", values: &[], arguments: &[] };
    let read = helm.template(&read).expect("Helm runs").expect("Helm renders its own JSON");
    // Coded, since JSON may hold characters that YAML does not allow.
    let coded = read.lines().filter_map(|line| line.strip_prefix("json: "));
    let decoded = coded.map(|text| BASE64_STANDARD.decode(text).expect("Helm writes base64"));
    let all = decoded.map(|json| serde_json::from_slice(&json).expect("Helm writes JSON"));
    all.filter(|value: &serde_json::Value| value.as_object().is_some_and(|o| !o.is_empty())).collect()
}

/// A text that lives as long as the test: declarations are made of `&'static str`.
pub(crate) fn leak(text: impl Into<String>) -> &'static str {
    Box::leak(text.into().into_boxed_str())
}

/// A list that lives as long as the test.
pub(crate) fn leak_all<T>(items: Vec<T>) -> &'static [T] {
    Box::leak(items.into_boxed_slice())
}
