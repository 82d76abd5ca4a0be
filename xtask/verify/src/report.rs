//! The outcome of a step, and the report: text while the steps run, or one JSON document at the end.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use helm_values::Redaction;
use serde_json::json;

use super::Format;

/// The outcome of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The number of things checked, such as `33 cases`.
    pub(super) summary: String,
    /// Remarks that are not failures.
    pub(super) notes: Vec<String>,
    /// The failures. The step passes if there are none.
    pub(super) wrong: Vec<String>,
}

impl Outcome {
    /// An outcome without failures.
    pub(super) fn of(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }

    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self { wrong: vec![why.into()], ..Self::default() }
    }

    pub(super) fn with(mut self, wrong: Vec<String>) -> Self {
        self.wrong = wrong;
        self
    }

    /// The outcome without what a message must not show.
    pub(super) fn redacted(self, redaction: &Redaction) -> Self {
        let all = |texts: Vec<String>| texts.into_iter().map(|text| redaction.apply(&text)).collect();
        Self { summary: self.summary, notes: all(self.notes), wrong: all(self.wrong) }
    }

    pub(super) fn noting(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }
}

/// The verdict of one step.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) name: &'static str,
    pub(super) proves: &'static str,
    pub(super) seconds: f64,
    pub(super) outcome: Outcome,
}

impl Verdict {
    fn passed(&self) -> bool {
        self.outcome.wrong.is_empty()
    }

    fn text(&self) -> String {
        let Outcome { summary, notes, wrong } = &self.outcome;
        // The summary describes a success, so a failed step does not print it.
        let head = if self.passed() {
            format!("ok, {summary} ({:.1} s)", self.seconds)
        } else {
            format!("FAILED, {} ({:.1} s)", findings(wrong.len()), self.seconds)
        };
        let lines = std::iter::once(&head).chain(wrong).chain(notes);
        let indented = |text: &String| format!("   {}", text.trim_end().replace('\n', "\n   "));
        lines.map(indented).collect::<Vec<_>>().join("\n") + "\n"
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "step": self.name,
            "proves": self.proves,
            "verdict": if self.passed() { "passed" } else { "failed" },
            "seconds": rounded(self.seconds),
            "summary": if self.passed() { self.outcome.summary.as_str() } else { "" },
            "failures": self.outcome.wrong,
            "notes": self.outcome.notes,
        })
    }
}

/// Lists each finding once, with the cases that have it. `all` is the number of all cases.
pub(super) fn by_finding<'a>(found: impl IntoIterator<Item = (&'a str, String)>, all: usize) -> Vec<String> {
    let mut grouped: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (case, finding) in found {
        let cases = grouped.entry(finding).or_default();
        if !cases.contains(&case) {
            cases.push(case);
        }
    }
    let told = |(finding, cases): (String, Vec<&str>)| match cases.len() {
        count if count == all && all > 1 => format!("{finding} (in every case)"),
        count if count > SHOWN => format!("{finding} (in {count} cases, such as {})", cases[..SHOWN].join(", ")),
        _ => format!("{finding} (in {})", cases.join(", ")),
    };
    grouped.into_iter().map(told).collect()
}

/// The number of cases that are named for a finding.
const SHOWN: usize = 4;

