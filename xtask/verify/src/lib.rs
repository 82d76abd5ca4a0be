//! Every proof of model and chart that needs no cluster, each a step with a verdict.
//!
//! *Invariant:* the steps take the platform as an argument and know none; what they expect comes from its declaration and from the values, not
//! from the rendered chart.

mod context;
mod helm;
mod network;
mod policies;
mod report;
mod rust;
mod schemas;
mod size;
mod values;

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::bail;
use camino::{Utf8Path, Utf8PathBuf};
use generator::Resolved;

use context::VerifyContext;
use report::{Outcome, Progress, Report, Verdict};

/// What a run is told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The names of the steps to run; all where there is none.
    pub only: Vec<String>,
    /// How verdicts are reported.
    pub format: Format,
    /// A file for the verdicts as one JSON document, beside what `format` asks for.
    pub report: Option<Utf8PathBuf>,
    /// Whether what could not be checked is a failure.
    pub strict: bool,
    /// Files of values, each of which makes one more case.
    pub values: Vec<Utf8PathBuf>,
    /// Folders or web addresses that are asked first for the schemas of custom resources.
    pub crd_schemas: Vec<String>,
}

/// How verdicts are reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Lines, each step when it is done.
    #[default]
    Text,
    /// One JSON document at the end.
    Json,
}

struct Step {
    name: &'static str,
    proves: &'static str,
    /// Whether it writes to standard error by itself.
    talks: bool,
    run: fn(&VerifyContext) -> anyhow::Result<Outcome>,
}

const fn step(name: &'static str, run: fn(&VerifyContext) -> anyhow::Result<Outcome>, proves: &'static str) -> Step {
    Step { name, proves, talks: false, run }
}

const STEPS: &[Step] = &[
    step("generate", rust::up_to_date, "the committed chart is what the model gives"),
    Step {
        name: "tests",
        proves: "types, mistakes, bad input, writing, and what real Helm renders",
        talks: true,
        run: rust::tests,
    },
    step("snapshots", rust::snapshots, "no snapshot is unreferenced or waits to be accepted"),
    step("lint", helm::lint, "helm lint --strict finds nothing in any case, with Helm 3 and 4"),
    step("template", helm::template, "every case renders, and the same from Helm 3 and 4"),
    step("pipeline", helm::pipeline, "helm dependency build and commit tags work on the committed chart"),
    step(
        "kubeconform",
        schemas::kubeconform,
        "every object, custom resources too, fits the schemas of Kubernetes 1.34 to 1.37",
    ),
    step(
        "conftest",
        policies::conftest,
        "every case keeps what xtask/verify/policies promises, and each promise can be broken",
    ),
    step("network", network::prove, "the NetworkPolicies of every case let exactly the declared traffic through"),
    step("values", values::effects, "every value changes objects in some case, and only those that it is about"),
    step(
        "keys",
        values::keys,
        "every path of .Values in a template exists, and the README's tables have the same keys",
    ),
    step(
        "schema",
        values::schema,
        "every object of the values' schema is closed, every default required and typed; both Helms apply it",
    ),
    step("size", size::release, "the release as Helm stores it stays small, and a further service adds little"),
];

/// Writes each step and what it proves on a line of `out`.
///
/// # Errors
/// When `out` cannot be written.
pub fn list(out: &mut dyn Write) -> std::io::Result<()> {
    STEPS.iter().try_for_each(|step| writeln!(out, "{:12} {}", step.name, step.proves))
}

/// Runs the steps on the chart of `platform`, which the repository `root` holds, and reports on `out` what each gave; all of them, whatever the
/// earlier ones gave.
///
/// # Errors
/// When a step is asked for that does not exist, or `out` or the file for the report cannot be written.
pub fn run(root: &Utf8Path, platform: &Resolved, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = settings.only.iter().find(|name| !STEPS.iter().any(|step| step.name == *name)) {
        let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        bail!("there is no step `{unknown}`; the steps are {}", names.join(", "));
    }
    let chosen = |step: &&Step| settings.only.is_empty() || settings.only.iter().any(|name| name == step.name);
    let steps: Vec<_> = STEPS.iter().filter(chosen).collect();
    let mut context = VerifyContext::new(root, platform, settings)?;
    let mut report = Report::new(settings.format, settings.report.clone());
    for (position, step) in steps.iter().enumerate() {
        report.begins(step.name, step.proves, out)?;
        context.progress =
            Progress::of(&format!("step {} of {}: {}", position + 1, steps.len(), step.name), step.talks);
        let start = Instant::now();
        let outcome = (step.run)(&context).unwrap_or_else(|error| Outcome::failed(format!("{error:#}")));
        context.progress.end();
        report.ends(
            Verdict { name: step.name, proves: step.proves, seconds: start.elapsed().as_secs_f64(), outcome },
            out,
        )?;
    }
    report.finish(out)
}
