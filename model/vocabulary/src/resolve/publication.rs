//! Checks of what chart repositories show, and of the changelog.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use super::line;
use crate::diagnostic::codes;
use crate::{Diagnostic, Icon, Licence, Platform, Publication, ReleaseNotes, SourceLocation};

codes! {
    /// A text that is not an address that a browser opens.
    NotAnAddress,
    /// A text that is not an email address.
    NotAnEmail,
    /// A keyword that is declared twice, in any case.
    KeywordRepeated,
    /// A licence that tools cannot recognize.
    LicenceUnreadable,
    /// An icon that no browser shows, or that is too large for a release.
    IconUnusable,
    /// A changelog that does not begin with the version of the platform.
    ChangelogWithoutVersion,
    /// Versions of the changelog that are not in descending order.
    ChangelogOrder,
    /// A release with a date that is not one, or with no date although a later version has one.
    ChangelogDate,
    /// A version without a change.
    ChangelogEmpty,
}

/// The largest icon in bytes: Helm stores it with every release.
const LARGEST_ICON: usize = 4096;

pub(super) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let Publication { sources, maintainers, keywords, links, location, .. } = platform.publication;
    let mut one_line = |what: &str, text: &str| line(what, text, location, diagnostics);
    for maintainer in maintainers {
        one_line("the name of a maintainer", maintainer.name);
    }
    for keyword in keywords {
        one_line("a keyword", keyword);
    }
    for link in links {
        one_line("the name of a link", link.name);
    }
    for (position, keyword) in keywords.iter().enumerate() {
        if keywords[..position].iter().any(|earlier| earlier.to_lowercase() == keyword.to_lowercase()) {
            diagnostics.push(
                Diagnostic::new(Code::KeywordRepeated, format!("the keyword `{keyword}` is declared twice"))
                    .at("declared", location)
                    .help("keep it once in `keywords`: case does not matter"),
            );
        }
    }
    let of_maintainers = maintainers.iter().filter_map(|maintainer| Some(("a maintainer", maintainer.url?)));
    let of_sources = sources.iter().map(|url| ("a source", *url));
    let of_links = links.iter().map(|link| ("a link", link.url));
    let of_files = platform.publication.files.into_iter().map(|url| ("the folder of the charts", url));
    let of_icon = platform.publication.icon.into_iter().filter_map(|icon| match icon {
        Icon::Url(url) => Some(("the icon", url)),
        Icon::Svg(_) => None,
    });
    for (what, url) in of_maintainers.chain(of_sources).chain(of_links).chain(of_files).chain(of_icon) {
        address(what, url, location, diagnostics);
    }
    for maintainer in maintainers {
        if let Some(email) = maintainer.email.filter(|email| !is_email(email)) {
            diagnostics.push(
                Diagnostic::new(
                    Code::NotAnEmail,
                    format!(
                        "the email address `{}` of maintainer `{}` is not one",
                        email.escape_debug(),
                        maintainer.name
                    ),
                )
                .at("declared", location)
                .help("write it as `name@host`, or remove it"),
            );
        }
    }
    if let Some(licence) = platform.publication.licence {
        self::licence(licence, location, diagnostics);
    }
    if let Some(Icon::Svg(text)) = platform.publication.icon {
        icon(text, location, diagnostics);
    }
    changelog(platform, diagnostics);
}

/// An address may hold `{version}`, which is no part of a real one.
fn address(what: &str, url: &str, location: SourceLocation, diagnostics: &mut Vec<Diagnostic>) {
    let named = url.replace(Publication::VERSION, "0");
    let rest = named.strip_prefix("https://").or_else(|| named.strip_prefix("http://"));
    let is_allowed = |c: char| {
        c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '(' | ')')
    };
    let has_host = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['));
    if has_host && named.chars().all(is_allowed) && !named.ends_with('/') {
        return;
    }
    diagnostics.push(
        Diagnostic::new(Code::NotAnAddress, format!("the address of {what}, `{}`, cannot be used", url.escape_debug()))
            .at("declared", location)
            .help("write it as `https://host/path`, without spaces, brackets or a `/` at its end; escape other characters with %"),
    );
}

fn is_email(text: &str) -> bool {
    let is_word =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && !"<>()[],;:\\\"@".contains(c));
    text.split_once('@').is_some_and(|(name, host)| is_word(name) && is_word(host))
}

