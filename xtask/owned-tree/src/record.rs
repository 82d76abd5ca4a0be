//! The record of the written files: lines `<sha256>  <path>`, sorted by path.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use super::error::{BadLine, LineFault};
use super::paths::{self, RECORD, Root};
use super::{Error, Obstacle, ObstacleKind, Wanted};

/// The hashes of the written contents, by path. After an interrupted run or a merge a path has several hashes; the file
/// is unchanged if it matches any of them.
#[derive(Debug, Default)]
pub(super) struct Record(BTreeMap<Utf8PathBuf, BTreeSet<Hash>>);

impl Record {
    /// Parses the record's text. Order, repeated lines, blank lines and CRLF do not matter, because a merge may cause them.
    pub(super) fn parse(text: &str) -> Result<Self, BadLine> {
        let mut record = Self::default();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let (path, hash) = parse_line(line).map_err(|fault| BadLine::new(index + 1, line, fault))?;
            record.add(&path, hash);
        }
        Ok(record)
    }

    /// A record of exactly these files.
    pub(super) fn of(wanted: &Wanted) -> Self {
        let mut record = Self::default();
        for (path, text) in wanted {
            record.add(path, Hash::of(text.as_bytes()));
        }
        record
    }

    pub(super) fn add(&mut self, path: &Utf8Path, hash: Hash) {
        self.0.entry(path.to_owned()).or_default().insert(hash);
    }

    /// Adds all hashes that `other` has for a path.
    pub(super) fn add_all(&mut self, path: &Utf8Path, other: &Self) {
        let hashes = other.0.get(path).into_iter().flatten().copied();
        self.0.entry(path.to_owned()).or_default().extend(hashes);
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Utf8Path> {
        self.0.keys().map(Utf8PathBuf::as_path)
    }

    pub(super) fn has(&self, path: &Utf8Path) -> bool {
        self.0.contains_key(path)
    }

    /// Whether the record contains the hash of this content for the path.
    pub(super) fn knows(&self, path: &Utf8Path, content: &[u8]) -> bool {
        self.0.get(path).is_some_and(|hashes| hashes.contains(&Hash::of(content)))
    }
}

/// The text of the record's file.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, hashes) in &self.0 {
            for hash in hashes {
                writeln!(f, "{hash}  {path}")?;
            }
        }
        Ok(())
    }
}

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hash([u8; 32]);

impl Hash {
    pub(super) fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// Reads exactly the 64 lower-case hexadecimal digits that [`Display`](fmt::Display) writes.
    fn parse(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The record's text on disk; `None` if there is no record.
pub(super) fn read(root: &Root) -> Result<Option<String>, Error> {
    let record = Utf8Path::new(RECORD);
    let file = root.join(record);
    let obstacle = |kind| Obstacle::one(root.shown(record), kind);
    match fs::symlink_metadata(&file) {
        Ok(metadata) if metadata.is_symlink() => Err(obstacle(ObstacleKind::SymbolicLink)),
        Ok(metadata) if !metadata.is_file() => Err(obstacle(ObstacleKind::NotAFile)),
        Ok(_) => fs::read_to_string(&file).map(Some).map_err(|cause| obstacle(ObstacleKind::Unreadable(cause))),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(obstacle(ObstacleKind::Unreadable(cause))),
    }
}

fn parse_line(line: &str) -> Result<(Utf8PathBuf, Hash), LineFault> {
    if ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|marker| line.starts_with(marker)) {
        return Err(LineFault::ConflictMarker);
    }
    let (hash, path) = line.split_once("  ").ok_or(LineFault::Form)?;
    let hash = Hash::parse(hash).ok_or(LineFault::Hash)?;
    let path = Utf8PathBuf::from(path);
    match paths::fault(&path) {
        Some(reason) => Err(LineFault::Path(reason)),
        None => Ok((path, hash)),
    }
}
