//! `cargo xtask secrets new|check <environment>`: the values file with an environment's passwords.

use std::io::{self, Write};
use std::process::ExitCode;

use camino::{Utf8Path, Utf8PathBuf};
use secrets::Subject;

use crate::Project;

/// Makes and checks the passwords of an environment: a values file for Helm, encrypted by sops
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do with the passwords of an environment.
#[derive(clap::Subcommand, Clone, Debug)]
pub(crate) enum Command {
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

/// Makes or checks the file, and reports on `out` what was done or found.
///
/// # Errors
/// When the environment or a credential is not declared, the file cannot be read or written, sops fails, or `out` cannot be written.
/// Then the file is as it was. A check that fails is reported on standard error and is an exit code of its own instead.
pub(crate) fn run(arguments: &Arguments, project: &Project, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let subject = |environment: &str, file: Option<&Utf8Path>| -> anyhow::Result<Subject> {
        Ok(Subject::new(&project.root, &project.resolved()?, environment, file)?)
    };
    match &arguments.command {
        Command::New { environment, rotate, file } => {
            subject(environment, file.as_deref())?.make_passwords(rotate, out)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { environment, file } => {
            let outcome = subject(environment, file.as_deref()).and_then(|subject| subject.check(out));
            match outcome {
                Ok(true) => Ok(ExitCode::SUCCESS),
                Ok(false) => Ok(ExitCode::FAILURE),
                Err(error) => {
                    // When standard error is closed as well, there is nowhere to report it.
                    let _ = writeln!(io::stderr(), "error: {error:#}");
                    Ok(ExitCode::from(NOT_CHECKED))
                }
            }
        }
    }
}
