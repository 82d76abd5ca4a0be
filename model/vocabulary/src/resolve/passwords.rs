//! Checks of the published passwords.

#[cfg(test)]
mod tests;

use crate::diagnostic::codes;
use crate::{Diagnostic, Platform};

codes! {
    /// A published password that many good passwords contain.
    PublishedPasswordTooShort,
    /// A published password that is declared twice.
    PublishedPasswordRepeated,
}

/// The shortest published password. A shorter one would occur in random passwords.
const SHORTEST: usize = 4;

pub(super) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let all = platform.published_passwords;
    for (position, password) in all.iter().enumerate() {
        let length = password.chars().count();
        if length < SHORTEST {
            diagnostics.push(
                Diagnostic::new(
                    Code::PublishedPasswordTooShort,
                    format!("the published password `{password}` has {length} characters"),
                )
                .at("declared", platform.location)
                .help(format!(
                    "remove it from `published_passwords`, or write one of at least {SHORTEST} characters: every password of fewer than 16 is refused anyway"
                )),
            );
        }
        if all[..position].iter().any(|earlier| earlier.to_lowercase() == password.to_lowercase()) {
            diagnostics.push(
                Diagnostic::new(
                    Code::PublishedPasswordRepeated,
                    format!("the published password `{password}` is declared twice"),
                )
                .at("declared", platform.location)
                .help("keep it once in `published_passwords`: case does not matter"),
            );
        }
    }
}
