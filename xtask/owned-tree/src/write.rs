//! Applies a plan.

use std::collections::BTreeSet;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::disk::Disk;
use super::error::Refusal;
use super::paths::{self, RECORD};
use super::record::{Hash, Record};
use super::report::Remedies;
use super::{Error, Plan, State};

/// What to do with files that were edited after they were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandEdits {
    /// Refuse to write anything.
    #[default]
    Keep,
    /// Overwrite them, and delete those that are no longer wanted. Foreign files are still refused.
    Overwrite,
}

/// The changes of a run. The text lists the paths unless there are too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    root: String,
    /// The files with new content.
    pub written: Vec<Utf8PathBuf>,
    /// The files that were deleted.
    pub deleted: Vec<Utf8PathBuf>,
    /// The number of files that were as wanted.
    pub unchanged: usize,
}

/// The maximum number of paths in a summary.
const LISTED: usize = 20;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { root, written, deleted, unchanged } = self;
        writeln!(f, "{root}: {} written, {} deleted, {unchanged} unchanged", written.len(), deleted.len())?;
        if written.len() + deleted.len() <= LISTED {
            written.iter().try_for_each(|path| writeln!(f, "  written  {root}/{path}"))?;
            deleted.iter().try_for_each(|path| writeln!(f, "  deleted  {root}/{path}"))?;
        }
        Ok(())
    }
}

/// Applies the plan, or refuses all of it.
pub(super) fn apply(plan: &Plan<'_>, hand_edits: HandEdits, mut disk: Disk<'_>) -> Result<Summary, Error> {
    refuse(plan, hand_edits)?;
    let paths_in = |states: &[State]| -> BTreeSet<Utf8PathBuf> {
        states.iter().flat_map(|state| plan.paths_in(*state)).map(Utf8Path::to_owned).collect()
    };
    let written = paths_in(&[State::Missing, State::Stale, State::HandEdited]);
    let deleted = paths_in(&[State::Orphaned, State::HandEditedOrphan]);

    for leftover in &plan.leftovers {
        disk.delete(leftover)?;
    }
    // From here until the last record is written, the record contains both the old and the new hashes.
    let journal = plan.changes_files().then(|| journal(plan).to_string());
    let journal = journal.filter(|journal| plan.tree.record_text.as_ref() != Some(journal));
    if let Some(journal) = &journal {
        disk.replace(Utf8Path::new(RECORD), journal)?;
        disk.sync_folders()?;
    }
    // Delete first: an owned file may become a folder, and a folder a file.
    for path in &deleted {
        disk.delete(path)?;
    }
    for folder in emptied_folders(plan).into_iter().rev() {
        disk.remove_if_empty(folder)?;
    }
    for path in &written {
        if let Some(text) = plan.entries.get(path.as_path()).and_then(|entry| entry.wanted) {
            disk.replace(path, text)?;
        }
    }
    if journal.is_some() || plan.changes_record() {
        disk.sync_folders()?;
        disk.replace(Utf8Path::new(RECORD), &plan.next_record.to_string())?;
        disk.sync_folders()?;
    }
    Ok(Summary {
        root: plan.tree.root.name().to_owned(),
        written: written.into_iter().collect(),
        deleted: deleted.into_iter().collect(),
        unchanged: plan.paths_in(State::Equal).count(),
    })
}

fn refuse(plan: &Plan<'_>, hand_edits: HandEdits) -> Result<(), Error> {
    let shown = |state| plan.paths_in(state).map(|path| plan.tree.root.shown(path)).collect::<Vec<_>>();
    let refusal = Refusal {
        root: plan.tree.root.name().to_owned(),
        hand_edited: if hand_edits == HandEdits::Keep { shown(State::HandEdited) } else { Vec::new() },
        hand_edited_orphans: if hand_edits == HandEdits::Keep { shown(State::HandEditedOrphan) } else { Vec::new() },
        foreign: shown(State::Foreign),
        remedies: Remedies::of(plan, hand_edits),
    };
    let Refusal { hand_edited, hand_edited_orphans, foreign, .. } = &refusal;
    if hand_edited.is_empty() && hand_edited_orphans.is_empty() && foreign.is_empty() {
        Ok(())
    } else {
        Err(Error::Refused(Box::new(refusal)))
    }
}

/// The record during a run: it contains the current and the new hash of each file.
///
/// It contains the hash of a hand-edited file only if the file may be overwritten. If the run is interrupted, the next
/// one then needs no `--force`.
fn journal(plan: &Plan<'_>) -> Record {
    let mut journal = Record::default();
    for (path, entry) in &plan.entries {
        if entry.state == State::Gone {
            // Its folder may still have to be removed, and only the record mentions it.
            journal.add_all(path, &plan.tree.record);
        }
        for content in entry.on_disk.as_deref().into_iter().chain(entry.wanted.map(str::as_bytes)) {
            journal.add(path, Hash::of(content));
        }
    }
    journal
}

/// The folders that contained unwanted files and that no wanted file needs, outer folders first.
fn emptied_folders<'a>(plan: &Plan<'a>) -> BTreeSet<&'a Utf8Path> {
    let folders = |is_wanted: bool| {
        plan.entries
            .iter()
            .filter(move |(_, entry)| entry.wanted.is_some() == is_wanted)
            .flat_map(|(path, _)| paths::folders_of(path))
            .collect::<BTreeSet<_>>()
    };
    let needed = folders(true);
    folders(false).into_iter().filter(|folder| !needed.contains(folder)).collect()
}
