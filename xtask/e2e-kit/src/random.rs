//! Names and numbers that no earlier run had.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A number that no earlier run had, small enough to be copied by hand.
#[must_use]
pub fn number() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000_000
}

/// Five characters that no earlier run had.
#[must_use]
pub fn suffix() -> String {
    format!("{:05x}", RandomState::new().build_hasher().finish() & 0xf_ffff)
}
