//! The changes on disk. Each change is one step, and no step leaves a half-written file under its final name.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use super::paths::{self, Root};
use super::{Error, look};

/// One change on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Creates a folder.
    CreateFolder,
    /// Creates the empty temporary file.
    CreateTemporary,
    /// Writes the first half of the temporary file.
    WriteFirstHalf,
    /// Writes the second half and syncs the file.
    WriteSecondHalf,
    /// Renames the temporary file to its final name.
    Rename,
    /// Deletes a file.
    DeleteFile,
    /// Removes an empty folder.
    RemoveFolder,
}

/// Called right before each change with the path of the change. An error stops the run there, like a kill.
pub type BeforeStep<'a> = &'a mut dyn FnMut(Step, &Utf8Path) -> io::Result<()>;

/// Changes the files of one tree.
pub(super) struct Disk<'a> {
    root: &'a Root,
    before_step: BeforeStep<'a>,
    /// The folders whose entries changed since they were last synced.
    touched: BTreeSet<Utf8PathBuf>,
}

impl<'a> Disk<'a> {
    pub(super) fn new(root: &'a Root, before_step: BeforeStep<'a>) -> Self {
        Self { root, before_step, touched: BTreeSet::new() }
    }

    /// Creates the root and its parent folders, unless the path exists.
    pub(super) fn create_root(mut self) -> Result<(), Error> {
        let root = self.root.path();
        if fs::symlink_metadata(root).is_ok() {
            return Ok(());
        }
        self.step(Step::CreateFolder, Utf8Path::new(""), || fs::create_dir_all(root))
    }

    /// Writes the file, and replaces an existing one.
    pub(super) fn replace(&mut self, path: &Utf8Path, text: &str) -> Result<(), Error> {
        let mut folders: Vec<_> = paths::folders_of(path).collect();
        folders.reverse();
        for folder in folders {
            let there = self.root.join(folder);
            if !there.is_dir() {
                self.step(Step::CreateFolder, folder, || fs::create_dir(there))?;
            }
        }
        let temporary = paths::temporary(path);
        let (from, to) = (self.root.join(&temporary), self.root.join(path));
        // Write in two halves, so that a test can stop between them.
        let (first, second) = text.as_bytes().split_at(text.len() / 2);
        let mut file = self.step(Step::CreateTemporary, &temporary, || File::create_new(&from))?;
        self.step(Step::WriteFirstHalf, &temporary, || file.write_all(first))?;
        self.step(Step::WriteSecondHalf, &temporary, || file.write_all(second).and_then(|()| file.sync_all()))?;
        drop(file);
        self.step(Step::Rename, path, || fs::rename(from, to))
    }

    pub(super) fn delete(&mut self, path: &Utf8Path) -> Result<(), Error> {
        let file = self.root.join(path);
        self.step(Step::DeleteFile, path, || fs::remove_file(file))
    }

    /// Removes the folder if it exists and is empty.
    pub(super) fn remove_if_empty(&mut self, path: &Utf8Path) -> Result<(), Error> {
        if !look::is_empty_folder(self.root, path) {
            return Ok(());
        }
        let folder = self.root.join(path);
        self.step(Step::RemoveFolder, path, || fs::remove_dir(folder))
    }

    /// Syncs all changes so far, so that no later change reaches the disk before them.
    pub(super) fn sync_folders(&mut self) -> Result<(), Error> {
        for folder in std::mem::take(&mut self.touched) {
            sync_folder(&self.root.join(&folder)).map_err(|cause| Error::Io {
                action: "sync the folder",
                path: self.root.shown(&folder),
                cause,
            })?;
        }
        Ok(())
    }

    fn step<T>(&mut self, step: Step, path: &Utf8Path, change: impl FnOnce() -> io::Result<T>) -> Result<T, Error> {
        let result = (self.before_step)(step, path).and_then(|()| change());
        self.touched.extend(path.parent().map(Utf8Path::to_owned));
        result.map_err(|cause| Error::Io { action: step.action(), path: self.root.shown(path), cause })
    }
}

impl Step {
    /// The step as a phrase after "cannot".
    fn action(self) -> &'static str {
        match self {
            Self::CreateFolder => "create the folder",
            Self::CreateTemporary => "create",
            Self::WriteFirstHalf | Self::WriteSecondHalf => "write",
            Self::Rename => "replace",
            Self::DeleteFile => "delete",
            Self::RemoveFolder => "remove the empty folder",
        }
    }
}

/// Syncs a folder. Ignores folders that were removed, and file systems that cannot sync folders.
#[cfg(unix)]
fn sync_folder(folder: &Utf8Path) -> io::Result<()> {
    use std::io::ErrorKind::{InvalidInput, NotADirectory, NotFound, Unsupported};

    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(cause) if matches!(cause.kind(), InvalidInput | NotADirectory | NotFound | Unsupported) => Ok(()),
        result => result,
    }
}

/// Folders cannot be opened on this system; it makes renames durable by other means.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
fn sync_folder(_folder: &Utf8Path) -> io::Result<()> {
    Ok(())
}
