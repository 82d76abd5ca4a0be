//! What can go wrong, each with the path, the reason and the remedy.

use std::fmt;
use std::io;

use camino::Utf8PathBuf;

use super::diff;
use super::report::Remedies;

/// Why a tree was not read, compared or written. The text ends with what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The wanted paths cannot all be files of one folder: a mistake of whoever made them. Nothing was changed.
    #[error(
        "the generator wants files that cannot be written (a bug of the generator; nothing was changed):{}",
        list(.0)
    )]
    BadPaths(Vec<BadPath>),

    /// The record has a line that is not `<sha256>  <path>`. Nothing was changed.
    #[error("{record}, line {line}")]
    RecordLine {
        /// The record, as the message shows it.
        record: String,
        /// The line.
        line: BadLine,
    },

    /// Something stands in the way that is no file of ours and cannot be one. Nothing was changed.
    #[error("something is in the way (nothing was changed):{}", list(.0))]
    Obstructed(Vec<Obstacle>),

    /// Writing would lose what somebody else wrote. Nothing was changed.
    #[error("{0}")]
    Refused(Box<Refusal>),

    /// The folder cannot be locked. Nothing was changed.
    #[error(
        "cannot lock the folder {root} against a second run (nothing was changed): {cause}\n  \
         Make the folder readable, or put the checkout on a file system that has locks."
    )]
    Lock {
        /// The folder.
        root: String,
        /// What the system says.
        cause: io::Error,
    },

    /// The disk failed while files were changed. What was begun is recorded, and the next run completes it.
    #[error(
        "cannot {action} {path}: {cause}\n  \
         No file is half-written. Mend the cause and run `cargo xtask generate` again: it picks up where this run \
         stopped."
    )]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what, as the message shows it.
        path: String,
        /// What the system says.
        cause: io::Error,
    },
}

/// A wanted path that no file can have.
#[derive(Debug, thiserror::Error)]
#[error("{path:?}: {reason}")]
pub struct BadPath {
    /// The path, below the root.
    pub path: Utf8PathBuf,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A line of the record that cannot be read.
#[derive(Debug)]
pub struct BadLine {
    number: usize,
    line: String,
    fault: LineFault,
}

/// What is wrong with the line.
#[derive(Clone, Copy, Debug)]
pub(super) enum LineFault {
    ConflictMarker,
    Form,
    Hash,
    Path(&'static str),
}

impl BadLine {
    pub(super) fn new(number: usize, line: &str, fault: LineFault) -> Self {
        Self { number, line: diff::visible(line), fault }
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, line, fault } = self;
        write!(f, "{number} cannot be read: `{line}`: ")?;
        match fault {
            LineFault::ConflictMarker => {
                return f.write_str(
                    "this is a merge conflict marker.\n  \
                     Delete the marker lines and keep the lines of both sides (a path may have several).\n  \
                     In a generated file that conflicts, keep either side. Then run `cargo xtask generate`.",
                );
            }
            LineFault::Form => f.write_str("it is not `<sha256>  <path>`.")?,
            LineFault::Hash => {
                f.write_str("it does not begin with the 64 lower-case hexadecimal digits of a SHA-256.")?;
            }
            LineFault::Path(reason) => write!(f, "generate writes no such path: {reason}.")?,
        }
        f.write_str(
            "\n  Delete the line, or bring the committed record back with `git checkout`, and run \
             `cargo xtask generate`.",
        )
    }
}

/// Something that stands where a file of ours is or is to be, and is none.
#[derive(Debug)]
pub struct Obstacle {
    path: String,
    kind: ObstacleKind,
}

/// What stands there.
#[derive(Debug)]
pub enum ObstacleKind {
    /// A symbolic link, at the path or at a folder of it. None is followed: what is behind it is not in the tree.
    SymbolicLink,
    /// A folder, with something in it that is not ours, where a file is wanted.
    Folder,
    /// A file that is not ours, where a folder is needed for this wanted path.
    FileForFolder(String),
    /// Something that is not a file: a pipe, a device; or a folder that has a temporary file's or the record's name.
    NotAFile,
    /// The tree's root is not a folder.
    NotAFolder,
    /// The system does not let us look.
    Unreadable(io::Error),
}

impl Obstacle {
    pub(super) fn new(path: String, kind: ObstacleKind) -> Self {
        Self { path, kind }
    }

    pub(super) fn one(path: String, kind: ObstacleKind) -> Error {
        Error::Obstructed(vec![Self::new(path, kind)])
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.kind {
            ObstacleKind::SymbolicLink => {
                write!(f, "{path} is a symbolic link, and generate follows none: move the link away")
            }
            ObstacleKind::Folder => {
                write!(
                    f,
                    "{path} is a folder that generate did not make, where it has to write a file: move the folder away"
                )
            }
            ObstacleKind::FileForFolder(wanted) => write!(
                f,
                "{path} is a file that generate did not write, where it needs a folder for {wanted}: move the file away"
            ),
            ObstacleKind::NotAFile => write!(f, "{path} is not a regular file: move it away"),
            ObstacleKind::NotAFolder => write!(f, "{path} is not a folder: move it away"),
            ObstacleKind::Unreadable(cause) => {
                write!(f, "{path} cannot be read: {cause}: make it readable, or move it away")
            }
        }
    }
}

/// The files for whose sake nothing was written.
#[derive(Debug)]
pub struct Refusal {
    pub(super) root: String,
    pub(super) hand_edited: Vec<String>,
    pub(super) hand_edited_orphans: Vec<String>,
    pub(super) foreign: Vec<String>,
    pub(super) remedies: Remedies,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { root, hand_edited, hand_edited_orphans, foreign, remedies } = self;
        write!(f, "nothing was written: that would lose what somebody else wrote in {root}")?;
        for (title, paths) in [
            ("hand-edited", hand_edited),
            ("hand-edited, and no longer in the model", hand_edited_orphans),
            ("foreign (not in the record of what generate wrote, and where it has to write a file)", foreign),
        ] {
            if !paths.is_empty() {
                write!(f, "\n{title}:{}", list(paths))?;
            }
        }
        write!(f, "\n`cargo xtask generate --check` shows how each differs.\n{remedies}")
    }
}

/// The items, each on a line of its own.
fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().fold(String::new(), |lines, item| lines + "\n  " + &item.to_string())
}
