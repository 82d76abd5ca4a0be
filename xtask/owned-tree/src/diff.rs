//! Unified diffs, short enough to be read in a terminal.

use std::fmt::Write as _;

use similar::TextDiff;

/// How many lines of one file's diff are shown.
const SHOWN_LINES: usize = 40;

/// The unified diff that leads from `old` to `new`, each with the name its header gives it, cut after [`SHOWN_LINES`]
/// lines.
pub(super) fn unified(old: (&str, &str), new: (&str, &str)) -> String {
    let diff = TextDiff::from_lines(old.1, new.1);
    let mut lines = Vec::new();
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        lines.push(hunk.header().to_string());
        for change in hunk.iter_changes() {
            let text = change.value();
            lines.push(format!("{}{}", change.tag(), visible(text.strip_suffix('\n').unwrap_or(text))));
            if change.missing_newline() {
                lines.push(r"\ No newline at end of file".to_owned());
            }
        }
    }

    let mut text = format!("--- {}\n+++ {}\n", old.0, new.0);
    for line in lines.iter().take(SHOWN_LINES) {
        text.push_str(line);
        text.push('\n');
    }
    if let Some(more @ 1..) = lines.len().checked_sub(SHOWN_LINES) {
        writeln!(text, "... and {more} more lines").expect("writing to a string cannot fail");
    }
    text
}

/// The text with its control characters written out: a carriage return is a difference that must be seen, and a
/// terminal must not act on what a file holds.
pub(super) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\t' {
            visible.extend(c.escape_default());
        } else {
            visible.push(c);
        }
    }
    visible
}
