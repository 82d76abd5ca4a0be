//! Writes generated files into a folder, and changes only the files that it owns.
//!
//! The folder's `.generated-files` records the files that were written, one line per file: `<sha256>  <path>`, the format
//! of `sha256sum`. [`OwnedTree::plan`] compares the record, the disk and the wanted files. [`Plan::report`] (check) and
//! [`write_tree`] both use that comparison, so they cannot disagree.
//!
//! **Interrupted runs.** Before the first change, a run writes a record that contains, for each file to be changed, both
//! the current and the new hash. It then replaces each file as a whole (a temporary file beside it, synced and renamed) or
//! deletes it. At the end it writes a record with only the new hashes. If the run is killed at any step, each file has its
//! old or new content, and the record contains both, so the next run finds no hand edits. An error leaves the same state
//! as a kill; in both cases the next run cleans up.
//!
//! **Merging.** The record is sorted by path, and a path may have several lines. To resolve a conflict in the record, keep
//! the lines of both sides (`merge=union` in `.gitattributes` does this). For a conflicting file, take either side: the
//! record contains the hashes of both.

mod diff;
mod disk;
mod error;
mod lock;
mod look;
mod paths;
mod plan;
mod record;
mod report;
mod write;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

pub use self::disk::{BeforeStep, Step};
pub use self::error::{BadPath, Error, Obstacle, ObstacleKind, Refusal};
pub use self::plan::{Plan, State};
pub use self::report::Report;
pub use self::write::{HandEdits, Summary};

use self::disk::Disk;
use self::paths::Root;
use self::record::Record;

/// The folder of a repository that contains the generated files.
pub const FOLDER: &str = "generated-chart";

/// The wanted files: paths relative to the tree's root, and texts.
pub type Wanted = BTreeMap<Utf8PathBuf, String>;

/// A folder that contains generated files, and their record. The folder may contain other files too.
///
/// On Unix the folder is locked while this value lives: opening it again waits, in this or another process. On other
/// systems, and on file systems without locks, concurrent runs are not prevented.
#[derive(Debug)]
pub struct OwnedTree {
    root: Root,
    /// The parsed record, and its text on disk. A folder without a record contains no owned file.
    record: Record,
    record_text: Option<String>,
    /// Dropping the folder's handle releases the lock. A folder that does not exist has no lock.
    _lock: Option<File>,
}

impl OwnedTree {
    /// Locks the folder `root`, waiting for other processes if necessary, and reads its record. A folder that does not
    /// exist is a tree without files.
    ///
    /// # Errors
    /// If `root` is not a folder, its record is not a file, one of them cannot be read, or the record has a line that is
    /// not `<sha256>  <path>`.
    pub fn open(root: &Utf8Path) -> Result<Self, Error> {
        let root = Root::new(root);
        let lock = match fs::metadata(root.path()) {
            Ok(metadata) if metadata.is_dir() => lock::exclusive(&root)?,
            Ok(_) => return Err(Obstacle::one(root.shown(Utf8Path::new("")), ObstacleKind::NotAFolder)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
            Err(cause) => return Err(Obstacle::one(root.shown(Utf8Path::new("")), ObstacleKind::Unreadable(cause))),
        };
        let record_text = record::read(&root)?;
        let record = Record::parse(record_text.as_deref().unwrap_or_default())
            .map_err(|line| Error::RecordLine { record: root.shown(Utf8Path::new(paths::RECORD)), line })?;
        Ok(Self { root, record, record_text, _lock: lock })
    }

    /// Compares the record, the disk and the wanted files. Looks only at recorded and wanted paths.
    ///
    /// # Errors
    /// If wanted paths are invalid as paths of files, or if something other than a file exists at a path. Lists all such
    /// paths.
    pub fn plan<'a>(&'a self, wanted: &'a Wanted) -> Result<Plan<'a>, Error> {
        Plan::new(self, wanted)
    }
}

/// Makes the files below `root` equal to `wanted`, or changes nothing if that would lose hand-written content.
///
/// Equal files, and an up-to-date record, are not written again: a second run changes nothing.
///
/// # Errors
/// [`Error::Refused`] names every hand-edited file (unless `hand_edits` allows overwriting) and every foreign file.
/// After all errors but [`Error::Io`] nothing was changed. After [`Error::Io`], the next run continues where this one
/// stopped.
pub fn write_tree(root: &Utf8Path, wanted: &Wanted, hand_edits: HandEdits) -> Result<Summary, Error> {
    write_tree_stepwise(root, wanted, hand_edits, &mut |_, _| Ok(()))
}

/// Like [`write_tree`], but calls `before_step` right before each single change on disk, so that tests can stop it at
/// every step.
///
/// # Errors
/// The errors of [`write_tree`]; an error of `before_step` becomes [`Error::Io`].
pub fn write_tree_stepwise(
    root: &Utf8Path,
    wanted: &Wanted,
    hand_edits: HandEdits,
    before_step: BeforeStep<'_>,
) -> Result<Summary, Error> {
    // Create the folder first, so that it can be locked.
    Disk::new(&Root::new(root), before_step).create_root()?;
    let tree = OwnedTree::open(root)?;
    let plan = tree.plan(wanted)?;
    write::apply(&plan, hand_edits, Disk::new(&tree.root, before_step))
}
