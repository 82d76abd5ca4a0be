//! The size of a release in Helm's storage: one Secret with chart, values, manifest and hooks.

use std::fs;
use std::io::Write as _;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use tools::ToolBinary;

/// The maximum size of a Kubernetes Secret, in bytes.
pub const SECRET_LIMIT: usize = 1024 * 1024;

/// The size of a release in Helm's storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRelease {
    /// The bytes of the release's Secret.
    pub bytes: usize,
    /// The bytes if Helm also stored the files of the subcharts. It stores only those of the umbrella chart. This figure also counts templates that
    /// move from the umbrella chart to a subchart.
    pub with_subcharts: usize,
    /// The bytes of each part before compression.
    pub parts: [(&'static str, usize); 4],
}

impl StoredRelease {
    /// Measures the first revision of a release with this name, chart and values files.
    ///
    /// # Errors
    /// If Helm rejects the chart, or prints an incomplete release.
    pub fn of(helm: &ToolBinary, chart: &Utf8Path, release: &str, values: &[Utf8PathBuf]) -> anyhow::Result<Self> {
        let mut command = helm.command();
        command.args(["install", release, chart.as_str(), "--dry-run=client", "--output", "json"]);
        for file in values {
            command.args(["--values", file.as_str()]);
        }
        let output = command.output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Self::of_json(output.stdout.trim_ascii_end(), &subchart_files(chart)?)
    }

    /// `release` is the stored release as JSON before compression.
    fn of_json(release: &[u8], subchart_files: &[Value]) -> anyhow::Result<Self> {
        let mut parsed: Value =
            serde_json::from_slice(release).context("cannot parse the release that Helm printed")?;
        // Helm leaves out `config` if no values were set, and `hooks` if the chart has none.
        let is_whole = !parsed["manifest"].is_null()
            && ["templates", "values", "schema", "files"].iter().all(|key| !parsed["chart"][key].is_null());
        let Some(templates) = parsed["chart"]["templates"].as_array_mut().filter(|_| is_whole) else {
            bail!("Helm printed an incomplete release: chart, manifest or values are missing");
        };
        templates.extend_from_slice(subchart_files);
        let with_subcharts = packed(&serde_json::to_vec(&parsed)?)?;
        let size = |key: &'static str| (key, parsed[key].to_string().len());
        Ok(Self { bytes: packed(release)?, with_subcharts, parts: ["manifest", "chart", "config", "hooks"].map(size) })
    }
}

/// The size of these bytes in a Secret: Helm compresses a release with gzip at the highest level and encodes it in base64. The API server counts
/// that size, without the second base64 encoding of the Secret's data.
fn packed(release: &[u8]) -> anyhow::Result<usize> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(release)?;
    Ok(packed.finish()?.len().div_ceil(3) * 4)
}

/// The files of a chart's subcharts, in the form of a release's files.
fn subchart_files(chart: &Utf8Path) -> anyhow::Result<Vec<Value>> {
    let mut files = Vec::new();
    let mut folders = vec![chart.join("charts")];
    while let Some(folder) = folders.pop() {
        if !folder.exists() {
            continue;
        }
        let mut entries: Vec<_> =
            folder.read_dir_utf8().with_context(|| folder.to_string())?.collect::<Result<_, _>>()?;
        entries.sort_by(|a, b| a.path().cmp(b.path()));
        for entry in entries {
            let path = entry.into_path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read(&path).with_context(|| path.to_string())?;
                let name = path.strip_prefix(chart).unwrap_or(&path);
                files.push(json!({ "name": name.as_str(), "data": STANDARD.encode(text) }));
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(manifest: &str) -> Vec<u8> {
        let chart = json!({ "templates": [], "values": {}, "schema": "", "files": [] });
        json!({ "manifest": manifest, "config": {}, "hooks": [], "chart": chart }).to_string().into_bytes()
    }

    #[test]
    fn a_release_is_measured_as_it_is_stored() {
        let size = StoredRelease::of_json(&release("x"), &[]).expect("a size");
        assert_eq!((size.bytes % 4, size.bytes), (0, size.with_subcharts));
        assert_eq!(size.parts[0], ("manifest", 3));
        // A repetitive manifest is compressed.
        let repeated = StoredRelease::of_json(&release(&"kind: Service\n".repeat(1000)), &[]).expect("a size");
        assert!((size.bytes + 1..size.bytes + 200).contains(&repeated.bytes), "{size:?} {repeated:?}");
        let subchart = StoredRelease::of_json(&release("x"), &[json!({ "name": "charts/a", "data": "abcdef" })]);
        let subchart = subchart.expect("a size");
        assert!(subchart.bytes == size.bytes && subchart.with_subcharts > size.with_subcharts, "{subchart:?}");
    }

    #[test]
    fn a_part_of_a_release_is_not_measured() {
        assert!(StoredRelease::of_json(br#"{"manifest":"","config":{},"hooks":[],"chart":{}}"#, &[]).is_err());
    }
}
