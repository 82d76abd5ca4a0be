//! `cargo xtask <command>` for AuditFlow: the only code that names the platform.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(auditflow::platform, env!("CARGO_MANIFEST_DIR"))
}
