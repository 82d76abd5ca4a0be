//! Kills a real process right before each single change on disk.
//!
//! The process is this test's own program, started to run only [`child`]. An environment variable sets the step at which
//! it aborts.

use std::collections::BTreeSet;
use std::env;
use std::process::{self, Command};

use camino::{Utf8Path, Utf8PathBuf};
use owned_tree::{self, Error, HandEdits, Wanted};

use crate::support::{Folder, wanted};

const ROOT: &str = "KILLED_RUN_ROOT";
const ABORT_BEFORE: &str = "KILLED_RUN_ABORT_BEFORE_STEP";
const FORCE: &str = "KILLED_RUN_FORCE";

/// The process that is killed, not a test. Without its environment variables it does nothing.
#[test]
fn child() {
    let (Ok(root), Ok(abort_before)) = (env::var(ROOT), env::var(ABORT_BEFORE)) else { return };
    let abort_before: usize = abort_before.parse().unwrap();
    let hand_edits = if env::var_os(FORCE).is_some() { HandEdits::Overwrite } else { HandEdits::Keep };
    let mut step = 0;
    owned_tree::write_tree_stepwise(Utf8Path::new(&root), &second(), hand_edits, &mut |_, _| {
        if step == abort_before {
            process::abort();
        }
        step += 1;
        Ok(())
    })
    .unwrap();
}

/// Whether the run for [`second`] completed before step `abort_before`.
fn run(folder: &Folder, abort_before: usize, force: bool) -> bool {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "killed::child"]).env(ROOT, &folder.root).env(ABORT_BEFORE, abort_before.to_string());
    if force {
        command.env(FORCE, "1");
    }
    let output = command.output().unwrap();
    // A failed test has an exit code; an aborted process has none.
    assert!(output.status.success() || output.status.code().is_none(), "{}", String::from_utf8_lossy(&output.stdout));
    output.status.success()
}

/// The chart before the killed run.
fn first() -> Wanted {
    wanted(&[
        ("equal.yaml", "equal in the first and the second\n"),
        ("stale.yaml", "first\n"),
        ("orphaned/deep/a.yaml", "first\n"),
        ("shared/orphaned.yaml", "first\n"),
        ("becomes-folder", "first\n"),
        ("becomes-file/a.yaml", "first\n"),
        ("becomes-file/deep/b.yaml", "first\n"),
        ("lost.yaml", "first\n"),
        ("gone/deep/a.yaml", "first\n"),
    ])
}

/// The chart that the killed run should write.
fn second() -> Wanted {
    wanted(&[
        ("equal.yaml", "equal in the first and the second\n"),
        ("stale.yaml", "second, and longer\n"),
        ("created/deep/a.yaml", "second\n"),
        ("becomes-folder/a.yaml", "second\n"),
        ("becomes-file", "second\n"),
        ("lost.yaml", "second\n"),
    ])
}

/// The wanted files of the next run: all different, as before the killed run, as in the killed run, or none.
fn thirds() -> Vec<Wanted> {
    let different = wanted(&[
        ("equal.yaml", "third\n"),
        ("stale.yaml", "third\n"),
        ("created/deep/a.yaml", "third\n"),
        ("orphaned/deep/a.yaml", "third\n"),
        ("shared/orphaned.yaml", "third\n"),
        ("becomes-folder", "third\n"),
        ("becomes-file/a.yaml", "third\n"),
        ("new.yaml", "third\n"),
    ]);
    let the_other_way = wanted(&[
        ("created", "third\n"),
        ("orphaned", "third\n"),
        ("becomes-folder/a.yaml/deeper.yaml", "third\n"),
        ("becomes-file/deep", "third\n"),
    ]);
    vec![different, the_other_way, first(), second(), wanted(&[])]
}

/// Foreign files, in folders that the runs empty.
fn foreign() -> Wanted {
    wanted(&[("Chart.lock", "mine\n"), ("shared/notes.txt", "mine\n")])
}

fn before_the_run() -> Folder {
    let folder = Folder::empty();
    folder.generate(&first()).unwrap();
    for (path, text) in foreign() {
        folder.edit(path, &text);
    }
    // These files were deleted by hand, but the folders of the second one remain.
    folder.remove("lost.yaml");
    folder.remove("gone/deep/a.yaml");
    folder
}

