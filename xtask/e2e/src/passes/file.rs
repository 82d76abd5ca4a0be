//! The format of `e2e-passes.txt`: one line per scenario, so that branches that record different scenarios merge without a conflict.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

/// The header of the file.
const HEAD: &str = "\
# The last complete pass of each scenario of `cargo xtask e2e`, which writes this file: the day, and a digest of each group of inputs.
# `cargo xtask e2e --stale` lists the scenarios whose inputs have changed since.
";

/// A complete pass of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) scenario: String,
    /// The date, such as `2026-11-27`.
    pub(super) date: String,
    /// The digest of each input group.
    pub(super) digests: BTreeMap<String, String>,
}

impl Pass {
    /// The groups of `now` whose digest differs from the pass, or that the pass does not have.
    pub(super) fn changed<'a>(&self, now: &'a BTreeMap<String, String>) -> Vec<&'a str> {
        let is_changed = |(group, digest): &(&String, &String)| self.digests.get(*group) != Some(digest);
        now.iter().filter(is_changed).map(|(group, _)| group.as_str()).collect()
    }

    fn line(&self) -> String {
        let digests = self.digests.iter().map(|(group, digest)| format!(" {group}={digest}"));
        [format!("{} {}", self.scenario, self.date)].into_iter().chain(digests).collect::<String>() + "\n"
    }
}

/// Parses the passes in file order. After a merge, a scenario may have several.
pub(super) fn parse(text: &str) -> anyhow::Result<Vec<Pass>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| parse_line(line).with_context(|| format!("line {}: `{line}`", number + 1))).collect()
}

fn parse_line(line: &str) -> anyhow::Result<Pass> {
    let mut words = line.split_whitespace();
    let (Some(scenario), Some(date)) = (words.next(), words.next()) else {
        bail!("a line must have a scenario, a date and digests");
    };
    let digest = |word: &str| {
        let (group, digest) = word.split_once('=').with_context(|| format!("`{word}` is not GROUP=DIGEST"))?;
        Ok((group.to_owned(), digest.to_owned()))
    };
    let digests = words.map(digest).collect::<anyhow::Result<_>>()?;
    Ok(Pass { scenario: scenario.to_owned(), date: date.to_owned(), digests })
}

/// The file's text with these passes, sorted by scenario.
pub(super) fn text(mut passes: Vec<Pass>) -> String {
    passes.sort_by(|a, b| (&a.scenario, &a.date).cmp(&(&b.scenario, &b.date)));
    passes.iter().fold(HEAD.to_owned(), |text, pass| text + &pass.line())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(scenario: &str, digests: &[(&str, &str)]) -> Pass {
        let digests = digests.iter().map(|(group, digest)| ((*group).to_owned(), (*digest).to_owned())).collect();
        Pass { scenario: scenario.to_owned(), date: "2026-11-27".to_owned(), digests }
    }

    #[test]
    fn what_is_written_is_read() {
        let passes = vec![pass("install", &[("chart", "1a"), ("kit", "2b")]), pass("reach", &[])];
        let text = text(passes.iter().rev().cloned().collect());
        assert!(text.ends_with("\ninstall 2026-11-27 chart=1a kit=2b\nreach 2026-11-27\n"), "{text}");
        assert_eq!(parse(&text).expect("it is well-formed"), passes);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let error = format!("{:#}", parse("# head\n\nreach 2026-11-27 chart\n").expect_err("no digest"));
        assert_eq!(error, "line 3: `reach 2026-11-27 chart`: `chart` is not GROUP=DIGEST");
    }

    #[test]
    fn a_change_names_its_groups() {
        let now = pass("install", &[("chart", "1a"), ("kit", "2b"), ("load", "3c")]).digests;
        assert_eq!(pass("install", &[("chart", "1a"), ("kit", "0")]).changed(&now), ["kit", "load"]);
        // A group that is no longer an input is ignored.
        let all = [("chart", "1a"), ("kit", "2b"), ("load", "3c"), ("probe", "4d")];
        assert!(pass("install", &all).changed(&now).is_empty());
    }
}
