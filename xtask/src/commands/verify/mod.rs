//! `cargo xtask verify`: every proof that needs no cluster, each a step with a verdict.

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
use camino::Utf8PathBuf;
use clap::ValueEnum;

use context::VerifyContext;
use report::{Outcome, Progress, Report, Verdict};

/// Proves model, generator and chart: tests, Helm 3 and 4, schemas, policies, who reaches whom, every value
///
/// Needs Rust and Go; what else it needs it builds from pinned sources the first time.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Arguments {
    /// Run only this step; may be given several times
    #[arg(long, value_name = "STEP")]
    pub only: Vec<String>,

    /// Show the steps and what each proves, and run none
    #[arg(long)]
    pub list: bool,

    /// How verdicts are said: as text while the steps run, or as one JSON document at the end
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,

    /// Fail when something could not be checked, such as a kind without a schema
    #[arg(long)]
    pub strict: bool,

    /// Look at the chart with these values as well; may be given several times, each a case of its own. What it opens beyond the defaults is
    /// said by the step `network`
    #[arg(long, value_name = "FILE")]
    pub values: Vec<Utf8PathBuf>,

    /// Ask this folder or web address first for the schemas of custom resources (`<group>/<kind>_<version>.json`); may be given several times
    #[arg(long, value_name = "FOLDER")]
    pub crd_schemas: Vec<String>,
}

/// How verdicts are said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines, each step when it is done.
    #[default]
    Text,
    /// One JSON document.
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
        "every case keeps what xtask/policies promises, and each promise can be broken",
    ),
    step("network", network::prove, "the NetworkPolicies of every case let exactly the declared traffic through"),
    step("values", values::effects, "every value changes objects in some case, and only those that it is about"),
    step(
        "keys",
        values::keys,
        "every path of .Values in a template exists, and the README's tables have the same keys",
    ),
    step(
        "typos",
        values::typos,
        "a misspelt twin of every key and a wrong type everywhere are refused, with the place",
    ),
    step("size", size::release, "the release as Helm stores it stays small beside what a Secret may hold"),
];

/// Runs the steps, and says on `out` what each gave; all of them, whatever the earlier ones gave.
///
/// # Errors
/// When a step is asked for that does not exist, the platform has mistakes, or `out` cannot be written.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if arguments.list {
        for step in STEPS {
            writeln!(out, "{:12} {}", step.name, step.proves)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(unknown) = arguments.only.iter().find(|name| !STEPS.iter().any(|step| step.name == *name)) {
        let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        bail!("there is no step `{unknown}`; the steps are {}", names.join(", "));
    }
    let chosen = |step: &&Step| arguments.only.is_empty() || arguments.only.iter().any(|name| name == step.name);
    let steps: Vec<_> = STEPS.iter().filter(chosen).collect();
    let mut context = VerifyContext::new(arguments)?;
    let mut report = Report::new(arguments.format);
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
