use super::{CODES, is_date, is_email};
use crate::testing::{check, fix, list, platform, service};
use crate::{Icon, Licence, Link, Maintainer, NotedChange, Platform, Publication, ReleaseNotes};

const CHANGES: &[NotedChange] = &[NotedChange::added("Dashboards.").of_chart("dashboards")];

#[track_caller]
fn published(publication: Publication) -> Platform {
    Platform { publication, ..platform([service("web")]) }
}

#[track_caller]
fn with_icon(icon: Icon) -> Platform {
    published(Publication { icon: Some(icon), ..Publication::new() })
}

#[track_caller]
fn licensed(expression: &'static str, text: &'static str) -> Platform {
    published(Publication { licence: Some(Licence::new(expression, text)), ..Publication::new() })
}

#[track_caller]
fn at(url: &'static str) -> Platform {
    published(Publication { links: list([Link::new("Documentation", url)]), ..Publication::new() })
}

#[track_caller]
fn maintained(email: &'static str) -> Platform {
    published(Publication { maintainers: list([Maintainer::new("Ada").email(email)]), ..Publication::new() })
}

/// The version of the platform is 1.0.0.
#[track_caller]
fn with_changelog(notes: impl Into<Vec<ReleaseNotes>>) -> Platform {
    published(Publication { changelog: list(notes), ..Publication::new() })
}

#[test]
fn every_help_can_be_followed() {
    let large = format!("<svg>{}</svg>", " ".repeat(4096)).leak();
    let keywords = |keywords| published(Publication { keywords, ..Publication::new() });
    let newest = ReleaseNotes::unreleased("1.0.0", CHANGES);
    let older = ReleaseNotes::released("0.9.0", "2026-02-28", CHANGES);
    check(
        "publication",
        CODES,
        vec![
            fix("NotAnAddress", at("www.example.org"), [at("https://www.example.org/a%20b")]),
            fix("NotAnAddress", at("https://example.org/"), [at("https://example.org")]),
            fix("NotAnEmail", maintained("ada"), [maintained("ada@example.org"), published(Publication::new())]),
            fix("KeywordRepeated", keywords(&["audit", "Audit"]), [keywords(&["audit"])]),
            fix("LicenceUnreadable", licensed("see file: LICENSE!", "MIT"), [licensed("MIT OR Apache-2.0", "MIT")]),
            fix("LicenceUnreadable", licensed("MIT", " \n"), [licensed("MIT", "Permission is granted\n")]),
            fix("IconUnusable", with_icon(Icon::Svg("\u{89}PNG")), [with_icon(Icon::Svg("<svg/>"))]),
            fix(
                "IconUnusable",
                with_icon(Icon::Svg(large)),
                [
                    with_icon(Icon::Svg("<?xml version=\"1.0\"?><svg/>")),
                    with_icon(Icon::Url("https://example.org/i.png")),
                ],
            ),
            fix("ChangelogWithoutVersion", with_changelog([older]), [with_changelog([newest, older])]),
            fix("ChangelogOrder", with_changelog([newest, older, older]), [with_changelog([newest, older])]),
            fix(
                "ChangelogDate",
                with_changelog([newest, ReleaseNotes::unreleased("0.9.0", CHANGES)]),
                [with_changelog([newest, older])],
            ),
            fix(
                "ChangelogDate",
                with_changelog([ReleaseNotes::released("1.0.0", "1 May 2026", CHANGES)]),
                [with_changelog([ReleaseNotes::released("1.0.0", "2026-05-01", CHANGES)])],
            ),
            fix(
                "ChangelogDate",
                with_changelog([ReleaseNotes::released("1.0.0", "2026-02-27", CHANGES), older]),
                [with_changelog([ReleaseNotes::released("1.0.0", "2026-03-01", CHANGES), older])],
            ),
            fix("ChangelogEmpty", with_changelog([ReleaseNotes::unreleased("1.0.0", &[])]), [with_changelog([newest])]),
        ],
    );
}

#[test]
fn dates_and_email_addresses_are_recognized() {
    for date in ["2026-01-31", "2024-02-29", "2000-02-29"] {
        assert!(is_date(date), "{date}");
    }
    for date in [
        "2026-02-29",
        "1900-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-04-31",
        "26-01-01",
        "2026-1-1",
        "2026-01-01Z",
        "",
    ] {
        assert!(!is_date(date), "{date}");
    }
    for email in ["ada", "ada@", "@host", "a b@host", "ada@one@two", "<ada@host>"] {
        assert!(!is_email(email), "{email}");
    }
}
