//! Which paths a file of ours may have, and the names that are taken.

use camino::{Utf8Path, Utf8PathBuf};

use super::{BadPath, Error, Wanted};

/// The record's path below the root. It is dotted and beside the chart, so Helm never packages it.
pub(super) const RECORD: &str = ".generated-files";

/// What the name of a temporary file ends with; it begins with a dot.
const TEMPORARY: &str = ".generate-tmp";

/// The tree's folder, and the name that messages show it by.
#[derive(Debug)]
pub(super) struct Root {
    path: Utf8PathBuf,
    name: String,
}

impl Root {
    pub(super) fn new(path: &Utf8Path) -> Self {
        Self { path: path.to_owned(), name: path.file_name().unwrap_or(path.as_str()).to_owned() }
    }

    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn join(&self, path: &Utf8Path) -> Utf8PathBuf {
        self.path.join(path)
    }

    /// The path as somebody who stands in the workspace's folder would type it.
    pub(super) fn shown(&self, path: &Utf8Path) -> String {
        if path.as_str().is_empty() { self.name.clone() } else { format!("{}/{path}", self.name) }
    }
}

/// Where the new content of `path` is written before it takes its name: in the same folder, hence on the same file
/// system. Whatever has this name is ours.
pub(super) fn temporary(path: &Utf8Path) -> Utf8PathBuf {
    path.with_file_name(format!(".{}{TEMPORARY}", path.file_name().unwrap_or_default()))
}

/// The folders that `path` lies in below the root, innermost first.
pub(super) fn folders_of(path: &Utf8Path) -> impl Iterator<Item = &Utf8Path> {
    path.ancestors().skip(1).filter(|folder| !folder.as_str().is_empty())
}

/// Why no file of ours can have this path, if so. The record's paths pass this too: it is a committed file, and a line
/// of it must not lead a deletion out of the folder.
pub(super) fn fault(path: &Utf8Path) -> Option<&'static str> {
    let text = path.as_str();
    if text.contains(|c: char| c == '\\' || c.is_control()) {
        Some("it has a backslash or a control character")
    } else if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
        Some("it is not a plain relative path")
    } else if path.starts_with(RECORD) {
        Some("that name is the record's")
    } else if text.split('/').any(|part| part.starts_with('.') && part.ends_with(TEMPORARY)) {
        Some("such names are for temporary files")
    } else {
        None
    }
}

/// Refuses a map that no folder can hold, with all that is wrong in it.
pub(super) fn check(wanted: &Wanted) -> Result<(), Error> {
    let faults: Vec<BadPath> = wanted
        .keys()
        .filter_map(|path| {
            let nested = || folders_of(path).any(|folder| wanted.contains_key(folder));
            let reason = fault(path).or_else(|| nested().then_some("it lies below another file that is wanted"))?;
            Some(BadPath { path: path.clone(), reason })
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::BadPaths(faults)) }
}
