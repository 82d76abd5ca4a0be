//! How mistakes are shown.

use std::fmt;

use crate::{Diagnostic, SourceLocation};

/// All mistakes of a declaration; its `Display` is the report that a maintainer reads.
#[derive(Clone, Debug)]
pub struct Diagnostics(Vec<Diagnostic>);

/// A mistake in words: what is wrong, where to look, what to do.
pub(super) struct Described {
    pub(super) what: String,
    pub(super) places: Vec<(String, SourceLocation)>,
    pub(super) help: String,
}

/// Where a line of help is broken.
const WIDTH: usize = 120;

impl Diagnostics {
    pub(super) fn new(found: Vec<Diagnostic>) -> Self {
        Self(found)
    }

    /// The mistakes, in the order in which they are reported.
    #[must_use]
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.0
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let plural = if count == 1 { "mistake" } else { "mistakes" };
        writeln!(f, "this platform has {count} {plural}; nothing was written")?;
        for (number, diagnostic) in self.0.iter().enumerate() {
            let Described { what, places, help } = diagnostic.describe();
            writeln!(f, "\n{:>3}  {what}", number + 1)?;
            let width = places.iter().map(|(role, _)| role.chars().count()).max().unwrap_or(0).max(40);
            for (role, location) in places {
                writeln!(f, "     {role:width$}  {location}")?;
            }
            writeln!(f, "     help: {}", wrapped(&help).join("\n           "))?;
        }
        Ok(())
    }
}

/// A text as code, with what cannot be seen or would act on a terminal escaped.
pub(crate) fn code(text: &str) -> String {
    if text.is_empty() {
        return "an empty text".to_owned();
    }
    let mut shown = String::from("`");
    for c in text.chars() {
        let is_plain = "\"'\\".contains(c) || c.escape_debug().eq([c]);
        if is_plain { shown.push(c) } else { shown.extend(c.escape_debug()) }
    }
    shown.push('`');
    shown
}

/// The lines of a text, broken between words but never within code, which somebody may copy.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut in_code = false;
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a line from the start");
        let fits = line.chars().count() + word.chars().count() < WIDTH;
        if line.is_empty() {
            line.push_str(word);
        } else if fits || in_code {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
        in_code ^= word.matches('`').count() % 2 == 1;
    }
    lines
}
