//! The file on disk: reads and decrypts it, encrypts and writes it. A write replaces the whole file atomically.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use serde_yaml::Value;

use super::document::Document;
use super::sops::{self, Clear, Rule, Sops};
use super::{Error, Subject};

/// The location of the file.
pub(super) struct SourceLocation {
    /// Its folder with all symbolic links resolved, in which sops looks for its configuration.
    pub(super) folder: Utf8PathBuf,
    pub(super) name: String,
    /// The file's name in messages.
    pub(super) shown: String,
}

impl SourceLocation {
    /// The location of a file in an existing folder. If the file is a symbolic link, its target is replaced.
    pub(super) fn of(subject: &Subject) -> Result<Self, Error> {
        let failed = |action, path: &Utf8Path| {
            let path = path.to_owned();
            move |cause| Error::Io { action, path, cause }
        };
        let file = if fs::symlink_metadata(&subject.file).is_ok_and(|found| found.is_symlink()) {
            subject.file.canonicalize_utf8().map_err(failed("follow the link", &subject.shown))?
        } else {
            subject.file.clone()
        };
        let folder = file.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        let name =
            file.file_name().ok_or_else(|| ErrorKind::IsADirectory.into()).map_err(failed("write", &subject.shown))?;
        if !folder.is_dir() {
            return Err(Error::NoFolder { folder: folder.to_owned(), file: subject.shown.to_string() });
        }
        Ok(Self {
            folder: folder.canonicalize_utf8().map_err(failed("find the folder", folder))?,
            name: name.to_owned(),
            shown: subject.shown.to_string(),
        })
    }

    fn path(&self) -> Utf8PathBuf {
        self.folder.join(&self.name)
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(std::io::Error) -> Error {
        let path = Utf8PathBuf::from(&self.shown);
        move |cause| Error::Io { action, path, cause }
    }

    /// Locks the folder against other runs of this command, and waits for a running one.
    ///
    /// The lock is on the folder itself, so no lock file is left behind. The operating system releases it when the process ends.
    #[cfg(unix)]
    pub(super) fn lock(&self) -> Result<Option<File>, Error> {
        let folder = File::open(&self.folder).map_err(self.failed("open the folder of"))?;
        match folder.lock() {
            Ok(()) => Ok(Some(folder)),
            Err(cause) if cause.kind() == ErrorKind::Unsupported => Ok(None),
            Err(cause) => Err(self.failed("lock the folder of")(cause)),
        }
    }

    /// Folders cannot be locked on this system.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "the same signature as on Unix")]
    pub(super) fn lock(&self) -> Result<Option<File>, Error> {
        Ok(None)
    }

    /// Reads the file; `None` if it does not exist.
    pub(super) fn read(&self) -> Result<Option<Content>, Error> {
        match fs::read_to_string(self.path()) {
            Ok(text) => Content::of(text, &self.shown).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(self.failed("read")(cause)),
        }
    }

    /// Whether users other than the owner can read the file.
    #[cfg(unix)]
    pub(super) fn is_open_to_others(&self) -> bool {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(self.path()).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
    }

    /// This system has no Unix file modes.
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "the same signature as on Unix")]
    pub(super) fn is_open_to_others(&self) -> bool {
        false
    }

    /// Replaces the file that was read; only the owner can read the new one (mode 0600).
    pub(super) fn replace(&self, old: Option<&Content>, new: &str) -> Result<(), Error> {
        // .gitignore covers this name, in case the process is killed before the rename.
        let mut temporary = tempfile::Builder::new()
            .prefix(&format!(".{}.", self.name))
            .suffix(".generate-tmp")
            .tempfile_in(&self.folder)
            .map_err(self.failed("write beside"))?;
        temporary
            .write_all(new.as_bytes())
            .and_then(|()| temporary.as_file().sync_all())
            .map_err(self.failed("write"))?;
        // Editors ignore the lock, so compare the file again.
        let now = match fs::read_to_string(self.path()) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(cause) => return Err(self.failed("read")(cause)),
        };
        if now.as_deref() != old.map(|old| old.written.text()) {
            return Err(Error::Changed { file: self.shown.clone() });
        }
        temporary.persist(self.path()).map_err(|error| self.failed("put the new content in place of")(error.error))?;
        self.sync_folder()
    }

    /// Deletes the file.
    pub(super) fn delete(&self) -> Result<(), Error> {
        fs::remove_file(self.path()).map_err(self.failed("delete"))
    }

    #[cfg(unix)]
    fn sync_folder(&self) -> Result<(), Error> {
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(self.failed("sync the folder of"))
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "the same signature as on Unix")]
    fn sync_folder(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// The content of the file on disk.
pub(super) struct Content {
    written: Document,
}

impl Content {
    fn of(text: String, file: &str) -> Result<Self, Error> {
        Ok(Self { written: Document::parse(text, file)? })
    }

    /// Whether sops has encrypted the content. sops marks it with the key `sops`, and rejects unencrypted files with that key.
    pub(super) fn is_encrypted(&self) -> bool {
        self.written.root().get("sops").is_some()
    }

    /// The decrypted document.
    pub(super) fn document(&self, subject: &Subject, place: &SourceLocation, sops: &Sops) -> Result<Document, Error> {
        let text = self.written.text();
        let text = if self.is_encrypted() {
            let clear = Clear { names: self.clear_names(subject), again: subject.new_command() };
            sops.decrypt(place, text, clear)?
        } else {
            text.to_owned()
        };
        Document::parse(text, &place.shown)
    }

    /// The values that are not encrypted: the names of credentials, and the paths of other values. sops itself leaves values below a key that ends
    /// with `_unencrypted` as they are.
    fn clear_names(&self, subject: &Subject) -> Vec<String> {
        let is_clear = |(path, value): &(Vec<String>, &Value)| {
            !value.as_str().is_some_and(helm_values::is_encrypted)
                && !path.iter().any(|key| key.ends_with("_unencrypted"))
        };
        let name = |(path, _): (Vec<String>, &Value)| {
            let credential = subject.credentials.iter().find(|credential| credential.value == path);
            credential.map_or_else(|| path.join("."), |credential| credential.name.clone())
        };
        helm_values::scalars(self.written.root()).into_iter().filter(is_clear).map(name).collect()
    }

    /// Whether the value at the path exists and is not encrypted.
    pub(super) fn is_clear(&self, path: &[String]) -> bool {
        let is_encrypted = |value: &Value| value.as_str().is_some_and(helm_values::is_encrypted);
        self.written.get(path).is_ok_and(|value| value.is_some_and(|value| !is_encrypted(value)))
    }
}

/// Replaces the file with the document: encrypted if there is a rule, otherwise as plain text.
pub(super) fn write(
    place: &SourceLocation,
    subject: &Subject,
    old: Option<&Content>,
    new: &Document,
    rule: &Rule,
    program: &Sops,
) -> Result<(), Error> {
    let Rule::By(_) = rule else { return place.replace(old, new.text()) };
    let encrypted = program.encrypt(place, new.text())?;
    let content = Content::of(encrypted, &place.shown)?;
    if !content.is_encrypted() {
        return Err(sops::cannot_encrypt(place, "(text that is not encrypted)".to_owned()));
    }
    let clear = subject.credentials.iter().filter(|credential| content.is_clear(&credential.value));
    let clear: Vec<_> = clear.map(|credential| credential.name.clone()).collect();
    if !clear.is_empty() {
        return Err(Error::LeftClear { file: place.shown.clone(), names: clear });
    }
    place.replace(old, content.written.text())
}
