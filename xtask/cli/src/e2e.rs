//! `cargo xtask e2e`: the chart on the cluster of the current kube context.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use camino::Utf8PathBuf;
use e2e::{ALL, Settings};

use crate::Project;

/// Proves the chart on a real cluster: scenarios in namespaces of their own
///
/// Works on the current kube context, with kubectl from PATH. The cluster must enforce NetworkPolicies and Pod Security, and have a default
/// storage class.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Arguments {
    /// The scenarios to run; all of them when none is given
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,

    /// Show the scenarios and what each proves, and run none
    #[arg(long)]
    pub(crate) list: bool,

    /// Leave the namespaces as they are
    #[arg(long)]
    pub(crate) keep: bool,

    /// Use other images than the chart's: a file of lines like `jojees/audit-log-analysis = auditflow-e2e/audit-log-analysis:1`
    ///
    /// The lines `auditflow-e2e/load = …`, `auditflow-e2e/reach = …` and `auditflow-e2e/rights = …` name the images of the folders of
    /// xtask/e2e with these names, which nobody publishes and most scenarios need.
    /// An image without a tag in it is run with the chart's; one that the chart has no default tag for needs a line with a tag.
    #[arg(long, value_name = "FILE")]
    pub(crate) images: Option<Utf8PathBuf>,

    /// Run only the lanes of a scenario whose names contain this, such as `broker` of `faults`; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) lane: Vec<String>,

    /// Install this chart instead of the committed one, such as a copy with a fault to be found
    #[arg(long, value_name = "FOLDER")]
    pub(crate) chart: Option<Utf8PathBuf>,

    /// A shell command that restarts the kubelet of the cluster's node; without it that fault is reported as not run
    #[arg(long, value_name = "COMMAND", env = "E2E_KUBELET_RESTART")]
    pub(crate) kubelet_restart_hook: Option<String>,
}

/// Runs the scenarios, and says on `out` what each gave; all of them, whatever the earlier ones gave.
///
/// # Errors
/// When a scenario is asked for that does not exist, the cluster does not answer, or `out` cannot be written.
pub(crate) fn run(arguments: &Arguments, project: &Project, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if arguments.list {
        for scenario in ALL {
            writeln!(out, "{:10} {}", scenario.name, scenario.proves)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(unknown) = arguments.scenarios.iter().find(|name| !ALL.iter().any(|scenario| scenario.name == *name)) {
        let names: Vec<_> = ALL.iter().map(|scenario| scenario.name).collect();
        bail!("there is no scenario `{unknown}`; the scenarios are {}", names.join(", "));
    }
    let all = arguments.scenarios.is_empty();
    let chosen: Vec<_> =
        ALL.iter().filter(|one| all || arguments.scenarios.iter().any(|name| name == one.name)).collect();
    let settings = Settings {
        chart: arguments.chart.clone(),
        images: arguments.images.clone(),
        kubelet_restart: arguments.kubelet_restart_hook.clone(),
        keep: arguments.keep,
        lanes: arguments.lane.clone(),
    };
    let passed = e2e::run(&project.root, &project.resolved()?, settings, &chosen, out)?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
