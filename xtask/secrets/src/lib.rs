//! The values file with an environment's passwords: `cargo xtask secrets new|check <environment>` makes and checks it.
//!
//! Which passwords there are follows from the platform's declaration alone. A password is never said: not on standard output or error, not
//! in an argument or the environment of another process. Where sops has recipients for the file, no password is ever on the disk in the
//! clear either: sops gets it by standard input.

mod check;
mod document;
mod error;
mod file;
mod new;
mod password;
mod sops;
mod strength;

use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use generator::{CredentialPath, Resolved};
use owned_tree::FOLDER;

pub use error::Error;

/// The passwords of one environment, and the file that has them.
pub struct Subject {
    environment: String,
    /// The credentials that the platform declares.
    credentials: Vec<CredentialPath>,
    file: Utf8PathBuf,
    /// The file in messages: below the workspace, or as it was given.
    shown: Utf8PathBuf,
    /// Whether the file was given, and so must be given again in a command that mends something.
    is_given: bool,
}

impl Subject {
    /// The passwords of this environment of `platform`, in `file` or else in the usual file of the repository `root`.
    ///
    /// # Errors
    /// [`Error::UnknownEnvironment`].
    pub fn new(
        root: &Utf8Path,
        platform: &Resolved,
        environment: &str,
        file: Option<&Utf8Path>,
    ) -> Result<Self, Error> {
        let known: Vec<_> = platform.platform().environments.iter().map(|one| one.name.to_string()).collect();
        if !known.iter().any(|name| name == environment) {
            return Err(Error::UnknownEnvironment { name: environment.to_owned(), known });
        }
        let usual = Utf8Path::new(FOLDER).join("environments").join(format!("secrets-{environment}.yaml"));
        Ok(Self {
            environment: environment.to_owned(),
            credentials: generator::credential_paths(platform),
            file: file.map_or_else(|| root.join(&usual), Utf8Path::to_owned),
            shown: file.map_or(usual, Utf8Path::to_owned),
            is_given: file.is_some(),
        })
    }

    /// Writes a strong password for every credential that has none, and a new one for each credential in `rotate`; reports on `out`.
    ///
    /// # Errors
    /// When a credential is not declared, the file cannot be read or written, sops fails, or `out` cannot be written. Then the file is as it was.
    pub fn make_passwords(&self, rotate: &[String], out: &mut dyn Write) -> anyhow::Result<()> {
        new::run(self, rotate, out)
    }

    /// Reports on `out` what is wrong with the passwords; whether nothing is.
    ///
    /// # Errors
    /// When the file cannot be read or decrypted, or `out` cannot be written.
    pub fn check(&self, out: &mut dyn Write) -> anyhow::Result<bool> {
        check::run(self, out)
    }

    /// The command that makes what is not there.
    fn new_command(&self) -> String {
        let file = if self.is_given { format!(" --file {}", shell_word(self.shown.as_str())) } else { String::new() };
        format!("cargo xtask secrets new {}{file}", self.environment)
    }

    /// The command that makes a new password for a credential.
    fn rotate_command(&self, name: &str) -> String {
        format!("{} --rotate {name}", self.new_command())
    }
}

/// Text as one word of a shell.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
