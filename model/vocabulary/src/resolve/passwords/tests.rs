use super::CODES;
use crate::Platform;
use crate::testing::{check, fix, platform, service};

#[track_caller]
fn published(published_passwords: &'static [&'static str]) -> Platform {
    Platform { published_passwords, ..platform([service("web")]) }
}

#[test]
fn every_help_can_be_followed() {
    check(
        "passwords",
        CODES,
        vec![
            fix("PublishedPasswordTooShort", published(&["abc"]), [published(&[]), published(&["abcd"])]),
            fix("PublishedPasswordRepeated", published(&["Summer-2020", "summer-2020"]), [published(&["summer-2020"])]),
        ],
    );
}
