//! `cargo xtask verify`: every proof that needs no cluster, each a step with a verdict.

use std::io::Write;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use camino::{Utf8Path, Utf8PathBuf};
use tools::{KUBERNETES_VERSIONS, Located, Tool};

use super::generate;
use crate::cases::{self, Case};
use crate::{platform, workspace};

/// Proves model, generator and chart: tests, Helm 3 and 4, schemas of every Kubernetes version in service
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
}

struct Step {
    name: &'static str,
    proves: &'static str,
    run: fn(&Workbench) -> anyhow::Result<String>,
}

const STEPS: &[Step] = &[
    Step { name: "generate", proves: "the committed chart is what the model gives", run: up_to_date },
    Step { name: "tests", proves: "types, mistakes, bad input, writing, and what real Helm renders", run: tests },
    Step { name: "snapshots", proves: "no snapshot is unreferenced or waits to be accepted", run: snapshots },
    Step { name: "lint", proves: "helm lint --strict finds nothing, with Helm 3 and 4", run: lint },
    Step { name: "template", proves: "every case renders, and the same from Helm 3 and 4", run: template },
    Step {
        name: "pipeline",
        proves: "helm dependency build and commit tags work on the committed chart",
        run: pipeline,
    },
    Step { name: "kubeconform", proves: "every object fits the schemas of Kubernetes 1.34 to 1.37", run: kubeconform },
];

/// What the steps work on.
struct Workbench {
    root: Utf8PathBuf,
    folder: Utf8PathBuf,
    chart: Utf8PathBuf,
    cases: Vec<Case>,
    services: Vec<&'static str>,
}

impl Workbench {
    fn new() -> anyhow::Result<Self> {
        let root = workspace::root();
        let folder = root.join(generate::FOLDER);
        let platform = platform::resolved()?;
        let rendered = generator::generate(&platform);
        let chart = folder.join(&rendered.paths().umbrella);
        let services = platform.platform().services.iter().map(|service| service.name.as_str()).collect();
        Ok(Self { cases: cases::all(platform.platform(), &rendered, &folder), services, root, folder, chart })
    }
}

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
    let bench = Workbench::new()?;
    let chosen = |step: &&Step| arguments.only.is_empty() || arguments.only.iter().any(|name| name == step.name);
    let (mut passed, mut failed) = (0, 0);
    for step in STEPS.iter().filter(chosen) {
        writeln!(out, "── {}: {}", step.name, step.proves)?;
        out.flush()?;
        let start = Instant::now();
        let outcome = (step.run)(&bench);
        let seconds = start.elapsed().as_secs_f32();
        match outcome {
            Ok(what) => {
                passed += 1;
                writeln!(out, "   ok, {what} ({seconds:.1} s)")?;
            }
            Err(error) => {
                failed += 1;
                writeln!(out, "   FAILED ({seconds:.1} s)\n   {}", format!("{error:#}").replace('\n', "\n   "))?;
            }
        }
        out.flush()?;
    }
    writeln!(out, "\nsteps: {passed} passed, {failed} failed")?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn up_to_date(_: &Workbench) -> anyhow::Result<String> {
    let mut report = Vec::new();
    let check = generate::Arguments { check: true, force: false };
    match generate::run(&check, &mut report)? {
        generate::Outcome::UpToDate => Ok("nothing differs".into()),
        generate::Outcome::Differs => bail!("{}", String::from_utf8_lossy(&report)),
    }
}

/// All Rust tests; with them insta writes which snapshots it was asked for.
fn tests(bench: &Workbench) -> anyhow::Result<String> {
    // Built before the tests want them, so that the announcement of a build of minutes is seen.
    for tool in Tool::ALL {
        tool.ensure()?;
    }
    let references = references(bench);
    match std::fs::remove_file(&references) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).context(references),
        _ => {}
    }
    let status = Command::new("cargo")
        .args(["test", "--workspace", "--quiet"])
        .current_dir(&bench.root)
        .env("INSTA_UPDATE", "no")
        .env("INSTA_SNAPSHOT_REFERENCES_FILE", &references)
        .status()
        .context("cannot run cargo")?;
    if status.success() {
        return Ok("all tests passed".into());
    }
    // What a failed run asked for says nothing about what nobody asks for.
    std::fs::remove_file(&references).ok();
    bail!("cargo test failed, see above")
}

fn references(bench: &Workbench) -> Utf8PathBuf {
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| bench.root.join("target"), Utf8PathBuf::from);
    target.join("snapshot-references.txt")
}

fn snapshots(bench: &Workbench) -> anyhow::Result<String> {
    let mut stored = Vec::new();
    for folder in ["model", "generator", "snapshots", "xtask"] {
        files(&bench.root.join(folder), &mut stored)?;
    }
    let waiting: Vec<_> = stored
        .iter()
        .filter(|path| path.as_str().ends_with(".snap.new") || path.extension() == Some("pending-snap"))
        .collect();
    if !waiting.is_empty() {
        bail!("these wait to be accepted or refused (`cargo insta review`):\n{}", lines(&waiting));
    }
    let references = references(bench);
    let asked = std::fs::read_to_string(&references)
        .with_context(|| format!("{references}: only a successful step `tests` notes what was asked for"))?;
    let asked: Vec<_> = asked.lines().filter_map(|line| Utf8Path::new(line).canonicalize_utf8().ok()).collect();
    let mut unreferenced = Vec::new();
    let all: Vec<_> = stored.iter().filter(|path| path.extension() == Some("snap")).collect();
    for path in &all {
        if !asked.contains(&path.canonicalize_utf8()?) {
            unreferenced.push(*path);
        }
    }
    if !unreferenced.is_empty() {
        bail!("no test asks for these; delete them:\n{}", lines(&unreferenced));
    }
    Ok(format!("{} snapshots", all.len()))
}

