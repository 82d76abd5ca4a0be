//! The texts of `generate --check`, and the summary of a run.

use std::fmt::Write as _;

use insta::assert_snapshot;
use owned_tree::OwnedTree;

use crate::support::{Folder, one_file_of_each_state, wanted};

#[test]
fn a_check_reports_every_difference() {
    let (folder, files) = one_file_of_each_state();
    assert_snapshot!(folder.report(&files), @"
    hand-edited and no longer in the model: generated-chart/chart/edited-orphan.yaml
    --- /dev/null
    +++ generated-chart/chart/edited-orphan.yaml (on disk)
    @@ -0,0 +1 @@
    +by: hand

    hand-edited: generated-chart/chart/edited.yaml
    --- generated-chart/chart/edited.yaml (generated)
    +++ generated-chart/chart/edited.yaml (on disk)
    @@ -1,5 +1,5 @@
     # Values
     replicas: 1
     image: a
    -port: 80
    +port: 8080
     host: b

    foreign: generated-chart/chart/foreign.yaml
    --- generated-chart/chart/foreign.yaml (on disk)
    +++ generated-chart/chart/foreign.yaml (generated)
    @@ -1 +1 @@
    -kind: Secret
    +kind: ConfigMap

    missing: generated-chart/chart/missing.yaml
    --- /dev/null
    +++ generated-chart/chart/missing.yaml (generated)
    @@ -0,0 +1 @@
    +kind: Service

    orphaned: generated-chart/chart/orphaned.yaml
    --- generated-chart/chart/orphaned.yaml (on disk)
    +++ /dev/null
    @@ -1 +0,0 @@
    -kind: Role

    stale: generated-chart/chart/values.yaml
    --- generated-chart/chart/values.yaml (on disk)
    +++ generated-chart/chart/values.yaml (generated)
    @@ -1,5 +1,5 @@
     # Values
    -replicas: 1
    +replicas: 2
     image: a
     port: 80
     host: b

    generated-chart differs from the model: 1 missing, 1 stale, 1 orphaned, 1 hand-edited, 1 hand-edited and no longer in the model, 1 foreign, 1 equal.
    Make hand edits in the model instead, so that the generated file contains them. Then discard the edit of the
    file with `cargo xtask generate --force`, or with `git checkout -- <file>`.
    A foreign file is never overwritten, not even with --force: move it away, or give the generated file another name.
    Then run `cargo xtask generate --force` and commit the result.
    ");
}

#[test]
fn a_check_that_needs_no_force_names_the_plain_command() {
    let folder = Folder::generated(&[("stale.yaml", "1\n"), ("orphaned.yaml", "1\n"), ("equal.yaml", "1\n")]);
    let files = wanted(&[("stale.yaml", "2\n"), ("missing.yaml", "1\n"), ("equal.yaml", "1\n")]);
    assert_snapshot!(folder.report(&files), @"
    missing: generated-chart/missing.yaml
    --- /dev/null
    +++ generated-chart/missing.yaml (generated)
    @@ -0,0 +1 @@
    +1

    orphaned: generated-chart/orphaned.yaml
    --- generated-chart/orphaned.yaml (on disk)
    +++ /dev/null
    @@ -1 +0,0 @@
    -1

    stale: generated-chart/stale.yaml
    --- generated-chart/stale.yaml (on disk)
    +++ generated-chart/stale.yaml (generated)
    @@ -1 +1 @@
    -1
    +2

    generated-chart differs from the model: 1 missing, 1 stale, 1 orphaned, 1 equal.
    Run `cargo xtask generate` and commit the result.
    ");
}

#[test]
fn a_check_without_a_difference_is_one_line() {
    let folder = Folder::generated(&[("a.yaml", "1\n"), ("b.yaml", "1\n")]);
    assert_snapshot!(folder.report(&wanted(&[("a.yaml", "1\n"), ("b.yaml", "1\n")])), @"generated-chart: up to date, 2 files");
}

#[test]
fn a_long_diff_is_cut() {
    let lines = |prefix: &str| {
        (0..60).fold(String::new(), |mut text, number| {
            writeln!(text, "{prefix}-{number}: value").unwrap();
            text
        })
    };
    let folder = Folder::generated(&[("stale.yaml", &lines("old"))]);
    let report = folder.report(&wanted(&[("stale.yaml", &lines("new"))]));
    assert_eq!(report.lines().filter(|line| line.starts_with("-old")).count(), 39, "and the line of the hunk");
    let end: Vec<_> = report.lines().skip(40).collect();
    assert_snapshot!(end.join("\n"), @"
    -old-36: value
    -old-37: value
    -old-38: value
    ... and 81 more lines

    generated-chart differs from the model: 1 stale, 0 equal.
    Run `cargo xtask generate` and commit the result.
    ");
}

#[test]
fn line_ends_and_control_characters_are_visible() {
    let folder = Folder::generated(&[("edited.yaml", "a: 1\nb: 2\n")]);
    folder.edit("edited.yaml", "a: 1\r\nb: \u{1b}[31mred");
    assert_snapshot!(folder.report(&wanted(&[("edited.yaml", "a: 1\nb: 2\n")])), @r"
    hand-edited: generated-chart/edited.yaml
    --- generated-chart/edited.yaml (generated)
    +++ generated-chart/edited.yaml (on disk)
    @@ -1,2 +1,2 @@
    -a: 1
    -b: 2
    +a: 1\r
    +b: \u{1b}[31mred
    \ No newline at end of file

    generated-chart differs from the model: 1 hand-edited, 0 equal.
    Make hand edits in the model instead, so that the generated file contains them. Then discard the edit of the
    file with `cargo xtask generate --force`, or with `git checkout -- <file>`.
    Then run `cargo xtask generate --force` and commit the result.
    ");
}

#[test]
fn leftovers_of_an_interrupted_run_are_reported() {
    let (folder, other) = (Folder::generated(&[("a.yaml", "1\n")]), Folder::generated(&[("a.yaml", "2\n")]));
    folder.edit(".generated-files", &(folder.record() + &other.record()));
    folder.edit(".a.yaml.generate-tmp", "hal");
    assert_snapshot!(folder.report(&wanted(&[("a.yaml", "1\n")])), @"
    left over from an interrupted run: generated-chart/.a.yaml.generate-tmp

    stale record: generated-chart/.generated-files
    --- generated-chart/.generated-files (on disk)
    +++ generated-chart/.generated-files (generated)
    @@ -1,2 +1 @@
     4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865  a.yaml
    -53c234e5e8472b6ac51c1ae1cab3fe06fad053beb8ebfd8977b010655bfdd3c3  a.yaml

    generated-chart differs from the model: 1 left over, 1 stale record, 1 equal.
    Run `cargo xtask generate` and commit the result.
    ");
}

#[test]
fn a_summary_lists_the_changes_unless_there_are_many() {
    let folder = Folder::generated(&[("a.yaml", "1\n"), ("b.yaml", "1\n"), ("c.yaml", "1\n")]);
    let files = wanted(&[("a.yaml", "2\n"), ("c.yaml", "1\n"), ("d/e.yaml", "1\n")]);
    assert_snapshot!(folder.generate(&files).unwrap(), @"
    generated-chart: 2 written, 1 deleted, 1 unchanged
      written  generated-chart/a.yaml
      written  generated-chart/d/e.yaml
      deleted  generated-chart/b.yaml
    ");
    assert_snapshot!(folder.generate(&files).unwrap(), @"generated-chart: 0 written, 0 deleted, 3 unchanged");
    let many = (0..30).map(|number| (format!("{number}.yaml").into(), String::new())).collect();
    assert_snapshot!(folder.generate(&many).unwrap(), @"generated-chart: 30 written, 3 deleted, 0 unchanged");
}

#[test]
fn all_files_of_a_missing_tree_are_missing() {
    let folder = Folder::empty();
    std::fs::remove_dir(&folder.root).unwrap();
    let tree = OwnedTree::open(&folder.root).unwrap();
    assert_snapshot!(tree.plan(&wanted(&[("a.yaml", "1\n")])).unwrap().report(), @"
    missing: generated-chart/a.yaml
    --- /dev/null
    +++ generated-chart/a.yaml (generated)
    @@ -0,0 +1 @@
    +1

    generated-chart differs from the model: 1 missing, 0 equal.
    Run `cargo xtask generate` and commit the result.
    ");
}
