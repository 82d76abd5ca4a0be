//! The text of a snapshot: without digests, and for a difference the changed lines below their keys.

use similar::{ChangeTag, TextDiff};

/// Replaces each digest by `<digest>`, so that a snapshot changes only if the reviewed text changes.
///
/// A digest is a word of 16 or 64 hexadecimal digits, as in checksum annotations, or of 6 or 8 digits at the end of an object's name. Words after
/// `sha256:` stay: they are image digests from the values.
pub(crate) fn without_digests(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        redacted.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = &rest[..end];
        rest = &rest[end..];
        let is_suffix = redacted.ends_with('-') && !rest.starts_with('-');
        let is_digest = is_hexadecimal(word)
            && match word.len() {
                6 | 8 => is_suffix && word.contains(|c: char| c.is_ascii_digit()),
                16 | 64 => !redacted.ends_with("sha256:"),
                _ => false,
            };
        redacted.push_str(if is_digest { "<digest>" } else { word });
    }
    redacted.push_str(rest);
    redacted
}

fn is_hexadecimal(word: &str) -> bool {
    word.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// The lines that differ, each below the keys and list items that contain it; `…` replaces omitted lines.
///
/// The text contains no line numbers and no context lines, so a change elsewhere in the object does not affect it.
pub(crate) fn difference(old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let lines: Vec<Line> = diff.iter_all_changes().map(|change| Line::new(change.tag(), change.value())).collect();
    let mut is_shown = vec![false; lines.len()];
    for changed in (0..lines.len()).filter(|&at| lines[at].tag != ChangeTag::Equal) {
        is_shown[changed] = true;
        let mut level = lines[changed].level;
        for at in (0..changed).rev() {
            let is_of_this_side = lines[at].tag == ChangeTag::Equal || lines[at].tag == lines[changed].tag;
            if is_of_this_side && lines[at].contains_others && lines[at].level < level {
                level = lines[at].level;
                is_shown[at] = true;
            }
        }
    }
    let mut text = String::new();
    let mut is_after_change = false;
    for (line, is_shown) in lines.iter().zip(is_shown) {
        if is_shown {
            let sign = match line.tag {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            text.extend([sign.to_string().as_str(), line.text, "\n"]);
            is_after_change = line.tag != ChangeTag::Equal;
        } else if is_after_change {
            text.push_str("…\n");
            is_after_change = false;
        }
    }
    // Omitted lines at the end need no mark.
    text.strip_suffix("…\n").map(str::to_owned).unwrap_or(text)
}

struct Line<'a> {
    tag: ChangeTag,
    text: &'a str,
    /// Its depth. A line contains the deeper lines below it.
    level: usize,
    /// Whether it is a key or a list item, not a comment.
    contains_others: bool,
}

impl<'a> Line<'a> {
    fn new(tag: ChangeTag, text: &'a str) -> Self {
        let text = text.trim_end_matches('\n');
        let content = text.trim_start();
        // YAML lets the items of a list begin in the column of their key.
        let level = 2 * (text.len() - content.len()) + usize::from(content.starts_with('-'));
        Self { tag, text, level, contains_others: !content.is_empty() && !content.starts_with('#') }
    }
}

#[test]
fn digests_are_replaced_and_other_words_stay() {
    let text = "name: afp-redis-provision-52431b37\n\
                secretName: afp-caller-external-r1.1-27ebe5\n\
                checksum/credentials: \"d23ccfecb68499ea\"\n\
                image: \"valkey@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n\
                value: \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n\
                uid-12345678-of-a-user: 12345678\n\
                é: deadbeef a-facade";
    insta::assert_snapshot!(without_digests(text), @r#"
    name: afp-redis-provision-<digest>
    secretName: afp-caller-external-r1.1-<digest>
    checksum/credentials: "<digest>"
    image: "valkey@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    value: "<digest>"
    uid-12345678-of-a-user: 12345678
    é: deadbeef a-facade
    "#);
}

#[test]
fn a_difference_shows_changed_lines_below_their_keys() {
    let old = "\
metadata:
  name: a
spec:
  # A comment.
  containers:
  - name: first
    image: x
    tty: true
  - name: second
    ports: []
    image: x
  volumes: []
";
    let new = old.replace("image: x", "image: y").replace("  volumes", "    stdin: true\n  volumes");
    let expected = "\x20spec:
   containers:
   - name: first
-    image: x
+    image: y
…
   - name: second
-    image: x
+    image: y
+    stdin: true
";
    assert_eq!(difference(old, &new), expected);
}

#[test]
fn a_change_elsewhere_does_not_affect_a_difference() {
    let old = "metadata:\n  labels:\n    a: b\nspec:\n  replicas: 1\n";
    let new = "metadata:\n  labels:\n    a: b\nspec:\n  replicas: 2\n";
    let with_annotation = |text: &str| text.replace("    a: b\n", "    a: b\n  annotations:\n    c: d\n");
    assert_eq!(difference(&with_annotation(old), &with_annotation(new)), difference(old, new));
}
