//! `cargo xtask verify`: all checks that need no cluster.

use std::io::Write;
use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::ValueEnum;

use crate::Project;

/// Checks model, generator and chart without a cluster: tests, Helm 3 and 4, schemas, policies, network, values
///
/// Needs Rust and Go. Builds its other tools from pinned sources on first use.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Arguments {
    /// Run only this step; repeatable
    #[arg(long, value_name = "STEP")]
    pub(crate) only: Vec<String>,

    /// List the steps and what each one proves, without running them
    #[arg(long)]
    pub(crate) list: bool,

    /// Format of the report: text while the steps run, or one JSON document at the end
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,

    /// Also write the report to this file as one JSON document
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<Utf8PathBuf>,

    /// Fail if something could not be checked, such as a kind without a schema
    #[arg(long)]
    pub(crate) strict: bool,

    /// Also check the chart with this values file, as a separate case; repeatable. The step `network` reports the connections that it allows
    /// beyond the defaults
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Vec<Utf8PathBuf>,

    /// Search this folder or URL first for schemas of custom resources (`<group>/<kind>_<version>.json`); repeatable
    #[arg(long, value_name = "FOLDER")]
    pub(crate) crd_schemas: Vec<String>,
}

/// Format of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text; each step is printed as soon as it is done.
    #[default]
    Text,
    /// One JSON document, printed at the end.
    Json,
}

/// Runs the steps and reports each verdict to `out`.
///
/// # Errors
/// If a requested step does not exist, the declaration has mistakes, or `out` cannot be written.
pub(crate) fn run(arguments: &Arguments, project: &Project, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if arguments.list {
        verify::list(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let settings = verify::Settings {
        only: arguments.only.clone(),
        format: match arguments.format {
            Format::Text => verify::Format::Text,
            Format::Json => verify::Format::Json,
        },
        report: arguments.report.clone(),
        strict: arguments.strict,
        values: arguments.values.clone(),
        crd_schemas: arguments.crd_schemas.clone(),
    };
    verify::run(&project.root, &project.resolved()?, &settings, out)
}
