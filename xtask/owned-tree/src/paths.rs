//! The valid paths of owned files, and the reserved names.

use camino::{Utf8Path, Utf8PathBuf};

use super::{BadPath, Error, Wanted};

/// The record's path below the root. It is hidden and beside the chart, so Helm never packages it.
pub(super) const RECORD: &str = ".generated-files";

/// The suffix of a temporary file's name; the name begins with a dot.
const TEMPORARY: &str = ".generate-tmp";

/// The tree's folder, and its name in messages.
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

    /// The path relative to the workspace, for messages.
    pub(super) fn shown(&self, path: &Utf8Path) -> String {
        if path.as_str().is_empty() { self.name.clone() } else { format!("{}/{path}", self.name) }
    }
}

/// The temporary file for the new content of `path`: in the same folder, and so on the same file system. Files with
/// such names are always owned.
pub(super) fn temporary(path: &Utf8Path) -> Utf8PathBuf {
    path.with_file_name(format!(".{}{TEMPORARY}", path.file_name().unwrap_or_default()))
}

/// The folders of `path` below the root, innermost first.
pub(super) fn folders_of(path: &Utf8Path) -> impl Iterator<Item = &Utf8Path> {
    path.ancestors().skip(1).filter(|folder| !folder.as_str().is_empty())
}

/// Why an owned file cannot have this path, or `None`. Paths in the record are checked too: the record is a committed
/// file, and none of its lines may cause a deletion outside the folder.
pub(super) fn fault(path: &Utf8Path) -> Option<&'static str> {
    let text = path.as_str();
    if text.contains(|c: char| c == '\\' || c.is_control()) {
        Some("it has a backslash or a control character")
    } else if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
        Some("it is not a plain relative path")
    } else if path.starts_with(RECORD) {
        Some("that name is reserved for the record")
    } else if text.split('/').any(|part| part.starts_with('.') && part.ends_with(TEMPORARY)) {
        Some("such names are reserved for temporary files")
    } else {
        None
    }
}

/// Checks that one folder can contain all wanted files, and reports every invalid path.
pub(super) fn check(wanted: &Wanted) -> Result<(), Error> {
    let faults: Vec<BadPath> = wanted
        .keys()
        .filter_map(|path| {
            let nested = || folders_of(path).any(|folder| wanted.contains_key(folder));
            let reason = fault(path).or_else(|| nested().then_some("it is below another wanted file"))?;
            Some(BadPath { path: path.clone(), reason })
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::BadPaths(faults)) }
}
