//! `cargo xtask migrate-values`: converts a values file of an earlier version of the chart.

use std::io::Write;
use std::process::ExitCode;

use camino::Utf8PathBuf;
use migrate_values::Conversion;

use crate::Project;

/// Converts a values file of an earlier version of the chart
///
/// Writes a new file and changes no other. Lists the values that it could not carry over, each with the reason, and lets Helm judge the new file. Passwords go into
/// the new file alone, which only its owner can read; no value is printed.
///
/// Exit codes: 0 the chart accepts the new file; 1 the command failed, and nothing was written; 2 invalid command line; 3 the file was written, but the
/// chart refuses it.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// The values file of the earlier version
    old: Utf8PathBuf,

    /// The new file [default: OLD with the extension `migrated.yaml`]
    #[arg(long, short, value_name = "PATH")]
    output: Option<Utf8PathBuf>,

    /// Replace the new file if it exists
    #[arg(long)]
    overwrite: bool,
}

/// The exit code if the chart refuses the new values.
const REFUSED: u8 = 3;

/// Converts the file, and reports to `out`.
///
/// # Errors
/// If the declaration has mistakes, a file cannot be read or written, Helm is not available, or `out` cannot be written.
pub(crate) fn run(arguments: &Arguments, project: &Project, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let conversion =
        Conversion { old: &arguments.old, new: arguments.output.as_deref(), overwrite: arguments.overwrite };
    let accepted = conversion.run(&project.resolved()?, out)?;
    Ok(if accepted { ExitCode::SUCCESS } else { ExitCode::from(REFUSED) })
}
