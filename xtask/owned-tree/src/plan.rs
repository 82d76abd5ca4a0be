//! The comparison of the record, the disk and the wanted files.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::look::{self, Seen};
use super::paths::{self, RECORD};
use super::record::Record;
use super::{Error, Obstacle, ObstacleKind, OwnedTree, Wanted};

/// The state of a recorded or wanted path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// On disk as wanted. If it was not recorded, it is owned from now on.
    Equal,
    /// Wanted, but not on disk.
    Missing,
    /// On disk as it was written, but wanted with different content.
    Stale,
    /// On disk as it was written, but no longer wanted.
    Orphaned,
    /// Owned and wanted, but the content on disk is neither the written nor the wanted one.
    HandEdited,
    /// Owned and no longer wanted, but the content on disk is not the written one.
    HandEditedOrphan,
    /// Wanted, but on disk with different content and not owned.
    Foreign,
    /// Recorded, but no longer wanted and not on disk: only the record changes.
    Gone,
}

/// The state of a path, and the contents that it is derived from.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) state: State,
    pub(super) wanted: Option<&'a str>,
    pub(super) on_disk: Option<Vec<u8>>,
}

/// The changes that make the tree equal to the wanted files. Creating a plan changes nothing.
#[derive(Debug)]
pub struct Plan<'a> {
    pub(super) tree: &'a OwnedTree,
    pub(super) entries: BTreeMap<&'a Utf8Path, Entry<'a>>,
    /// Temporary files of an interrupted run.
    pub(super) leftovers: Vec<Utf8PathBuf>,
    /// The new record.
    pub(super) next_record: Record,
}

impl<'a> Plan<'a> {
    pub(super) fn new(tree: &'a OwnedTree, wanted: &'a Wanted) -> Result<Self, Error> {
        paths::check(wanted)?;
        let mut obstacles = Vec::new();
        let mut entries = BTreeMap::new();
        let mut leftovers = Vec::new();
        let recorded = tree.record.paths().filter(|path| !wanted.contains_key(*path)).map(|path| (path, None));
        let all = wanted.iter().map(|(path, text)| (path.as_path(), Some(text.as_str()))).chain(recorded);
        for (path, text) in all {
            match compare(tree, wanted, path, text) {
                Ok(entry) => {
                    entries.insert(path, entry);
                }
                Err(obstacle) => obstacles.push(obstacle),
            }
        }
        for path in entries.keys().copied().chain([Utf8Path::new(RECORD)]) {
            match look::has_leftover(&tree.root, path) {
                Ok(true) => leftovers.push(paths::temporary(path)),
                Ok(false) => {}
                Err(obstacle) => obstacles.push(obstacle),
            }
        }
        if obstacles.is_empty() {
            Ok(Self { tree, entries, leftovers, next_record: Record::of(wanted) })
        } else {
            // Report an obstacle once, not for every path below it.
            let mut told: Vec<String> = Vec::new();
            obstacles.retain(|obstacle| {
                let text = obstacle.to_string();
                let new = !told.contains(&text);
                told.push(text);
                new
            });
            Err(Error::Obstructed(obstacles))
        }
    }

    /// The state of each recorded or wanted path, ordered by path.
    pub fn states(&self) -> impl Iterator<Item = (&'a Utf8Path, State)> {
        self.entries.iter().map(|(path, entry)| (*path, entry.state))
    }

    /// Whether there is nothing to do: all files are as wanted, the record matches them, and no temporary file is left.
    #[must_use]
    pub fn is_up_to_date(&self) -> bool {
        self.leftovers.is_empty() && !self.changes_files() && !self.changes_record()
    }

    /// Whether any file must be written or deleted.
    pub(super) fn changes_files(&self) -> bool {
        self.states().any(|(_, state)| !matches!(state, State::Equal | State::Gone))
    }

    /// Whether the record must be written. CRLF line ends alone are no reason.
    pub(super) fn changes_record(&self) -> bool {
        let now = self.tree.record_text.as_deref().unwrap_or_default();
        now.replace("\r\n", "\n") != self.next_record.to_string()
    }

    /// The paths in this state, in order.
    pub(super) fn paths_in(&self, state: State) -> impl Iterator<Item = &'a Utf8Path> {
        self.states().filter(move |(_, its)| *its == state).map(|(path, _)| path)
    }
}

fn compare<'a>(
    tree: &OwnedTree,
    wanted: &Wanted,
    path: &Utf8Path,
    text: Option<&'a str>,
) -> Result<Entry<'a>, Obstacle> {
    let (root, record) = (&tree.root, &tree.record);
    let is_orphan = |path: &Utf8Path| record.has(path) && !wanted.contains_key(path);
    let (state, on_disk) = match (text, look::look(root, path)?) {
        (Some(text), Seen::File(content)) if content == text.as_bytes() => (State::Equal, Some(content)),
        (Some(_), Seen::File(content)) if record.knows(path, &content) => (State::Stale, Some(content)),
        (Some(_), Seen::File(content)) if record.has(path) => (State::HandEdited, Some(content)),
        (Some(_), Seen::File(content)) => (State::Foreign, Some(content)),
        (Some(_), Seen::Absent) => (State::Missing, None),
        // An owned file becomes a folder: it is deleted first, or refused as hand-edited.
        (Some(_), Seen::BelowFile(file)) if is_orphan(&file) => (State::Missing, None),
        (Some(_), Seen::BelowFile(file)) => {
            return Err(Obstacle::new(root.shown(&file), ObstacleKind::FileForFolder(root.shown(path))));
        }
        (Some(_), Seen::Folder) => {
            let orphans: Vec<&Utf8Path> = record.paths().filter(|path| is_orphan(path)).collect();
            let file_passes =
                |file: &Utf8Path| orphans.iter().any(|orphan| *orphan == file || paths::temporary(orphan) == file);
            let folder_passes =
                |folder: &Utf8Path| orphans.iter().any(|orphan| paths::folders_of(orphan).any(|its| its == folder));
            if !look::will_be_gone(root, path, &file_passes, &folder_passes)? {
                return Err(Obstacle::new(root.shown(path), ObstacleKind::Folder));
            }
            (State::Missing, None)
        }
        (None, Seen::File(content)) if record.knows(path, &content) => (State::Orphaned, Some(content)),
        (None, Seen::File(content)) => (State::HandEditedOrphan, Some(content)),
        (None, Seen::Absent | Seen::Folder | Seen::BelowFile(_)) => (State::Gone, None),
    };
    Ok(Entry { state, wanted: text, on_disk })
}
