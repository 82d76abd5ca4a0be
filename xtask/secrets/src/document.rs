//! A values file in memory: its text and the parsed tree.
//!
//! A change applies to both. In the text it affects only the necessary lines, so comments, order and quotes stay. The changed text is parsed again
//! and compared with the changed tree. If they differ (values in braces, aliases), the whole text is written again, which loses only comments.
//!
//! The types do not implement `Debug`, because it would show passwords.

use generator::yaml;
use serde_yaml::{Mapping, Value};

use super::Error;

/// A values file. The root of the tree is a map with strings as keys.
pub(super) struct Document {
    text: String,
    tree: Value,
    lost_comments: bool,
}

impl Document {
    /// Parses a text. `file` is its name in messages; messages never quote the text.
    pub(super) fn parse(text: String, file: &str) -> Result<Self, Error> {
        let tree = read(&text).map_err(|problem| problem.of(file))?;
        Ok(Self { text, tree, lost_comments: false })
    }

    /// A document that contains only a comment.
    pub(super) fn empty(comment: &str) -> Self {
        Self { text: format!("# {comment}\n"), tree: Value::Mapping(Mapping::new()), lost_comments: false }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a change rewrote the whole text, and so removed comments.
    pub(super) fn lost_comments(&self) -> bool {
        self.lost_comments
    }

    pub(super) fn root(&self) -> &Value {
        &self.tree
    }

    /// The value at a path; `None` if it does not exist.
    ///
    /// # Errors
    /// If a value on the path is not a map; contains the path of that value.
    pub(super) fn find(&self, path: &[String]) -> Result<Option<&Value>, NoMap> {
        find(&self.tree, path)
    }

    /// Like [`Self::find`], but returns `None` for an empty or null value as well.
    ///
    /// # Errors
    /// The errors of [`Self::find`].
    pub(super) fn get(&self, path: &[String]) -> Result<Option<&Value>, NoMap> {
        self.find(path).map(|found| found.filter(|value| !is_nothing(value)))
    }

    /// Sets the value at a path, and creates missing maps on the path.
    ///
    /// # Errors
    /// If a value on the path is not a map, or if rewriting the file would lose something.
    pub(super) fn set(&mut self, path: &[String], value: Value, file: &str) -> Result<(), Error> {
        let old = self.get(path).map_err(|no_map| no_map.of(file))?;
        let changed = edited(&self.text, path, old, &value);
        yaml::put(&mut self.tree, path, value);
        let changed = changed.filter(|text| self.is_said_by(text));
        self.text = if let Some(text) = changed {
            text
        } else {
            let text = format!("{}\n", yaml::write(&self.tree));
            if !self.is_said_by(&text) {
                return Err(Error::CannotRewrite { file: file.to_owned() });
            }
            self.lost_comments |=
                self.text.lines().any(|line| line.trim_start().starts_with('#') || line.contains(" #"));
            text
        };
        Ok(())
    }

    fn is_said_by(&self, text: &str) -> bool {
        read(text).is_ok_and(|tree| tree == self.tree)
    }
}

/// The path of a value that is not a map and must be one.
pub(super) struct NoMap(pub(super) String);

impl NoMap {
    pub(super) fn of(self, file: &str) -> Error {
        Error::NoMap { file: file.to_owned(), path: self.0 }
    }
}

/// Why a text is not a values file.
enum Problem {
    Syntax { line: usize, column: usize },
    Documents,
    Root,
}

impl Problem {
    fn of(self, file: &str) -> Error {
        let file = file.to_owned();
        match self {
            Self::Syntax { line, column } => Error::Syntax { file, line, column },
            Self::Documents => Error::Documents { file },
            Self::Root => Error::NoMap { file, path: "the whole file".to_owned() },
        }
    }
}

fn read(text: &str) -> Result<Value, Problem> {
    // The parser's message is left out, because it may quote the file.
    let syntax = |error: serde_yaml::Error| {
        let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
        Problem::Syntax { line, column }
    };
    let mut documents = yaml::read_all::<Value>(text).map_err(syntax)?;
    match (documents.pop(), documents.is_empty()) {
        (None, _) => Ok(Value::Mapping(Mapping::new())),
        (Some(_), false) => Err(Problem::Documents),
        (Some(tree), true) if tree.as_mapping().is_some_and(|map| map.keys().all(Value::is_string)) => Ok(tree),
        (Some(_), true) => Err(Problem::Root),
    }
}

fn find<'a>(tree: &'a Value, path: &[String]) -> Result<Option<&'a Value>, NoMap> {
    let mut value = tree;
    for (depth, key) in path.iter().enumerate() {
        let next = match value {
            Value::Mapping(map) => map.get(key),
            Value::Null => None,
            _ => return Err(NoMap(path.iter().take(depth).cloned().collect::<Vec<_>>().join("."))),
        };
        let Some(next) = next else { return Ok(None) };
        value = next;
    }
    Ok(Some(value))
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

