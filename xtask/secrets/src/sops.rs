//! Runs sops. Plain text goes to sops and comes from it through pipes only.

use std::cell::OnceCell;
use std::env;
use std::io::{ErrorKind, Write as _};
use std::process::{Output, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use tools::{Tool, ToolBinary};

use super::Error;
use super::file::SourceLocation;

/// The variables from which sops takes recipients; they take precedence over .sops.yaml.
const RECIPIENTS: [&str; 7] = [
    "SOPS_AGE_RECIPIENTS",
    "SOPS_AZURE_KEYVAULT_URLS",
    "SOPS_GCP_KMS_IDS",
    "SOPS_HUAWEICLOUD_KMS_IDS",
    "SOPS_KMS_ARN",
    "SOPS_PGP_FP",
    "SOPS_VAULT_URIS",
];

/// The variables with paths for sops. sops runs in a different folder, so relative paths are made absolute.
const FILES: [&str; 3] = ["SOPS_AGE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_FILE", "SOPS_CONFIG"];

/// Whether sops has recipients for a file.
pub(super) enum Rule {
    /// Yes; names the source of the recipients.
    By(String),
    /// No, for this reason.
    None(String),
}

/// sops, found or built on first use.
#[derive(Default)]
pub(super) struct Sops {
    binary: OnceCell<ToolBinary>,
}

impl Sops {
    /// Whether sops has recipients for the file, independent of its content.
    ///
    /// The sources are the environment, then a .sops.yaml in the file's folder or above. To find out whether a rule there applies to the file, sops
    /// encrypts a text without a secret.
    pub(super) fn rule(&self, place: &SourceLocation) -> Result<Rule, Error> {
        let source = match source_of_recipients(&place.folder) {
            Ok(source) => source,
            Err(reason) => return Ok(Rule::None(reason)),
        };
        let output = self.run("encrypt", place, "probe: 1\n")?;
        if output.status.success() {
            return Ok(Rule::By(source));
        }
        let message = error_output(&output);
        // Messages of sops 3.13 for: no rule matches; the file has no rules.
        let has_none =
            message.contains("no matching creation rules found") || message.contains("has no creation rules");
        if has_none {
            Ok(Rule::None(format!("no rule in {source} matches it")))
        } else {
            Err(cannot_encrypt(place, message))
        }
    }

    /// Decrypts the content of the file.
    pub(super) fn decrypt(&self, place: &SourceLocation, content: &str) -> Result<String, Error> {
        let output = self.run("decrypt", place, content)?;
        if !output.status.success() {
            return Err(Error::Sops {
                action: "decrypt",
                file: place.shown.clone(),
                remedy: "  sops needs the key of one of the file's recipients: set SOPS_AGE_KEY_FILE to the path of your age key.\n",
                message: error_output(&output),
            });
        }
        String::from_utf8(output.stdout).map_err(|_| Error::Sops {
            action: "decrypt",
            file: place.shown.clone(),
            remedy: "",
            message: "(text that is not UTF-8)".to_owned(),
        })
    }

    /// Encrypts the text for the file. Error messages leave out the passwords in `secrets`.
    pub(super) fn encrypt(&self, place: &SourceLocation, text: &str, secrets: &[&str]) -> Result<String, Error> {
        let output = self.run("encrypt", place, text)?;
        if !output.status.success() {
            return Err(cannot_encrypt(place, without(&error_output(&output), secrets)));
        }
        String::from_utf8(output.stdout).map_err(|_| cannot_encrypt(place, "(text that is not UTF-8)".to_owned()))
    }

    fn run(&self, action: &'static str, place: &SourceLocation, input: &str) -> Result<Output, Error> {
        let sops = self.binary()?;
        let failed = |cause| Error::Io { action: "run", path: sops.path.clone(), cause };
        let mut command = sops.command();
        for name in FILES {
            if let Some(path) = env::var_os(name).filter(|path| !path.is_empty()) {
                command.env(name, std::path::absolute(path).map_err(failed)?);
            }
        }
        let mut child = command
            // sops looks for .sops.yaml in this folder and above, and matches a rule's path_regex with the path relative to the .sops.yaml.
            .current_dir(&place.folder)
            .args([action, "--input-type", "yaml", "--output-type", "yaml", "--filename-override", &place.name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        if let Some(mut pipe) = child.stdin.take() {
            match pipe.write_all(input.as_bytes()) {
                // sops stopped reading; its error output contains the reason.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                written => written.map_err(failed)?,
            }
        }
        child.wait_with_output().map_err(failed)
    }

    fn binary(&self) -> Result<&ToolBinary, Error> {
        if let Some(binary) = self.binary.get() {
            return Ok(binary);
        }
        let binary = Tool::Sops.ensure()?;
        Ok(self.binary.get_or_init(|| binary))
    }
}

pub(super) fn cannot_encrypt(place: &SourceLocation, message: String) -> Error {
    Error::Sops { action: "encrypt", file: place.shown.clone(), remedy: "", message }
}

/// The source of recipients for files in this folder, or the reason why there is none.
fn source_of_recipients(folder: &Utf8Path) -> Result<String, String> {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    if let Some(name) = RECIPIENTS.iter().find(|name| is_set(name)) {
        return Ok(format!("${name}"));
    }
    if is_set("SOPS_CONFIG") {
        return Ok("the file in $SOPS_CONFIG".to_owned());
    }
    let above = |name: &str| folder.ancestors().map(|folder| folder.join(name)).find(|path| path.exists());
    let misnamed = above(".sops.yml");
    above(".sops.yaml").map(Utf8PathBuf::into_string).ok_or_else(|| match misnamed {
        Some(path) => format!("sops does not read {path}; the name must be .sops.yaml"),
        None => "there is no .sops.yaml in its folder or above".to_owned(),
    })
}

fn error_output(output: &Output) -> String {
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if message.is_empty() { format!("(none; {})", output.status) } else { message }
}

/// The lines that contain no secret and no beginning of one: the YAML parser of sops quotes the first seven characters of a value.
fn without(message: &str, secrets: &[&str]) -> String {
    let beginnings: Vec<String> = secrets.iter().map(|secret| secret.chars().take(7).collect()).collect();
    let is_fine = |line: &&str| !beginnings.iter().any(|beginning| line.contains(beginning.as_str()));
    let lines: Vec<&str> = message.lines().filter(is_fine).collect();
    if lines.is_empty() { "(hidden, because it contains a password)".to_owned() } else { lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_a_secret_are_hidden() {
        let message = "line 1: cannot unmarshal !!str `x7Kq0Zp...`\nline 2";
        assert_eq!(without(message, &["x7Kq0ZpLm2Vt9RbW"]), "line 2");
        assert_eq!(without("x7Kq0ZpLm2Vt9RbW", &["x7Kq0ZpLm2Vt9RbW"]), "(hidden, because it contains a password)");
        assert_eq!(without(message, &[]), message);
    }
}
