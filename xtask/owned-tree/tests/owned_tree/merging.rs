//! The record and the generated files after git has merged two branches.

use std::process::Command;

use owned_tree::{State, Wanted};

use crate::support::{Folder, wanted};

/// The line of `.gitattributes` for the record: in a conflict, keep the lines of both sides.
const ATTRIBUTES: &str = ".generated-files merge=union\n";

/// Runs git in the folder without the developer's configuration. Returns whether it succeeded.
fn git(folder: &Folder, arguments: &[&str]) -> bool {
    let output = Command::new("git")
        .args(["-c", "user.name=test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgSign=false"])
        .args(arguments)
        .current_dir(&folder.root)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is installed");
    output.status.success()
}

fn commit(folder: &Folder) {
    assert!(git(folder, &["add", "--all"]) && git(folder, &["commit", "--message", "generated"]));
}

/// Merges two branches that were generated from different models. Returns whether there was no conflict.
fn merge(base: &Wanted, ours: &Wanted, theirs: &Wanted) -> (Folder, bool) {
    let folder = Folder::empty();
    folder.edit(".gitattributes", ATTRIBUTES);
    assert!(git(&folder, &["init", "--initial-branch=ours"]));
    folder.generate(base).unwrap();
    commit(&folder);
    assert!(git(&folder, &["checkout", "-b", "theirs"]));
    folder.generate(theirs).unwrap();
    commit(&folder);
    assert!(git(&folder, &["checkout", "ours"]));
    folder.generate(ours).unwrap();
    commit(&folder);
    let clean = git(&folder, &["merge", "theirs"]);
    (folder, clean)
}

const LONG: &str = "a: 1\n#\n#\n#\n#\n#\nb: 1\n";

#[test]
fn after_a_clean_merge_the_next_run_needs_no_force() {
    let base = wanted(&[("shared.yaml", LONG), ("a.yaml", "1\n"), ("b.yaml", "1\n")]);
    let ours =
        wanted(&[("shared.yaml", &LONG.replace("a: 1", "a: 2")), ("a.yaml", "2\n"), ("b.yaml", "1\n"), ("c", "")]);
    let theirs = wanted(&[("shared.yaml", &LONG.replace("b: 1", "b: 2")), ("a.yaml", "1\n"), ("d", "")]);
    let both = wanted(&[("shared.yaml", &LONG.replace(": 1", ": 2")), ("a.yaml", "2\n"), ("c", ""), ("d", "")]);

    let (folder, clean) = merge(&base, &ours, &theirs);
    assert!(clean);
    folder.generate(&both).unwrap();
    assert!(folder.is_up_to_date(&both));
    assert!(!folder.root.join("b.yaml").exists());
}

#[test]
fn after_a_conflict_either_side_of_the_file_is_accepted() {
    let base = wanted(&[("a.yaml", "1\n"), ("b.yaml", "1\n")]);
    let ours = wanted(&[("a.yaml", "ours\n"), ("b.yaml", "ours\n")]);
    let theirs = wanted(&[("a.yaml", "theirs\n"), ("b.yaml", "theirs\n")]);
    let both = wanted(&[("a.yaml", "both\n"), ("b.yaml", "both\n")]);

    let (folder, clean) = merge(&base, &ours, &theirs);
    assert!(!clean);
    assert!(!folder.record().contains("<<<<<<<"), "{}", folder.record());
    assert!(git(&folder, &["checkout", "--ours", "a.yaml"]) && git(&folder, &["checkout", "--theirs", "b.yaml"]));

    let stale = |path: &str| (path.to_owned(), State::Stale);
    assert_eq!(folder.differing(&both), [stale("a.yaml"), stale("b.yaml")]);
    folder.generate(&both).unwrap();
    assert!(folder.is_up_to_date(&both));
}
