//! `cargo xtask release`: checks that the charts can be released, packages and signs them, and pushes them to an OCI registry.
//!
//! ```text
//! check ─▶ packages, one time for all files (chart-package) ─▶ provenance (gpg), images (CycloneDX) ─▶ helm push ─▶ cosign
//! ```
//!
//! *Invariant:* a package is made of what the model generates, never of files that happen to lie in the chart's folder.
//! *Invariant:* a version in a registry, or an archive on disk, is never replaced by other content.

mod check;
mod git;
mod images;
pub mod loopback;
mod provenance;
mod push;
mod released;
mod write;

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use chart_package::Package;
use generator::{Chart, Resolved};
use sha2::{Digest as _, Sha256};
use tools::{Tool, ToolBinary};

pub use check::{Finding, check};
pub use provenance::Signer;
pub use push::{CosignKey, Pushed, Registry, push};
pub use released::{LastRelease, Released};

/// The time of a release: that of the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitTime {
    /// In seconds since 1970.
    pub seconds: u64,
    /// In UTC by RFC 3339, such as `2026-11-28T12:00:00Z`.
    pub text: String,
}

impl CommitTime {
    /// That of the checked out commit of the repository `root`.
    ///
    /// # Errors
    /// If `root` is no git repository with a commit.
    pub fn of_head(root: &Utf8Path) -> anyhow::Result<Self> {
        git::time(root)
    }
}

/// A chart that is ready to be pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packaged {
    /// The chart.
    pub package: Package,
    /// The list of its images, a `CycloneDX` document in JSON.
    pub images: String,
}

impl Packaged {
    /// The file name of the list of images.
    #[must_use]
    pub fn images_file(&self) -> String {
        format!("{}-{}.cdx.json", self.package.name, self.package.version)
    }

    /// The file name of the provenance, as Helm expects it beside the archive.
    #[must_use]
    pub fn provenance_file(&self) -> String {
        format!("{}.prov", self.package.file_name())
    }
}

/// Fails with all findings, unless there are none.
///
/// # Errors
/// If there are findings.
pub fn refuse(findings: &[Finding]) -> anyhow::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for (number, Finding { problem, remedy }) in findings.iter().enumerate() {
        let _ = write!(text, "\n{:>3}  {problem}\n     to do: {remedy}", number + 1);
    }
    let count = findings.len();
    let problems = if count == 1 { "problem" } else { "problems" };
    bail!("cannot release: {count} {problems}{text}");
}

/// Packages all charts of a platform: the umbrella, then those beside it.
///
/// # Errors
/// If Helm is not available or refuses a chart.
pub fn packages(platform: &Resolved, time: &CommitTime) -> anyhow::Result<Vec<Packaged>> {
    let chart = generator::generate(platform);
    let helm = Tool::Helm4.ensure()?;
    let licence = platform.platform().publication.licence.map(|licence| licence.expression);
    charts(&chart)
        .map(|name| {
            let package = chart_package::package(&helm, name, chart.files(), time.seconds)?;
            let images = images::document(&package, chart.images(), licence, &time.text)?;
            Ok(Packaged { package, images })
        })
        .collect()
}

/// The names of the charts: the umbrella, then those beside it.
pub(crate) fn charts(chart: &Chart) -> impl Iterator<Item = &str> {
    let further = chart.paths().further.iter().map(|chart| chart.folder.as_str());
    std::iter::once(chart.paths().umbrella.as_str()).chain(further)
}

/// The files of a release on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The archives, in the order of the charts.
    pub archives: Vec<Utf8PathBuf>,
    /// All files.
    pub files: Vec<Utf8PathBuf>,
}

/// Writes archives, provenance and lists of images into `folder`, which is created. Files with the same content stay as they are.
///
/// # Errors
/// If a file exists with other content, before anything is written; if a signature cannot be made; if the disk fails.
pub fn write(
    packaged: &[Packaged],
    signer: Option<&Signer>,
    time: &CommitTime,
    folder: &Utf8Path,
) -> anyhow::Result<Written> {
    let mut files = Vec::new();
    for one in packaged {
        files.push((one.package.file_name(), one.package.archive.clone()));
        files.push((one.images_file(), one.images.clone().into_bytes()));
    }
    write::refuse_other_content(folder, &files)?;
    if let Some(signer) = signer {
        for one in packaged {
            // A signature has the time at which it was made: one that is valid stays.
            let existing = folder.join(one.provenance_file());
            if !provenance::is_valid(signer, &existing, &one.package)? {
                write::refuse_existing(&existing)?;
                files.push((one.provenance_file(), signer.sign(&one.package)?.into_bytes()));
            }
        }
    }
    write::all(folder, &files, time.seconds)?;
    let archives: Vec<_> = packaged.iter().map(|one| folder.join(one.package.file_name())).collect();
    let mut all: Vec<_> = files.iter().map(|(name, _)| folder.join(name)).collect();
    if signer.is_some() {
        for one in packaged.iter().map(|one| folder.join(one.provenance_file())) {
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    all.sort();
    if let Some(signer) = signer {
        let helm = Tool::Helm4.ensure()?;
        for archive in &archives {
            signer.verify(&helm, archive)?;
        }
    }
    Ok(Written { archives, files: all })
}

/// The SHA-256 digest in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Runs a command and returns its standard output and standard error together.
///
/// # Errors
/// If it cannot be run, or fails. `what` names it; a command's arguments can contain the path of a key, so they are not shown.
pub(crate) fn run(mut command: std::process::Command, what: &str) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {program} for {what}"))?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        bail!("{what} fails: {}", said.trim());
    }
    Ok(said)
}

pub(crate) fn tool(tool: Tool) -> anyhow::Result<ToolBinary> {
    Ok(tool.ensure()?)
}
