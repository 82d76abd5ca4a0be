//! The texts of a run that stops: refusals, invalid records, blocked paths and failures of the disk.

use std::io;

use insta::assert_snapshot;
use owned_tree::{self, Error, HandEdits, Step};

use crate::support::{Folder, one_file_of_each_state, wanted};

fn refused(folder: &Folder, files: &owned_tree::Wanted) -> String {
    folder.generate(files).unwrap_err().to_string()
}

#[test]
fn a_refusal_names_every_file() {
    let (folder, files) = one_file_of_each_state();
    assert_snapshot!(refused(&folder, &files), @"
    nothing was written, because that would lose hand-written content in generated-chart
    hand-edited:
      generated-chart/chart/edited.yaml
    hand-edited, and no longer in the model:
      generated-chart/chart/edited-orphan.yaml
    foreign (not written by generate according to its record, but at the path of a generated file):
      generated-chart/chart/foreign.yaml
    `cargo xtask generate --check` shows the differences.
    Make hand edits in the model instead, so that the generated file contains them. Then discard the edit of the
    file with `cargo xtask generate --force`, or with `git checkout -- <file>`.
    A foreign file is never overwritten, not even with --force: move it away, or give the generated file another name.
    Then run `cargo xtask generate --force` and commit the result.
    ");
}

#[test]
fn a_refusal_for_hand_edits() {
    let folder = Folder::generated(&[("a.yaml", "1\n"), ("b.yaml", "1\n")]);
    folder.edit("a.yaml", "by hand\n");
    folder.edit("b.yaml", "by hand\n");
    assert_snapshot!(refused(&folder, &wanted(&[("a.yaml", "2\n"), ("b.yaml", "1\n")])), @"
    nothing was written, because that would lose hand-written content in generated-chart
    hand-edited:
      generated-chart/a.yaml
      generated-chart/b.yaml
    `cargo xtask generate --check` shows the differences.
    Make hand edits in the model instead, so that the generated file contains them. Then discard the edit of the
    file with `cargo xtask generate --force`, or with `git checkout -- <file>`.
    Then run `cargo xtask generate --force` and commit the result.
    ");
}

#[test]
fn a_refusal_in_spite_of_force() {
    let (folder, files) = one_file_of_each_state();
    assert_snapshot!(folder.force(&files).unwrap_err(), @"
    nothing was written, because that would lose hand-written content in generated-chart
    foreign (not written by generate according to its record, but at the path of a generated file):
      generated-chart/chart/foreign.yaml
    `cargo xtask generate --check` shows the differences.
    A foreign file is never overwritten, not even with --force: move it away, or give the generated file another name.
    Then run `cargo xtask generate --force` and commit the result.
    ");
}

#[test]
fn a_refusal_without_a_record() {
    let folder = Folder::empty();
    folder.edit("a.yaml", "1\n");
    assert_snapshot!(refused(&folder, &wanted(&[("a.yaml", "2\n")])), @"
    nothing was written, because that would lose hand-written content in generated-chart
    foreign (not written by generate according to its record, but at the path of a generated file):
      generated-chart/a.yaml
    `cargo xtask generate --check` shows the differences.
    A foreign file is never overwritten, not even with --force: move it away, or give the generated file another name.
    All files that differ count as foreign, because generated-chart/.generated-files does not exist:
    restore it with `git checkout -- generated-chart/.generated-files`.
    Then run `cargo xtask generate` and commit the result.
    ");
}

#[test]
fn invalid_wanted_paths() {
    let folder = Folder::empty();
    let paths = ["../a", "/a", "a//b", "a\\b", "a\nb", "", ".generated-files", ".a.generate-tmp", "b", "b/c"];
    assert_snapshot!(refused(&folder, &wanted(&paths.map(|path| (path, "")))), @r#"
    the generator returned invalid paths (a bug of the generator; nothing was changed):
      "": it is not a plain relative path
      "/a": it is not a plain relative path
      "../a": it is not a plain relative path
      ".a.generate-tmp": such names are reserved for temporary files
      ".generated-files": that name is reserved for the record
      "a//b": it is not a plain relative path
      "a\nb": it has a backslash or a control character
      "a\\b": it has a backslash or a control character
      "b/c": it is below another wanted file
    "#);
}

#[test]
fn a_conflict_in_the_record() {
    let (ours, theirs) = (Folder::generated(&[("a.yaml", "ours\n")]), Folder::generated(&[("a.yaml", "theirs\n")]));
    let text = format!("<<<<<<< HEAD\n{}=======\n{}>>>>>>> theirs\n", ours.record(), theirs.record());
    ours.edit(".generated-files", &text);
    assert_snapshot!(refused(&ours, &wanted(&[])), @"
    generated-chart/.generated-files, line 1 is invalid: `<<<<<<< HEAD`: this is a merge conflict marker.
      Delete the marker lines and keep the lines of both sides (a path may have several).
      In a generated file that conflicts, keep either side. Then run `cargo xtask generate`.
    ");
}

#[test]
fn invalid_lines_of_the_record() {
    let hash = "0".repeat(64);
    let texts = ["a.yaml\n", &format!("\n\nABC  {hash}\n"), &format!("{hash}  ../a.yaml\r\n"), &format!("{hash} *a\n")];
    let messages = texts.map(|text| {
        let folder = Folder::empty();
        folder.edit(".generated-files", text);
        refused(&folder, &wanted(&[]))
    });
    assert_snapshot!(messages.join("\n"), @"
    generated-chart/.generated-files, line 1 is invalid: `a.yaml`: it is not `<sha256>  <path>`.
      Delete the line, or restore the committed record with `git checkout`, and run `cargo xtask generate`.
    generated-chart/.generated-files, line 3 is invalid: `ABC  0000000000000000000000000000000000000000000000000000000000000000`: it does not begin with a SHA-256 of 64 lower-case hexadecimal digits.
      Delete the line, or restore the committed record with `git checkout`, and run `cargo xtask generate`.
    generated-chart/.generated-files, line 1 is invalid: `0000000000000000000000000000000000000000000000000000000000000000  ../a.yaml`: the path is invalid: it is not a plain relative path.
      Delete the line, or restore the committed record with `git checkout`, and run `cargo xtask generate`.
    generated-chart/.generated-files, line 1 is invalid: `0000000000000000000000000000000000000000000000000000000000000000 *a`: it is not `<sha256>  <path>`.
      Delete the line, or restore the committed record with `git checkout`, and run `cargo xtask generate`.
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn blocked_paths() {
    use std::os::unix::{fs::symlink, net::UnixListener};

    let folder = Folder::generated(&[("orphan-behind-link/a.yaml", "1\n")]);
    std::fs::remove_dir_all(folder.root.join("orphan-behind-link")).unwrap();
    for link in ["link.yaml", "link", "orphan-behind-link"] {
        symlink("elsewhere", folder.root.join(link)).unwrap();
    }
    folder.edit("folder.yaml/notes.txt", "mine\n");
    folder.edit("file", "mine\n");
    folder.edit(".a.yaml.generate-tmp/notes.txt", "mine\n");
    let _socket = UnixListener::bind(folder.root.join("socket.yaml")).unwrap();
    let long = "n".repeat(300);
    let files = wanted(&[
        ("a.yaml", "1\n"),
        ("link.yaml", "1\n"),
        ("link/a.yaml", "1\n"),
        ("link/b.yaml", "1\n"),
        ("folder.yaml", "1\n"),
        ("file/a.yaml", "1\n"),
        ("socket.yaml", "1\n"),
        (&long, "1\n"),
    ]);
    assert_snapshot!(refused(&folder, &files).replace(&long, "(300 characters)"), @"
    these paths are blocked (nothing was changed):
      generated-chart/file is a foreign file, but generate needs a folder there for generated-chart/file/a.yaml: move the file away
      generated-chart/folder.yaml is a folder with foreign content, but generate must write a file there: move the folder away
      generated-chart/link is a symbolic link, which generate does not follow: move the link away
      generated-chart/link.yaml is a symbolic link, which generate does not follow: move the link away
      generated-chart/(300 characters) cannot be read: File name too long (os error 36): make it readable, or move it away
      generated-chart/socket.yaml is not a regular file: move it away
      generated-chart/orphan-behind-link is a symbolic link, which generate does not follow: move the link away
      generated-chart/.a.yaml.generate-tmp is not a regular file: move it away
    ");
}

#[cfg(unix)]
#[test]
fn a_blocked_root_or_record() {
    let record = |make: &dyn Fn(&camino::Utf8Path)| {
        let folder = Folder::empty();
        make(&folder.root.join(".generated-files"));
        refused(&folder, &wanted(&[]))
    };
    let root = Folder::empty();
    std::fs::remove_dir(&root.root).unwrap();
    std::fs::write(&root.root, "mine\n").unwrap();
    let messages = [
        refused(&root, &wanted(&[])),
        record(&|path| std::fs::create_dir(path).unwrap()),
        record(&|path| std::os::unix::fs::symlink("elsewhere", path).unwrap()),
        record(&|path| std::fs::write(path, [0xff]).unwrap()),
    ];
    assert_snapshot!(messages.join("\n"), @"
    these paths are blocked (nothing was changed):
      generated-chart is not a folder: move it away
    these paths are blocked (nothing was changed):
      generated-chart/.generated-files is not a regular file: move it away
    these paths are blocked (nothing was changed):
      generated-chart/.generated-files is a symbolic link, which generate does not follow: move the link away
    these paths are blocked (nothing was changed):
      generated-chart/.generated-files cannot be read: stream did not contain valid UTF-8: make it readable, or move it away
    ");
}

#[test]
fn the_disk_fails() {
    let mut seen: Vec<Step> = Vec::new();
    let mut messages = Vec::new();
    // Each run stops at the first step of a kind that no earlier run stopped at.
    for _ in 0..7 {
        let folder = Folder::generated(&[("charts/a.yaml", "1\n")]);
        let files = wanted(&[("templates/b.yaml", "1\n")]);
        let result = owned_tree::write_tree_stepwise(&folder.root, &files, HandEdits::Keep, &mut |step, _| {
            if seen.contains(&step) {
                return Ok(());
            }
            seen.push(step);
            Err(io::Error::other("the disk is full"))
        });
        messages.push(result.unwrap_err().to_string().lines().next().unwrap().to_owned());
    }
    assert_snapshot!(messages.join("\n"), @"
    cannot create generated-chart/..generated-files.generate-tmp: the disk is full
    cannot write generated-chart/..generated-files.generate-tmp: the disk is full
    cannot write generated-chart/..generated-files.generate-tmp: the disk is full
    cannot replace generated-chart/.generated-files: the disk is full
    cannot delete generated-chart/charts/a.yaml: the disk is full
    cannot remove the empty folder generated-chart/charts: the disk is full
    cannot create the folder generated-chart/templates: the disk is full
    ");
    let whole =
        Error::Io { action: "delete", path: "generated-chart/a.yaml".to_owned(), cause: io::Error::other("gone") };
    assert_snapshot!(whole, @"
    cannot delete generated-chart/a.yaml: gone
      No file is half-written. Fix the cause and run `cargo xtask generate` again: it continues where this run stopped.
    ");
}

#[test]
fn the_folder_cannot_be_locked() {
    let error = Error::Lock { root: "generated-chart".to_owned(), cause: io::Error::other("no locks available") };
    assert_snapshot!(error, @"
    cannot lock the folder generated-chart against a second run (nothing was changed): no locks available
      Make the folder readable, or put the checkout on a file system that has locks.
    ");
}
