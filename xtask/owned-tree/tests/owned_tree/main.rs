//! `cargo xtask generate`: its changes of owned files and its messages, and that no kill and no sequence of events makes
//! it lose hand-written content.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod killed;
mod merging;
mod properties;
mod refusals;
mod reports;
mod states;
mod support;
