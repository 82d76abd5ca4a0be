//! What a maintainer reads about a mistake in a declaration.

use std::collections::BTreeMap;
use std::fmt;

use crate::SourceLocation;

/// One mistake in a declaration: what is wrong, where to look, and how to fix it.
///
/// A mistake in several places is one diagnostic with several locations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    code: &'static str,
    summary: String,
    locations: Vec<(String, SourceLocation)>,
    help: String,
}

impl Diagnostic {
    /// A mistake: its name, such as `QueueNeverConsumed`, and what is wrong.
    #[must_use]
    pub fn new(code: impl Into<&'static str>, summary: impl Into<String>) -> Self {
        Self { code: code.into(), summary: summary.into(), locations: Vec::new(), help: String::new() }
    }

    /// Adds a location; `role` says what is declared there.
    #[must_use]
    pub fn at(mut self, role: impl Into<String>, location: SourceLocation) -> Self {
        let entry = (role.into(), location);
        if !self.locations.contains(&entry) {
            self.locations.push(entry);
        }
        self
    }

    /// Adds several locations.
    pub(crate) fn at_each(self, locations: impl IntoIterator<Item = (impl Into<String>, SourceLocation)>) -> Self {
        locations.into_iter().fold(self, |diagnostic, (role, location)| diagnostic.at(role, location))
    }

    /// Says how to fix the mistake: instructions that a maintainer can follow literally.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The name of the mistake, such as `QueueNeverConsumed`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

/// Lists the mistakes that a module reports: the enum `Code`, with a variant for each.
macro_rules! codes {
    ($($(#[doc = $doc:literal])* $code:ident,)*) => {
        #[derive(Clone, Copy)]
        #[allow(clippy::enum_variant_names, reason = "a name is read without its module")]
        enum Code {
            $($(#[doc = $doc])* $code,)*
        }

        impl From<Code> for &'static str {
            fn from(code: Code) -> Self {
                match code {
                    $(Code::$code => stringify!($code),)*
                }
            }
        }

        #[cfg(test)]
        pub(super) const CODES: &[&str] = &[$(stringify!($code)),*];
    };
}

pub(crate) use codes;

/// All mistakes of a declaration. Its `Display` is the report that a maintainer reads.
#[derive(Clone, Debug)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Merges diagnostics that say the same about different locations.
    #[must_use]
    pub fn new(reported: Vec<Diagnostic>) -> Self {
        let mut merged: Vec<Diagnostic> = Vec::new();
        for diagnostic in reported {
            let same = |other: &&mut Diagnostic| {
                (other.code, &other.summary, &other.help) == (diagnostic.code, &diagnostic.summary, &diagnostic.help)
            };
            match merged.iter_mut().find(same) {
                Some(earlier) => *earlier = earlier.clone().at_each(diagnostic.locations),
                None => merged.push(diagnostic),
            }
        }
        Self(merged)
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
        for (number, Diagnostic { summary, locations, help, .. }) in self.0.iter().enumerate() {
            writeln!(f, "\n{:>3}  {summary}", number + 1)?;
            let width = locations.iter().map(|(role, _)| role.chars().count()).max().unwrap_or(0).max(40);
            for (role, location) in locations {
                writeln!(f, "     {role:width$}  {location}")?;
            }
            writeln!(f, "     help: {}", wrapped(help).join("\n           "))?;
        }
        Ok(())
    }
}

/// The longest line of a help text, in characters.
const WIDTH: usize = 120;

/// Breaks a text into lines between words, but not inside code, which a reader may copy.
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

/// A text in backticks; characters that are invisible, or that a terminal would act on, are escaped.
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

/// The words of a list as a sentence has them: `a`, `a and b`, `a, b and c`.
pub(crate) fn sentence<'a>(words: impl IntoIterator<Item = &'a str>, conjunction: &str) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Groups values by key, in the order in which the keys first appear, and keeps the groups of several values.
pub(crate) fn repeated<K: Ord + Clone, V>(items: impl IntoIterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    let mut positions = BTreeMap::new();
    for (key, value) in items {
        let position = *positions.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(position) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups.retain(|(_, values)| values.len() > 1);
    groups
}
