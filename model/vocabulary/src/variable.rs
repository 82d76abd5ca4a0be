//! Environment variables of a service.

use crate::{Port, SourceLocation, VariableName};

/// The name of an environment variable.
///
/// # Panics
/// When it breaks the rule of [`VariableName`]; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn variable(name: &'static str) -> VariableName {
    VariableName::new(name)
}

/// An environment variable of a service that does not belong to one of its uses.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: VariableName,
    /// The source of its value.
    pub source: VariableSource,
    /// Where it is declared.
    pub location: SourceLocation,
}

/// The source of a variable's value.
#[derive(Clone, Copy, Debug)]
pub enum VariableSource {
    /// The declaration: the value is the same in every release.
    Fixed(&'static str),
    /// A port of the service: the value is its number.
    Port(Port),
    /// The chart's values, with a default.
    Setting(Setting),
    /// The service's Secret, without a default. The text says what it is for.
    Secret(&'static str),
}

/// A value that an installer may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Any text.
    Text {
        /// The default.
        default: &'static str,
        /// A description, in one line.
        doc: &'static str,
    },
    /// A whole number.
    Integer {
        /// The default.
        default: i64,
        /// The smallest valid value.
        min: i64,
        /// The largest valid value.
        max: i64,
        /// A description, in one line, with the unit.
        doc: &'static str,
    },
    /// One of several texts.
    Choice {
        /// The default.
        default: &'static str,
        /// All valid values.
        options: &'static [&'static str],
        /// A description, in one line.
        doc: &'static str,
    },
}

impl Setting {
    /// The description, in one line.
    #[must_use]
    pub const fn doc(&self) -> &'static str {
        match self {
            Self::Text { doc, .. } | Self::Integer { doc, .. } | Self::Choice { doc, .. } => doc,
        }
    }
}

impl Variable {
    /// A variable with the same value in every release.
    #[must_use]
    #[track_caller]
    pub const fn fixed(name: &'static str, value: &'static str) -> Self {
        Self::new(name, VariableSource::Fixed(value))
    }

    /// A variable that gets the number of a port of the service.
    #[must_use]
    #[track_caller]
    pub const fn port(name: &'static str, port: Port) -> Self {
        Self::new(name, VariableSource::Port(port))
    }

    /// A text that an installer may change.
    #[must_use]
    #[track_caller]
    pub const fn text(name: &'static str, default: &'static str, doc: &'static str) -> Self {
        Self::new(name, VariableSource::Setting(Setting::Text { default, doc }))
    }

    /// An integer from `min` to `max` that an installer may change.
    #[must_use]
    #[track_caller]
    pub const fn integer(name: &'static str, default: i64, min: i64, max: i64, doc: &'static str) -> Self {
        Self::new(name, VariableSource::Setting(Setting::Integer { default, min, max, doc }))
    }

    /// One of several texts, which an installer may change.
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

    /// A secret of the service, such as a token for a system outside the platform.
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

/// The variable that gets a password, and the form in which the program reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordVariable {
    /// Its name.
    pub name: VariableName,
    /// Whether the program pastes the password into a libpq connection string; see [`crate::libpq_value`].
    pub libpq_value: bool,
}

/// The password variable of a program that uses the password as it is.
///
/// # Panics
/// When the name breaks the rule of [`VariableName`]; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn plain(name: &'static str) -> PasswordVariable {
    PasswordVariable { name: VariableName::new(name), libpq_value: false }
}
