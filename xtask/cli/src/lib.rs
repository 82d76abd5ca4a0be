//! `cargo xtask <command>`: parses the command line, runs the command and returns its exit code.
//!
//! The commands are thin: each passes its arguments and the platform to the crate that does the work.
//!
//! *Invariant:* this crate names no platform. A binary names it in one line:
//!
//! ```ignore
//! fn main() -> std::process::ExitCode {
//!     cli::run(auditflow::platform, env!("CARGO_MANIFEST_DIR"))
//! }
//! ```

mod doctor;
mod e2e;
pub mod generate;
mod images;
mod migrate_values;
mod output;
mod release;
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

use output::Output;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    term_width = 100,
    about = "Generates the platform's Helm chart and checks it."
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
    Doctor(doctor::Arguments),
    Secrets(secrets::Arguments),
    MigrateValues(migrate_values::Arguments),
    Release(release::Arguments),
    Images(images::Arguments),
}

/// A platform and the repository that contains its chart.
pub(crate) struct Project {
    pub(crate) root: Utf8PathBuf,
    declaration: fn() -> Platform,
    fixture: Option<Fixture>,
}

impl Project {
    /// Resolves the platform. Commands that do not need it do not call this, so a mistake in the declaration does not stop them.
    ///
    /// # Errors
    /// If the declaration has mistakes. The error text lists all of them.
    pub(crate) fn resolved(&self) -> anyhow::Result<Resolved> {
        let resolved = (self.declaration)().resolve().map_err(|diagnostics| anyhow!("{diagnostics}"))?;
        generator::check(&resolved).map_err(|diagnostics| anyhow!("{diagnostics}"))?;
        Ok(resolved)
    }
}

/// Runs the command given on the command line, for the platform that `declaration` returns. `package` is the folder of the binary's package.
#[must_use]
pub fn run(declaration: fn() -> Platform, package: &str) -> ExitCode {
    execute(declaration, package, None)
}

/// Like [`run`], for a platform with a load client and the other parts that the load scenarios need.
#[must_use]
pub fn run_with_fixture(declaration: fn() -> Platform, package: &str, fixture: Fixture) -> ExitCode {
    execute(declaration, package, Some(fixture))
}

fn execute(declaration: fn() -> Platform, package: &str, fixture: Option<Fixture>) -> ExitCode {
    let arguments = Arguments::parse();
    let project = Project { root: tools::workspace_root(package), declaration, fixture };
    let mut out = Output::new(io::stdout().lock());
    let outcome = match &arguments.command {
        Command::Generate(arguments) => generate::run(*arguments, &project, &mut out).map(ExitCode::from),
        Command::Verify(arguments) => verify::run(arguments, &project, &mut out),
        Command::E2e(arguments) => e2e::run(arguments, &project, &mut out),
        Command::Doctor(arguments) => doctor::run(arguments, &project, &mut out),
        Command::Secrets(arguments) => secrets::run(arguments, &project, &mut out),
        Command::MigrateValues(arguments) => migrate_values::run(arguments, &project, &mut out),
        Command::Release(arguments) => release::run(arguments, &project, &mut out),
        Command::Images(arguments) => images::run(arguments, &project, &mut out),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // If standard error is closed too, the error cannot be reported.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
