//! The lock that prevents concurrent runs on the same tree.

use std::fs::File;

use super::Error;
use super::paths::Root;

/// Waits until no other process has locked the folder, and locks it.
///
/// The lock is on the folder itself: it leaves no file behind, does not depend on the target directory, and survives
/// the rename that replaces the record. The operating system releases it when the process ends for any reason.
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

/// Folders cannot be locked on this system.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
pub(super) fn exclusive(_root: &Root) -> Result<Option<File>, Error> {
    Ok(None)
}
