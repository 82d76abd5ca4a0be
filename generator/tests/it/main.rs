//! The generator with platforms that are not AuditFlow's, through real Helm.

#![expect(clippy::panic, reason = "a test fails by panicking, and says why")]

mod bad_input;
mod earlier;
mod edge;
mod exporters;
mod harness;
mod kubernetes;
mod publication;
mod scale;
mod second_platform;
mod words;
