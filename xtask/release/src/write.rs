//! Writes files so that none is half-written, and none is replaced by another.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use camino::Utf8Path;

/// Fails if a file exists with other content. Names all of them.
pub(crate) fn refuse_other_content(folder: &Utf8Path, files: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
    let mut different = Vec::new();
    for (name, content) in files {
        let path = folder.join(name);
        match fs::read(&path) {
            Ok(existing) if existing == *content => {}
            Ok(_) => different.push(path.into_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
        }
    }
    if different.is_empty() {
        return Ok(());
    }
    bail!(
        "nothing was written: these files exist with other content: {}; move them away, or raise `version` of the platform",
        different.join(", ")
    )
}

/// Fails if the file exists.
pub(crate) fn refuse_existing(path: &Utf8Path) -> anyhow::Result<()> {
    if path.exists() {
        bail!(
            "nothing was written: {path} is there already and is no signature of this package by this key; move it away"
        );
    }
    Ok(())
}

/// Writes those files that do not exist yet. Each appears as a whole. `time` becomes their time of modification, from which `helm push` takes the time
/// in the registry.
pub(crate) fn all(folder: &Utf8Path, files: &[(String, Vec<u8>)], time: u64) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {folder}"))?;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time);
    for (name, content) in files {
        let path = folder.join(name);
        if !path.exists() {
            let failed = || format!("cannot write {path}");
            let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
            file.write_all(content).with_context(failed)?;
            file.as_file().sync_all().with_context(failed)?;
            set_readable(file.as_file()).with_context(failed)?;
            // A file that another process has written meanwhile is not replaced.
            file.persist_noclobber(&path).with_context(failed)?;
        }
        File::options()
            .append(true)
            .open(&path)?
            .set_modified(time)
            .with_context(|| format!("cannot set the time of {path}"))?;
    }
    Ok(())
}

/// A temporary file is its owner's alone.
#[cfg(unix)]
fn set_readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_readable(_: &File) -> std::io::Result<()> {
    Ok(())
}
