//! What can go wrong, each with the item, the reason and the remedy. No password is ever part of it.

use std::io;

use camino::Utf8PathBuf;

/// Why passwords were not made or not checked. No file is half-written, and where it says so nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such environment is declared.
    #[error("there is no environment `{name}`; the environments are {}", .known.join(", "))]
    UnknownEnvironment {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },

    /// No such credential is declared.
    #[error("there is no credential `{name}`; the credentials are {}", .known.join(", "))]
    UnknownCredential {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },

    /// A credential that is to get a new password has no old one.
    #[error(
        "{name} has no password in {file} yet, so there is none to replace (nothing was changed)\n  `{remedy}` makes it"
    )]
    NothingToRotate {
        /// The credential.
        name: String,
        /// The file.
        file: String,
        /// What makes the password.
        remedy: String,
    },

    /// A revision that cannot be raised.
    #[error("the revision of {name} cannot be raised (nothing was changed): `{path}` in {file} {reason}\n  {remedy}")]
    Revision {
        /// The credential.
        name: String,
        /// The path of the revision.
        path: String,
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: &'static str,
        /// What to do.
        remedy: String,
    },

    /// The file is no YAML.
    #[error(
        "{file}, line {line}, column {column}: here it is no YAML any more\n  Mend it by hand; the line is the one of the clear text."
    )]
    Syntax {
        /// The file.
        file: String,
        /// The line, of the clear text.
        line: usize,
        /// The column.
        column: usize,
    },

    /// The file has several documents.
    #[error("{file} has more than one YAML document, and Helm reads the first alone\n  Make one of them.")]
    Documents {
        /// The file.
        file: String,
    },

    /// Something is no map that must be one.
    #[error("in {file}, `{path}` is no map with names as keys\n  Mend it by hand: it must be one, or not be there.")]
    NoMap {
        /// The file.
        file: String,
        /// The path of what is no map.
        path: String,
    },

    /// The file has something that is lost when it is written.
    #[error(
        "{file} has something that would be lost when it is written again, such as a tag or a number that is none (nothing was changed)\n  Write it as \
         a block, one key a line, without braces and aliases around the credentials."
    )]
    CannotRewrite {
        /// The file.
        file: String,
    },

    /// The file is encrypted, and would have to be written in the clear.
    #[error(
        "{file} is encrypted, and {reason}; it is never written in the clear again (nothing was changed)\n  Put a rule for it into .sops.yaml, \
         in its folder or one above:\n{rule}"
    )]
    NoRule {
        /// The file.
        file: String,
        /// Why sops would not encrypt it.
        reason: String,
        /// The rule that is missing.
        rule: String,
    },

    /// What sops gave back has passwords in the clear.
    #[error(
        "sops would leave in the clear what {file} says of {} (nothing was changed)\n  The rule for the file in .sops.yaml lets it, by encrypted_regex \
         or one of its kin: take that out, so that every value is encrypted.",
        .names.join(", ")
    )]
    LeftClear {
        /// The file.
        file: String,
        /// The credentials.
        names: Vec<String>,
    },

    /// sops failed.
    #[error("sops cannot {action} {file} (nothing was changed)\n{remedy}  sops says:{}", quoted(.said))]
    Sops {
        /// What it was to do.
        action: &'static str,
        /// With what.
        file: String,
        /// What to do, whole lines, or nothing.
        remedy: &'static str,
        /// What it said.
        said: String,
    },

    /// Somebody else wrote the file meanwhile.
    #[error("{file} was changed by somebody else meanwhile, and is left so\n  Run the command again.")]
    Changed {
        /// The file.
        file: String,
    },

    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes (nothing was changed): {0}")]
    Random(getrandom::Error),

    /// The folder of the file is not there.
    #[error("there is no folder {folder} for {file}\n  Make it, or write the path of the file from where you are.")]
    NoFolder {
        /// The folder.
        folder: Utf8PathBuf,
        /// The file.
        file: String,
    },

    /// The file or its folder cannot be read or written.
    #[error("cannot {action} {path}: {cause}")]
    Io {
        /// What was to be done.
        action: &'static str,
        /// With what.
        path: Utf8PathBuf,
        /// What the system says.
        cause: io::Error,
    },

    /// sops is not there.
    #[error(transparent)]
    Tool(#[from] tools::ToolError),
}

/// What a program said, indented.
fn quoted(said: &str) -> String {
    said.lines().filter(|line| !line.trim().is_empty()).flat_map(|line| ["\n    ", line]).collect()
}
