//! The effect of a run on a file in each state.

use std::fs::{self, File};
use std::thread;
use std::time::SystemTime;

use camino::Utf8Path;
use owned_tree::{Error, OwnedTree, State, Step};

use crate::support::{Folder, Node, wanted};

#[test]
fn new_files_are_written_and_recorded_as_sha256sum_does() {
    let folder = Folder::generated(&[("templates/b.yaml", "abc"), ("a.yaml", "")]);

    assert_eq!(folder.files(), wanted(&[("a.yaml", ""), ("templates/b.yaml", "abc")]));
    assert_eq!(
        folder.record(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a.yaml\n\
         ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  templates/b.yaml\n"
    );
}

#[test]
fn a_missing_root_is_created() {
    let folder = Folder::empty();
    fs::remove_dir(&folder.root).unwrap();
    let files = wanted(&[("a.yaml", "a\n")]);

    assert_eq!(folder.differing(&files), [("a.yaml".to_owned(), State::Missing)]);
    assert!(!folder.root.exists(), "a check makes nothing");
    folder.generate(&files).unwrap();
    assert_eq!(folder.files(), files);
}

#[test]
fn a_second_run_changes_nothing() {
    let files = wanted(&[("a.yaml", "a\n"), ("templates/b.yaml", "b\n")]);
    let folder = Folder::generated(&[("a.yaml", "a\n"), ("templates/b.yaml", "b\n")]);
    age(&folder);

    assert_eq!(folder.steps(&files), []);
    assert!(folder.content().keys().all(|path| is_untouched(&folder, path)), "not even the record and the folders");
    assert!(folder.is_up_to_date(&files));
}

#[test]
fn an_equal_file_is_not_written_while_others_change() {
    let folder = Folder::generated(&[("equal.yaml", "same\n"), ("stale.yaml", "1\n")]);
    age(&folder);

    let summary = folder.generate(&wanted(&[("equal.yaml", "same\n"), ("stale.yaml", "2\n")])).unwrap();

    assert!(is_untouched(&folder, "equal.yaml") && !is_untouched(&folder, "stale.yaml"));
    assert_eq!((summary.written, summary.unchanged), (vec!["stale.yaml".into()], 1));
}

#[test]
fn stale_missing_orphaned_and_gone_files_need_no_force() {
    let folder = Folder::generated(&[
        ("stale.yaml", "1\n"),
        ("missing.yaml", "1\n"),
        ("orphaned.yaml", "1\n"),
        ("gone/deep/gone.yaml", "1\n"),
    ]);
    folder.remove("missing.yaml");
    folder.remove("gone/deep/gone.yaml");
    let files = wanted(&[("stale.yaml", "2\n"), ("missing.yaml", "1\n"), ("new.yaml", "1\n")]);

    assert_eq!(
        folder.differing(&files),
        [
            ("gone/deep/gone.yaml".to_owned(), State::Gone),
            ("missing.yaml".to_owned(), State::Missing),
            ("new.yaml".to_owned(), State::Missing),
            ("orphaned.yaml".to_owned(), State::Orphaned),
            ("stale.yaml".to_owned(), State::Stale),
        ]
    );
    folder.generate(&files).unwrap();
    assert_eq!(folder.files(), files);
    assert!(!folder.root.join("gone").exists());
}

#[test]
fn folders_of_orphans_are_removed_only_when_empty() {
    let folder = Folder::generated(&[("empty/deep/a.yaml", "1\n"), ("used/a.yaml", "1\n"), ("ours/a.yaml", "1\n")]);
    folder.edit("used/notes.txt", "mine\n");

    folder.generate(&wanted(&[("ours/b.yaml", "1\n")])).unwrap();

    let expected = [("ours/b.yaml", "1\n"), ("used/notes.txt", "mine\n")];
    assert_eq!(folder.files(), wanted(&expected));
    assert!(!folder.root.join("empty").exists());
}

#[test]
fn a_folder_that_is_still_needed_is_not_recreated() {
    let folder = Folder::generated(&[("charts/a.yaml", "1\n")]);
    let steps = folder.steps(&wanted(&[("charts/b.yaml", "1\n")]));
    assert!(!steps.contains(&Step::RemoveFolder) && !steps.contains(&Step::CreateFolder), "{steps:?}");
}

#[test]
fn an_unrecorded_file_with_the_wanted_content_is_adopted_silently() {
    let folder = Folder::empty();
    folder.edit("a.yaml", "a\n");
    age(&folder);

    let summary = folder.generate(&wanted(&[("a.yaml", "a\n")])).unwrap();

    assert_eq!((summary.written, summary.deleted, summary.unchanged), (vec![], vec![], 1));
    assert!(is_untouched(&folder, "a.yaml"));
    // From now on the file is owned.
    folder.generate(&wanted(&[])).unwrap();
    assert_eq!(folder.files(), wanted(&[]));
}

#[test]
fn a_hand_edited_file_is_overwritten_by_force_only() {
    let folder = Folder::generated(&[("edited.yaml", "1\n"), ("stale.yaml", "1\n")]);
    folder.edit("edited.yaml", "by hand\n");
    let files = wanted(&[("edited.yaml", "2\n"), ("stale.yaml", "2\n"), ("new.yaml", "2\n")]);

    let before = folder.content();
    assert!(matches!(folder.generate(&files), Err(Error::Refused(_))));
    assert_eq!(folder.content(), before, "refused means that nothing was written");

    folder.force(&files).unwrap();
    assert_eq!(folder.files(), files);
    assert!(folder.is_up_to_date(&files));
}

#[test]
fn a_hand_edited_file_of_an_unchanged_model_is_forced_back() {
    let folder = Folder::generated(&[("edited.yaml", "1\n")]);
    let record = folder.record();
    folder.edit("edited.yaml", "by hand\n");

    folder.force(&wanted(&[("edited.yaml", "1\n")])).unwrap();

    assert_eq!(folder.record(), record, "the text that was given up is not ours for ever");
}

#[test]
fn a_hand_edited_file_that_the_model_caught_up_with_is_equal() {
    let folder = Folder::generated(&[("edited.yaml", "1\n")]);
    folder.edit("edited.yaml", "by hand\n");
    let files = wanted(&[("edited.yaml", "by hand\n")]);

    folder.generate(&files).unwrap();
    assert!(folder.is_up_to_date(&files));
}

#[test]
fn a_hand_edited_orphan_is_deleted_by_force_only() {
    let folder = Folder::generated(&[("charts/edited.yaml", "1\n"), ("orphaned.yaml", "1\n")]);
    folder.edit("charts/edited.yaml", "by hand\n");

    let before = folder.content();
    assert!(matches!(folder.generate(&wanted(&[])), Err(Error::Refused(_))));
    assert_eq!(folder.content(), before);

    folder.force(&wanted(&[])).unwrap();
    let left: Vec<_> = folder.content().into_keys().collect();
    assert_eq!(left, [".generated-files"]);
}

#[test]
fn a_foreign_file_is_never_overwritten() {
    let folder = Folder::generated(&[("stale.yaml", "1\n")]);
    folder.edit("foreign.yaml", "mine\n");
    let files = wanted(&[("foreign.yaml", "1\n"), ("stale.yaml", "2\n")]);

    let before = folder.content();
    assert!(matches!(folder.generate(&files), Err(Error::Refused(_))));
    assert!(matches!(folder.force(&files), Err(Error::Refused(_))));
    assert_eq!(folder.content(), before);

    folder.remove("foreign.yaml");
    folder.generate(&files).unwrap();
}

#[test]
fn files_of_helm_are_neither_owned_nor_orphaned() {
    let folder = Folder::generated(&[("chart/Chart.yaml", "1\n"), ("chart/charts/a/Chart.yaml", "1\n")]);
    folder.edit("chart/Chart.lock", "digest: sha256:1\n");
    folder.edit("chart/charts/dependency-1.0.0.tgz", "an archive");

    let files = wanted(&[("chart/Chart.yaml", "1\n"), ("chart/charts/a/Chart.yaml", "1\n")]);
    assert!(folder.is_up_to_date(&files));
    assert_eq!(folder.steps(&files), []);

    folder.generate(&wanted(&[])).unwrap();
    let left = [("chart/Chart.lock", "digest: sha256:1\n"), ("chart/charts/dependency-1.0.0.tgz", "an archive")];
    assert_eq!(folder.files(), wanted(&left));
}

#[test]
fn a_file_may_become_a_folder_and_back() {
    let file = wanted(&[("rbac", "1\n")]);
    let inside = wanted(&[("rbac/role/a.yaml", "1\n"), ("rbac/b.yaml", "1\n")]);
    let folder = Folder::generated(&[("rbac", "1\n")]);

    folder.generate(&inside).unwrap();
    assert_eq!(folder.files(), inside);
    folder.generate(&file).unwrap();
    assert_eq!(folder.files(), file);
}

#[test]
fn a_hand_edited_file_is_not_replaced_by_a_folder_without_force() {
    let folder = Folder::generated(&[("rbac", "1\n")]);
    folder.edit("rbac", "by hand\n");
    let files = wanted(&[("rbac/a.yaml", "1\n")]);

    assert!(matches!(folder.generate(&files), Err(Error::Refused(_))));
    assert_eq!(folder.read("rbac"), "by hand\n");
    folder.force(&files).unwrap();
    assert_eq!(folder.files(), files);
}

#[test]
fn a_folder_with_a_foreign_file_is_not_replaced_by_a_file() {
    let folder = Folder::generated(&[("rbac/a.yaml", "1\n")]);
    folder.edit("rbac/notes/mine.txt", "mine\n");

    let before = folder.content();
    assert!(matches!(folder.force(&wanted(&[("rbac", "1\n")])), Err(Error::Obstructed(_))));
    assert_eq!(folder.content(), before);
}

#[test]
fn the_record_may_have_crlf() {
    let files = wanted(&[("a.yaml", "1\n"), ("b.yaml", "1\n")]);
    let folder = Folder::generated(&[("a.yaml", "1\n"), ("b.yaml", "1\n")]);
    folder.edit(".generated-files", &folder.record().replace('\n', "\r\n"));

    assert!(folder.is_up_to_date(&files));
    assert_eq!(folder.steps(&files), []);
    folder.generate(&wanted(&[("a.yaml", "2\n")])).unwrap();
    assert_eq!(folder.files(), wanted(&[("a.yaml", "2\n")]));
}

#[test]
fn after_a_merge_the_file_of_either_side_is_owned() {
    let (ours, theirs) = (Folder::generated(&[("a.yaml", "ours\n")]), Folder::generated(&[("a.yaml", "theirs\n")]));
    let lines = theirs.record() + "\n" + &ours.record() + &theirs.record();
    let merged = wanted(&[("a.yaml", "both\n")]);

    for side in [ours, theirs] {
        side.edit(".generated-files", &lines);
        assert_eq!(side.differing(&merged), [("a.yaml".to_owned(), State::Stale)]);
        side.generate(&merged).unwrap();
        assert!(side.is_up_to_date(&merged));
    }
}

#[test]
fn a_record_with_surplus_lines_is_not_up_to_date() {
    let (folder, other) = (Folder::generated(&[("a.yaml", "1\n")]), Folder::generated(&[("a.yaml", "2\n")]));
    folder.edit(".generated-files", &(folder.record() + &other.record()));
    let files = wanted(&[("a.yaml", "1\n")]);

    assert!(!folder.is_up_to_date(&files));
    folder.generate(&files).unwrap();
    assert!(folder.is_up_to_date(&files));
}

#[test]
fn no_line_of_the_record_leads_out_of_the_folder() {
    let folder = Folder::generated(&[("a.yaml", "1\n")]);
    let outside = folder.root.with_file_name("outside.txt");
    fs::write(&outside, "1\n").unwrap();
    for path in ["../outside.txt", outside.as_str(), "./a.yaml", "a//b", ".generated-files", "a\\b"] {
        let line = folder.record().replace("a.yaml", path);
        let attacked = Folder::empty();
        attacked.edit(".generated-files", &line);
        assert!(matches!(attacked.generate(&wanted(&[])), Err(Error::RecordLine { .. })), "{path}");
    }
    assert!(outside.exists());
}

#[test]
fn left_over_temporary_files_are_deleted() {
    let files = wanted(&[("charts/a.yaml", "1\n")]);
    let folder = Folder::generated(&[("charts/a.yaml", "1\n")]);
    folder.edit("charts/.a.yaml.generate-tmp", "hal");
    folder.edit("..generated-files.generate-tmp", "");
    folder.edit(".somebody-elses.generate-tmp", "mine");

    assert!(!folder.is_up_to_date(&files));
    folder.generate(&files).unwrap();
    assert!(folder.is_up_to_date(&files));
    assert_eq!(folder.files(), wanted(&[("charts/a.yaml", "1\n"), (".somebody-elses.generate-tmp", "mine")]));
}

#[cfg(unix)]
#[test]
fn nothing_behind_a_symbolic_link_is_touched() {
    use std::os::unix::fs::symlink;

    let elsewhere = Folder::generated(&[("a.yaml", "1\n")]);
    let before = elsewhere.content();
    for (link, target) in [("charts", ""), ("charts/a.yaml", "a.yaml"), ("charts/.a.yaml.generate-tmp", "a.yaml")] {
        let folder = Folder::generated(&[("charts/a.yaml", "1\n")]);
        let link = folder.root.join(link);
        if link.is_dir() {
            fs::remove_dir_all(&link).unwrap();
        } else if link.exists() {
            fs::remove_file(&link).unwrap();
        }
        symlink(elsewhere.root.join(target), &link).unwrap();

        for files in [wanted(&[]), wanted(&[("charts/a.yaml", "2\n")])] {
            assert!(matches!(folder.force(&files), Err(Error::Obstructed(_))), "{link}");
        }
        assert!(folder.content().values().any(|node| *node == Node::Link));
    }
    assert_eq!(elsewhere.content(), before);
}

#[test]
fn concurrent_runs_are_serialized() {
    let folder = Folder::empty();
    let contents: Vec<_> = (0..4)
        .map(|run| {
            wanted(&[("a.yaml", &format!("{run}\n")), ("b/c.yaml", &format!("{run}\n")), (&format!("{run}"), "")])
        })
        .collect();
    for _ in 0..10 {
        thread::scope(|scope| {
            for files in &contents {
                scope.spawn(|| folder.generate(files).unwrap());
            }
        });
        assert!(contents.iter().any(|files| folder.is_up_to_date(files) && folder.files() == *files));
    }
}

#[test]
fn an_open_tree_is_locked() {
    let folder = Folder::generated(&[("a.yaml", "1\n")]);
    let tree = OwnedTree::open(&folder.root).unwrap();
    thread::scope(|scope| {
        let run = scope.spawn(|| folder.generate(&wanted(&[])).unwrap());
        thread::sleep(std::time::Duration::from_millis(100));
        assert!(folder.root.join("a.yaml").exists() || cfg!(not(unix)));
        drop(tree);
        run.join().unwrap();
    });
    assert!(!folder.root.join("a.yaml").exists());
}

/// The modification time of files that have not changed since [`age`].
const LONG_AGO: SystemTime = SystemTime::UNIX_EPOCH;

fn age(folder: &Folder) {
    for path in folder.content().into_keys() {
        File::open(folder.root.join(path)).unwrap().set_modified(LONG_AGO).unwrap();
    }
}

fn is_untouched(folder: &Folder, path: impl AsRef<Utf8Path>) -> bool {
    fs::metadata(folder.root.join(path)).unwrap().modified().unwrap() == LONG_AGO
}
