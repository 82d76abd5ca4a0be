//! Lanes of steps; several lanes run in parallel.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use super::context::E2eContext;
use super::error::Error;
use super::report::{Outcome, Reported};
use super::{diagnose, process};

/// A sequence of steps. A scenario runs several lanes in parallel.
pub struct Lane<'a> {
    /// The context of the run.
    pub context: &'a E2eContext,
    name: String,
    /// The namespaces whose state is printed after a failure.
    spaces: Mutex<Vec<String>>,
}

impl<'a> Lane<'a> {
    /// A lane with this name.
    pub fn new(context: &'a E2eContext, name: impl Into<String>) -> Self {
        Self { context, name: name.into(), spaces: Mutex::default() }
    }

    /// Prints the state of this namespace after each later failure of the lane.
    pub fn watch(&self, namespace: &str) {
        if let Ok(mut spaces) = self.spaces.lock() {
            spaces.push(namespace.to_owned());
        }
    }

    /// Runs a step and reports its outcome.
    pub fn step(&self, what: impl fmt::Display, step: impl FnOnce() -> anyhow::Result<String>) -> Outcome {
        if process::interrupted() {
            return Err(Reported);
        }
        let reporter = &self.context.reporter;
        let start = Instant::now();
        let outcome = step();
        let seconds = start.elapsed().as_secs_f32();
        match outcome {
            Ok(detail) => {
                reporter.passed.fetch_add(1, Ordering::Relaxed);
                let detail = if detail.is_empty() { detail } else { format!(": {detail}") };
                reporter.line(format_args!("   ok     {} · {what}{detail} ({seconds:.1} s)", self.name));
                Ok(())
            }
            Err(error) => {
                reporter.failed.fetch_add(1, Ordering::Relaxed);
                let text = indented(&format!("{error:#}"), "          ");
                reporter.line(format_args!("   FAILED {} · {what} ({seconds:.1} s)\n{text}", self.name));
                if !matches!(error.downcast_ref(), Some(Error::Interrupted)) {
                    self.explain();
                }
                Err(Reported)
            }
        }
    }

    /// Reports a step that was not run, with the reason; it counts neither as passed nor as failed.
    pub fn not_run(&self, what: &str, why: &str) {
        self.context.reporter.not_run.fetch_add(1, Ordering::Relaxed);
        self.context.reporter.line(format_args!("   not run {} · {what}: {why}", self.name));
    }

    /// Reports a step that needs something that the platform does not declare.
    pub fn not_applicable(&self, what: &str, why: &str) {
        self.context.reporter.line(format_args!("   n/a    {} · {what}: {why}", self.name));
    }

    fn explain(&self) {
        let spaces = self.spaces.lock().map(|spaces| spaces.clone()).unwrap_or_default();
        for namespace in spaces {
            self.context.reporter.line(indented(&diagnose::namespace(&namespace), "          | "));
        }
    }
}

fn indented(text: &str, by: &str) -> String {
    text.lines().map(|line| format!("{by}{line}")).collect::<Vec<_>>().join("\n")
}

/// A lane that has not started.
pub struct Work<'a> {
    lane: String,
    run: Box<dyn FnOnce(&Lane<'a>) -> Outcome + Send + 'a>,
}

impl<'a> Work<'a> {
    /// A lane with this name that runs `run`.
    pub fn new(lane: impl Into<String>, run: impl FnOnce(&Lane<'a>) -> Outcome + Send + 'a) -> Self {
        Self { lane: lane.into(), run: Box::new(run) }
    }
}

/// Runs the selected lanes in this order, at most `at_once` at a time.
pub fn side_by_side<'a>(context: &'a E2eContext, at_once: usize, work: Vec<Work<'a>>) -> Outcome {
    let is_selected =
        |work: &Work| context.lanes.is_empty() || context.lanes.iter().any(|lane| work.lane.contains(lane));
    let waiting: VecDeque<_> = work.into_iter().filter(is_selected).collect();
    let at_once = at_once.min(waiting.len());
    let waiting = Mutex::new(waiting);
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.pop_front());
    thread::scope(|scope| {
        let worker = || {
            let mut outcome = Ok(());
            while let Some(work) = next().filter(|_| !process::interrupted()) {
                outcome = (work.run)(&Lane::new(context, work.lane)).and(outcome);
            }
            outcome
        };
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(worker)).collect();
        all(workers.into_iter().map(|worker| worker.join().unwrap_or(Err(Reported))))
    })
}

/// Succeeds if all outcomes are successes; evaluates every outcome.
pub fn all(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let mut whole = Ok(());
    for outcome in outcomes {
        whole = whole.and(outcome);
    }
    whole
}
