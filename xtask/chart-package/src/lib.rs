//! Packages a chart with Helm, so that the same files give the same bytes.
//!
//! Helm selects the files (`.helmignore`) and writes `Chart.yaml`, but its archives differ from run to run: it adds subcharts in a random order, and takes
//! times from the disk. So [`package`] writes Helm's files anew, in the order of their paths and with one time.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use flate2::{Compression, GzBuilder, read::GzDecoder};
use tools::ToolBinary;

/// The file that describes a chart.
pub const CHART_YAML: &str = "Chart.yaml";

/// A packaged chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The chart's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its files, by path below the chart's folder.
    pub files: BTreeMap<Utf8PathBuf, Vec<u8>>,
    /// The archive, a gzipped tar.
    pub archive: Vec<u8>,
}

impl Package {
    /// The name of the archive's file.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}.tgz", self.name, self.version)
    }

    /// The text of `Chart.yaml` in the package.
    ///
    /// # Errors
    /// If it is not UTF-8.
    pub fn chart_yaml(&self) -> anyhow::Result<&str> {
        let bytes = self.files.get(Utf8Path::new(CHART_YAML)).context("the package has no Chart.yaml")?;
        std::str::from_utf8(bytes).context("Chart.yaml of the package is not UTF-8")
    }
}

/// Packages the chart in the folder `chart` of `files`, whose paths are relative to the folder that contains the charts. `time` is the time of all files
/// in the archive, in seconds since 1970.
///
/// Files that lie beside these on disk, such as one with passwords, cannot get into the package.
///
/// # Errors
/// If there is no such chart, if Helm refuses it, or if the disk fails.
pub fn package(
    helm: &ToolBinary,
    chart: &str,
    files: &BTreeMap<Utf8PathBuf, String>,
    time: u64,
) -> anyhow::Result<Package> {
    let work = tempfile::tempdir().context("cannot create a temporary folder")?;
    let work = Utf8Path::from_path(work.path()).context("the folder for temporary files is not UTF-8")?;
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with(chart)) {
        let path = work.join("charts").join(path);
        let folder = path.parent().context("the path of a file has no folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot create {folder}"))?;
        fs::write(&path, text).with_context(|| format!("cannot write {path}"))?;
    }
    let target = work.join("packaged");
    let mut command = helm.command();
    command.args(["package", "--destination", target.as_str(), work.join("charts").join(chart).as_str()]);
    let output = command.output().with_context(|| format!("cannot run {}", helm.path))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!("helm package refuses the chart {chart}: {}", message.trim().replace(work.as_str(), ""));
    }
    let mut packaged = target.read_dir_utf8().with_context(|| format!("cannot read {target}"))?;
    let archive = packaged.next().context("helm package has written no archive")??;
    read(&fs::read(archive.path())?, Some(time))
}

/// Reads an archive that Helm, or [`package`], has written.
///
/// # Errors
/// If it is not the archive of a chart.
pub fn read_package(archive: &[u8]) -> anyhow::Result<Package> {
    read(archive, None)
}

/// Reads an archive. With a time, its bytes are written anew.
fn read(archive: &[u8], time: Option<u64>) -> anyhow::Result<Package> {
    let mut reader = tar::Archive::new(GzDecoder::new(archive));
    let mut root = None;
    let mut files = BTreeMap::new();
    for entry in reader.entries().context("the archive is not a gzipped tar")? {
        let mut entry = entry.context("the archive is not a gzipped tar, or is incomplete")?;
        let path = Utf8PathBuf::try_from(entry.path()?.into_owned()).context("a path in the archive is not UTF-8")?;
        let Some((folder, rest)) = path.as_str().split_once('/') else {
            bail!("`{path}` lies outside of a chart's folder")
        };
        if root.get_or_insert_with(|| folder.to_owned()) != folder {
            bail!("the archive has files of two charts, `{path}` among them");
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).with_context(|| format!("cannot read `{path}` of the archive"))?;
        files.insert(Utf8PathBuf::from(rest), content);
    }
    let name = root.context("the archive is empty")?;
    let mut package = Package { name, version: String::new(), files, archive: archive.to_vec() };
    let version = package.chart_yaml()?.lines().find_map(|line| line.strip_prefix("version: "));
    package.version = version.context("Chart.yaml of the package has no version")?.trim_matches(['"', '\'']).to_owned();
    if let Some(time) = time {
        package.archive = write(&package, time)?;
    }
    Ok(package)
}

/// The archive of a package: `Chart.yaml` first, as Helm has it, then all other files in the order of their paths.
fn write(package: &Package, time: u64) -> anyhow::Result<Vec<u8>> {
    // What `Save` of Helm writes into the header. The time in the header stays zero.
    let gzip = GzBuilder::new().comment("Helm").write(Vec::new(), Compression::best());
    let mut tar = tar::Builder::new(gzip);
    let is_first = |path: &Utf8Path| path == CHART_YAML;
    let first = package.files.iter().filter(|(path, _)| is_first(path));
    for (path, content) in first.chain(package.files.iter().filter(|(path, _)| !is_first(path))) {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(time);
        header.set_size(content.len() as u64);
        header.set_entry_type(tar::EntryType::Regular);
        tar.append_data(&mut header, Utf8Path::new(&package.name).join(path), &content[..])?;
    }
    let mut gzip = tar.into_inner()?;
    gzip.flush()?;
    Ok(gzip.finish()?)
}
