//! `cargo xtask verify`: all checks of the model and the chart that need no cluster. Each check is a step with a verdict.
//!
//! *Invariant:* the steps receive the platform as an argument and name no platform. Their expectations come from its declaration and from the
//! values, never from the rendered chart.

mod alerts;
mod collector;
mod context;
mod dashboards;
mod gitops;
mod helm;
mod hosts;
pub mod markdown;
mod network;
mod package;
mod passwords;
mod paths;
mod policies;
mod prerequisites;
mod report;
mod rust;
mod schemas;
mod size;
mod upgrade;
mod values;

use std::collections::BTreeMap;
use std::io::Write;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use anyhow::bail;
use camino::{Utf8Path, Utf8PathBuf};
use generator::Resolved;

use context::VerifyContext;
use report::{Outcome, Report, Verdict};

/// Options of a run.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The names of the steps to run; all steps if empty.
    pub only: Vec<String>,
    /// The format of the report.
    pub format: Format,
    /// A file that also receives the verdicts as one JSON document.
    pub report: Option<Utf8PathBuf>,
    /// Whether a check that could not be made is a failure.
    pub strict: bool,
    /// Values files; each adds one case.
    pub values: Vec<Utf8PathBuf>,
    /// Folders or URLs that are searched first for the schemas of custom resources.
    pub crd_schemas: Vec<String>,
}

/// The format of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Text; each step is printed as soon as it is done.
    #[default]
    Text,
    /// One JSON document, printed at the end.
    Json,
}

struct Step {
    name: &'static str,
    proves: &'static str,
    /// Runs before all steps, and writes its own progress to standard error. A step with a preparation then runs beside the steps before it.
    prepare: Option<fn(&VerifyContext) -> anyhow::Result<()>>,
    run: fn(&VerifyContext) -> anyhow::Result<Outcome>,
}

const fn step(name: &'static str, run: fn(&VerifyContext) -> anyhow::Result<Outcome>, proves: &'static str) -> Step {
    Step { name, proves, prepare: None, run }
}

const STEPS: &[Step] = &[
    step("generate", rust::up_to_date, "the committed chart equals the chart that the model generates"),
    step("passwords", passwords::untracked, "git tracks no password in the clear, and would add none"),
    step("hosts", hosts::hosts, "the hosts that the environments declare; a placeholder is a warning"),
    step("lint", helm::lint, "helm lint --strict passes in every case, with Helm 3 and 4"),
    step(
        "template",
        helm::template,
        "every case renders, with the same result from Helm 3 and 4, and from the programs that render many charts",
    ),
    step("pipeline", helm::pipeline, "helm dependency build and commit tags work on the committed chart"),
    step("kubeconform", schemas::kubeconform, "every object and custom resource is valid in Kubernetes 1.34 to 1.37"),
    step("alerts", alerts::alerts, "Prometheus reads the rules, and each alert fires when it must, and only then"),
    step(
        "dashboards",
        dashboards::dashboards,
        "Grafana's types decode every dashboard, and its queries are PromQL of declared metrics",
    ),
    step(
        "collector",
        collector::collector,
        "the OpenTelemetry Collector accepts every configuration that Helm renders for it",
    ),
    step(
        "conftest",
        policies::conftest,
        "every case follows the rules in xtask/verify/policies, and each rule has a test that breaks it",
    ),
    step(
        "prerequisites",
        prerequisites::prerequisites,
        "CRDS.md lists the custom kinds that the cases render, and Helm renders the operators' values with the charts that can be had",
    ),
    step(
        "gitops",
        gitops::gitops,
        "the examples for Argo CD and Flux are valid and render the chart, and no template changes its result by itself",
    ),
    step("network", network::prove, "the NetworkPolicies of every case allow exactly the declared traffic"),
    step(
        "values",
        values::effects,
        "every value changes objects in at least one case, and only the objects that it may change",
    ),
    step(
        "keys",
        values::keys,
        "every .Values path in a template exists in the schema, and VALUES.md lists the same keys",
    ),
    step(
        "schema",
        values::schema,
        "the values schema allows no unknown key and no untyped value, and Helm 3 and 4 apply it",
    ),
    step(
        "earlier",
        values::earlier,
        "Helm 3 and 4 refuse every value of an earlier version with its successor, and migrate-values converts it",
    ),
    step(
        "upgrade",
        upgrade::upgrade,
        "no immutable field has changed since the last release, and no object with data is gone, unless a migration note says so",
    ),
    step(
        "size",
        size::release,
        "the stored release, and what each further service adds to it, stay within their budgets",
    ),
    step(
        "package",
        package::package,
        "each package is the same bytes twice, and its documents refer to files of the package or to an address",
    ),
    Step {
        name: "tests",
        proves: "all Rust tests pass, including those that render the chart with Helm",
        prepare: Some(rust::build_tests),
        run: rust::tests,
    },
    step("snapshots", rust::snapshots, "no snapshot is unreferenced or waiting for review"),
];

/// The names of the steps, in their order.
pub fn step_names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|step| step.name)
}

/// Writes one line per step to `out`: its name and what it proves.
///
/// # Errors
/// When `out` cannot be written.
pub fn list(out: &mut dyn Write) -> std::io::Result<()> {
    STEPS.iter().try_for_each(|step| writeln!(out, "{:12} {}", step.name, step.proves))
}

/// Runs the steps on the chart of `platform` in the repository `root`, and reports each verdict to `out`. A failed step does not stop the run.
///
/// # Errors
/// If a requested step does not exist, or if `out` or the report file cannot be written.
pub fn run(root: &Utf8Path, platform: &Resolved, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = settings.only.iter().find(|name| !STEPS.iter().any(|step| step.name == *name)) {
        let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        bail!("there is no step `{unknown}`; the steps are {}", names.join(", "));
    }
    let chosen = |step: &&Step| settings.only.is_empty() || settings.only.iter().any(|name| name == step.name);
    let steps: Vec<_> = STEPS.iter().filter(chosen).collect();
    let context = VerifyContext::new(root, platform, settings)?;
    let mut report = Report::new(settings.format, settings.report.clone());
    thread::scope(|scope| -> anyhow::Result<()> {
        let mut beside: BTreeMap<_, _> = steps
            .iter()
            .filter_map(|step| {
                let prepared = step.prepare?(&context);
                Some((step.name, scope.spawn(|| timed(|| prepared.and_then(|()| (step.run)(&context))))))
            })
            .collect();
        for (position, step) in steps.iter().enumerate() {
            report.begins(step.name, step.proves, out)?;
            context.progress.begin(&format!("step {} of {}: {}", position + 1, steps.len(), step.name));
            let (seconds, outcome) = match beside.remove(step.name) {
                Some(running) => running.join().unwrap_or_else(|fault| resume_unwind(fault)),
                None => timed(|| (step.run)(&context)),
            };
            // Helm and other tools can quote the values that they reject.
            let outcome = outcome.redacted(&context.redaction);
            context.progress.end();
            report.ends(Verdict { name: step.name, proves: step.proves, seconds, outcome }, out)?;
        }
        Ok(())
    })?;
    report.finish(out)
}

/// The outcome of a step, and the seconds that it took.
fn timed(step: impl FnOnce() -> anyhow::Result<Outcome>) -> (f64, Outcome) {
    let start = Instant::now();
    let outcome = step().unwrap_or_else(|error| Outcome::failed(format!("{error:#}")));
    (start.elapsed().as_secs_f64(), outcome)
}
