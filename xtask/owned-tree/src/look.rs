//! Inspects paths of the tree. Symbolic links are never followed: their targets are not part of the tree.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};

use camino::{Utf8Path, Utf8PathBuf};

use super::paths::{self, Root};
use super::{Obstacle, ObstacleKind};

/// What exists at a path.
#[derive(Debug)]
pub(super) enum Seen {
    Absent,
    File(Vec<u8>),
    Folder,
    /// The path cannot exist, because this folder of the path is a file.
    BelowFile(Utf8PathBuf),
}

/// Inspects `path`, from the outermost folder inwards.
pub(super) fn look(root: &Root, path: &Utf8Path) -> Result<Seen, Obstacle> {
    let mut folders: Vec<_> = paths::folders_of(path).collect();
    folders.reverse();
    for folder in folders {
        match kind(root, folder)? {
            Kind::Folder => {}
            Kind::Absent => return Ok(Seen::Absent),
            Kind::File => return Ok(Seen::BelowFile(folder.to_owned())),
        }
    }
    match kind(root, path)? {
        Kind::Absent => Ok(Seen::Absent),
        Kind::Folder => Ok(Seen::Folder),
        Kind::File => fs::read(root.join(path)).map(Seen::File).map_err(|cause| unreadable(root, path, cause)),
    }
}

/// Whether an earlier run left a temporary file beside `path`. Returns false if an obstacle is in the way: inspecting
/// `path` itself reports it.
pub(super) fn has_leftover(root: &Root, path: &Utf8Path) -> Result<bool, Obstacle> {
    let temporary = paths::temporary(path);
    match look_without_following(root, &temporary) {
        Ok(None) => Ok(false),
        Ok(Some(metadata)) if metadata.is_file() => Ok(true),
        Ok(Some(_)) => Err(Obstacle::new(root.shown(&temporary), ObstacleKind::NotAFile)),
        Err(cause) if cause.kind() == ErrorKind::NotADirectory => Ok(false),
        Err(cause) => Err(unreadable(root, &temporary, cause)),
    }
}

/// Whether this run removes `folder`: it and all its subfolders contained an owned file (`is_passing_folder`), and
/// contain only files that are about to be deleted (`is_passing_file`).
pub(super) fn will_be_gone(
    root: &Root,
    folder: &Utf8Path,
    is_passing_file: &dyn Fn(&Utf8Path) -> bool,
    is_passing_folder: &dyn Fn(&Utf8Path) -> bool,
) -> Result<bool, Obstacle> {
    if !is_passing_folder(folder) {
        return Ok(false);
    }
    let entries = root.join(folder).read_dir_utf8().map_err(|cause| unreadable(root, folder, cause))?;
    for entry in entries {
        let path = match entry {
            Ok(entry) => folder.join(entry.file_name()),
            // Owned files have UTF-8 names.
            Err(cause) if cause.kind() == ErrorKind::InvalidData => return Ok(false),
            Err(cause) => return Err(unreadable(root, folder, cause)),
        };
        let passes = match kind(root, &path) {
            Ok(Kind::Absent) => true,
            Ok(Kind::File) => is_passing_file(&path),
            Ok(Kind::Folder) => will_be_gone(root, &path, is_passing_file, is_passing_folder)?,
            Err(_) => false,
        };
        if !passes {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether `folder` is an empty folder, and not a link to one.
pub(super) fn is_empty_folder(root: &Root, folder: &Utf8Path) -> bool {
    matches!(kind(root, folder), Ok(Kind::Folder))
        && root.join(folder).read_dir_utf8().is_ok_and(|mut entries| entries.next().is_none())
}

enum Kind {
    Absent,
    File,
    Folder,
}

fn kind(root: &Root, path: &Utf8Path) -> Result<Kind, Obstacle> {
    match look_without_following(root, path) {
        Ok(None) => Ok(Kind::Absent),
        Ok(Some(metadata)) if metadata.is_symlink() => Err(Obstacle::new(root.shown(path), ObstacleKind::SymbolicLink)),
        Ok(Some(metadata)) if metadata.is_dir() => Ok(Kind::Folder),
        Ok(Some(metadata)) if metadata.is_file() => Ok(Kind::File),
        // Do not read a pipe or a device: it might never end.
        Ok(Some(_)) => Err(Obstacle::new(root.shown(path), ObstacleKind::NotAFile)),
        Err(cause) => Err(unreadable(root, path, cause)),
    }
}

fn look_without_following(root: &Root, path: &Utf8Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(root.join(path)) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}

fn unreadable(root: &Root, path: &Utf8Path, cause: io::Error) -> Obstacle {
    Obstacle::new(root.shown(path), ObstacleKind::Unreadable(cause))
}
