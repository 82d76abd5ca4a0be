//! What the run says: a line per step, a verdict per scenario.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::Instant;

use super::error::Error;
use super::{context::E2eContext, diagnose, process};

/// A step failed, and that was said.
#[derive(Clone, Copy, Debug)]
pub struct Reported;

/// What a step gives.
pub type Outcome = Result<(), Reported>;

/// Lines on their way to the output, from any thread.
#[derive(Debug)]
pub struct Reporter {
    lines: Sender<String>,
    passed: AtomicUsize,
    failed: AtomicUsize,
}

impl Reporter {
    /// Sends each line to `lines`.
    #[must_use]
    pub fn new(lines: Sender<String>) -> Self {
        Self { lines, passed: AtomicUsize::new(0), failed: AtomicUsize::new(0) }
    }

    /// Reports a line.
    pub fn line(&self, text: impl fmt::Display) {
        // Nobody reads any more when the output is closed; the run goes on to its tidy end.
        let _ = self.lines.send(text.to_string());
    }

    /// How many steps passed and failed so far.
    pub fn counts(&self) -> (usize, usize) {
        (self.passed.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}

/// A row of steps, one after the other; scenarios run several lanes at once.
pub struct Lane<'a> {
    /// The run that it belongs to.
    pub context: &'a E2eContext,
    name: String,
    /// The namespaces that a failure is explained from.
    spaces: Mutex<Vec<String>>,
}

impl<'a> Lane<'a> {
    /// A lane of this name.
    pub fn new(context: &'a E2eContext, name: impl Into<String>) -> Self {
        Self { context, name: name.into(), spaces: Mutex::default() }
    }

    /// From here on, what is in this namespace explains a failure.
    pub fn watch(&self, namespace: &str) {
        if let Ok(mut spaces) = self.spaces.lock() {
            spaces.push(namespace.to_owned());
        }
    }

    /// Runs a step, and says what it gave.
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

    /// What was not run, and why: neither passed nor failed.
    pub fn not_run(&self, what: &str, why: &str) {
        self.context.reporter.line(format_args!("   not run {} · {what}: {why}", self.name));
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
