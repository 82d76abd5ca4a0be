//! `cargo xtask secrets new|check <environment>`: creates and checks the values file with an environment's passwords.

use std::io::{self, Write};
use std::process::ExitCode;

use camino::{Utf8Path, Utf8PathBuf};
use secrets::Subject;

use crate::Project;

/// Creates and checks the passwords of an environment: a values file for Helm, encrypted with sops
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands of `secrets`.
#[derive(clap::Subcommand, Clone, Debug)]
pub(crate) enum Command {
    /// Writes a strong random password for every declared credential that has none
    ///
    /// Keeps other values, comments and existing passwords. sops encrypts the file for the recipients that a .sops.yaml in the file's folder or
    /// above names, and no password is written to disk in plain text at any time. sops comes from PATH (3.13 or later) or is built.
    /// Without recipients the command fails and explains how to name them, unless --plaintext is given.
    New {
        /// The environment, as declared in the platform
        environment: String,

        /// Only replace the password of this credential and increment its revision; repeatable
        #[arg(long, value_name = "NAME")]
        rotate: Vec<String>,

        /// The file [default: generated-chart/environments/secrets-ENVIRONMENT.yaml]
        #[arg(long, value_name = "PATH")]
        file: Option<Utf8PathBuf>,

        /// Do not encrypt: write a file that only its owner can read. git must ignore it, as it does the default,
        /// generated-chart/environments/secrets-ENVIRONMENT.plaintext.yaml
        #[arg(long)]
        plaintext: bool,
    },

    /// Reports missing, weak, equal and undeclared passwords, and whether the file is encrypted
    ///
    /// Changes nothing and never prints a password. Exit codes: 0 no problem; 1 there are problems, each listed with its remedy; 2 invalid command
    /// line; 3 the file could not be checked, for example because sops has no key for it.
    Check {
        /// The environment, as declared in the platform
        environment: String,

        /// The file [default: generated-chart/environments/secrets-ENVIRONMENT.yaml]
        #[arg(long, value_name = "PATH")]
        file: Option<Utf8PathBuf>,
    },
}

/// The exit code if the file could not be checked.
const NOT_CHECKED: u8 = 3;

/// Creates or checks the file, and reports changes or problems to `out`.
///
/// # Errors
/// If the environment or a credential is not declared, the file cannot be read or written, sops fails, or `out` cannot be written.
/// The file is then unchanged. A check that cannot be made is not an error: it is reported on standard error and has its own exit code.
pub(crate) fn run(arguments: &Arguments, project: &Project, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let subject = |environment: &str, file: Option<&Utf8Path>| -> anyhow::Result<Subject> {
        Ok(Subject::new(&project.root, &project.resolved()?, environment, file)?)
    };
    match &arguments.command {
        Command::New { environment, rotate, file, plaintext } => {
            subject(environment, file.as_deref())?.make_passwords(rotate, *plaintext, out)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { environment, file } => {
            let outcome = subject(environment, file.as_deref()).and_then(|subject| subject.check(out));
            match outcome {
                Ok(true) => Ok(ExitCode::SUCCESS),
                Ok(false) => Ok(ExitCode::FAILURE),
                Err(error) => {
                    // If standard error is closed too, the error cannot be reported.
                    let _ = writeln!(io::stderr(), "error: {error:#}");
                    Ok(ExitCode::from(NOT_CHECKED))
                }
            }
        }
    }
}
