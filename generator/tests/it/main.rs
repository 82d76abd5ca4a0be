//! The generator with platforms that are not AuditFlow's, through real Helm.

mod bad_input;
mod harness;
mod scale;
mod second_platform;
