//! Runs scenarios, reports them, and records their passes.

use std::fmt;
use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use camino::Utf8Path;
use e2e_kit::context::{E2eContext, Settings};
use e2e_kit::lane::Lane;
use e2e_kit::{kubectl, process};
use generator::Resolved;

use crate::passes::Passes;
use crate::plan::Plan;
use crate::scenarios::Scenario;

/// Runs the scenarios one after the other on the chart of `platform` in the repository `root`, and reports to `out`.
///
/// Returns whether all scenarios passed. Records each complete pass of the committed chart.
///
/// # Errors
/// If the cluster does not answer, an image has neither tag nor digest, or `out` cannot be written.
pub fn run(
    root: &Utf8Path,
    platform: &Resolved,
    settings: Settings,
    plan: &Plan,
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
    let run = Run { passes: Passes::new(root, platform), partial: partial(&settings) };
    let (sender, lines) = mpsc::channel();
    let context = E2eContext::new(root, platform, settings, sender)?;
    if plan.scenarios.iter().any(|scenario| scenario.installs) {
        context.names_builds(&context.chart)?;
    }
    thread::scope(|scope| {
        // Dropping the context after the last scenario closes the channel of report lines.
        let running = scope.spawn(move || run.all(&context, plan));
        for line in lines {
            writeln!(out, "{line}")?;
            out.flush()?;
        }
        let verdicts = running.join().map_err(|_| anyhow::anyhow!("the scenario thread panicked"))?;
        write!(out, "\n{verdicts}")?;
        Ok(verdicts.failed == 0)
    })
}

/// The reason why the passes of a run are incomplete, if they are.
fn partial(settings: &Settings) -> Option<&'static str> {
    if !settings.lanes.is_empty() {
        Some("only some of its lanes ran")
    } else if settings.chart.is_some() {
        Some("it ran on another chart")
    } else {
        None
    }
}

struct Run {
    passes: Passes,
    partial: Option<&'static str>,
}

/// The verdicts of a run.
#[derive(Default)]
struct Verdicts {
    passed: usize,
    failed: usize,
    not_applicable: usize,
    not_started: Vec<&'static str>,
}

impl fmt::Display for Verdicts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, not_applicable, not_started } = self;
        write!(formatter, "scenarios: {passed} passed, {failed} failed")?;
        if *not_applicable > 0 {
            write!(formatter, ", {not_applicable} not applicable to this platform")?;
        }
        writeln!(formatter)?;
        if !not_started.is_empty() {
            let names = not_started.join(" ");
            writeln!(formatter, "out of date and not started within the time limit: cargo xtask e2e {names}")?;
        }
        Ok(())
    }
}

impl Run {
    fn all(&self, context: &E2eContext, plan: &Plan) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for (position, scenario) in plan.scenarios.iter().enumerate() {
            if process::interrupted() {
                context.reporter.line(format_args!("── {}: not run, interrupted", scenario.name));
                verdicts.failed += 1;
            } else if let Err(reason) = scenario.applies_to(&context.platform, context.fixture) {
                context.reporter.line(format_args!("── {}: not applicable: {reason}", scenario.name));
                verdicts.not_applicable += 1;
            } else if plan.is_too_late(position) {
                verdicts.not_started.push(scenario.name);
            } else if self.passes(context, scenario) {
                verdicts.passed += 1;
            } else {
                verdicts.failed += 1;
            }
        }
        verdicts
    }

    /// Runs one scenario and records its pass.
    fn passes(&self, context: &E2eContext, scenario: &Scenario) -> bool {
        context.reporter.line(format_args!("── {}: {}", scenario.name, scenario.proves));
        let inputs = self.passes.inputs(scenario.name);
        let (start, before) = (Instant::now(), context.reporter.counts());
        let outcome = (scenario.run)(&Lane::new(context, scenario.name));
        let after = context.reporter.counts();
        let (passed, failed) = (after.passed - before.passed, after.failed - before.failed);
        let is_passed = outcome.is_ok() && failed == 0 && !process::interrupted();
        let verdict = if is_passed { "passed" } else { "FAILED" };
        context.reporter.line(format_args!(
            "   {} {verdict}: {passed} steps passed, {failed} failed ({:.0} s)",
            scenario.name,
            start.elapsed().as_secs_f32()
        ));
        if is_passed {
            let is_partial = (after.not_run > before.not_run).then_some("some of its steps did not run");
            let recorded = match self.partial.or(is_partial) {
                Some(reason) => Err(anyhow::anyhow!(reason)),
                None => inputs.and_then(|inputs| self.passes.record(scenario.name, &inputs)),
            };
            if let Err(reason) = recorded {
                context.reporter.line(format_args!("   {}: the pass is not recorded: {reason:#}", scenario.name));
            }
        }
        is_passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_that_did_not_start_are_in_the_last_line() {
        let mut verdicts = Verdicts { passed: 3, ..Verdicts::default() };
        assert_eq!(verdicts.to_string(), "scenarios: 3 passed, 0 failed\n");
        verdicts.not_started = vec!["faults", "upgrade"];
        let last = verdicts.to_string().lines().last().map(str::to_owned);
        assert_eq!(
            last.as_deref(),
            Some("out of date and not started within the time limit: cargo xtask e2e faults upgrade")
        );
    }

    #[test]
    fn scenarios_that_do_not_apply_neither_pass_nor_fail() {
        let verdicts = Verdicts { passed: 4, not_applicable: 5, ..Verdicts::default() };
        assert_eq!(verdicts.to_string(), "scenarios: 4 passed, 0 failed, 5 not applicable to this platform\n");
    }

    #[test]
    fn a_part_of_a_scenario_is_no_complete_pass() {
        assert_eq!(partial(&Settings { keep: true, ..Settings::default() }), None);
        assert!(partial(&Settings { lanes: vec!["broker".to_owned()], ..Settings::default() }).is_some());
        assert!(partial(&Settings { chart: Some("copy".into()), ..Settings::default() }).is_some());
    }
}
