//! `cargo xtask doctor`: runs the script of the generated chart that reports what a cluster lacks.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use owned_tree::FOLDER;

use crate::Project;

/// Reports what the cluster of the current kube context lacks
///
/// Runs `generated-chart/prerequisites/doctor` with the arguments. `cargo xtask doctor --help` prints the script's own options and exit codes.
#[derive(clap::Args, Clone, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// The script's arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// Runs the script and returns its exit code.
///
/// # Errors
/// If the script does not exist, or `sh` cannot be run.
pub(crate) fn run(arguments: &Arguments, project: &Project) -> anyhow::Result<ExitCode> {
    let script = project.root.join(FOLDER).join("prerequisites/doctor");
    if !script.is_file() {
        bail!("{script} does not exist; run `cargo xtask generate` first");
    }
    let status = Command::new("sh").arg(&script).args(&arguments.arguments).status();
    let status = status.with_context(|| format!("cannot run sh {script}"))?;
    // A signal ended it.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
