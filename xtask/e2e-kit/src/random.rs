//! Names that no earlier run had.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Five characters that no earlier run had.
#[must_use]
pub fn suffix() -> String {
    format!("{:05x}", RandomState::new().build_hasher().finish() & 0xf_ffff)
}
