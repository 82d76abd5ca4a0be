//! `cargo xtask e2e`: the chart on the cluster of the current kube context.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8PathBuf;
use e2e::{ALL, Passes, Plan, Settings, report_stale};

use crate::Project;

/// Proves the chart on a real cluster: scenarios in namespaces of their own
///
/// Works on the current kube context, with kubectl from PATH. The cluster must enforce NetworkPolicies and Pod Security, and have a default
/// storage class. e2e-passes.txt records the last complete pass of each scenario.
///
/// Exit codes: 0 all scenarios passed, or none is out of date (--stale); 4 one is out of date (--stale); 1 one failed; 2 the command was
/// called wrongly.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Arguments {
    /// The scenarios to run; all of them when none is given
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,

    /// Show the scenarios and what each proves, and run none
    #[arg(long)]
    pub(crate) list: bool,

    /// List the scenarios whose inputs have changed since their last pass on record, and exit with 4 if there is one; this needs no cluster
    #[arg(long, conflicts_with_all = ["scenarios", "list", "only_stale"])]
    pub(crate) stale: bool,

    /// Run the scenarios that are out of date, after install, reach and refusals, which always run
    #[arg(long, conflicts_with = "scenarios")]
    pub(crate) only_stale: bool,

    /// Start no scenario later than this many minutes from now, but those that always run, and name those that are left
    #[arg(long, value_name = "MINUTES", requires = "only_stale")]
    pub(crate) start_within: Option<u64>,

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

/// The exit code of `--stale` when a scenario is out of date.
const STALE: u8 = 4;

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
    let platform = project.resolved()?;
    let passes = Passes::new(&project.root, &platform);
    let applicable = e2e::applicable(&platform, project.fixture);
    if arguments.stale {
        let is_stale = report_stale(&passes, &applicable, out)?;
        return Ok(if is_stale { ExitCode::from(STALE) } else { ExitCode::SUCCESS });
    }
    let plan = if arguments.only_stale {
        Plan::stale(&passes, &applicable, arguments.start_within.map(Duration::from_mins))?
    } else {
        Plan::named(&arguments.scenarios)?
    };
    let settings = Settings {
        chart: arguments.chart.clone(),
        images: arguments.images.clone(),
        kubelet_restart: arguments.kubelet_restart_hook.clone(),
        keep: arguments.keep,
        lanes: arguments.lane.clone(),
        fixture: project.fixture,
    };
    let is_success = e2e::run(&project.root, &platform, settings, &plan, out)?;
    Ok(if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
