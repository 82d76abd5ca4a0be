//! The pages of the repository: every link leads to a file and a heading, and the page of requirements names proofs that exist.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use verify::markdown::wrong_links;

/// The numbers of the requirements, in their order.
const REQUIREMENTS: [&str; 15] =
    ["1a", "1b", "2a", "2b", "2c", "3a", "3b", "4a", "4b", "4c", "5a", "5b", "5c", "6a", "6b"];

fn root() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// What is wrong with the links of a page below a folder.
fn broken(folder: &Utf8Path, page: &Utf8Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    // A link can also lead to a folder, or to a file that is no text.
    let read = |path: &Utf8Path| {
        let path = folder.join(path);
        path.exists().then(|| fs::read_to_string(path).unwrap_or_default())
    };
    let found = wrong_links(page.strip_prefix(folder).unwrap(), &text, &read);
    found.iter().map(|one| format!("{page}: the link {} leads to no {}", one.target, one.lacks)).collect()
}

/// All pages of the repository, without those of build results.
fn pages(folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) {
    for entry in folder.read_dir_utf8().unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if entry.file_type().unwrap().is_dir() {
            if !["target", ".git", "node_modules", "templates"].contains(&name) {
                pages(entry.path(), found);
            }
        } else if entry.path().extension() == Some("md") {
            found.push(entry.into_path());
        }
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut all = Vec::new();
    pages(root(), &mut all);
    assert!(all.len() > 15, "only {} pages", all.len());
    let broken: Vec<String> = all.iter().flat_map(|page| broken(root(), page)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_broken_link_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    let page = folder.join("a.md");
    let text = "# One: `two` (three)\n[a](a.md) [b](#one-two-three) [c](c.md) [d](a.md#four) [e](https://example.org)\n```\n[f](f.md)\n```\n";
    fs::write(&page, text).unwrap();
    let found: Vec<String> =
        broken(folder, &page).into_iter().map(|one| one.rsplit(": ").next().unwrap().to_owned()).collect();
    assert_eq!(found, ["the link c.md leads to no file", "the link a.md#four leads to no heading"]);
}

/// The sections of the page of requirements: their numbers and texts.
fn sections(text: &str) -> Vec<(&str, &str)> {
    text.split("\n## ").skip(1).map(|part| (part.split(':').next().unwrap_or_default(), part)).collect()
}

#[test]
fn every_requirement_has_files_proofs_and_deviations() {
    let text = fs::read_to_string(root().join("REQUIREMENTS.md")).unwrap();
    let sections = sections(&text);
    assert_eq!(sections.iter().map(|(number, _)| *number).collect::<Vec<_>>(), REQUIREMENTS);
    for (number, section) in sections {
        for part in ["\n> ", "**Files.**", "**Proof.**", "**Deviations"] {
            assert!(section.contains(part), "{number} has no {part}");
        }
    }
}

#[test]
fn every_proof_of_a_requirement_exists() {
    let text = fs::read_to_string(root().join("REQUIREMENTS.md")).unwrap();
    let steps: BTreeSet<&str> = verify::step_names().collect();
    let scenarios: BTreeSet<&str> = e2e::ALL.iter().map(|scenario| scenario.name).collect();
    let mut proofs = 0;
    for (kind, known) in [("verify `", &steps), ("e2e `", &scenarios)] {
        for rest in text.split(kind).skip(1) {
            let name = rest.split('`').next().unwrap_or_default();
            assert!(known.contains(name), "there is no {kind}{name}`");
            proofs += 1;
        }
    }
    assert!(proofs > 30, "only {proofs} proofs");
}
