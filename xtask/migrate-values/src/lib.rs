//! `cargo xtask migrate-values OLD.yaml`: converts a values file of an earlier version of the chart.
//!
//! The platform's declaration of its earlier versions alone decides what becomes of a value. Passwords go into the new file and nowhere else: no
//! message shows a value of the file.
//!
//! ```text
//! old file ─▶ tree ─▶ convert: new tree, and what is left ─▶ new file ─▶ Helm: the schema and the checks of the chart
//! ```

mod accepted;
mod convert;
mod error;

use std::fs;
use std::io::{self, Write};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use generator::{Resolved, yaml};
use serde_yaml::{Mapping, Value};

pub use convert::{Converted, Left, convert};
pub use error::Error;

/// A values file of an earlier version, and the file to write.
#[derive(Clone, Debug)]
pub struct Conversion<'a> {
    /// The file of the earlier version.
    pub old: &'a Utf8Path,
    /// The new file; by default `<name>.migrated.yaml` beside the old one.
    pub new: Option<&'a Utf8Path>,
    /// Whether the new file may replace an existing one.
    pub overwrite: bool,
}

impl Conversion<'_> {
    /// Writes the new file, and reports to `out` what could not be carried over. Returns whether the chart accepts the new values.
    ///
    /// # Errors
    /// [`Error`], before a file is written. If Helm is not available, or `out` cannot be written.
    pub fn run(&self, platform: &Resolved, out: &mut dyn Write) -> anyhow::Result<bool> {
        let new = self.target()?;
        let old = self.read()?;
        let converted = convert(platform, &old);
        let declared = platform.platform();
        let (name, version) = (declared.name, declared.version);
        let file = self.old.file_name().unwrap_or_default();
        let header = format!("# Values of {name} {version}, converted from {file} by `cargo xtask migrate-values`.\n");
        self.write(&new, &format!("{header}{}\n", yaml::write(&converted.values)))?;
        report(&new, &converted, out).context("cannot write the report")?;
        let refusal = accepted::refusal(platform, &new, &converted.values)?;
        match &refusal {
            None => writeln!(
                out,
                "The chart accepts the new values, if you add the passwords and image tags that they lack."
            )?,
            Some(refusal) => writeln!(out, "The chart refuses the new values. Correct {new}:\n{}", refusal.trim_end())?,
        }
        Ok(refusal.is_none())
    }

    /// The path of the new file.
    fn target(&self) -> Result<Utf8PathBuf, Error> {
        let new = self.new.map_or_else(|| self.old.with_extension("migrated.yaml"), Utf8Path::to_owned);
        let is_old = |new: &Utf8Path| matches!((new.canonicalize_utf8(), self.old.canonicalize_utf8()), (Ok(a), Ok(b)) if a == b);
        if is_old(&new) {
            return Err(Error::SameFile { file: new });
        }
        if !self.overwrite && fs::symlink_metadata(&new).is_ok() {
            return Err(Error::Exists { file: new });
        }
        Ok(new)
    }

    /// The values of the old file.
    fn read(&self) -> Result<Mapping, Error> {
        let file = self.old;
        let text =
            fs::read_to_string(file).map_err(|cause| Error::Io { action: "read", file: file.to_owned(), cause })?;
        let mut documents =
            helm_values::documents(&text).map_err(|error| Error::Unreadable { file: file.to_owned(), error })?;
        let Some(tree) = documents.pop() else { return Ok(Mapping::new()) };
        if !documents.is_empty() {
            return Err(Error::Documents { file: file.to_owned() });
        }
        match untagged(tree) {
            Value::Mapping(map) if map.contains_key("sops") => Err(Error::Encrypted { file: file.to_owned() }),
            Value::Mapping(map) if map.keys().all(Value::is_string) => Ok(map),
            _ => Err(Error::NoMap { file: file.to_owned() }),
        }
    }

    /// Writes the new file as a whole; only its owner can read it (mode 0600).
    fn write(&self, new: &Utf8Path, text: &str) -> Result<(), Error> {
        let failed = |cause: io::Error| Error::Io { action: "write", file: new.to_owned(), cause };
        let folder = new.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        temporary.write_all(text.as_bytes()).map_err(failed)?;
        if self.overwrite {
            temporary.persist(new).map_err(|error| failed(error.error))?;
        } else {
            temporary.persist_noclobber(new).map_err(|error| failed(error.error))?;
        }
        Ok(())
    }
}

/// The value without tags, which Helm drops too.
fn untagged(value: Value) -> Value {
    match value {
        Value::Tagged(tagged) => untagged(tagged.value),
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(untagged).collect()),
        Value::Mapping(map) => Value::Mapping(map.into_iter().map(|(key, value)| (key, untagged(value))).collect()),
        other => other,
    }
}

fn report(new: &Utf8Path, converted: &Converted, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Wrote {new} with {}.", count(converted.carried, "value"))?;
    if !converted.left.is_empty() {
        writeln!(out, "Not carried over, {}:", count(converted.left.len(), "value"))?;
        for left in &converted.left {
            writeln!(out, "  {}: {}", left.path, left.reason)?;
        }
    }
    if converted.passwords > 0 {
        let count = count(converted.passwords, "password");
        writeln!(out, "It contains {count} in the clear. Keep it out of git, or encrypt it with sops.")?;
    }
    Ok(())
}

fn count(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
