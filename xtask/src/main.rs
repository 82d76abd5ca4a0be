//! `cargo xtask <command>` for AuditFlow: the only code that names the platform.

mod fixture;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run_with_fixture(auditflow::platform, env!("CARGO_MANIFEST_DIR"), fixture::AUDITFLOW)
}
