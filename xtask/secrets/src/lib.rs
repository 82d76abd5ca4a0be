//! `cargo xtask secrets new|check <environment>`: creates and checks the values file with an environment's passwords.
//!
//! The platform's declaration alone determines the passwords. The command never prints a password, and never passes one to another process in an
//! argument or environment variable. No password is written to disk in plain text, unless `--plaintext` asks for it: sops reads the text from standard
//! input. A file in plain text is one that git ignores.

mod check;
mod document;
mod error;
mod file;
mod git;
mod new;
mod password;
mod sops;
mod strength;

use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use generator::password_rules::PasswordRules;
use generator::{CredentialPath, Resolved, password_files};
use owned_tree::FOLDER;
use vocabulary::SecretSource;

pub use error::Error;

/// The passwords of one environment, and the file that contains them.
#[derive(Clone)]
pub struct Subject {
    environment: String,
    /// The credentials that the platform declares.
    credentials: Vec<CredentialPath>,
    rules: PasswordRules,
    root: Utf8PathBuf,
    /// The file that was given with `--file`. Suggested commands must repeat it.
    given: Option<Utf8PathBuf>,
    /// Whether the file contains the passwords in the clear.
    is_plaintext: bool,
    file: Utf8PathBuf,
    /// The file's name in messages: relative to the workspace, or as given with `--file`.
    shown: Utf8PathBuf,
}

impl Subject {
    /// The passwords of an environment of `platform`, in `file` or by default in the environment's file in the repository `root`.
    ///
    /// # Errors
    /// [`Error::UnknownEnvironment`], [`Error::InStore`].
    pub fn new(
        root: &Utf8Path,
        platform: &Resolved,
        environment: &str,
        file: Option<&Utf8Path>,
    ) -> Result<Self, Error> {
        let environments = &platform.platform().environments;
        let Some(declared) = environments.iter().find(|one| one.name.as_str() == environment) else {
            let known = environments.iter().map(|one| one.name.to_string()).collect();
            return Err(Error::UnknownEnvironment { name: environment.to_owned(), known });
        };
        let credentials = generator::credential_paths(platform);
        let store = match declared.secret_source() {
            Some(SecretSource::Store(name)) => Some(format!("SecretStore `{name}`")),
            Some(SecretSource::ClusterStore(name)) => Some(format!("ClusterSecretStore `{name}`")),
            Some(SecretSource::Values) | None => None,
        };
        if let Some(store) = store {
            let properties = credentials.iter().map(|credential| format!("{}.r1", credential.name)).collect();
            return Err(Error::InStore { environment: environment.to_owned(), store, properties });
        }
        let subject = Self {
            environment: environment.to_owned(),
            credentials,
            rules: PasswordRules::of(platform),
            root: root.to_owned(),
            given: file.map(Utf8Path::to_owned),
            is_plaintext: false,
            file: Utf8PathBuf::new(),
            shown: Utf8PathBuf::new(),
        };
        Ok(subject.form(false))
    }

    /// Writes a strong password for every credential that has none, or replaces the passwords of the credentials in `rotate`. Reports to `out`.
    ///
    /// sops encrypts the file. With `plaintext` the file contains the passwords in the clear, by default under another name, which git ignores.
    ///
    /// # Errors
    /// If sops has no recipients and `plaintext` is not set, if git would add a file in the clear, if a credential is not declared, the file cannot
    /// be read or written, sops fails, or `out` cannot be written. The file is then unchanged.
    pub fn make_passwords(&self, rotate: &[String], plaintext: bool, out: &mut dyn Write) -> anyhow::Result<()> {
        new::run(&self.form(plaintext), rotate, out)
    }

    /// Reports the problems of the file and its passwords to `out`. Returns whether there are none.
    ///
    /// # Errors
    /// If the file cannot be read or decrypted, or `out` cannot be written.
    pub fn check(&self, out: &mut dyn Write) -> anyhow::Result<bool> {
        check::run(self, out)
    }

    /// The same passwords in a file that is in the clear, or in one that is not.
    fn form(&self, is_plaintext: bool) -> Self {
        let name = if is_plaintext { password_files::plaintext } else { password_files::encrypted }(&self.environment);
        let usual = Utf8Path::new(FOLDER).join("environments").join(name);
        let (file, shown) = self
            .given
            .as_ref()
            .map_or_else(|| (self.root.join(&usual), usual.clone()), |file| (file.clone(), file.clone()));
        Self { is_plaintext, file, shown, ..self.clone() }
    }

    /// The file of the other form. A file that was given with `--file` has none.
    fn other_form(&self) -> Option<Self> {
        self.given.is_none().then(|| self.form(!self.is_plaintext)).filter(|other| other.file.exists())
    }

    /// The command that creates the missing passwords.
    fn new_command(&self) -> String {
        let file = self.given.as_ref().map(|file| format!(" --file {}", shell_word(file.as_str())));
        let plaintext = if self.is_plaintext { " --plaintext" } else { "" };
        format!("cargo xtask secrets new {}{}{plaintext}", self.environment, file.unwrap_or_default())
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
