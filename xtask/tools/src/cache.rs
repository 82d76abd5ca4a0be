//! A cache of expensive results on disk: each entry is created once and atomically, and never changes.

use std::{
    fs::{self, File, TryLockError},
    thread,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use crate::ToolError;

/// The path of the entry `<name>-<digest>` in `folder`. Calls `fill` to create a missing entry.
///
/// `ingredients` lists all inputs of `fill`. Their digest is part of the name, so a changed input creates a new entry and
/// leaves the old one for other processes. Processes that need the same entry wait for the one that creates it.
pub(crate) fn entry(
    folder: &Utf8Path,
    name: &str,
    ingredients: &[&str],
    fill: impl FnOnce(&Utf8Path) -> Result<(), ToolError>,
) -> Result<Utf8PathBuf, ToolError> {
    let name = format!("{name}-{}", digest(ingredients));
    let target = folder.join(&name);
    if target.is_dir() {
        return Ok(target);
    }
    fs::create_dir_all(folder).map_err(ToolError::io("create", folder))?;
    let _lock = lock(folder, &name)?;
    if target.is_dir() {
        return Ok(target);
    }
    let staging = tempfile::Builder::new()
        .prefix(".staging-")
        .tempdir_in(folder)
        .map_err(ToolError::io("create a temporary folder in", folder))?;
    let content = Utf8Path::from_path(staging.path()).unwrap_or(folder).join("content");
    fs::create_dir(&content).map_err(ToolError::io("create", &content))?;
    fill(&content)?;
    fs::rename(&content, &target).map_err(ToolError::io("create", &target))?;
    Ok(target)
}

/// Locks the entry until the file is dropped. The operating system releases the lock if the process dies.
fn lock(folder: &Utf8Path, name: &str) -> Result<File, ToolError> {
    let path = folder.join(format!(".{name}.lock"));
    let file = File::create(&path).map_err(ToolError::io("create", &path))?;
    // Most entries take less than a second; announce only a longer wait.
    for _ in 0..30 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(100)),
            Err(TryLockError::Error(source)) => return Err(ToolError::io("lock", &path)(source)),
        }
    }
    eprintln!("waiting for another process that is creating {name}");
    file.lock().map_err(ToolError::io("lock", &path))?;
    Ok(file)
}

fn digest(ingredients: &[&str]) -> String {
    let mut hash = Sha256::new();
    for ingredient in ingredients {
        // Hash the length first, so that ingredients with the same concatenation have different digests.
        hash.update((ingredient.len() as u64).to_be_bytes());
        hash.update(ingredient);
    }
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = Utf8PathBuf::try_from(folder.path().to_owned()).expect("a UTF-8 path");
        (folder, path)
    }

    #[test]
    fn fills_once_even_if_many_ask() {
        let (_guard, folder) = folder();
        let fills = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let path = entry(&folder, "thing", &["recipe"], |content| {
                        fills.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(std::time::Duration::from_millis(30));
                        fs::write(content.join("file"), "x").map_err(ToolError::io("write", content))
                    })
                    .expect("an entry");
                    assert!(path.join("file").is_file());
                });
            }
        });
        assert_eq!(fills.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failed_fill_leaves_nothing_and_is_tried_again() {
        let (_guard, folder) = folder();
        let failed = entry(&folder, "thing", &[], |content| {
            fs::write(content.join("half"), "x").map_err(ToolError::io("write", content))?;
            Err(ToolError::Failed { path: "tool".into(), output: "broke".to_owned() })
        });
        assert!(failed.is_err());
        let path = entry(&folder, "thing", &[], |_| Ok(())).expect("an entry");
        assert!(!path.join("half").exists());
        let left: Vec<_> = folder.read_dir_utf8().expect("a folder").flatten().collect();
        assert!(left.iter().all(|file| !file.file_name().starts_with(".staging")), "{left:?}");
    }

    #[test]
    fn another_recipe_is_another_entry() {
        let (_guard, folder) = folder();
        let one = entry(&folder, "thing", &["ab", "c"], |_| Ok(())).expect("an entry");
        let two = entry(&folder, "thing", &["a", "bc"], |_| Ok(())).expect("an entry");
        assert_ne!(one, two);
        assert!(one.is_dir() && two.is_dir());
    }
}
