//! Checks of settings: the values of variables that an installer may change.

#[cfg(test)]
mod tests;

use crate::diagnostic::{code, codes, repeated, sentence};
use crate::{Diagnostic, Service, Setting, SourceLocation, Variable};

codes! {
    /// A default or a value that its setting does not allow.
    SettingValue,
    /// A setting that allows no value.
    SettingAllowsNothing,
    /// An integer that the values cannot hold exactly.
    IntegerTooLarge,
    /// An option that a choice lists several times.
    DuplicateOption,
}

/// The largest number up to which all integers are exact in JSON, and so in the values: 2⁵³ − 1.
const LARGEST_EXACT: i64 = (1 << 53) - 1;

pub(super) fn check(service: &Service, variable: &Variable, setting: &Setting, diagnostics: &mut Vec<Diagnostic>) {
    let (name, location) = (format!("setting `{}` of {}", variable.name, service.name), variable.location);
    let mut report = |code, summary: String, help: &str| {
        diagnostics.push(Diagnostic::new(code, summary).at("declared", location).help(help));
    };
    match setting {
        Setting::Text { .. } => {}
        Setting::Integer { min, max, .. } => {
            if min > max {
                report(
                    Code::SettingAllowsNothing,
                    format!("{name} allows no value: its minimum, {min}, is above its maximum, {max}"),
                    "set a minimum that is not above the maximum, and a default between them",
                );
            }
            let inexact = [*min, *max].into_iter().filter(|n| n.unsigned_abs() > LARGEST_EXACT.unsigned_abs());
            let inexact: Vec<String> = inexact.map(|n| n.to_string()).collect();
            if !inexact.is_empty() {
                report(
                    Code::IntegerTooLarge,
                    format!(
                        "{name} allows {}, but integers in the values are exact only up to {LARGEST_EXACT} (2⁵³ − 1)",
                        sentence(inexact.iter().map(String::as_str), "and")
                    ),
                    "set the bound to the largest number that makes sense, or declare the setting with `Variable::text`",
                );
            }
        }
        Setting::Choice { options: [], .. } => report(
            Code::SettingAllowsNothing,
            format!("{name} allows no value: it has no options"),
            "list its options; one of them is the default",
        ),
        Setting::Choice { options, .. } => {
            for (option, _) in repeated(options.iter().map(|option| (option, ()))) {
                report(
                    Code::DuplicateOption,
                    format!("{name} lists option {} more than once", code(option)),
                    "list each option once",
                );
            }
        }
    }
    value(service, variable, setting, None, location, diagnostics);
}

/// A value of a setting in an environment.
#[derive(Clone, Copy)]
pub(super) struct Override<'a> {
    pub(super) environment: &'a str,
    pub(super) value: &'a str,
}

/// Reports a value that a setting does not allow: the default, or one of an environment. A setting that allows no value is another mistake.
pub(super) fn value(
    service: &Service,
    variable: &Variable,
    setting: &Setting,
    changed: Option<Override>,
    location: SourceLocation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let (shown, allowed) = match *setting {
        Setting::Text { .. } => return,
        Setting::Integer { default, min, max, .. } => {
            let shown = changed.map_or_else(|| default.to_string(), |changed| changed.value.to_owned());
            let number: Option<i64> = shown.parse().ok();
            // `+5` and `007` would reach the program with other digits.
            let is_plain = number.is_none_or(|n| n.to_string() == shown);
            if min > max || (is_plain && number.is_some_and(|n| (min..=max).contains(&n))) {
                return;
            }
            let form = if is_plain { "" } else { ", without a plus sign or leading zeros" };
            (shown, format!("an integer from {min} to {max}{form}"))
        }
        Setting::Choice { default, options, .. } => {
            let shown = changed.map_or(default, |changed| changed.value);
            if options.is_empty() || options.contains(&shown) {
                return;
            }
            let options: Vec<String> = options.iter().map(|option| code(option)).collect();
            (shown.to_owned(), sentence(options.iter().map(String::as_str), "or"))
        }
    };
    let (what, place) = match changed {
        None => ("default", String::new()),
        Some(changed) => ("value", format!(" in environment `{}`", changed.environment)),
    };
    diagnostics.push(
        Diagnostic::new(
            Code::SettingValue,
            format!(
                "the {what} of setting `{}` of {}{place} is {}; the setting allows {allowed}",
                variable.name,
                service.name,
                code(&shown)
            ),
        )
        .at("declared", location)
        .help("use a value that the setting allows, or change what it allows"),
    );
}
