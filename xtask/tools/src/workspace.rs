//! Finds the workspace of the running program.

use std::{env, fs};

use camino::{Utf8Path, Utf8PathBuf};

/// The root of the running program's workspace. `package` is the folder in which its package was compiled.
///
/// Cargo sets `CARGO_MANIFEST_DIR` for programs that it runs. A program that is started without Cargo uses `package`, which is wrong if the
/// folder was moved since.
#[must_use]
pub fn workspace_root(package: &str) -> Utf8PathBuf {
    root_above(&env::var("CARGO_MANIFEST_DIR").map_or_else(|_| package.into(), Utf8PathBuf::from))
}

/// The nearest folder, from this one upwards, whose `Cargo.toml` has a `[workspace]`. A package without one is its own workspace.
fn root_above(package: &Utf8Path) -> Utf8PathBuf {
    let is_root = |folder: &&Utf8Path| {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        manifest.lines().map(str::trim).any(|line| line == "[workspace]" || line.starts_with("[workspace."))
    };
    package.ancestors().find(is_root).unwrap_or(package).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_found_from_a_package_in_it_and_a_lone_package_is_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let package = folder.join("tasks/xtask");
        fs::create_dir_all(&package).expect("a folder");
        fs::write(package.join("Cargo.toml"), "[package]\nname = \"xtask\"\n").expect("a file");
        assert_eq!(root_above(&package), package);
        fs::write(folder.join("Cargo.toml"), "[workspace]\nmembers = [\"tasks/xtask\"]\n").expect("a file");
        assert_eq!(root_above(&package), folder);
        fs::write(package.join("Cargo.toml"), "[workspace.lints]\n").expect("a file");
        assert_eq!(root_above(&package), package);
    }
}
