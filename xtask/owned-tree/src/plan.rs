//! The one comparison of record, disk and wanted.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::look::{self, Seen};
use super::paths::{self, RECORD};
use super::record::Record;
use super::{Error, Obstacle, ObstacleKind, OwnedTree, Wanted};

/// How a path that is recorded or wanted stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// On disk as wanted. A file that nobody recorded is ours from now on.
    Equal,
    /// Wanted and not on disk.
    Missing,
    /// On disk as we wrote it, and wanted otherwise.
    Stale,
    /// On disk as we wrote it, and no longer wanted.
    Orphaned,
    /// Ours and wanted, but on disk it is neither what we wrote nor what is wanted.
    HandEdited,
    /// Ours and no longer wanted, but on disk it is not what we wrote.
    HandEditedOrphan,
    /// Wanted, on disk otherwise, and not ours.
    Foreign,
    /// Recorded, no longer wanted, and not on disk: only the record has to forget it.
    Gone,
}

/// What a path's state is, and what it follows from.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) state: State,
    pub(super) wanted: Option<&'a str>,
    pub(super) on_disk: Option<Vec<u8>>,
}

/// What has to happen to make the tree equal to what is wanted. Nothing has happened yet.
#[derive(Debug)]
pub struct Plan<'a> {
    pub(super) tree: &'a OwnedTree,
    pub(super) entries: BTreeMap<&'a Utf8Path, Entry<'a>>,
    /// Temporary files that an interrupted run left.
    pub(super) leftovers: Vec<Utf8PathBuf>,
    /// The record as it will be.
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
            // One link or file stands in the way of all paths below it.
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

    /// The state of each path that is recorded or wanted, ordered by path.
    pub fn states(&self) -> impl Iterator<Item = (&'a Utf8Path, State)> {
        self.entries.iter().map(|(path, entry)| (*path, entry.state))
    }

    /// Whether there is nothing to do at all: every file is as wanted, the record says just that, and nothing is left
    /// over.
    #[must_use]
    pub fn is_up_to_date(&self) -> bool {
        self.leftovers.is_empty() && !self.changes_files() && !self.changes_record()
    }

    /// Whether a file has to be written or deleted.
    pub(super) fn changes_files(&self) -> bool {
        self.states().any(|(_, state)| !matches!(state, State::Equal | State::Gone))
    }

    /// Whether the record has to be written. A checkout with CRLF line ends is no reason.
    pub(super) fn changes_record(&self) -> bool {
        let now = self.tree.record_text.as_deref().unwrap_or_default();
        now.replace("\r\n", "\n") != self.next_record.to_string()
    }

    /// The paths in this state, ordered.
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
        // What was a file of ours becomes a folder: the file is deleted first, or refused as hand-edited.
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
