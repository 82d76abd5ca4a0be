//! The errors of `secrets`, each with the item, the reason and the remedy. They never contain a password.

use std::io;

use camino::Utf8PathBuf;

/// Why passwords were not created or not checked. No file is ever half-written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The environment is not declared.
    #[error("there is no environment `{name}`; the environments are {}", .known.join(", "))]
    UnknownEnvironment {
        /// The requested name.
        name: String,
        /// The declared names.
        known: Vec<String>,
    },

    /// The environment takes its passwords from a store, so its values have none.
    #[error(
        "environment `{environment}` takes its passwords from the {store}, and the chart refuses passwords in its values (nothing was changed)\n  \
        Write them into the store, under the key `<release>-credentials`, as the properties {}.", .properties.join(", ")
    )]
    InStore {
        /// The environment.
        environment: String,
        /// Kind and name of the store.
        store: String,
        /// The properties with the passwords.
        properties: Vec<String>,
    },

    /// The credential is not declared.
    #[error("there is no credential `{name}`; the credentials are {}", .known.join(", "))]
    UnknownCredential {
        /// The requested name.
        name: String,
        /// The declared names.
        known: Vec<String>,
    },

    /// A credential in `--rotate` has no password yet.
    #[error(
        "{name} has no password in {file} yet, so there is none to replace (nothing was changed)\n  Run `{remedy}` to create it."
    )]
    NothingToRotate {
        /// The credential.
        name: String,
        /// The file.
        file: String,
        /// The command that creates the password.
        remedy: String,
    },

    /// A revision cannot be incremented.
    #[error(
        "the revision of {name} cannot be incremented (nothing was changed): `{path}` in {file} {reason}\n  {remedy}"
    )]
    Revision {
        /// The credential.
        name: String,
        /// The path of the revision.
        path: String,
        /// The file.
        file: String,
        /// The reason.
        reason: &'static str,
        /// The remedy.
        remedy: String,
    },

    /// Helm cannot read the file.
    #[error("{file}, {error}\n  Correct it by hand; the line number refers to the decrypted text.")]
    Unreadable {
        /// The file.
        file: String,
        /// The line in the decrypted text, and the reason.
        error: helm_values::ReadError,
    },

    /// The file has several documents.
    #[error("{file} has more than one YAML document, but Helm 3 reads only the first\n  Merge them into one.")]
    Documents {
        /// The file.
        file: String,
    },

    /// A value must be a map, and is not.
    #[error(
        "in {file}, `{path}` is not a map with strings as keys\n  Correct it by hand: make it a map, or remove it."
    )]
    NoMap {
        /// The file.
        file: String,
        /// The path of the value.
        path: String,
    },

    /// Rewriting the file would lose something.
    #[error(
        "{file} contains something that would be lost by rewriting it, such as a tag or an invalid number (nothing was changed)\n  Write the \
        credentials without aliases."
    )]
    CannotRewrite {
        /// The file.
        file: String,
    },

    /// The file is encrypted, but no rule encrypts it again.
    #[error(
        "{file} is encrypted, but {reason}; an encrypted file is never replaced by plain text (nothing was changed)\n  Add a rule for the file to a \
        .sops.yaml in its folder or above:\n{rule}"
    )]
    NoRule {
        /// The file.
        file: String,
        /// Why sops cannot encrypt it.
        reason: String,
        /// An example of the missing rule.
        rule: String,
    },

    /// sops has no recipients for the file, and `--plaintext` is not set.
    #[error(
        "{file} cannot be encrypted, because {reason} (nothing was written)\n\
        {steps}\n  For a trial, `{plaintext}` writes passwords in the clear, to a file that git ignores."
    )]
    NoRecipients {
        /// The file.
        file: String,
        /// Why sops has no recipients.
        reason: String,
        /// How to encrypt it.
        steps: String,
        /// The command that does not encrypt.
        plaintext: String,
    },

    /// `--plaintext` was given, and the passwords are in an encrypted file.
    #[error(
        "{file} is encrypted, and `--plaintext` does not decrypt it (nothing was changed)\n  Leave out `--plaintext`."
    )]
    IsEncrypted {
        /// The encrypted file.
        file: String,
    },

    /// `--plaintext` was given, and a file with the name of an encrypted one contains passwords in the clear.
    #[error(
        "{file} contains passwords in the clear, and has the name of an encrypted file (nothing was changed)\n  Run `mv {file} {name}`."
    )]
    Misnamed {
        /// The file.
        file: String,
        /// The name of a file in the clear.
        name: String,
    },

    /// git would add the file in the clear.
    #[error(
        "git does not ignore {file}, so `git add` would take passwords in the clear (nothing was written)\n  Add `{line}` to a .gitignore in its folder, \
        or choose a file below {} whose name ends with {}.",
        owned_tree::FOLDER,
        generator::password_files::PLAINTEXT
    )]
    NotIgnored {
        /// The file.
        file: String,
        /// The line for the .gitignore.
        line: String,
    },

    /// git tracks the file that would contain passwords in the clear.
    #[error(
        "git tracks {file}, which would contain passwords in the clear (nothing was written)\n  Run `git rm --cached` on it and ignore it, or choose another \
        file. Replace passwords that were committed in the clear."
    )]
    Tracked {
        /// The file.
        file: String,
    },

    /// git does not answer.
    #[error(
        "git does not say whether it ignores {file} (nothing was written)\n  Run `git check-ignore --verbose` on it to see why."
    )]
    Git {
        /// The file.
        file: String,
    },

    /// The output of sops contains unencrypted passwords.
    #[error(
        "sops would leave these passwords of {file} unencrypted: {} (nothing was changed)\n  The rule for the file in .sops.yaml restricts encryption, \
        for example with encrypted_regex. Remove that key, so that every value is encrypted.",
        .names.join(", ")
    )]
    LeftClear {
        /// The file.
        file: String,
        /// The credentials.
        names: Vec<String>,
    },

    /// Values were added to an encrypted file without encrypting them.
    #[error(
        "{file} is encrypted, but these values in it are not: {} (nothing was changed)\n  sops decrypts no file with such a value. Undo that edit, \
        for example with `git restore`, and change values with `sops edit`\n  or `{again}`. A password that was committed or shared in the clear must be replaced.",
        .names.join(", ")
    )]
    ClearAmongEncrypted {
        /// The file.
        file: String,
        /// The credentials, and the paths of other values.
        names: Vec<String>,
        /// The command that creates passwords.
        again: String,
    },

    /// sops failed.
    #[error("sops cannot {action} {file} (nothing was changed)\n{remedy}  Output of sops:{}", quoted(.message))]
    Sops {
        /// The action, such as `encrypt`.
        action: &'static str,
        /// The file or folder.
        file: String,
        /// The remedy as whole lines; may be empty.
        remedy: &'static str,
        /// The error output of sops, without what the file contains.
        message: String,
    },

    /// Another program changed the file during the run.
    #[error("another program changed {file} during this run (the file keeps that change)\n  Run the command again.")]
    Changed {
        /// The file.
        file: String,
    },

    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes (nothing was changed): {0}")]
    Random(getrandom::Error),

    /// The folder of the file does not exist.
    #[error(
        "the folder {folder} of {file} does not exist\n  Create it, or give a path relative to the current folder."
    )]
    NoFolder {
        /// The folder.
        folder: Utf8PathBuf,
        /// The file.
        file: String,
    },

    /// The file or its folder cannot be read or written.
    #[error("cannot {action} {path}: {cause}")]
    Io {
        /// The action, such as `read`.
        action: &'static str,
        /// The file or folder.
        path: Utf8PathBuf,
        /// The error of the operating system.
        cause: io::Error,
    },

    /// sops is not available.
    #[error(transparent)]
    Tool(#[from] tools::ToolError),
}

/// The output of a program, indented.
fn quoted(message: &str) -> String {
    message.lines().filter(|line| !line.trim().is_empty()).flat_map(|line| ["\n    ", line]).collect()
}
