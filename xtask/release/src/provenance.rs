//! Provenance files: what `helm verify` and `helm install --verify` check.
//!
//! A provenance file is a clear-signed `OpenPGP` message with `Chart.yaml` and the digest of the archive. `helm package --sign` would sign an archive of its
//! own, whose bytes differ from run to run, and needs an exported secret key. So `gpg` signs: the secret key stays in its keyring, its agent or a card.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use chart_package::Package;
use tools::ToolBinary;

use crate::{run, sha256};

/// The key that signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The key in gpg's keyring: its fingerprint, identifier or email address.
    pub key: String,
    /// A file with the passphrase of the key; without one, gpg's agent asks for it or has it.
    pub passphrase_file: Option<Utf8PathBuf>,
    /// The folder of gpg's keyring (`GNUPGHOME`); none for that of the user.
    pub home: Option<Utf8PathBuf>,
}

impl Signer {
    /// Fails unless gpg has the secret key.
    ///
    /// # Errors
    /// If gpg is not installed, or has no such key.
    pub fn check(&self) -> anyhow::Result<()> {
        let output = self.gpg(&["--list-secret-keys"]).arg(&self.key).output();
        let output = output.context("cannot run gpg, which signs the packages: install GnuPG 2")?;
        ensure!(
            output.status.success(),
            "gpg has no secret key `{}`: import it (`gpg --import`), or name another one; `gpg --list-secret-keys` lists them",
            self.key
        );
        if let Some(file) = &self.passphrase_file {
            ensure!(file.is_file(), "there is no file {file} with the passphrase of the key");
        }
        Ok(())
    }

    /// The provenance file of a package.
    pub(crate) fn sign(&self, package: &Package) -> anyhow::Result<String> {
        let mut command = self.gpg(&["--digest-algo", "SHA512"]);
        if let Some(file) = &self.passphrase_file {
            command.args(["--pinentry-mode", "loopback", "--passphrase-file", file.as_str()]);
        }
        command.args(["--local-user", &self.key, "--clearsign"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().context("cannot run gpg, which signs the packages: install GnuPG 2")?;
        let mut input = process.stdin.take().context("gpg has no standard input")?;
        // A gpg that has given up already reads nothing, and says why.
        let written = input.write_all(message(package)?.as_bytes());
        drop(input);
        let output = process.wait_with_output()?;
        if !output.status.success() {
            bail!(
                "gpg cannot sign {} with the key `{}`: {}",
                package.file_name(),
                self.key,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        written.context("cannot write to gpg")?;
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Lets Helm verify an archive beside its provenance file with the public part of the key.
    pub(crate) fn verify(&self, helm: &ToolBinary, archive: &Utf8Path) -> anyhow::Result<()> {
        let keyring = tempfile::NamedTempFile::new()?;
        let exported = self.gpg(&["--export"]).arg(&self.key).output().context("cannot run gpg")?;
        ensure!(
            exported.status.success(),
            "gpg cannot export the key `{}`: {}",
            self.key,
            String::from_utf8_lossy(&exported.stderr).trim()
        );
        fs::write(keyring.path(), exported.stdout)?;
        let mut command = helm.command();
        command.args(["verify", "--keyring"]).arg(keyring.path()).arg(archive);
        run(command, &format!("helm verify of {}", archive.file_name().unwrap_or_default())).map(drop)
    }

    fn gpg(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--no-tty"]).args(arguments).env("LC_ALL", "C");
        if let Some(home) = &self.home {
            command.env("GNUPGHOME", home);
        }
        command
    }
}

/// Whether a file is a provenance file of this package, signed with this key.
pub(crate) fn is_valid(signer: &Signer, path: &Utf8Path, package: &Package) -> anyhow::Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("the folder for temporary files is not UTF-8")?;
    let archive = folder.join(package.file_name());
    fs::write(&archive, &package.archive)?;
    fs::copy(path, folder.join(format!("{}.prov", package.file_name())))
        .with_context(|| format!("cannot read {path}"))?;
    Ok(signer.verify(&tools::Tool::Helm4.ensure()?, &archive).is_ok())
}

/// What is signed, in Helm's format: two YAML documents, the second with the digest of the archive.
fn message(package: &Package) -> anyhow::Result<String> {
    let (name, digest) = (package.file_name(), sha256(&package.archive));
    Ok(format!("{}\n...\nfiles:\n  {name}: sha256:{digest}\n", package.chart_yaml()?.trim_end()))
}
