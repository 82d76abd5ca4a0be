//! `cargo xtask generate`: what it does to the files it owns, what it says, and that no kill and no sequence of events
//! makes it lose what somebody else wrote.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod killed;
mod merging;
mod messages;
mod properties;
mod states;
mod support;
