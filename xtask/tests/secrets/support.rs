//! A temporary checkout with an age key, in which tests run the command and inspect the files.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};
use std::sync::LazyLock;

use camino::{Utf8Path, Utf8PathBuf};
use generator::yaml;
use serde_yaml::Value;
use tempfile::TempDir;
use tools::{Tool, ToolBinary};

/// The file that most tests use, relative to the checkout.
pub(crate) const FILE: &str = "env/secrets-dev.yaml";

pub(crate) static SOPS: LazyLock<ToolBinary> = LazyLock::new(|| Tool::Sops.ensure().unwrap());
static AGE_KEYGEN: LazyLock<ToolBinary> = LazyLock::new(|| Tool::AgeKeygen.ensure().unwrap());

/// A checkout with a folder for the file, and an age key outside the checkout.
pub(crate) struct Checkout {
    pub(crate) root: Utf8PathBuf,
    temporary: Utf8PathBuf,
    /// A folder of programs that precedes `PATH`.
    programs: Utf8PathBuf,
    key: Utf8PathBuf,
    _temporary: TempDir,
}

/// The exit code and output of a run.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Checkout {
    /// A checkout without a .sops.yaml.
    pub(crate) fn without_rules() -> Self {
        let temporary = TempDir::new().unwrap();
        let path = Utf8Path::from_path(temporary.path()).unwrap().canonicalize_utf8().unwrap();
        let one = Self {
            root: path.join("checkout"),
            programs: path.join("programs"),
            key: path.join("key"),
            temporary: path,
            _temporary: temporary,
        };
        for folder in [one.root.join("env"), one.programs.join("known"), one.temporary.join("home")] {
            fs::create_dir_all(folder).unwrap();
        }
        std::os::unix::fs::symlink(&SOPS.path, one.programs.join("known/sops")).unwrap();
        one.make_key();
        one
    }

    /// A checkout whose .sops.yaml encrypts files in `env/` for the key.
    pub(crate) fn new() -> Self {
        let one = Self::without_rules();
        one.rules(r"^env/secrets-.*\.yaml$", "");
        one
    }

    /// Replaces the key by a new one.
    pub(crate) fn make_key(&self) {
        let _ = fs::remove_file(&self.key);
        let made = AGE_KEYGEN.command().args(["-o", self.key.as_str()]).output().unwrap();
        assert!(made.status.success());
    }

    /// Writes a .sops.yaml with one rule, for these paths and the key.
    pub(crate) fn rules(&self, path_regex: &str, more: &str) {
        let public = AGE_KEYGEN.command().args(["-y", self.key.as_str()]).output().unwrap();
        let public = String::from_utf8(public.stdout).unwrap();
        let text = format!("creation_rules:\n  - path_regex: {path_regex}\n    age: {}\n{more}", public.trim());
        self.write(".sops.yaml", &text);
    }

    /// Runs `cargo xtask secrets …` in the checkout with the key. The output must contain no password that was or is in the file.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let before = self.passwords();
        let said = Said::of(&self.command(arguments).output().unwrap());
        for password in before.values().chain(self.passwords().values()) {
            assert!(!said.out.contains(password) && !said.err.contains(password), "{arguments:?} prints a password");
        }
        self.assert_tidy();
        said
    }

    /// Runs the command on the test file.
    pub(crate) fn on_file(&self, what: &str, more: &[&str]) -> Said {
        self.run(&[&[what, "dev", "--file", FILE], more].concat())
    }

    /// The command, without the developer's own sops settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        self.prepare(&mut command);
        // The scripts come first, then the real sops.
        let path = format!("{0}:{0}/known:{1}", self.programs, std::env::var("PATH").unwrap());
        command.arg("secrets").args(arguments).env("PATH", path);
        command
    }

    fn prepare(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SOPS_")) {
            command.env_remove(name);
        }
        command
            .current_dir(&self.root)
            .env_remove("XDG_CONFIG_HOME")
            .env("HOME", self.temporary.join("home"))
            .env("SOPS_AGE_KEY_FILE", &self.key);
    }

    /// Replaces sops by a script. It reports a suitable version, and otherwise runs `script`.
    pub(crate) fn sops_script(&self, script: &str) {
        let version = "[ \"$2\" != --version ] || { echo sops 3.13.3; exit; }";
        let text = format!("#!/bin/sh\n{version}\nREAL={}\n{script}\n", SOPS.path);
        // Written by a separate process: if this process had the file open while it starts a program for another test, running the script would fail with "text file busy".
        let written = Command::new("sh")
            .args(["-c", "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\"", self.programs.join("sops").as_str(), &text])
            .status();
        assert!(written.unwrap().success());
    }

    pub(crate) fn no_sops_script(&self) {
        fs::remove_file(self.programs.join("sops")).unwrap();
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.root.join(path), text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.read(FILE).contains("\nsops:\n")
    }

    /// The decrypted text of the test file.
    pub(crate) fn clear_text(&self) -> String {
        if !self.is_encrypted() {
            return self.read(FILE);
        }
        let mut command = SOPS.command();
        self.prepare(&mut command);
        let output = command.args(["decrypt", FILE]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn values(&self) -> Value {
        let mut all = yaml::read_all::<Value>(&self.clear_text()).unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    /// The string passwords in the test file, by credential. Empty if the file does not exist, or the key cannot decrypt it.
    pub(crate) fn passwords(&self) -> BTreeMap<String, String> {
        let is_there = self.root.join(FILE).exists();
        let is_ours = is_there && (!self.is_encrypted() || self.can_decrypt());
        let text = if is_ours { self.clear_text() } else { String::new() };
        let values = yaml::read_all(&text).ok().and_then(|mut all| all.pop()).unwrap_or(Value::Null);
        let credentials = credentials().into_iter();
        let found = credentials.filter_map(|one| Some((one.name, at(&values, &one.value)?.as_str()?.to_owned())));
        found.filter(|(_, password)| !password.is_empty()).collect()
    }

    fn can_decrypt(&self) -> bool {
        let mut command = SOPS.command();
        self.prepare(&mut command);
        command.args(["decrypt", FILE]).output().unwrap().status.success()
    }

    /// Asserts that no temporary file is left, and that no file contains a password if the test file is encrypted.
    pub(crate) fn assert_tidy(&self) {
        for (path, text) in self.files() {
            assert!(!path.as_str().contains("generate-tmp"), "{path} is left behind");
            if self.root.join(FILE).exists() && self.is_encrypted() {
                let found = self.passwords().into_iter().find(|(_, password)| text.contains(password));
                assert_eq!(found.map(|(name, _)| name), None, "in {path}");
            }
        }
    }

    /// Every file of the checkout.
    pub(crate) fn files(&self) -> BTreeMap<Utf8PathBuf, String> {
        let mut folders = vec![self.root.clone()];
        let mut files = BTreeMap::new();
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir_utf8().unwrap() {
                let path = entry.unwrap().into_path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                    files.insert(path.strip_prefix(&self.root).unwrap().to_owned(), text);
                }
            }
        }
        files
    }

    /// The text with the path of the checkout replaced by `…`.
    pub(crate) fn plain(&self, text: &str) -> String {
        text.replace(self.root.as_str(), "…")
    }
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The output of a run, which must have succeeded.
    pub(crate) fn success(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{}", self.out);
        self.out
    }

    /// The error output of a run, which must have failed with this code.
    pub(crate) fn failure(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{}", self.err);
        self.err
    }
}

