//! Where the workspace lies.

use std::env;

use camino::Utf8PathBuf;

/// The folder that holds the workspace's `Cargo.toml`.
///
/// Cargo tells a program it runs where its package lies (`CARGO_MANIFEST_DIR`), and the workspace is the folder above.
/// A binary started without cargo takes the folder it was compiled in, which is wrong once that folder has been moved.
#[must_use]
pub fn root() -> Utf8PathBuf {
    let package = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let mut root = Utf8PathBuf::from(package);
    root.pop();
    root
}