/// The text with the value set at the path, if the text has block style. `old` is the current value.
///
/// The result may be wrong for unusual texts: the caller parses and compares it.
fn edited(text: &str, path: &[String], old: Option<&Value>, value: &Value) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    // The range of lines that contain the map's keys, and the column of the keys.
    let (mut from, mut to, mut column) = (0, lines.len(), 0);
    for (depth, key) in path.iter().enumerate() {
        let content = |lines: &[String]| {
            (from..to).filter(|at| lines.get(*at).is_some_and(|line| is_content(line))).collect::<Vec<_>>()
        };
        let inside = content(&lines);
        column = inside.first().map_or(column, |first| indent(&lines[*first]));
        let found =
            inside.iter().copied().find(|at| indent(&lines[*at]) == column && after_key(&lines[*at], key).is_some());
        let Some(at) = found else {
            let place = inside.last().map_or(from, |last| last + 1);
            let place = if depth == 0 && inside.is_empty() { to } else { place };
            insert(&mut lines, place, column, &nested(path.get(depth..)?, value));
            return Some(joined(&lines));
        };
        let rest = after_key(&lines[at], key)?.to_owned();
        let end = inside.iter().copied().find(|next| *next > at && ends_block(&lines[*next], column)).unwrap_or(to);
        if depth + 1 == path.len() {
            let head = lines[at].strip_suffix(rest.as_str())?.to_owned();
            let comment = comment_after(&rest, old);
            // Remove the other lines of the old value: all lines that are indented more than its key.
            let last =
                (at + 1..end).rev().find(|next| !lines[*next].trim().is_empty() && indent(&lines[*next]) > column);
            lines.drain(at + 1..last.map_or(at + 1, |last| last + 1));
            lines[at] = format!("{head} {}{comment}", yaml::write(value));
            return Some(joined(&lines));
        }
        if !rest.trim().is_empty() && !rest.trim_start().starts_with('#') {
            return None;
        }
        (from, to, column) = (at + 1, end, column + 2);
    }
    None
}

/// A value below the keys of a path, in block style.
fn nested(path: &[String], value: &Value) -> String {
    let mut tree = Value::Null;
    yaml::put(&mut tree, path, value.clone());
    yaml::write(&tree)
}

fn insert(lines: &mut Vec<String>, place: usize, column: usize, block: &str) {
    let block = block.lines().map(|line| format!("{}{line}", " ".repeat(column)));
    lines.splice(place..place, block);
}

