//! The report of `--check`: every difference with its diff, the counts and the remedy.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8Path;

use super::diff;
use super::paths::RECORD;
use super::plan::Entry;
use super::{HandEdits, Plan, State};

impl Plan<'_> {
    /// A diff for each difference, then the number of differences of each kind and the command that fixes them. A single
    /// line if nothing differs.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        Report(self)
    }
}

/// The text of a check's report.
#[derive(Debug)]
pub struct Report<'a>(&'a Plan<'a>);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.0;
        let root = &plan.tree.root;
        let mut counts: BTreeMap<State, usize> = BTreeMap::new();
        for (_, state) in plan.states() {
            *counts.entry(state).or_default() += 1;
        }
        let equal = counts.remove(&State::Equal).unwrap_or_default();
        if plan.is_up_to_date() {
            return writeln!(f, "{}: up to date, {equal} files", root.name());
        }

        for (path, entry) in &plan.entries {
            if let Some(label) = label(entry.state) {
                let path = root.shown(path);
                writeln!(f, "{label}: {path}\n{}", diff_of(&path, entry))?;
            }
        }
        for leftover in &plan.leftovers {
            writeln!(f, "left over from an interrupted run: {}\n", root.shown(leftover))?;
        }
        // If files differ, the record differs too and needs no mention of its own.
        let only_record = plan.changes_record() && !plan.changes_files();
        if only_record {
            let (path, next) = (root.shown(Utf8Path::new(RECORD)), plan.next_record.to_string());
            let now = plan.tree.record_text.as_deref().unwrap_or_default();
            let diff = diff::unified((&on_disk(&path), now), (&generated(&path), &next));
            writeln!(f, "stale record: {path}\n{diff}")?;
        }

        write!(f, "{} differs from the model: ", root.name())?;
        for (state, count) in &counts {
            if let Some(label) = label(*state) {
                write!(f, "{count} {label}, ")?;
            }
        }
        if !plan.leftovers.is_empty() {
            write!(f, "{} left over, ", plan.leftovers.len())?;
        }
        if only_record {
            f.write_str("1 stale record, ")?;
        }
        writeln!(f, "{equal} equal.\n{}", Remedies::of(plan, HandEdits::Keep))
    }
}

fn label(state: State) -> Option<&'static str> {
    match state {
        State::Equal | State::Gone => None,
        State::Missing => Some("missing"),
        State::Stale => Some("stale"),
        State::Orphaned => Some("orphaned"),
        State::HandEdited => Some("hand-edited"),
        State::HandEditedOrphan => Some("hand-edited and no longer in the model"),
        State::Foreign => Some("foreign"),
    }
}

/// The diff from the content on disk to the content to be written. For hand-edited files, the diff shows the hand edit.
fn diff_of(path: &str, entry: &Entry<'_>) -> String {
    const NOTHING: &str = "/dev/null";
    let found = entry.on_disk.as_deref().map(String::from_utf8_lossy);
    let found = match &found {
        Some(text) => (on_disk(path), text.as_ref()),
        None => (NOTHING.to_owned(), ""),
    };
    let written = match entry.wanted {
        Some(text) => (generated(path), text),
        None => (NOTHING.to_owned(), ""),
    };
    let (found, written) = ((found.0.as_str(), found.1), (written.0.as_str(), written.1));
    if matches!(entry.state, State::HandEdited | State::HandEditedOrphan) {
        diff::unified(written, found)
    } else {
        diff::unified(found, written)
    }
}

fn on_disk(path: &str) -> String {
    format!("{path} (on disk)")
}

fn generated(path: &str) -> String {
    format!("{path} (generated)")
}

/// The remedies for the differences. A check and a refusal end with the same text.
#[derive(Debug)]
pub(super) struct Remedies {
    hand_edited: bool,
    /// With [`HandEdits::Overwrite`] the text does not mention hand edits.
    asked_for: HandEdits,
    foreign: bool,
    /// The record's path if the record does not exist. All files that differ are then foreign.
    lost_record: Option<String>,
}

impl Remedies {
    pub(super) fn of(plan: &Plan<'_>, asked_for: HandEdits) -> Self {
        let any = |state| plan.paths_in(state).next().is_some();
        let lost_record = plan.tree.record_text.is_none().then(|| plan.tree.root.shown(Utf8Path::new(RECORD)));
        Self {
            hand_edited: any(State::HandEdited) || any(State::HandEditedOrphan),
            asked_for,
            foreign: any(State::Foreign),
            lost_record,
        }
    }
}

impl fmt::Display for Remedies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hand_edited, asked_for, foreign, lost_record } = self;
        if *hand_edited && *asked_for == HandEdits::Keep {
            f.write_str(
                "Make hand edits in the model instead, so that the generated file contains them. \
                Then discard the edit of the\n\
                file with `cargo xtask generate --force`, or with `git checkout -- <file>`.\n",
            )?;
        }
        if *foreign {
            f.write_str(
                "A foreign file is never overwritten, not even with --force: move it away, \
                 or give the generated file another name.\n",
            )?;
        }
        if let (true, Some(record)) = (foreign, lost_record) {
            writeln!(f, "All files that differ count as foreign, because {record} does not exist:")?;
            writeln!(f, "restore it with `git checkout -- {record}`.")?;
        }
        let force = if *hand_edited { " --force" } else { "" };
        let first = if *hand_edited || *foreign { "Then run" } else { "Run" };
        write!(f, "{first} `cargo xtask generate{force}` and commit the result.")
    }
}
