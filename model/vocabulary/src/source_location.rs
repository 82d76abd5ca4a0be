//! Source locations of declarations.

use std::fmt;
use std::panic::Location;

/// Where an item is declared: file and line.
///
/// Constructors of declared items take it from their caller (`#[track_caller]`), so that diagnostics can name the place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceLocation {
    file: &'static str,
    line: u32,
}

impl SourceLocation {
    /// The location of the caller.
    #[must_use]
    #[track_caller]
    pub const fn here() -> Self {
        let location = Location::caller();
        Self { file: location.file(), line: location.line() }
    }

    /// The file, relative to the workspace.
    #[must_use]
    pub const fn file(self) -> &'static str {
        self.file
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl fmt::Debug for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