fn joined(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// Whether the line is neither empty nor a comment nor a document separator.
fn is_content(line: &str) -> bool {
    let text = line.trim();
    !text.is_empty() && !text.starts_with('#') && text != "---" && text != "..."
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether a content line ends the block of a key in this column. List items may have the column of their key.
fn ends_block(line: &str, column: usize) -> bool {
    let at = indent(line);
    at < column || at == column && !line.trim_start().starts_with("- ")
}

/// The rest of the line after the key and its colon, if the line begins with this key.
fn after_key<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let line = line.trim_start_matches(' ');
    [key.to_owned(), format!("\"{key}\""), format!("'{key}'")].iter().find_map(|written| {
        let rest = line.strip_prefix(written.as_str())?.trim_start().strip_prefix(':')?;
        (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some(rest)
    })
}

/// The comment after a value, with the space before it. A `#` may also be part of the value; then the text before it is not the value.
fn comment_after(rest: &str, old: Option<&Value>) -> String {
    let is_old = |text: &str| {
        let read = yaml::read_all::<Value>(text).ok().map(|mut all| all.pop());
        read.is_some_and(|value| value.as_ref().filter(|value| !is_nothing(value)) == old)
    };
    let found = rest.match_indices(" #").find(|(at, _)| is_old(rest.get(..*at).unwrap_or_default()));
    let behind = |at| rest.get(rest.get(..at)?.trim_end().len()..);
    found.and_then(|(at, _)| behind(at)).unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    /// The text after a change, and whether comments were lost.
    fn set(text: &str, at: &str, value: impl Into<Value>) -> (String, bool) {
        let mut document = Document::parse(text.to_owned(), "file").expect("a values file");
        document.set(&path(at), value.into(), "file").expect("a change");
        (document.text().to_owned(), document.lost_comments())
    }

    const FILE: &str = "\
# passwords
---
web: # the web
  # of the broker
  credentials:
    broker:
      password: 'old # one'   # from Ann
      revision: 2

# the rest
other:
- {a: b} # kept
big: 1.10
";

    #[test]
    fn a_changed_value_changes_its_line_alone() {
        let (text, lost) = set(FILE, "web.credentials.broker.password", "new");
        assert_eq!(text, FILE.replace("'old # one'", "new"));
        assert!(!lost);
        assert_eq!(
            set(FILE, "web.credentials.broker.revision", 3),
            (FILE.replace("revision: 2", "revision: 3"), false)
        );
        // Strings that YAML 1.1 would read as another type are quoted.
        assert!(set(FILE, "web.credentials.broker.password", "1_0").0.contains("password: \"1_0\"   # from Ann\n"));
    }

    #[test]
    fn what_is_new_stands_at_the_end_of_its_map() {
        let (text, lost) = set(FILE, "web.credentials.database.password", "new");
        let expected = "      revision: 2\n    database:\n      password: new\n\n# the rest\n";
        assert_eq!(text, FILE.replace("      revision: 2\n\n# the rest\n", expected));
        assert!(!lost);
        let (text, lost) = set(FILE, "cache.credentials.admin.password", "new");
        assert_eq!(text, format!("{FILE}cache:\n  credentials:\n    admin:\n      password: new\n"));
        assert!(!lost);
    }

    #[test]
    fn a_key_without_a_value_gets_one() {
        for (before, after) in [
            ("a:\n  p: \"\" # none yet\n", "a:\n  p: x # none yet\n"),
            ("a:\n  p:\nb: 1\n", "a:\n  p: x\nb: 1\n"),
            ("a: # none\nb: 1\n", "a: # none\n  p: x\nb: 1\n"),
            ("\"a\":\n    'p': y\n    q: 1\n", "\"a\":\n    'p': x\n    q: 1\n"),
            ("# nothing\n", "# nothing\na:\n  p: x\n"),
            ("", "a:\n  p: x\n"),
            ("a:\n  p: |-\n    # one\n    two\n\n    three\n  q: 1\n", "a:\n  p: x\n  q: 1\n"),
            ("a:\n  p: one\n    two\n# end\n", "a:\n  p: x\n# end\n"),
        ] {
            assert_eq!(set(before, "a.p", "x"), (after.to_owned(), false), "{before}");
        }
    }

    #[test]
    fn what_is_no_block_is_written_anew() {
        for (before, after, lost) in [
            ("{a: {p: y}, b: 1}\n", "a:\n  p: x\nb: 1\n", false),
            ("a: {p: y} # why\nb: 1.50\n", "a:\n  p: x\nb: 1.5\n", true),
            ("b: &b\n  p: z\na: *b # shared\n", "b:\n  p: z\na:\n  p: x\n", true),
        ] {
            assert_eq!(set(before, "a.p", "x"), (after.to_owned(), lost), "{before}");
        }
    }

    #[test]
    fn what_is_no_values_file_is_told_by_its_place_alone() {
        let error = |text: &str| Document::parse(text.to_owned(), "file").err().expect("an error").to_string();
        let syntax = error("a: 1\nb: \"hunter2\n");
        assert!(syntax.starts_with("file, line 3, column 1"), "{syntax}");
        assert!(!syntax.contains("hunter2"));
        assert!(error("a: hunter2\na: hunter3\n").starts_with("file, line "));
        assert!(error("a: 1\n---\nb: 1\n").contains("more than one"));
        assert!(error("- a\n").contains("not a map"));
        assert!(error("1: a\n").contains("not a map"));
    }

    #[test]
    fn what_is_in_the_way_is_not_overwritten() {
        let mut document = Document::parse("a:\n  b: text\n".to_owned(), "file").expect("a values file");
        let error = document.set(&path("a.b.c"), "x".into(), "file").expect_err("an obstacle");
        assert!(error.to_string().contains("`a.b`"), "{error}");
        assert_eq!(document.text(), "a:\n  b: text\n");
    }
}
