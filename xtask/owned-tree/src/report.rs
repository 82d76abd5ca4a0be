//! What `--check` says: every difference with its diff, the counts, and what mends it.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8Path;

use super::diff;
use super::paths::RECORD;
use super::plan::Entry;
use super::{HandEdits, Plan, State};

impl Plan<'_> {
    /// All that differs, each with a diff, then how many of each kind there are and the command that mends it; one line
    /// if nothing differs.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        Report(self)
    }
}

/// The text of a check.
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
        // Where files differ, so does the record, and there is nothing more to say about it.
        let only_record = plan.changes_record() && !plan.changes_files();
        if only_record {
            let (path, next) = (root.shown(Utf8Path::new(RECORD)), plan.next_record.to_string());
            let now = plan.tree.record_text.as_deref().unwrap_or_default();
            let diff = diff::unified((&on_disk(&path), now), (&generated(&path), &next));
            writeln!(f, "stale record: {path}\n{diff}")?;
        }

        write!(f, "{} is not what the model gives: ", root.name())?;
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

/// The diff leads to what would be written, except for hand-edited files: there it shows what was edited.
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

/// What to do about the differences. The same words end a check and a refusal.
#[derive(Debug)]
pub(super) struct Remedies {
    hand_edited: bool,
    /// Whoever has asked for overwriting hand edits knows about them.
    asked_for: HandEdits,
    foreign: bool,
    /// The record, if it is lost: then everything that differs is foreign.
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
                "A hand edit belongs in the model: make it there, so that the generated text has it. \
                 What is left of it in the file\n\
                 is given up by `cargo xtask generate --force`, or by `git checkout -- <file>`.\n",
            )?;
        }
        if *foreign {
            f.write_str(
                "A foreign file is never overwritten, not even with --force: move it away, \
                 or give the generated file another name.\n",
            )?;
        }
        if let (true, Some(record)) = (foreign, lost_record) {
            writeln!(f, "All that differs counts as foreign, for there is no {record}:")?;
            writeln!(f, "`git checkout -- {record}` brings it back.")?;
        }
        let force = if *hand_edited { " --force" } else { "" };
        let first = if *hand_edited || *foreign { "Then run" } else { "Run" };
        write!(f, "{first} `cargo xtask generate{force}` and commit the result.")
    }
}
