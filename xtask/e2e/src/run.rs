//! A run of scenarios, from its first line to its last.

use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use camino::Utf8Path;
use e2e_kit::context::{E2eContext, Settings};
use e2e_kit::lane::Lane;
use e2e_kit::{kubectl, process};
use generator::Resolved;

use crate::scenarios::Scenario;

/// Runs the scenarios one after the other on the chart of `platform`, which the repository `root` holds, and reports on `out` what each gave;
/// whether all passed.
///
/// # Errors
/// When the cluster does not answer, an image has no build to run, or `out` cannot be written.
pub fn run(
    root: &Utf8Path,
    platform: &Resolved,
    settings: Settings,
    scenarios: &[&Scenario],
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    process::end_on_signal()?;
    let version = kubectl::json(&["version"])?;
    let context = kubectl::run(&["config", "current-context"])?;
    writeln!(
        out,
        "cluster {}, Kubernetes {}",
        context.trim(),
        version["serverVersion"]["gitVersion"].as_str().unwrap_or("?")
    )?;
    let (sender, lines) = mpsc::channel();
    let context = E2eContext::new(root, platform, settings, sender)?;
    if scenarios.iter().any(|scenario| scenario.installs) {
        context.names_builds(&context.chart)?;
    }
    thread::scope(|scope| {
        // The bench, and with it the lines' other end, goes when the last scenario is over.
        let running = scope.spawn(move || one_after_the_other(&context, scenarios));
        for line in lines {
            writeln!(out, "{line}")?;
            out.flush()?;
        }
        let failed = running.join().map_err(|_| anyhow::anyhow!("the run of the scenarios broke off"))?;
        writeln!(out, "\nscenarios: {} passed, {failed} failed", scenarios.len() - failed)?;
        Ok(failed == 0)
    })
}

/// How many failed.
fn one_after_the_other(context: &E2eContext, scenarios: &[&Scenario]) -> usize {
    let mut failed = 0;
    for scenario in scenarios {
        if process::interrupted() {
            context.reporter.line(format_args!("── {}: not run, interrupted", scenario.name));
            failed += 1;
            continue;
        }
        context.reporter.line(format_args!("── {}: {}", scenario.name, scenario.proves));
        let (start, before) = (Instant::now(), context.reporter.counts());
        let outcome = (scenario.run)(&Lane::new(context, scenario.name));
        let after = context.reporter.counts();
        let (passed, wrong) = (after.0 - before.0, after.1 - before.1);
        let well = outcome.is_ok() && wrong == 0 && !process::interrupted();
        failed += usize::from(!well);
        let verdict = if well { "passed" } else { "FAILED" };
        context.reporter.line(format_args!(
            "   {} {verdict}: {passed} steps passed, {wrong} failed ({:.0} s)",
            scenario.name,
            start.elapsed().as_secs_f32()
        ));
    }
    failed
}