/// The credentials that the platform declares.
pub(crate) fn credentials() -> Vec<generator::CredentialPath> {
    generator::credential_paths(&auditflow::platform().resolve().unwrap())
}

pub(crate) fn at<'a>(values: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(values, |value, key| value.get(key))
}

/// The values with the value at a path set.
pub(crate) fn with(mut values: Value, path: &str, value: impl Into<Value>) -> Value {
    let mut place = &mut values;
    for key in path.split('/') {
        if place.is_null() {
            *place = Value::Mapping(serde_yaml::Mapping::new());
        }
        place = place.as_mapping_mut().unwrap().entry(key.into()).or_insert(Value::Null);
    }
    *place = value.into();
    values
}

/// The text of a values file.
pub(crate) fn text(values: &Value) -> String {
    format!("{}\n", yaml::write(values))
}

/// Values with a good password for every credential.
pub(crate) fn complete() -> Value {
    credentials().iter().zip(GOOD).fold(Value::Null, |values, (credential, password)| {
        with(with(values, &credential.value.join("/"), password), &credential.revision.join("/"), 1)
    })
}

const GOOD: [&str; 12] = [
    "B2ZQw8xVrT0mKc5LhNd1",
    "c3YPv7uWqS9nJb6KgMe2",
    "D4XOu6tXpR8oIa7JfLf3",
    "e5WNt5sYoQ7pHz8IeKg4",
    "F6VMs4rZnP6qGy9HdJh5",
    "g7ULr3qAmO5rFx0GcIi6",
    "H8TKq2pBlN4sEw1FbHj7",
    "i9SJp1oCkM3tDv2EaGk8",
    "J0RIo0nDjL2uCu3DzFl9",
    "k1QHn9mEiK1vBt4CyEm0",
    "L2PGm8lFhJ0wAs5BxDn1",
    "m3OFl7kGgI9xZr6AwCo2",
];
