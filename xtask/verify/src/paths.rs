//! Paths below a root, without a look at the disk.

use camino::{Utf8Path, Utf8PathBuf};

/// A path from the root, for a relative path in a folder; none if it leads out of the root.
pub(crate) fn resolved(folder: &Utf8Path, relative: &str) -> Option<Utf8PathBuf> {
    let mut path = folder.to_owned();
    for part in relative.split('/') {
        match part {
            "." | "" => {}
            ".." if path.as_str().is_empty() => return None,
            ".." => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    Some(path)
}
