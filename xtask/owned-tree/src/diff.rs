//! Unified diffs, cut to a length that fits a terminal.

use std::fmt::Write as _;

use similar::TextDiff;

/// The maximum number of lines of a file's diff.
const SHOWN_LINES: usize = 40;

/// The unified diff from `old` to `new`, each given as name and text, cut after [`SHOWN_LINES`] lines.
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

/// The text with its control characters escaped, so that a changed carriage return is visible and a file cannot send
/// control sequences to the terminal.
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