fn with_foreign(mut files: Wanted) -> Wanted {
    files.extend(foreign());
    files
}

/// Asserts that each file has its old or new content, and that other files are foreign.
fn assert_whole(folder: &Folder, old: &Wanted) {
    let is_temporary = |path: &Utf8PathBuf| path.as_str().ends_with(".generate-tmp");
    for (path, text) in folder.files().iter().filter(|(path, _)| !is_temporary(path)) {
        let expected = [old.get(path), second().get(path).cloned().as_ref(), foreign().get(path).cloned().as_ref()]
            .into_iter()
            .flatten()
            .any(|expected| expected == text);
        assert!(expected, "{path}: {text:?}");
    }
    let in_both = |path: &&Utf8PathBuf| second().contains_key(*path) && *path != "lost.yaml";
    for path in old.keys().filter(in_both) {
        assert!(folder.root.join(path).exists(), "{path} is lost");
    }
}

/// Asserts that the tree is exactly as wanted, without temporary files and empty folders.
fn assert_is(folder: &Folder, files: &Wanted) {
    assert_eq!(folder.files(), *files);
    let needed: BTreeSet<_> = files.keys().flat_map(|path| path.ancestors().map(Utf8Path::to_owned)).collect();
    for path in folder.content().into_keys() {
        assert!(path == ".generated-files" || needed.contains(&path), "{path} is left over");
    }
}

#[test]
fn after_a_kill_at_any_step_the_next_run_needs_no_force() {
    let steps = before_the_run().steps(&second());
    let kinds: BTreeSet<_> = steps.iter().map(|step| format!("{step:?}")).collect();
    assert_eq!(kinds.len(), 7, "the run takes steps of every kind: {kinds:?}");

    for abort_before in 0..=steps.len() {
        let folder = before_the_run();
        assert_eq!(run(&folder, abort_before, false), abort_before == steps.len());
        assert_whole(&folder, &first());

        for third in thirds() {
            let folder = folder.copy();
            folder.generate(&third).unwrap_or_else(|error| panic!("before step {abort_before}: {error}"));
            assert_is(&folder, &with_foreign(third.clone()));
            assert!(folder.is_up_to_date(&third));
        }
    }
}

#[test]
fn after_repeated_kills_the_last_run_needs_no_force() {
    // All runs use one folder. Each run gets one step further than the previous one, and the model changes in between.
    let folder = before_the_run();
    let mut abort_before = 0;
    while !run(&folder, abort_before, false) {
        let copy = folder.copy();
        for third in thirds() {
            copy.generate(&third).unwrap_or_else(|error| panic!("before step {abort_before}: {error}"));
            assert_is(&copy, &with_foreign(third));
        }
        abort_before += 1;
    }
    assert_is(&folder, &with_foreign(second()));
}

#[test]
fn after_a_killed_forced_run_the_next_run_needs_no_force() {
    let edited = || {
        let folder = before_the_run();
        folder.edit("stale.yaml", "by hand\n");
        folder.edit("orphaned/deep/a.yaml", "by hand\n");
        folder
    };
    let mut old = first();
    old.insert("stale.yaml".into(), "by hand\n".to_owned());
    old.insert("orphaned/deep/a.yaml".into(), "by hand\n".to_owned());

    let (mut abort_before, mut asked_again) = (0, 0);
    loop {
        let folder = edited();
        let record = folder.record();
        let finished = run(&folder, abort_before, true);
        assert_whole(&folder, &old);
        // While the old record is in place, nothing has changed and the hand edits are still protected.
        let begun = folder.record() != record;
        for third in thirds() {
            let folder = folder.copy();
            match folder.generate(&third) {
                Ok(_) => assert_is(&folder, &with_foreign(third)),
                Err(Error::Refused(_)) if !begun => {
                    assert_eq!(folder.read("stale.yaml"), "by hand\n");
                    assert_eq!(folder.read("orphaned/deep/a.yaml"), "by hand\n");
                    asked_again += 1;
                }
                Err(error) => panic!("before step {abort_before}: {error}"),
            }
        }
        if finished {
            break;
        }
        abort_before += 1;
    }
    // Only the steps that write the first record come before that.
    assert_eq!(asked_again, 4 * thirds().len());
}