fn findings(count: usize) -> String {
    if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") }
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// Writes the verdicts in the chosen format.
pub(super) struct Report {
    format: Format,
    /// A file that also receives the JSON document.
    file: Option<Utf8PathBuf>,
    start: Instant,
    verdicts: Vec<Verdict>,
}

impl Report {
    pub(super) fn new(format: Format, file: Option<Utf8PathBuf>) -> Self {
        Self { format, file, start: Instant::now(), verdicts: Vec::new() }
    }

    pub(super) fn begins(&self, name: &str, proves: &str, out: &mut dyn Write) -> std::io::Result<()> {
        if self.format == Format::Text {
            writeln!(out, "── {name}: {proves}")?;
            out.flush()?;
        }
        Ok(())
    }

    pub(super) fn ends(&mut self, verdict: Verdict, out: &mut dyn Write) -> std::io::Result<()> {
        if self.format == Format::Text {
            write!(out, "{}", verdict.text())?;
            out.flush()?;
        }
        self.verdicts.push(verdict);
        Ok(())
    }

    /// Writes the end of the report and returns the exit code.
    pub(super) fn finish(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let failed = self.verdicts.iter().filter(|verdict| !verdict.passed()).count();
        let passed = self.verdicts.len() - failed;
        let steps: Vec<_> = self.verdicts.iter().map(Verdict::json).collect();
        let seconds = rounded(self.start.elapsed().as_secs_f64());
        let document = json!({ "passed": passed, "failed": failed, "seconds": seconds, "steps": steps });
        let document = serde_json::to_string_pretty(&document)? + "\n";
        if let Some(file) = &self.file {
            std::fs::write(file, &document).with_context(|| format!("cannot write {file}"))?;
        }
        match self.format {
            Format::Text => writeln!(out, "\nsteps: {passed} passed, {failed} failed")?,
            Format::Json => out.write_all(document.as_bytes())?,
        }
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// A progress line on the terminal, cleared at the end. Prints nothing if standard error is not a terminal.
#[derive(Default)]
pub(super) struct Progress {
    /// `None` while no line is shown.
    shown: Mutex<Option<Line>>,
}

struct Line {
    text: String,
    /// The time of the last update.
    drawn: Instant,
}

/// Moves to the start of the line and clears it.
const CLEAR: &str = "\r\x1b[2K";

impl Progress {
    /// Shows the line.
    pub(super) fn begin(&self, text: &str) {
        if std::io::stderr().is_terminal() {
            eprint!("{CLEAR}{text} …");
            *self.line() = Some(Line { text: text.to_owned(), drawn: Instant::now() });
        }
    }

    /// Updates the count, at most ten times a second.
    pub(super) fn at(&self, done: usize, of: usize) {
        let mut line = self.line();
        if let Some(line) = line.as_mut().filter(|line| line.drawn.elapsed() >= Duration::from_millis(100)) {
            line.drawn = Instant::now();
            eprint!("{CLEAR}{} … {done} of {of}", line.text);
        }
    }

    /// Clears the line.
    pub(super) fn end(&self) {
        if self.line().take().is_some() {
            eprint!("{CLEAR}");
        }
    }

    fn line(&self) -> MutexGuard<'_, Option<Line>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(outcome: Outcome) -> Verdict {
        Verdict { name: "one", proves: "something", seconds: 1.26, outcome }
    }

    #[test]
    fn everything_that_is_wrong_is_said() {
        let outcome = Outcome::of("7 things").with(vec!["a\nb".into(), "c".into()]).noting(vec!["n".into()]);
        let failed = verdict(outcome);
        assert_eq!(failed.text(), "   FAILED, 2 findings (1.3 s)\n   a\n   b\n   c\n   n\n");
        assert_eq!(failed.json()["verdict"], "failed");
        assert_eq!(failed.json()["failures"], json!(["a\nb", "c"]));
        assert_eq!(verdict(Outcome::of("all")).text(), "   ok, all (1.3 s)\n");
    }

    /// Helm quotes a value that does not match its pattern.
    #[test]
    fn a_finding_that_quotes_a_password_is_hidden() {
        let file = "web:\n  existingSecret: s3cr3t-of-web\n  host: shop.example.org\n  credentials: {broker: {password: hunter2-hunter2}}\n";
        let redaction = Redaction::of_values(&helm_values::documents(file).expect("values"));
        let quoted = "Error: values don't meet the specifications\n- at '/web/host': 'hunter2-hunter2' does not match\n\
                      - at '/web/existingSecret': 's3cr3t-of-web' does not match\n- at '/web/host': 'shop.example.org' does not match";
        let outcome = Outcome::failed(quoted).noting(vec!["hunter2".into()]).redacted(&redaction);
        let hidden = "(a line that may contain a password is hidden)";
        let shown = format!(
            "Error: values don't meet the specifications\n{hidden}\n- at '/web/host': 'shop.example.org' does not match"
        );
        assert_eq!((outcome.wrong, outcome.notes), (vec![shown], vec![hidden.to_owned()]));
    }

    #[test]
    fn a_finding_is_said_once_with_its_cases() {
        let found = |cases: &[&'static str]| cases.iter().map(|case| (*case, "x".to_owned())).collect::<Vec<_>>();
        assert_eq!(by_finding(found(&["a", "b", "a"]), 9), ["x (in a, b)"]);
        assert_eq!(by_finding(found(&["a", "b"]), 2), ["x (in every case)"]);
        assert_eq!(by_finding(found(&["a", "b", "c", "d", "e"]), 9), ["x (in 5 cases, such as a, b, c, d)"]);
    }

    #[test]
    fn json_is_one_document_and_one_failure_fails_the_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = Utf8PathBuf::try_from(folder.path().join("report.json")).expect("UTF-8");
        let mut report = Report::new(Format::Json, Some(file.clone()));
        let mut out = Vec::new();
        report.begins("one", "something", &mut out).expect("a buffer");
        report.ends(verdict(Outcome::of("fine")), &mut out).expect("a buffer");
        report.ends(verdict(Outcome::failed("broken")), &mut out).expect("a buffer");
        assert_eq!(format!("{:?}", report.finish(&mut out).expect("a code")), format!("{:?}", ExitCode::FAILURE));
        let all: serde_json::Value = serde_json::from_slice(&out).expect("one document");
        assert_eq!((&all["passed"], &all["failed"]), (&json!(1), &json!(1)));
        assert_eq!(all["steps"][1]["step"], "one");
        assert_eq!(std::fs::read(file).expect("the report"), out);
    }
}
