//! Links and names of files in Markdown, as far as the documents of this repository use them.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8Path;

use crate::paths::resolved;

/// The targets of the links of a document.
pub(crate) fn links(document: &str) -> Vec<&str> {
    let of_line = |line| {
        let mut found = Vec::new();
        let mut rest: &str = line;
        while let Some((_, after)) = rest.split_once("](") {
            let (target, after) = after.split_once(')').unwrap_or((after, ""));
            found.push(target);
            rest = after;
        }
        found
    };
    prose(document).flat_map(of_line).collect()
}

/// A relative link that leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongLink<'d> {
    /// Its target.
    pub target: &'d str,
    /// What does not exist: a `file` or a `heading`.
    pub lacks: &'static str,
}

impl fmt::Display for WrongLink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the link `{}` leads to no {}", self.target, self.lacks)
    }
}

/// The relative links of the document at `path` that lead nowhere. `read` returns the text of a file at a path from the same root.
pub fn wrong_links<'d>(
    path: &Utf8Path,
    document: &'d str,
    read: &dyn Fn(&Utf8Path) -> Option<String>,
) -> Vec<WrongLink<'d>> {
    let check = |target: &'d str| {
        let wrong = |lacks| Some(WrongLink { target, lacks });
        if target.contains("://") || target.starts_with("mailto:") {
            return None;
        }
        let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
        let text = if file.is_empty() {
            document.to_owned()
        } else {
            let folder = path.parent().unwrap_or(Utf8Path::new(""));
            match resolved(folder, file).and_then(|path| read(&path)) {
                Some(text) => text,
                None => return wrong("file"),
            }
        };
        let anchor = anchor?;
        let has_anchor = anchors(&text).iter().any(|one| one == anchor);
        if has_anchor { None } else { wrong("heading") }
    };
    links(document).into_iter().filter_map(check).collect()
}

/// The documents that a document names, outside of links to other hosts, and that a reader does not have.
pub(crate) fn unlinked_files(document: &str, has: impl Fn(&str) -> bool) -> Vec<String> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let mut found = Vec::new();
    for line in prose(document) {
        for word in without_links(line).split(|c| !is_of_name(c)) {
            let name = word.rsplit('/').next().unwrap_or(word);
            if name.len() > ".md".len() && Utf8Path::new(name).extension() == Some("md") && !has(name) {
                let finding = format!("it names `{word}`, which is no file of the package, without a link");
                if !found.contains(&finding) {
                    found.push(finding);
                }
            }
        }
    }
    found
}

/// A line with the links to other hosts removed.
fn without_links(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("](") {
        let (target, after) = after.split_once(')').unwrap_or((after, ""));
        let text = if target.contains("://") { before.rfind('[').unwrap_or(before.len()) } else { before.len() };
        out += &before[..text];
        rest = after;
    }
    out + rest
}

/// The lines outside of code blocks and comments.
fn prose(document: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    document.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence && !line.starts_with("<!--")
    })
}

/// The anchors of the headings, as GitHub makes them.
fn anchors(document: &str) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let headings = prose(document).filter_map(|line| {
        let text = line.trim_start_matches('#');
        (text.len() < line.len()).then(|| text.strip_prefix(' ')).flatten()
    });
    let anchor = |heading: &str| {
        let lower = heading.trim().to_lowercase();
        let kept = lower.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let text: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let count = counts.entry(text.clone()).or_default();
        *count += 1;
        if *count == 1 { text } else { format!("{text}-{}", *count - 1) }
    };
    headings.map(anchor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "<!-- Generated from a/b/TEMPLATE.md -->\n# Install\n\nSee [all](VALUES.md), [one](#a-b-its-c) or [that](OTHER.md#there).\n\
        ```sh\n# [code](none.md), NONE.md\n```\n## A & `b`: its _C_\n\n[Far](https://example.org/X.md) and `FAR.md`; OTHER.md, x/NEAR.md twice: x/NEAR.md\n";

    fn read(path: &Utf8Path) -> Option<String> {
        (path == "docs/OTHER.md").then(|| "# Here\n# Here\n".to_owned())
    }

    fn texts(found: &[WrongLink<'_>]) -> Vec<String> {
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        assert_eq!(links(DOCUMENT), ["VALUES.md", "#a-b-its-c", "OTHER.md#there", "https://example.org/X.md"]);
        assert_eq!(
            texts(&wrong_links(Utf8Path::new("docs/README.md"), DOCUMENT, &read)),
            [
                "the link `VALUES.md` leads to no file",
                "the link `#a-b-its-c` leads to no heading",
                "the link `OTHER.md#there` leads to no heading",
            ]
        );
        let sound = "[a](OTHER.md#here-1) [b](../docs/OTHER.md) [c](./OTHER.md)\n# A & b\n[d](#a--b) [e](mailto:a@b)";
        assert_eq!(texts(&wrong_links(Utf8Path::new("docs/README.md"), sound, &read)), [""; 0]);
        let outside = wrong_links(Utf8Path::new("README.md"), "[a](../OTHER.md)", &|_| Some(String::new()));
        assert_eq!(texts(&outside), ["the link `../OTHER.md` leads to no file"]);
    }

    #[test]
    fn a_name_of_a_file_that_a_reader_lacks_is_found() {
        assert_eq!(
            unlinked_files(DOCUMENT, |name| ["VALUES.md", "OTHER.md"].contains(&name)),
            ["FAR.md", "x/NEAR.md"]
                .map(|word| format!("it names `{word}`, which is no file of the package, without a link"))
        );
    }
}
