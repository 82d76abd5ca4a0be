//! Where the workspace lies.

use std::env;

use camino::Utf8PathBuf;

/// The folder that holds the workspace of the binary, whose package lies in `package`.
///
/// Cargo tells a program it runs where its package lies (`CARGO_MANIFEST_DIR`), and the workspace is the folder above.
/// A binary started without cargo takes the folder it was compiled in, which is wrong once that folder has been moved.
#[must_use]
pub fn root(package: &str) -> Utf8PathBuf {
    let mut root = Utf8PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| package.to_owned()));
    root.pop();
    root
}
