//! `cargo xtask e2e`: runs the end-to-end scenarios on the cluster of the current kube context.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use camino::Utf8PathBuf;
use e2e::{ALL, Passes, Plan, Settings, report_stale};

use crate::Project;

/// Tests the chart on a real cluster; each scenario uses its own namespaces
///
/// Uses the current kube context and kubectl from PATH. The cluster must enforce NetworkPolicies and Pod Security, and must have a default
/// storage class. The file e2e-passes.txt records the last complete pass of each scenario.
///
/// Exit codes: 0 all scenarios passed, or with --stale none is out of date; 1 a scenario failed; 2 invalid command line; 4 with --stale, a
/// scenario is out of date.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Arguments {
    /// The scenarios to run; default: all
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,

    /// List the scenarios and what each one proves, without running them
    #[arg(long)]
    pub(crate) list: bool,

    /// List the scenarios whose inputs changed since their last recorded pass, and exit with 4 if there are any; needs no cluster
    #[arg(long, conflicts_with_all = ["scenarios", "list", "only_stale"])]
    pub(crate) stale: bool,

    /// Run install, reach and refusals, then the scenarios that are out of date
    #[arg(long, conflicts_with = "scenarios")]
    pub(crate) only_stale: bool,

    /// Start no out-of-date scenario after this many minutes, and list the scenarios that were not started
    #[arg(long, value_name = "MINUTES", requires = "only_stale")]
    pub(crate) start_within: Option<u64>,

    /// Keep the namespaces after the run
    #[arg(long)]
    pub(crate) keep: bool,

    /// Replace the chart's images: a file with lines like `jojees/audit-log-analysis = auditflow-e2e/audit-log-analysis:1`
    ///
    /// The lines `auditflow-e2e/load = …`, `auditflow-e2e/reach = …` and `auditflow-e2e/rights = …` name the images built from these folders of
    /// xtask/e2e. They are not published, and most scenarios need them.
    /// An image without a tag gets the chart's default tag. If the chart has no default tag for it, the line must contain a tag.
    #[arg(long, value_name = "FILE")]
    pub(crate) images: Option<Utf8PathBuf>,

    /// Run only the lanes whose names contain this text, such as `broker` of the scenario `faults`; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) lane: Vec<String>,

    /// Install this chart instead of the committed one, such as a copy with a deliberate fault
    #[arg(long, value_name = "FOLDER")]
    pub(crate) chart: Option<Utf8PathBuf>,

    /// Repeat the samples of the scenario `values`, which prints its seed; default: a new seed
    #[arg(long, value_name = "NUMBER", env = "E2E_SEED")]
    pub(crate) seed: Option<u64>,

    /// Shell command that restarts the kubelet of the cluster's node; without it, this fault is reported as not run
    #[arg(long, value_name = "COMMAND", env = "E2E_KUBELET_RESTART")]
    pub(crate) kubelet_restart_hook: Option<String>,
}

/// The exit code of `--stale` if a scenario is out of date.
const STALE: u8 = 4;

/// Runs the scenarios and reports each result to `out`. A failed scenario does not stop the run.
///
/// # Errors
/// If a requested scenario does not exist, the cluster does not answer, or `out` cannot be written.
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
        seed: arguments.seed,
    };
    let is_success = e2e::run(&project.root, &platform, settings, &plan, out)?;
    Ok(if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
