//! `cargo xtask secrets new|check <environment>`: the values file with an environment's passwords.
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

use std::io::{self, Write};
use std::process::ExitCode;

use camino::{Utf8Path, Utf8PathBuf};
use generator::CredentialPath;

use crate::commands::generate::FOLDER;
use crate::{platform, workspace};

pub use error::Error;

/// Makes and checks the passwords of an environment: a values file for Helm, encrypted by sops
#[derive(clap::Args, Clone, Debug)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do with the passwords of an environment.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Command {
    /// Writes a strong random password for every declared credential that has none yet
    ///
    /// What is there is kept: other values, comments, and every password. Where a .sops.yaml beside the file or above names recipients for it, sops
    /// encrypts it, and no password is on the disk in the clear at any time. sops is taken from PATH (3.13 or later) or built.
    /// Where nothing names recipients, the file is in the clear, for its owner alone, and the command says how that is mended.
    New {
        /// The environment, one that the platform declares
        environment: String,

        /// Give this credential a new password, raise its revision by one, and change nothing else; may be given several times
        #[arg(long, value_name = "NAME")]
        rotate: Vec<String>,

        /// The file, instead of generated-chart/environments/secrets-ENVIRONMENT.yaml
        #[arg(long, value_name = "PATH")]
        file: Option<Utf8PathBuf>,
    },

    /// Says what is wrong with the passwords: which lack, are weak, equal or undeclared, and whether the file is encrypted
    ///
    /// Changes nothing, and never says a password. Exit codes: 0 nothing is wrong; 1 something is, each with what mends it; 2 the command was called
    /// wrongly; 3 the file could not be checked, for example since sops has no key for it.
    Check {
        /// The environment, one that the platform declares
        environment: String,

        /// The file, instead of generated-chart/environments/secrets-ENVIRONMENT.yaml
        #[arg(long, value_name = "PATH")]
        file: Option<Utf8PathBuf>,
    },
}

/// The exit code of a check that could not be made, as opposed to one that found something.
const NOT_CHECKED: u8 = 3;

/// Makes or checks the file, and says on `out` what was done or found.
///
/// # Errors
/// When the environment or a credential is not declared, the file cannot be read or written, sops fails, or `out` cannot be written.
/// Then the file is as it was. A check that fails is told on standard error and is an exit code of its own instead.
pub fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Command::New { environment, rotate, file } => {
            new::run(&Subject::of(environment, file.as_deref())?, rotate, out)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { environment, file } => {
            let outcome = Subject::of(environment, file.as_deref()).and_then(|subject| check::run(&subject, out));
            match outcome {
                Ok(true) => Ok(ExitCode::SUCCESS),
                Ok(false) => Ok(ExitCode::FAILURE),
                Err(error) => {
                    // Nobody is left to tell when standard error is closed as well.
                    let _ = writeln!(io::stderr(), "error: {error:#}");
                    Ok(ExitCode::from(NOT_CHECKED))
                }
            }
        }
    }
}

/// What a run is about.
struct Subject {
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
    fn of(environment: &str, file: Option<&Utf8Path>) -> anyhow::Result<Self> {
        let platform = platform::resolved()?;
        let known: Vec<_> = platform.platform().environments.iter().map(|one| one.name.to_string()).collect();
        if !known.iter().any(|name| name == environment) {
            return Err(Error::UnknownEnvironment { name: environment.to_owned(), known }.into());
        }
        let usual = Utf8Path::new(FOLDER).join("environments").join(format!("secrets-{environment}.yaml"));
        Ok(Self {
            environment: environment.to_owned(),
            credentials: generator::credential_paths(&platform),
            file: file.map_or_else(|| workspace::root().join(&usual), Utf8Path::to_owned),
            shown: file.map_or(usual, Utf8Path::to_owned),
            is_given: file.is_some(),
        })
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
