//! Keeping two runs on one tree apart.

use std::fs::File;

use super::Error;
use super::paths::Root;

/// Waits until no other process has the folder and takes it.
///
/// The lock is on the folder itself: that leaves no file behind, is the same for every target directory, and is not
/// lost when the record is replaced by a rename. The system gives it up when the process ends, however it ends.
#[cfg(unix)]
pub(super) fn exclusive(root: &Root) -> Result<Option<File>, Error> {
    use std::io::ErrorKind;

    let failed = |cause| Error::Lock { root: root.name().to_owned(), cause };
    let folder = File::open(root.path()).map_err(failed)?;
    match folder.lock() {
        Ok(()) => Ok(Some(folder)),
        Err(cause) if cause.kind() == ErrorKind::Unsupported => Ok(None),
        Err(cause) => Err(failed(cause)),
    }
}

/// A folder cannot be locked here.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
pub(super) fn exclusive(_root: &Root) -> Result<Option<File>, Error> {
    Ok(None)
}
