//! `cargo xtask images`: compares the declared images with their registries.

use std::io::Write;
use std::process::ExitCode;

use vocabulary::DefaultTag;

use crate::Project;

/// Lists newer tags and the digests of the declared images, and updates the declarations
///
/// Asks the registry of each image, with the logins of `docker login`. A tag is newer if it has the same form and higher numbers, such as v1.87.0 for v1.86.0.
/// A tag of another version of a server is listed, and never declared. Exit codes: 0 all images were compared; 1 the command failed, or an image could
/// not be compared.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Arguments {
    /// Write newer tags into the declarations, and for an image with a digest the digest
    #[arg(long)]
    pub(crate) update: bool,

    /// Only images whose repository contains this text; repeatable
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Vec<String>,
}

/// Compares the images, and reports to `out`.
///
/// # Errors
/// If the declaration has mistakes, no image is selected, crane is not available, a declaration cannot be written, or `out` cannot be written.
pub(crate) fn run(arguments: &Arguments, project: &Project, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let chart = generator::generate(&project.resolved()?);
    let is_selected =
        |repository: &str| arguments.only.is_empty() || arguments.only.iter().any(|text| repository.contains(text));
    let selected: Vec<_> =
        chart.images().iter().filter(|one| is_selected(one.image.repository.as_str())).cloned().collect();
    if selected.is_empty() {
        anyhow::bail!("no declared image contains {}; `cargo xtask images` lists all", arguments.only.join(" or "));
    }
    for one in &selected {
        if let DefaultTag::Absent(why) = one.image.tag {
            writeln!(out, "{}: not compared, because it has no default tag: {why}", one.image.repository)?;
        }
    }
    let states = ::images::states(&selected)?;
    for state in &states {
        writeln!(out, "{}", state.text())?;
    }
    if arguments.update {
        let updated = ::images::update(&project.root, &states)?;
        for edit in &updated.edits {
            writeln!(out, "  wrote {}: {} becomes {}", edit.path, edit.from, edit.to)?;
        }
        for reference in &updated.elsewhere {
            writeln!(out, "  not in this repository: {reference}; update the crate that declares it")?;
        }
        if updated.edits.is_empty() {
            writeln!(out, "no declaration changes")?;
        } else {
            writeln!(out, "to do: `cargo xtask generate`, `cargo xtask verify`, and an entry in the changelog")?;
        }
    }
    let is_complete = states.iter().all(|state| state.found.is_ok());
    Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
