//! `cargo xtask <command>`: parses the command line, runs the command, turns its outcome into an exit code.
//!
//! The commands are thin: each hands its arguments and the platform to the crate that does the work.
//!
//! *Invariant:* no platform is named here. A binary names one, in a line:
//!
//! ```ignore
//! fn main() -> std::process::ExitCode {
//!     cli::run(auditflow::platform, env!("CARGO_MANIFEST_DIR"))
//! }
//! ```

mod e2e;
pub mod generate;
mod secrets;
mod verify;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::anyhow;
use camino::Utf8PathBuf;
use clap::{Parser, Subcommand};
use generator::Resolved;
use vocabulary::Platform;

pub use ::e2e::Fixture;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    term_width = 100,
    about = "Generates the platform's Helm chart and proves it."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Generate(generate::Arguments),
    Verify(verify::Arguments),
    E2e(e2e::Arguments),
    Secrets(secrets::Arguments),
}

/// A platform and the repository that holds its chart.
pub(crate) struct Project {
    pub(crate) root: Utf8PathBuf,
    declaration: fn() -> Platform,
    fixture: Option<Fixture>,
}

impl Project {
    /// The platform. A command that does not need it does not fail because of a mistake in it.
    ///
    /// # Errors
    /// When the declaration has mistakes; the error's text is their report.
    pub(crate) fn resolved(&self) -> anyhow::Result<Resolved> {
        (self.declaration)().resolve().map_err(|diagnostics| anyhow!("{diagnostics}"))
    }
}

/// Runs the command that this process was started with, on the platform that `declaration` gives; `package` is the folder of the binary's package.
#[must_use]
pub fn run(declaration: fn() -> Platform, package: &str) -> ExitCode {
    execute(declaration, package, None)
}

/// As [`run`], for a platform whose programs have a load client and what else the scenarios under load need.
#[must_use]
pub fn run_with_fixture(declaration: fn() -> Platform, package: &str, fixture: Fixture) -> ExitCode {
    execute(declaration, package, Some(fixture))
}

fn execute(declaration: fn() -> Platform, package: &str, fixture: Option<Fixture>) -> ExitCode {
    let arguments = Arguments::parse();
    let project = Project { root: tools::workspace_root(package), declaration, fixture };
    let mut out = io::stdout().lock();
    let outcome = match &arguments.command {
        Command::Generate(arguments) => generate::run(*arguments, &project, &mut out).map(ExitCode::from),
        Command::Verify(arguments) => verify::run(arguments, &project, &mut out),
        Command::E2e(arguments) => e2e::run(arguments, &project, &mut out),
        Command::Secrets(arguments) => secrets::run(arguments, &project, &mut out),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // When standard error is closed as well, there is nowhere to report it.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
