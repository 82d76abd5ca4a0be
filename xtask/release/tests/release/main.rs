//! Releases of the second platform: checks in a git repository of the test, packages, and a registry on the loopback interface.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod checks;
mod files;
mod registry;
mod support;
