//! The date of a pass.

use std::time::SystemTime;

const SECONDS_OF_A_DAY: u64 = 24 * 60 * 60;

/// The current date in UTC, such as `2026-11-27`.
pub(super) fn today() -> String {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    date(since_epoch.as_secs() / SECONDS_OF_A_DAY)
}

/// The date of a day number, counted from 1970-01-01.
fn date(mut days: u64) -> String {
    let mut year = 1970;
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    let february = days_of_year(year) - 337;
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

fn days_of_year(year: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if is_leap { 366 } else { 365 }
}

#[test]
fn days_have_their_dates() {
    let dates = [0, 30, 31, 58, 59, 364, 365, 789, 790, 11_016, 20_818, 20_819].map(date);
    let expected = [
        "1970-01-01",
        "1970-01-31",
        "1970-02-01",
        "1970-02-28",
        "1970-03-01",
        "1970-12-31",
        "1971-01-01",
        "1972-02-29",
        "1972-03-01",
        "2000-02-29",
        "2026-12-31",
        "2027-01-01",
    ];
    assert_eq!(dates, expected);
}
