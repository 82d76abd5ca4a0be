//! Values files as Helm reads them, and messages without the texts of such a file.
//!
//! Helm 3 and 4 read values with `sigs.k8s.io/yaml` over `go.yaml.in/yaml/v2`: the syntax of YAML 1.1, with go-yaml's own rules for plain scalars. A
//! reader of YAML 1.2 differs in what is dangerous for a password: `1_234` is a number for Helm and a string in YAML 1.2.

mod redact;
mod scalar;

use std::collections::HashMap;
use std::fmt;

use libyaml_safer::{Event, EventData, Mark, Parser};
use serde_yaml::value::TaggedValue;
use serde_yaml::{Mapping, Value};

pub use redact::{Redaction, is_encrypted, scalars};

/// Why Helm cannot read a text, or reads part of it as something else. It never contains a part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The reason.
    pub reason: Reason,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The text is not YAML.
    Syntax,
    /// A map has a key twice. Helm takes the last value, and drops the others silently.
    DuplicateKey,
    /// A key is a map, a list or null.
    Key,
    /// An alias has no anchor, or its anchor contains the alias.
    Alias,
    /// A value is not of the type that its tag names.
    Tag,
    /// A number is infinite or not a number, which Helm cannot store.
    NotFinite,
    /// The text has more nested values, or more values behind aliases, than this reader takes.
    TooLarge,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Syntax => "invalid YAML",
            Self::DuplicateKey => "a key occurs twice in its map, and Helm drops the first value",
            Self::Key => "a key is a map, a list or null",
            Self::Alias => "an alias has no anchor, or is inside its own anchor",
            Self::Tag => "a value is not of the type that its tag names",
            Self::NotFinite => "a number is infinite or not a number, which Helm rejects",
            Self::TooLarge => "the values are nested too deeply, or aliases repeat too much",
        })
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}: {}", self.line, self.column, self.reason)
    }
}

impl std::error::Error for ReadError {}

/// The documents of a text, without empty ones, with every scalar of the type that Helm gives it.
///
/// A value with a tag of its own (`!x`) keeps it as [`Value::Tagged`], although Helm drops the tag: a writer must not lose it. A merge (`<<`) is
/// applied in go-yaml's order, in which a merged value replaces one that stands above the merge.
///
/// # Errors
/// [`ReadError`] if Helm cannot read the text, or a map has a key twice.
pub fn documents(text: &str) -> Result<Vec<Value>, ReadError> {
    let mut input = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut input);
    let mut reader = Reader { parser, text, anchors: HashMap::new(), open: Vec::new(), expanded: 0 };
    let mut all = Vec::new();
    loop {
        let event = reader.next()?;
        match event.data {
            EventData::StreamEnd => return Ok(all),
            EventData::DocumentStart { .. } => {
                reader.anchors.clear();
                let first = reader.next()?;
                let value = reader.value(first, 0)?;
                if !value.is_null() {
                    all.push(value);
                }
            }
            _ => {}
        }
    }
}

/// The deepest nesting of values.
const DEEPEST: usize = 200;

/// The largest number of values that come from aliases.
const MOST_EXPANDED: usize = 100_000;

struct Reader<'a, 'b> {
    parser: Parser<&'a mut &'b [u8]>,
    text: &'b str,
    /// The values with an anchor.
    anchors: HashMap<String, Value>,
    /// The anchors of the maps and lists that are being read.
    open: Vec<String>,
    /// The number of values that came from aliases.
    expanded: usize,
}

fn error(mark: Mark, reason: Reason) -> ReadError {
    let number = |from_zero: u64| usize::try_from(from_zero).unwrap_or(usize::MAX).saturating_add(1);
    ReadError { line: number(mark.line), column: number(mark.column), reason }
}

impl Reader<'_, '_> {
    fn next(&mut self) -> Result<Event, ReadError> {
        self.parser.parse().map_err(|problem| error(problem.problem_mark().unwrap_or_default(), Reason::Syntax))
    }

