//! Runs the steps of `verify` on ten odd platforms and on the second platform, each in a temporary folder: `verify` passes on every valid
//! platform. Left out are `passwords`, `upgrade`, `tests` and `snapshots`, which are about a repository.
//!
//! It prints one line per platform and step, and the findings of a step that fails. Its arguments are the names of the platforms to run; all of
//! them where there is none.

#![expect(clippy::print_stdout, reason = "the lines are its output")]

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use camino::Utf8Path;
use odd_platforms::{ALL, OddPlatform};
use owned_tree::{FOLDER, HandEdits};
use serde_json::Value;
use verify::{Format, Settings};

const SECOND: OddPlatform =
    OddPlatform { name: "second", oddity: "everything that AuditFlow has not", declaration: second_platform::platform };

/// The steps that are about a repository.
const LEFT_OUT: [&str; 4] = ["passwords", "upgrade", "tests", "snapshots"];

fn main() -> anyhow::Result<ExitCode> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let platforms: Vec<&OddPlatform> = ALL.iter().chain([&SECOND]).collect();
    if let Some(unknown) = names.iter().find(|name| !platforms.iter().any(|platform| platform.name == *name)) {
        let known: Vec<_> = platforms.iter().map(|platform| platform.name).collect();
        bail!("there is no platform `{unknown}`; the platforms are {}", known.join(", "));
    }
    let mut failed = 0;
    for platform in platforms.into_iter().filter(|p| names.is_empty() || names.iter().any(|name| name == p.name)) {
        let start = Instant::now();
        println!("── {}: {}", platform.name, platform.oddity);
        failed += verify(platform)?;
        println!("{:10} {:.1} s in all", platform.name, start.elapsed().as_secs_f64());
    }
    println!("{failed} steps failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the chart of a platform into a temporary folder and runs the steps on it. Returns the number of steps that failed.
fn verify(platform: &OddPlatform) -> anyhow::Result<usize> {
    let resolved = (platform.declaration)().resolve().map_err(|diagnostics| anyhow!("{diagnostics}"))?;
    generator::check(&resolved).map_err(|diagnostics| anyhow!("{diagnostics}"))?;
    let folder = tempfile::tempdir()?;
    let root = Utf8Path::from_path(folder.path()).context("the folder for temporary files is not UTF-8")?;
    owned_tree::write_tree(&root.join(FOLDER), &generator::generate(&resolved).into_files(), HandEdits::Keep)?;
    let only = verify::step_names().filter(|name| !LEFT_OUT.contains(name)).map(str::to_owned).collect();
    let settings = Settings { only, format: Format::Json, strict: true, ..Settings::default() };
    let mut document = Vec::new();
    verify::run(root, &resolved, &settings, &mut document)?;
    let document: Value = serde_json::from_slice(&document)?;
    let steps = document["steps"].as_array().context("the report has no steps")?;
    if steps.len() != settings.only.len() {
        bail!("the report has {} of {} steps", steps.len(), settings.only.len());
    }
    let mut failed = 0;
    for step in steps {
        let findings = step["failures"].as_array().context("a step has no list of failures")?;
        let verdict = if findings.is_empty() { "ok" } else { "FAILED" };
        let (name, seconds) = (step["step"].as_str().unwrap_or_default(), step["seconds"].as_f64().unwrap_or_default());
        let summary = step["summary"].as_str().unwrap_or_default();
        println!("{:10} {name:12} {verdict:6} {seconds:5.1} s  {summary}", platform.name);
        for finding in findings.iter().filter_map(Value::as_str) {
            println!("   {}", finding.trim_end().replace('\n', "\n   "));
        }
        failed += usize::from(!findings.is_empty());
    }
    Ok(failed)
}
