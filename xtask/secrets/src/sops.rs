//! Runs sops. Plain text goes to sops and comes from it through pipes only.

use std::cell::OnceCell;
use std::env;
use std::io::{ErrorKind, Write as _};
use std::process::{Output, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use helm_values::Redaction;
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

/// The variables that contain a private key or a token.
const PRIVATE_KEYS: [&str; 3] = ["SOPS_AGE_KEY", "VAULT_TOKEN", "AWS_SECRET_ACCESS_KEY"];

/// The exit codes of sops for a value that it cannot decrypt, and for a file whose key it does not have (`cmd/sops/codes`).
const CANNOT_DECRYPT_A_VALUE: i32 = 25;
const HAS_NO_KEY: i32 = 128;

/// The values of an encrypted file that are not encrypted.
pub(super) struct Clear {
    /// The names of credentials, and the paths of other values.
    pub(super) names: Vec<String>,
    /// The command that creates passwords.
    pub(super) again: String,
}

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
        let message = error_output(&output, &Redaction::default());
        // Messages of sops 3.13 for: no rule matches; the file has no rules.
        let has_none =
            message.contains("no matching creation rules found") || message.contains("has no creation rules");
        if has_none {
            Ok(Rule::None(format!("no rule in {source} matches it")))
        } else {
            Err(cannot_encrypt(place, message))
        }
    }

    /// Decrypts the content of the file. `clear` names the values in it that are not encrypted.
    pub(super) fn decrypt(&self, place: &SourceLocation, content: &str, clear: Clear) -> Result<String, Error> {
        let output = self.run("decrypt", place, content)?;
        if output.status.code() == Some(CANNOT_DECRYPT_A_VALUE) && !clear.names.is_empty() {
            let Clear { names, again } = clear;
            return Err(Error::ClearAmongEncrypted { file: place.shown.clone(), names, again });
        }
        if !output.status.success() {
            let remedy = if output.status.code() == Some(HAS_NO_KEY) {
                "  sops needs the key of one of the file's recipients: set SOPS_AGE_KEY_FILE to the path of your age key.\n"
            } else {
                ""
            };
            return Err(Error::Sops {
                action: "decrypt",
                file: place.shown.clone(),
                remedy,
                message: error_output(&output, &Redaction::of_file(content)),
            });
        }
        String::from_utf8(output.stdout).map_err(|_| Error::Sops {
            action: "decrypt",
            file: place.shown.clone(),
            remedy: "",
            message: "(text that is not UTF-8)".to_owned(),
        })
    }

    /// Encrypts the text for the file.
    pub(super) fn encrypt(&self, place: &SourceLocation, text: &str) -> Result<String, Error> {
        let output = self.run("encrypt", place, text)?;
        if !output.status.success() {
            return Err(cannot_encrypt(place, error_output(&output, &Redaction::of_file(text))));
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

/// The error output of sops. It can quote its input and a malformed private key, so lines that may do so are left out.
fn error_output(output: &Output, input: &Redaction) -> String {
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if message.is_empty() {
        return format!("(none; {})", output.status);
    }
    let keys = PRIVATE_KEYS.iter().filter_map(|name| env::var(name).ok());
    let keys: Vec<String> = keys.chain(["AGE-SECRET-KEY".to_owned()]).collect();
    Redaction::of(keys.iter().map(String::as_str)).apply(&input.apply(&message))
}
