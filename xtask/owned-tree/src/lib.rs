//! The files that `generate` owns below one folder, and how it changes them without ever touching one that it does not
//! own.
//!
//! What it wrote is recorded in the folder's `.generated-files`, one line per file: `<sha256>  <path>`, the form of
//! `sha256sum`. [`OwnedTree::plan`] compares the record, the disk and what is wanted; [`Plan::report`] (check) and
//! [`write_tree`] are two uses of that one comparison, so they cannot disagree.
//!
//! **An interrupted run.** Before the first change, the record is replaced by one that knows, for each file about to be
//! changed, what is there now *and* what will be. Each file is then replaced as a whole (a temporary file beside it,
//! synced, renamed) or deleted, and at the end the record is replaced by one that knows the new content only. Killed at
//! any step, the files are each the old or the new one, and the record knows both, so the next run finds nothing
//! hand-edited, whatever is wanted by then. An error leaves what a kill would: there is one way to clean up, and it is
//! the next run.
//!
//! **Merging.** The record is sorted by path and a path may have several lines. So keeping the lines of both sides is
//! the right answer to a conflict in it (`merge=union` in `.gitattributes` does that), and either side of a conflicting
//! file will do: the record knows both.

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

/// The folder of a repository that the generated files lie in.
pub const FOLDER: &str = "generated-chart";

/// The files that are to be there: path below the tree's root, and text.
pub type Wanted = BTreeMap<Utf8PathBuf, String>;

/// A folder some of whose files are `generate`'s, with the record of them.
///
/// It is locked while this value lives, on Unix: whoever opens it a second time waits, be it another process or this
/// one. Elsewhere, and on a file system without locks, two runs at once are not kept apart.
#[derive(Debug)]
pub struct OwnedTree {
    root: Root,
    /// What the record says, and its text as it is on disk. A folder without a record has none of our files.
    record: Record,
    record_text: Option<String>,
    /// Dropping the folder's handle gives up the lock. A folder that is not there has none.
    _lock: Option<File>,
}

impl OwnedTree {
    /// Locks the folder `root`, waiting for another process that has it, and reads its record. A folder that is not
    /// there is a tree without files.
    ///
    /// # Errors
    /// When `root` or its record is something else than a folder and a file, cannot be read, or the record has a line
    /// that is not `<sha256>  <path>`.
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

    /// Compares the record, the disk and what is wanted. Looks at the paths that are recorded or wanted and at no
    /// others.
    ///
    /// # Errors
    /// All wanted paths that no file can have; else all paths at which something stands that is neither a file nor
    /// absent.
    pub fn plan<'a>(&'a self, wanted: &'a Wanted) -> Result<Plan<'a>, Error> {
        Plan::new(self, wanted)
    }
}

/// Makes the files below `root` equal to `wanted`, or changes nothing at all if that would lose somebody's work.
///
/// A file that is already equal is left alone, as is the record: a second run changes nothing.
///
/// # Errors
/// [`Error::Refused`] names every hand-edited file (unless they are to be overwritten) and every foreign one, and
/// nothing was changed, as with all other errors but [`Error::Io`]. After that one, another run picks up where this one
/// stopped.
pub fn write_tree(root: &Utf8Path, wanted: &Wanted, hand_edits: HandEdits) -> Result<Summary, Error> {
    write_tree_stepwise(root, wanted, hand_edits, &mut |_, _| Ok(()))
}

/// [`write_tree`], which calls `before_step` right before each single change on disk. Tests stop it there, in every
/// place.
///
/// # Errors
/// Those of [`write_tree`]; an error of `before_step` becomes [`Error::Io`].
pub fn write_tree_stepwise(
    root: &Utf8Path,
    wanted: &Wanted,
    hand_edits: HandEdits,
    before_step: BeforeStep<'_>,
) -> Result<Summary, Error> {
    // The folder comes first, so that there is something to lock.
    Disk::new(&Root::new(root), before_step).create_root()?;
    let tree = OwnedTree::open(root)?;
    let plan = tree.plan(wanted)?;
    write::apply(&plan, hand_edits, Disk::new(&tree.root, before_step))
}
