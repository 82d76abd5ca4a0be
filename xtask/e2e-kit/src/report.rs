//! What the run says: a line per step, a verdict per scenario.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

/// A step failed, and that was said.
#[derive(Clone, Copy, Debug)]
pub struct Reported;

/// What a step gives.
pub type Outcome = Result<(), Reported>;

/// Lines on their way to the output, from any thread.
#[derive(Debug)]
pub struct Reporter {
    lines: Sender<String>,
    pub(crate) passed: AtomicUsize,
    pub(crate) failed: AtomicUsize,
    pub(crate) not_run: AtomicUsize,
}

/// Numbers of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Those that passed.
    pub passed: usize,
    /// Those that failed.
    pub failed: usize,
    /// Those that the run had no means for.
    pub not_run: usize,
}

impl Reporter {
    /// Sends each line to `lines`.
    #[must_use]
    pub fn new(lines: Sender<String>) -> Self {
        Self { lines, passed: AtomicUsize::new(0), failed: AtomicUsize::new(0), not_run: AtomicUsize::new(0) }
    }

    /// Reports a line.
    pub fn line(&self, text: impl fmt::Display) {
        // Nobody reads any more when the output is closed; the run goes on to its tidy end.
        let _ = self.lines.send(text.to_string());
    }

    /// The steps so far.
    pub fn counts(&self) -> Counts {
        let [passed, failed, not_run] =
            [&self.passed, &self.failed, &self.not_run].map(|count| count.load(Ordering::Relaxed));
        Counts { passed, failed, not_run }
    }
}
