//! `cargo xtask secrets new|check <environment>`: creates and checks the values file with an environment's passwords.
//!
//! The platform's declaration alone determines the passwords. The command never prints a password, and never passes one to another process in an
//! argument or environment variable. If sops has recipients for the file, no password is ever written to disk in plain text: sops reads the text
//! from standard input.

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
use generator::password_rules::PasswordRules;
use generator::{CredentialPath, Resolved};
use owned_tree::FOLDER;

pub use error::Error;

/// The passwords of one environment, and the file that contains them.
pub struct Subject {
    environment: String,
    /// The credentials that the platform declares.
    credentials: Vec<CredentialPath>,
    rules: PasswordRules,
    file: Utf8PathBuf,
    /// The file's name in messages: relative to the workspace, or as given with `--file`.
    shown: Utf8PathBuf,
    /// Whether the file was given with `--file`, so that suggested commands must repeat it.
    is_given: bool,
}

impl Subject {
    /// The passwords of an environment of `platform`, in `file` or by default in the environment's file in the repository `root`.
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
            rules: PasswordRules::of(platform),
            file: file.map_or_else(|| root.join(&usual), Utf8Path::to_owned),
            shown: file.map_or(usual, Utf8Path::to_owned),
            is_given: file.is_some(),
        })
    }

    /// Writes a strong password for every credential that has none, or replaces the passwords of the credentials in `rotate`. Reports to `out`.
    ///
    /// # Errors
    /// If a credential is not declared, the file cannot be read or written, sops fails, or `out` cannot be written. The file is then unchanged.
    pub fn make_passwords(&self, rotate: &[String], out: &mut dyn Write) -> anyhow::Result<()> {
        new::run(self, rotate, out)
    }

    /// Reports the problems of the file and its passwords to `out`. Returns whether there are none.
    ///
    /// # Errors
    /// If the file cannot be read or decrypted, or `out` cannot be written.
    pub fn check(&self, out: &mut dyn Write) -> anyhow::Result<bool> {
        check::run(self, out)
    }

    /// The command that creates the missing passwords.
    fn new_command(&self) -> String {
        let file = if self.is_given { format!(" --file {}", shell_word(self.shown.as_str())) } else { String::new() };
        format!("cargo xtask secrets new {}{file}", self.environment)
    }

    /// The command that replaces the password of a credential.
    fn rotate_command(&self, name: &str) -> String {
        format!("{} --rotate {name}", self.new_command())
    }
}

/// Quotes a text for the shell.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