fn files(folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) -> anyhow::Result<()> {
    for entry in folder.read_dir_utf8().with_context(|| folder.to_string())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files(entry.path(), found)?;
        } else {
            found.push(entry.into_path());
        }
    }
    Ok(())
}

fn lines(paths: &[&Utf8PathBuf]) -> String {
    paths.iter().map(|path| format!("  {path}")).collect::<Vec<_>>().join("\n")
}

fn helms() -> anyhow::Result<[Located; 2]> {
    Ok([Tool::Helm3.ensure()?, Tool::Helm4.ensure()?])
}

fn lint(bench: &Workbench) -> anyhow::Result<String> {
    let helms = helms()?;
    // Lint takes no `--api-versions`, so what needs a custom resource is seen by `template` alone.
    let linted = bench.cases.iter().filter(|case| case.arguments.is_empty());
    let mut wrong = Vec::new();
    for case in linted.clone() {
        let values: Vec<&Utf8Path> = case.values.iter().map(Utf8PathBuf::as_path).collect();
        for helm in &helms {
            if let Err(said) = helm.lint(&bench.chart, &values)? {
                wrong.push(format!("{} {}, {}:\n{said}", helm.tool.title(), helm.version, case.name));
            }
        }
    }
    all_right(&wrong, format!("{} cases with {} and {}", linted.count(), helms[0].version, helms[1].version))
}

fn template(bench: &Workbench) -> anyhow::Result<String> {
    let helms = helms()?;
    let mut wrong = Vec::new();
    let mut objects = 0;
    for case in &bench.cases {
        let rendered: Vec<_> = helms.iter().map(|helm| case.render(helm, &bench.chart)).collect();
        let refusals = rendered.iter().filter_map(|r| r.as_ref().err());
        wrong.extend(refusals.map(|error| format!("{error:#}")));
        let [Ok(three), Ok(four)] = rendered.as_slice() else { continue };
        let (three, four) = (parsed(three)?, parsed(four)?);
        objects += four.len();
        if three != four {
            wrong.push(format!("{}: Helm 3 and Helm 4 render different objects", case.name));
        }
    }
    all_right(&wrong, format!("{} cases, {objects} objects, the same from both", bench.cases.len()))
}

/// The objects of a manifest, by kind and name.
fn parsed(manifest: &str) -> anyhow::Result<Vec<(String, String, serde_yaml::Value)>> {
    let mut all = Vec::new();
    for object in tools::objects(manifest).map_err(|error| anyhow!(error))? {
        all.push((object.kind, object.name, serde_yaml::from_str(&object.text)?));
    }
    all.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    Ok(all)
}

/// What a delivery pipeline does with a checkout: `helm dependency build` without a network, and a commit's hash as image tag.
fn pipeline(bench: &Workbench) -> anyhow::Result<String> {
    let copy = tempfile::tempdir()?;
    let copy = Utf8Path::from_path(copy.path()).context("the folder for temporary files is not UTF-8")?;
    let status = Command::new("cp").args(["-R", bench.folder.as_str(), copy.as_str()]).status()?;
    if !status.success() {
        bail!("cannot copy {} to {copy}", bench.folder);
    }
    let folder = copy.join(generate::FOLDER);
    let chart = folder.join(bench.chart.strip_prefix(&bench.folder)?);
    let mut wrong = Vec::new();
    for helm in helms()? {
        let built = helm.command().args(["dependency", "build", chart.as_str()]).output()?;
        if !built.status.success() {
            wrong.push(format!("{}: {}", helm.version, String::from_utf8_lossy(&built.stderr)));
        }
        let Some(defaults) = bench.cases.first() else { continue };
        for service in &bench.services {
            let tag = format!("--set={service}.image.tag={COMMIT}");
            let manifest = Case { arguments: vec![tag], ..defaults.clone() }.render(&helm, &chart)?;
            if !manifest.contains(&format!(":{COMMIT}\"")) {
                wrong.push(format!(
                    "{}: the tag that was given to {service} is not the tag that is rendered",
                    helm.version
                ));
            }
        }
    }
    all_right(&wrong, "dependency build and a commit's tag, with both".into())
}

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn kubeconform(bench: &Workbench) -> anyhow::Result<String> {
    let helm = Tool::Helm4.ensure()?;
    let mut wrong = Vec::new();
    let mut checked = 0;
    for case in &bench.cases {
        let manifest = case.render(&helm, &bench.chart)?;
        for version in KUBERNETES_VERSIONS {
            let report = tools::kubeconform(version, &manifest)?;
            checked += report.resources.len();
            let failures = report.failures().map(|failure| format!("{}, {version}: {failure}", case.name));
            wrong.extend(failures);
        }
    }
    all_right(
        &wrong,
        format!("{checked} objects of {} cases against {} versions", bench.cases.len(), KUBERNETES_VERSIONS.len()),
    )
}

fn all_right(wrong: &[String], what: String) -> anyhow::Result<String> {
    if wrong.is_empty() { Ok(what) } else { Err(anyhow!("{}", wrong.join("\n"))) }
}
