//! `cargo xtask verify`: every proof that needs no cluster.

use std::io::Write;
use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::ValueEnum;

use crate::Project;

/// Proves model, generator and chart: tests, Helm 3 and 4, schemas, policies, who reaches whom, every value
///
/// Needs Rust and Go; what else it needs it builds from pinned sources the first time.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Arguments {
    /// Run only this step; may be given several times
    #[arg(long, value_name = "STEP")]
    pub(crate) only: Vec<String>,

    /// Show the steps and what each proves, and run none
    #[arg(long)]
    pub(crate) list: bool,

    /// How verdicts are said: as text while the steps run, or as one JSON document at the end
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,

    /// Also write the verdicts to this file, as one JSON document
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<Utf8PathBuf>,

    /// Fail when something could not be checked, such as a kind without a schema
    #[arg(long)]
    pub(crate) strict: bool,

    /// Look at the chart with these values as well; may be given several times, each a case of its own. What it opens beyond the defaults is
    /// said by the step `network`
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Vec<Utf8PathBuf>,

    /// Ask this folder or web address first for the schemas of custom resources (`<group>/<kind>_<version>.json`); may be given several times
    #[arg(long, value_name = "FOLDER")]
    pub(crate) crd_schemas: Vec<String>,
}

/// How verdicts are said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines, each step when it is done.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// Runs the steps, and reports on `out` what each gave.
///
/// # Errors
/// When a step is asked for that does not exist, the platform has mistakes, or `out` cannot be written.
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