    fn value(&mut self, event: Event, depth: usize) -> Result<Value, ReadError> {
        let mark = event.start_mark;
        if depth > DEEPEST {
            return Err(error(mark, Reason::TooLarge));
        }
        let (anchor, value) = match event.data {
            EventData::Alias { anchor } => {
                let value = self.anchors.get(&anchor).filter(|_| !self.open.contains(&anchor));
                let value = value.cloned().ok_or_else(|| error(mark, Reason::Alias))?;
                self.expanded += size(&value);
                if self.expanded > MOST_EXPANDED {
                    return Err(error(mark, Reason::TooLarge));
                }
                return Ok(value);
            }
            EventData::Scalar { anchor, tag, value, plain_implicit, .. } => {
                let is_plain = plain_implicit && !self.has_bare_tag(mark, anchor.as_deref());
                let read = scalar::value(tag.as_deref(), value, is_plain).map_err(|reason| error(mark, reason))?;
                (anchor, read)
            }
            EventData::SequenceStart { anchor, tag, .. } => {
                self.open.extend(anchor.clone());
                let value = tagged(tag, self.sequence(depth)?);
                self.close(anchor.as_ref());
                (anchor, value)
            }
            EventData::MappingStart { anchor, tag, .. } => {
                self.open.extend(anchor.clone());
                let value = tagged(tag, self.mapping(depth)?);
                self.close(anchor.as_ref());
                (anchor, value)
            }
            _ => return Err(error(mark, Reason::Syntax)),
        };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    /// Whether the scalar at the mark has the tag `!`, which makes it a string. The parser does not report this tag.
    fn has_bare_tag(&self, mark: Mark, anchor: Option<&str>) -> bool {
        let start = usize::try_from(mark.index).unwrap_or(usize::MAX);
        let rest = self.text.get(start..).unwrap_or_default();
        let rest = anchor.and_then(|name| rest.strip_prefix('&')?.strip_prefix(name)).unwrap_or(rest);
        rest.trim_start().starts_with('!')
    }

    fn close(&mut self, anchor: Option<&String>) {
        if anchor.is_some() {
            self.open.pop();
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, ReadError> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if event.data == EventData::SequenceEnd {
                return Ok(Value::Sequence(items));
            }
            items.push(self.value(event, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, ReadError> {
        let mut map = Mapping::new();
        // The keys that the text itself has, without merged ones.
        let mut own = Vec::new();
        loop {
            let event = self.next()?;
            if event.data == EventData::MappingEnd {
                return Ok(Value::Mapping(map));
            }
            let (mark, is_merge) = (event.start_mark, is_merge(&event.data));
            let key = self.value(event, depth + 1)?;
            let event = self.next()?;
            let value_mark = event.start_mark;
            let value = self.value(event, depth + 1)?;
            if is_merge {
                merge(&mut map, value).map_err(|reason| error(value_mark, reason))?;
                continue;
            }
            if !matches!(key, Value::String(_) | Value::Bool(_) | Value::Number(_)) {
                return Err(error(mark, Reason::Key));
            }
            if own.contains(&key) {
                return Err(error(mark, Reason::DuplicateKey));
            }
            map.insert(key.clone(), value);
            own.push(key);
        }
    }
}

/// The number of values in a tree.
fn size(value: &Value) -> usize {
    match value {
        Value::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Mapping(map) => 1 + map.values().map(size).sum::<usize>(),
        Value::Tagged(tagged) => size(&tagged.value),
        _ => 1,
    }
}

/// A value with a tag that is not one of YAML's own.
fn tagged(tag: Option<String>, value: Value) -> Value {
    match tag {
        Some(tag) if !tag.starts_with(scalar::YAML) && tag != "!" => {
            Value::Tagged(Box::new(TaggedValue { tag: serde_yaml::value::Tag::new(tag), value }))
        }
        _ => value,
    }
}

fn is_merge(key: &EventData) -> bool {
    let EventData::Scalar { tag, value, plain_implicit, .. } = key else { return false };
    value == "<<" && (*plain_implicit || tag.as_deref() == Some(scalar::MERGE))
}

/// Adds merged keys. Of several maps, an earlier one has precedence.
fn merge(map: &mut Mapping, merged: Value) -> Result<(), Reason> {
    match merged {
        Value::Mapping(merged) => {
            map.extend(merged);
            Ok(())
        }
        Value::Sequence(all) => all.into_iter().rev().try_for_each(|one| match one {
            Value::Mapping(merged) => {
                map.extend(merged);
                Ok(())
            }
            _ => Err(Reason::Alias),
        }),
        _ => Err(Reason::Alias),
    }
}
