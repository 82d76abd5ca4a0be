//! Environment variables: each program names its own.

use crate::{Port, SourceLocation, VariableName};

/// A variable's name, from a literal.
///
/// # Panics
/// When it breaks the rule of [`VariableName`]; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn variable(name: &'static str) -> VariableName {
    VariableName::new(name)
}

/// A variable that does not come from something the service uses.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: VariableName,
    /// Where its value comes from.
    pub source: VariableSource,
    /// Where it was declared.
    pub location: SourceLocation,
}

/// Where a variable's value comes from.
#[derive(Clone, Copy, Debug)]
pub enum VariableSource {
    /// The declaration: the same in every release.
    Fixed(&'static str),
    /// The number of one of the service's own ports.
    Port(Port),
    /// The values of a release, with a default.
    Setting(Setting),
    /// The secrets of a release, without one. The text says what it is for.
    Secret(&'static str),
}

/// A value that whoever installs may turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Any text.
    Text {
        /// The default.
        default: &'static str,
        /// What it is, in one line.
        doc: &'static str,
    },
    /// A whole number.
    Integer {
        /// The default.
        default: i64,
        /// The smallest that makes sense.
        min: i64,
        /// The largest that makes sense.
        max: i64,
        /// What it is, in one line, with its unit.
        doc: &'static str,
    },
    /// One of a few texts.
    Choice {
        /// The default.
        default: &'static str,
        /// All that are allowed.
        options: &'static [&'static str],
        /// What it is, in one line.
        doc: &'static str,
    },
}

impl Setting {
    /// What it is, in one line.
    #[must_use]
    pub const fn doc(&self) -> &'static str {
        match self {
            Self::Text { doc, .. } | Self::Integer { doc, .. } | Self::Choice { doc, .. } => doc,
        }
    }
}

impl Variable {
    /// A value that is the same in every release.
    #[must_use]
    #[track_caller]
    pub const fn fixed(name: &'static str, value: &'static str) -> Self {
        Self::new(name, VariableSource::Fixed(value))
    }

    /// The number of one of the service's own ports.
    #[must_use]
    #[track_caller]
    pub const fn port(name: &'static str, port: Port) -> Self {
        Self::new(name, VariableSource::Port(port))
    }

    /// A text that whoever installs may turn.
    #[must_use]
    #[track_caller]
    pub const fn text(name: &'static str, default: &'static str, doc: &'static str) -> Self {
        Self::new(name, VariableSource::Setting(Setting::Text { default, doc }))
    }

    /// A whole number between `min` and `max`, both included, that whoever installs may turn.
    #[must_use]
    #[track_caller]
    pub const fn integer(name: &'static str, default: i64, min: i64, max: i64, doc: &'static str) -> Self {
        Self::new(name, VariableSource::Setting(Setting::Integer { default, min, max, doc }))
    }

    /// One of a few texts, chosen by whoever installs.
    #[must_use]
    #[track_caller]
    pub const fn choice(
        name: &'static str,
        default: &'static str,
        options: &'static [&'static str],
        doc: &'static str,
    ) -> Self {
        Self::new(name, VariableSource::Setting(Setting::Choice { default, options, doc }))
    }

    /// A secret of the service's own, such as a token for a system outside the platform.
    #[must_use]
    #[track_caller]
    pub const fn secret(name: &'static str, doc: &'static str) -> Self {
        Self::new(name, VariableSource::Secret(doc))
    }

    #[track_caller]
    const fn new(name: &'static str, source: VariableSource) -> Self {
        Self { name: VariableName::new(name), source, location: SourceLocation::here() }
    }
}

/// The variable that a program reads a password from, and how it reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordVariable {
    /// The variable's name.
    pub name: VariableName,
    /// Whether the program puts the text unquoted into a libpq connection string, so that it has to be written as a value of one.
    pub libpq_value: bool,
}

/// A password that the program takes as it stands.
#[must_use]
#[track_caller]
pub const fn plain(name: &'static str) -> PasswordVariable {
    PasswordVariable { name: VariableName::new(name), libpq_value: false }
}
