//! The reachability matrix: observed connections against declared ones.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A port that every source tries to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name in the matrix.
    pub name: String,
    /// Its address, in the syntax of the reach probe.
    pub address: String,
    /// The sources that must reach it. All other sources must not.
    pub open_for: BTreeSet<String>,
    /// Whether it is a metrics port.
    pub is_metrics: bool,
}

/// The results of one source, in the order of the targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The source's network identity.
    pub source: String,
    /// The probe's results: `open`, `refused`, `timeout`, `unresolved`, `error`.
    pub seen: Vec<String>,
}

/// The matrix as text: one row per source, one numbered column per target.
///
/// `●` is open as declared, `·` is closed as declared, `OPEN` and `SHUT` are differences.
#[must_use]
pub fn drawn(targets: &[Target], rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.source.len()).max().unwrap_or(0);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write!(text, "{:width$} ", "");
    for number in 1..=targets.len() {
        let _ = write!(text, "{number:>5}");
    }
    for row in rows {
        let _ = write!(text, "\n{:width$} ", row.source);
        for (target, seen) in targets.iter().zip(&row.seen) {
            let sign = match (seen == "open", target.open_for.contains(&row.source)) {
                (true, true) => "●",
                (false, false) => "·",
                (true, false) => "OPEN",
                (false, true) => "SHUT",
            };
            let _ = write!(text, "{sign:>5}");
        }
    }
    for (index, target) in targets.iter().enumerate() {
        let _ = write!(text, "\n{:>5}  {}", index + 1, target.name);
    }
    text
}

/// The differences between observed and declared connections.
#[must_use]
pub fn differences(targets: &[Target], rows: &[Row]) -> Vec<String> {
    let mut differences = Vec::new();
    for row in rows {
        for (target, seen) in targets.iter().zip(&row.seen) {
            match (seen == "open", target.open_for.contains(&row.source)) {
                (true, false) => differences
                    .push(format!("{} reaches {}, which the declaration does not allow", row.source, target.name)),
                (false, true) => {
                    differences.push(format!(
                        "{} does not reach {}, which the declaration requires ({seen})",
                        row.source, target.name
                    ));
                }
                _ => {}
            }
        }
        if row.seen.len() != targets.len() {
            differences.push(format!("{} has tried {} of {} targets", row.source, row.seen.len(), targets.len()));
        }
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, open_for: &[&str]) -> Target {
        let open_for = open_for.iter().map(|&source| source.to_owned()).collect();
        Target { name: name.to_owned(), address: String::new(), open_for, is_metrics: false }
    }

    fn row(source: &str, seen: &[&str]) -> Row {
        Row { source: source.to_owned(), seen: seen.iter().map(|&word| word.to_owned()).collect() }
    }

    #[test]
    fn what_is_as_declared_is_no_difference() {
        let targets = [target("b:1", &["a"]), target("b:2", &[])];
        let rows = [row("a", &["open", "refused"]), row("stranger", &["timeout", "refused"])];
        assert!(differences(&targets, &rows).is_empty());
        assert_eq!(
            drawn(&targets, &rows),
            "             1    2\na            ●    ·\nstranger     ·    ·\n    1  b:1\n    2  b:2"
        );
    }

    #[test]
    fn more_and_less_are_both_named() {
        let targets = [target("b:1", &["a"]), target("b:2", &[])];
        let rows =
            [row("a", &["unresolved", "refused"]), row("stranger", &["refused", "open"]), row("c", &["refused"])];
        assert_eq!(
            differences(&targets, &rows),
            [
                "a does not reach b:1, which the declaration requires (unresolved)",
                "stranger reaches b:2, which the declaration does not allow",
                "c has tried 1 of 2 targets",
            ]
        );
        let drawn = drawn(&targets, &rows);
        assert!(drawn.contains("SHUT") && drawn.contains("OPEN"), "{drawn}");
    }
}
