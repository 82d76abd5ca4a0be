use super::CODES;
use crate::testing::{check, diagnostics, fix, list, platform, service};
use crate::{Environment, Platform, Service, Variable, setting, variable};

#[track_caller]
fn sets(variable: Variable) -> Platform {
    platform([Service { environment: list([variable]), ..service("web") }])
}

#[track_caller]
fn integer(default: i64, min: i64, max: i64) -> Platform {
    sets(Variable::integer("RETRIES", default, min, max, "Tries before it gives up."))
}

#[track_caller]
fn choice(default: &'static str, options: &'static [&'static str]) -> Platform {
    sets(Variable::choice("COLOUR", default, options, "The colour of the buttons."))
}

/// A platform with an environment in which the setting `RETRIES` has this value.
#[track_caller]
fn changed(value: &'static str) -> Platform {
    let changes = list([setting(crate::ServiceName::new("web"), variable("RETRIES"), value)]);
    Platform { environments: vec![Environment::new("live", "Where customers are.", changes)], ..integer(3, 0, 5) }
}

#[test]
fn every_help_can_be_followed() {
    check(
        "settings",
        CODES,
        vec![
            fix("SettingValue", integer(10, 0, 5), [integer(5, 0, 5), integer(10, 0, 10)]),
            fix("SettingValue", choice("green", &["red", "blue"]), [choice("red", &["red", "blue"])]),
            fix("SettingValue", changed("007"), [changed("0")]),
            fix("SettingAllowsNothing", integer(2, 4, 1), [integer(2, 1, 4)]),
            fix("SettingAllowsNothing", choice("en", &[]), [choice("en", &["en", "de"])]),
            fix(
                "IntegerTooLarge",
                integer(30, i64::MIN, i64::MAX),
                [integer(30, 0, 3600), sets(Variable::text("RETRIES", "30", "Tries before it gives up."))],
            ),
            fix("DuplicateOption", choice("red", &["red", "blue", "red", "red"]), [choice("red", &["red", "blue"])]),
        ],
    );
}

#[test]
fn integers_are_exact_up_to_the_bound_that_the_message_names() {
    let largest = 9_007_199_254_740_991;
    assert!(integer(0, -largest, largest).resolve().is_ok());
    let report = diagnostics(integer(0, 0, largest + 1)).to_string();
    assert!(report.contains("exact only up to 9007199254740991"), "{report}");
}