fn licence(licence: Licence, location: SourceLocation, diagnostics: &mut Vec<Diagnostic>) {
    let mut wrong = |problem: String, help: &str| {
        let diagnostic = Diagnostic::new(Code::LicenceUnreadable, problem);
        diagnostics.push(diagnostic.at("declared", location).help(help));
    };
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-.+:".contains(c));
    if !licence.expression.split([' ', '(', ')']).filter(|word| !word.is_empty()).all(is_word)
        || licence.expression.trim().is_empty()
    {
        wrong(
            format!("`{}` is not an SPDX licence expression", licence.expression.escape_debug()),
            "write an identifier of https://spdx.org/licenses, such as `Apache-2.0`, or several joined by `AND` and `OR`",
        );
    }
    let is_unreadable = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    if licence.text.trim().is_empty() || licence.text.contains(is_unreadable) {
        wrong(
            "the text of the licence is empty, or has control characters".to_owned(),
            "include the text of the licence: `include_str!(\"../LICENSE\")`",
        );
    }
}

fn icon(text: &str, location: SourceLocation, diagnostics: &mut Vec<Diagnostic>) {
    let problem = if !text.trim_start().starts_with('<') || !text.contains("<svg") {
        "is not an SVG image".to_owned()
    } else if text.len() > LARGEST_ICON {
        format!("has {} bytes", text.len())
    } else {
        return;
    };
    diagnostics.push(
        Diagnostic::new(Code::IconUnusable, format!("the icon {problem}"))
            .at("declared", location)
            .help(format!("include an SVG image of at most {LARGEST_ICON} bytes, which Helm stores with each release, or give the address of an image: `Icon::Url`")),
    );
}

fn changelog(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    let notes = platform.publication.changelog;
    let Some(first) = notes.first() else { return };
    if first.version != platform.version {
        diagnostics.push(
            Diagnostic::new(
                Code::ChangelogWithoutVersion,
                format!(
                    "the changelog begins with {}, and the version of the charts is {}",
                    first.version, platform.version
                ),
            )
            .at("first version of the changelog", first.location)
            .at("version of the platform", platform.location)
            .help(format!(
                "begin `changelog` with `ReleaseNotes::unreleased(\"{}\", …)` and what it changes",
                platform.version
            )),
        );
    }
    for pair in notes.windows(2) {
        let [newer, older] = pair else { continue };
        if newer.version.cmp_precedence(older.version) != Ordering::Greater {
            diagnostics.push(
                Diagnostic::new(
                    Code::ChangelogOrder,
                    format!("the changelog has version {} before {}", newer.version, older.version),
                )
                .at("declared first", newer.location)
                .at("declared after it", older.location)
                .help("list each version once, the newest first"),
            );
        }
    }
    for (position, release) in notes.iter().enumerate() {
        date(release, position.checked_sub(1).map(|newer| &notes[newer]), diagnostics);
        if release.changes.is_empty() {
            diagnostics.push(
                Diagnostic::new(
                    Code::ChangelogEmpty,
                    format!("version {} has no change in the changelog", release.version),
                )
                .at("declared", release.location)
                .help("write what it changes for a user, such as `NotedChange::fixed(\"…\")`"),
            );
        }
        for change in release.changes {
            line(&format!("a change of version {}", release.version), change.text, release.location, diagnostics);
        }
    }
}

fn date(release: &ReleaseNotes, newer: Option<&ReleaseNotes>, diagnostics: &mut Vec<Diagnostic>) {
    let (problem, help) = match (release.date, newer) {
        (None, Some(_)) => (
            "has no date, and a newer version exists".to_owned(),
            "give the day of its release: `ReleaseNotes::released`",
        ),
        (Some(date), _) if !is_date(date) => {
            (format!("has the date `{}`", date.escape_debug()), "write a day as `YYYY-MM-DD`")
        }
        (Some(date), Some(newer)) if newer.date.is_some_and(|newer| is_date(newer) && newer < date) => {
            (format!("is later than {}, which is newer", newer.version), "correct one of the two dates")
        }
        _ => return,
    };
    diagnostics.push(
        Diagnostic::new(Code::ChangelogDate, format!("version {} of the changelog {problem}", release.version))
            .at("declared", release.location)
            .help(help),
    );
}

/// Whether a text is a day of the Gregorian calendar, `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let has_digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let [year, month, day] = parts[..] else { return false };
    if !has_digits(year, 4) || !has_digits(month, 2) || !has_digits(day, 2) {
        return false;
    }
    let number = |part: &str| part.parse::<u32>().unwrap_or_default();
    let year = number(year);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match number(month) {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&number(day))
}
