//! The errors of `migrate-values`, each with the item, the reason and the remedy. They never contain a value of the file.

use std::io;

use camino::Utf8PathBuf;

/// Why no file was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The new file exists.
    #[error(
        "{file} exists (nothing was written)\n  Name another file with `--output`, or replace it with `--overwrite`."
    )]
    Exists {
        /// The file.
        file: Utf8PathBuf,
    },

    /// The new file is the old one.
    #[error("{file} is the old file (nothing was written)\n  Name another file with `--output`.")]
    SameFile {
        /// The file.
        file: Utf8PathBuf,
    },

    /// Helm cannot read the old file.
    #[error("{file}, {error} (nothing was written)\n  Correct the file.")]
    Unreadable {
        /// The file.
        file: Utf8PathBuf,
        /// The line, and the reason.
        error: helm_values::ReadError,
    },

    /// The old file has several documents.
    #[error(
        "{file} has more than one YAML document, but Helm 3 reads only the first (nothing was written)\n  Merge them into one."
    )]
    Documents {
        /// The file.
        file: Utf8PathBuf,
    },

    /// The old file holds no map.
    #[error("{file} is not a map with strings as keys (nothing was written)\n  Name a values file of Helm.")]
    NoMap {
        /// The file.
        file: Utf8PathBuf,
    },

    /// The old file is encrypted.
    #[error(
        "{file} is encrypted (nothing was written)\n  Decrypt it with `sops decrypt` into a file outside the checkout, and name that file."
    )]
    Encrypted {
        /// The file.
        file: Utf8PathBuf,
    },

    /// A file cannot be read or written.
    #[error("cannot {action} {file}: {cause}")]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        file: Utf8PathBuf,
        /// The error of the operating system.
        cause: io::Error,
    },
}
