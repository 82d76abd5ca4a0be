//! Where in the source a thing was declared.

use std::fmt;
use std::panic::Location;

/// Where something was declared: file and line, as the compiler knows them.
///
/// Constructors that stand for a place in a declaration take it from their caller (`#[track_caller]`), so that every
/// later message can say where to look.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceLocation {
    file: &'static str,
    line: u32,
}

impl SourceLocation {
    /// The place of the caller.
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
