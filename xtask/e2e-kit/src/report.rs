//! The report of a run: one line per step and counts of steps.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

/// A failure that was already reported.
#[derive(Clone, Copy, Debug)]
pub struct Reported;

/// The result of a step.
pub type Outcome = Result<(), Reported>;

/// Collects report lines and step counts from all threads.
#[derive(Debug)]
pub struct Reporter {
    lines: Sender<String>,
    pub(crate) passed: AtomicUsize,
    pub(crate) failed: AtomicUsize,
    pub(crate) not_run: AtomicUsize,
}

/// Numbers of steps by result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Steps that passed.
    pub passed: usize,
    /// Steps that failed.
    pub failed: usize,
    /// Steps that could not run, for example without `--kubelet-restart-hook`.
    pub not_run: usize,
}

impl Reporter {
    /// A reporter that sends each line to `lines`.
    #[must_use]
    pub fn new(lines: Sender<String>) -> Self {
        Self { lines, passed: AtomicUsize::new(0), failed: AtomicUsize::new(0), not_run: AtomicUsize::new(0) }
    }

    /// Reports a line.
    pub fn line(&self, text: impl fmt::Display) {
        // If the output is closed, the run continues so that it cleans up.
        let _ = self.lines.send(text.to_string());
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        let [passed, failed, not_run] =
            [&self.passed, &self.failed, &self.not_run].map(|count| count.load(Ordering::Relaxed));
        Counts { passed, failed, not_run }
    }
}
