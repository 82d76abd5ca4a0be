//! The errors, each with the path, the reason and the remedy.

use std::fmt;
use std::io;

use camino::Utf8PathBuf;

use super::diff;
use super::report::Remedies;

/// Why a tree was not read, compared or written. The text ends with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The wanted paths cannot all be files of one folder: a bug of the generator. Nothing was changed.
    #[error(
        "the generator returned invalid paths (a bug of the generator; nothing was changed):{}",
        list(.0)
    )]
    BadPaths(Vec<BadPath>),

    /// The record has a line that is not `<sha256>  <path>`. Nothing was changed.
    #[error("{record}, line {line}")]
    RecordLine {
        /// The record's path in messages.
        record: String,
        /// The line.
        line: BadLine,
    },

    /// A path is blocked by something other than an owned file. Nothing was changed.
    #[error("these paths are blocked (nothing was changed):{}", list(.0))]
    Obstructed(Vec<Obstacle>),

    /// Writing would lose hand-written content. Nothing was changed.
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
        /// The error of the operating system.
        cause: io::Error,
    },

    /// A change on disk failed. The record contains the started changes, and the next run completes them.
    #[error(
        "cannot {action} {path}: {cause}\n  \
         No file is half-written. Fix the cause and run `cargo xtask generate` again: it continues where this run \
         stopped."
    )]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The path of the action, for messages.
        path: String,
        /// The error of the operating system.
        cause: io::Error,
    },
}

/// An invalid wanted path.
#[derive(Debug, thiserror::Error)]
#[error("{path:?}: {reason}")]
pub struct BadPath {
    /// The path, below the root.
    pub path: Utf8PathBuf,
    /// Why the path is invalid.
    pub reason: &'static str,
}

/// An invalid line of the record.
#[derive(Debug)]
pub struct BadLine {
    number: usize,
    line: String,
    fault: LineFault,
}

/// Why the line is invalid.
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
        write!(f, "{number} is invalid: `{line}`: ")?;
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
                f.write_str("it does not begin with a SHA-256 of 64 lower-case hexadecimal digits.")?;
            }
            LineFault::Path(reason) => write!(f, "the path is invalid: {reason}.")?,
        }
        f.write_str(
            "\n  Delete the line, or restore the committed record with `git checkout`, and run \
             `cargo xtask generate`.",
        )
    }
}

/// Something other than an owned file, at the path of an owned or wanted file.
#[derive(Debug)]
pub struct Obstacle {
    path: String,
    kind: ObstacleKind,
}

/// The kind of an obstacle.
#[derive(Debug)]
pub enum ObstacleKind {
    /// A symbolic link, at the path or at one of its folders. Links are never followed.
    SymbolicLink,
    /// A folder with foreign content, where a file is wanted.
    Folder,
    /// A foreign file, where this wanted path needs a folder.
    FileForFolder(String),
    /// Not a file: a pipe, a device, or a folder with the name of a temporary file or the record.
    NotAFile,
    /// The tree's root is not a folder.
    NotAFolder,
    /// The operating system denies access.
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
                write!(f, "{path} is a symbolic link, which generate does not follow: move the link away")
            }
            ObstacleKind::Folder => {
                write!(
                    f,
                    "{path} is a folder with foreign content, but generate must write a file there: move the folder away"
                )
            }
            ObstacleKind::FileForFolder(wanted) => write!(
                f,
                "{path} is a foreign file, but generate needs a folder there for {wanted}: move the file away"
            ),
            ObstacleKind::NotAFile => write!(f, "{path} is not a regular file: move it away"),
            ObstacleKind::NotAFolder => write!(f, "{path} is not a folder: move it away"),
            ObstacleKind::Unreadable(cause) => {
                write!(f, "{path} cannot be read: {cause}: make it readable, or move it away")
            }
        }
    }
}

/// The files that prevented the write.
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
        write!(f, "nothing was written, because that would lose hand-written content in {root}")?;
        for (title, paths) in [
            ("hand-edited", hand_edited),
            ("hand-edited, and no longer in the model", hand_edited_orphans),
            ("foreign (not written by generate according to its record, but at the path of a generated file)", foreign),
        ] {
            if !paths.is_empty() {
                write!(f, "\n{title}:{}", list(paths))?;
            }
        }
        write!(f, "\n`cargo xtask generate --check` shows the differences.\n{remedies}")
    }
}

/// The items, one per line.
fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().fold(String::new(), |lines, item| lines + "\n  " + &item.to_string())
}
