//! `cargo xtask doctor`: runs the script of the generated chart that reports what a cluster lacks.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio};

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
/// If the script does not exist, `sh` cannot be run, or `out` cannot be written.
pub(crate) fn run(arguments: &Arguments, project: &Project, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let script = project.root.join(FOLDER).join("prerequisites/doctor");
    if !script.is_file() {
        bail!("{script} does not exist; run `cargo xtask generate` first");
    }
    // Through this process: a closed pipe would end the script before it has its result.
    let child = Command::new("sh").arg(&script).args(&arguments.arguments).stdout(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot run sh {script}"))?;
    if let Some(mut report) = child.stdout.take() {
        io::copy(&mut report, out).context("cannot write the report")?;
    }
    let status = child.wait().with_context(|| format!("cannot wait for sh {script}"))?;
    // A signal ended it.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
