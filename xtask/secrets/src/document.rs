//! A values file in memory: its text and the parsed tree.
//!
//! A change applies to both. `yaml-edit` changes the text at the value alone, so comments, order and quotes stay. The changed text is parsed again
//! and compared with the changed tree. If they differ, or the path leads through an alias, the whole text is written again, which loses only comments.
//!
//! The types do not implement `Debug`, because it would show passwords.

use std::str::FromStr as _;

use generator::yaml;
use helm_values::ReadError;
use serde_yaml::{Mapping, Value};
use yaml_edit::YamlFile;
use yaml_edit::path::YamlPath as _;

use super::Error;

/// A values file, read as Helm reads it. The root of the tree is a map with strings as keys.
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
        self.find(path).map_err(|no_map| no_map.of(file))?;
        let changed = edited(&self.text, path, &value);
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
    Unreadable(ReadError),
    Documents,
    Root,
}

impl Problem {
    fn of(self, file: &str) -> Error {
        let file = file.to_owned();
        match self {
            Self::Unreadable(error) => Error::Unreadable { file, error },
            Self::Documents => Error::Documents { file },
            Self::Root => Error::NoMap { file, path: "the whole file".to_owned() },
        }
    }
}

fn read(text: &str) -> Result<Value, Problem> {
    let mut documents = helm_values::documents(text).map_err(Problem::Unreadable)?;
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

/// The text with the value at the path; everything else stays as it is written.
///
/// The caller reads the result and compares it. Nothing where the path cannot be followed, such as through an alias.
fn edited(text: &str, path: &[String], value: &Value) -> Option<String> {
    let file = YamlFile::from_str(text).ok()?;
    // The value is written here, since yaml-edit quotes for YAML 1.2 and Helm reads YAML 1.1.
    let written = yaml_edit::Document::from_str(&format!("value: {}\n", yaml::write(value))).ok()?;
    let value = written.as_mapping()?.get("value")?;
    file.ensure_document().try_set_path(&path.join("."), value).ok()?;
    let mut text = file.to_string();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Some(text)
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
    fn a_value_in_braces_changes_alone() {
        for (before, after) in [
            ("{a: {p: y}, b: 1}\n", "{a: {p: x}, b: 1}\n"),
            ("a: {p: y} # why\nb: 1.50\n", "a: {p: x} # why\nb: 1.50\n"),
        ] {
            assert_eq!(set(before, "a.p", "x"), (after.to_owned(), false), "{before}");
        }
    }

    #[test]
    fn a_file_with_an_alias_in_the_way_is_written_anew() {
        let (before, after) = ("b: &b\n  p: z\na: *b # shared\n", "b:\n  p: z\na:\n  p: x\n");
        assert_eq!(set(before, "a.p", "x"), (after.to_owned(), true));
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
