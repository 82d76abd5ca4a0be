//! `cargo xtask <command>`: parses the command line, runs the command, turns its outcome into an exit code.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::commands::{e2e, generate, secrets, verify};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    term_width = 100,
    about = "Generates the AuditFlow Helm chart and proves it."
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

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = io::stdout().lock();
    let outcome = match &arguments.command {
        Command::Generate(arguments) => generate::run(arguments, &mut out).map(ExitCode::from),
        Command::Verify(arguments) => verify::run(arguments, &mut out),
        Command::E2e(arguments) => e2e::run(arguments, &mut out),
        Command::Secrets(arguments) => secrets::run(arguments, &mut out),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell when standard error is closed as well.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
