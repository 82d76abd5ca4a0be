//! How mistakes are shown.

use std::fmt;

use crate::{Mistake, Place};

/// All mistakes of a declaration; its `Display` is the report that a maintainer reads.
#[derive(Clone, Debug)]
pub struct Mistakes(Vec<Mistake>);

/// A mistake in words: what is wrong, where to look, what to do.
pub(super) struct Described {
    pub(super) what: String,
    pub(super) places: Vec<(String, Place)>,
    pub(super) help: String,
}

impl Mistakes {
    pub(super) fn new(found: Vec<Mistake>) -> Self {
        Self(found)
    }

    /// The mistakes, in the order in which they are reported.
    #[must_use]
    pub fn as_slice(&self) -> &[Mistake] {
        &self.0
    }
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let plural = if count == 1 { "mistake" } else { "mistakes" };
        writeln!(f, "this platform has {count} {plural}; nothing was written")?;
        for (number, mistake) in self.0.iter().enumerate() {
            let Described { what, places, help } = mistake.describe();
            writeln!(f, "\n{:>3}  {what}", number + 1)?;
            let width = places.iter().map(|(role, _)| role.chars().count()).max().unwrap_or(0).max(40);
            for (role, place) in places {
                writeln!(f, "     {role:width$}  {place}")?;
            }
            writeln!(f, "     help: {help}")?;
        }
        Ok(())
    }
}
