//! Pushes packages to an OCI registry, and signs what is there.

use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tools::{Tool, ToolBinary};

use crate::{Packaged, run, sha256, tool};

/// The media type of a chart's archive in a registry.
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// Where the charts are pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// Host and path without `oci://`, such as `ghcr.io/acme/charts`. A chart's name follows it.
    path: String,
    /// Whether the registry speaks HTTP without TLS.
    plain_http: bool,
    /// The folder with Docker's configuration, which has the logins (`DOCKER_CONFIG`); none for that of the user.
    docker_config: Option<Utf8PathBuf>,
}

impl Registry {
    /// Reads `oci://host/path`.
    ///
    /// # Errors
    /// If the text is something else.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let path = url.strip_prefix("oci://").map(|path| path.trim_end_matches('/'));
        let is_path = |path: &&str| {
            let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/:".contains(c);
            path.split('/').all(|part| !part.is_empty()) && path.chars().all(is_allowed)
        };
        match path.filter(is_path) {
            Some(path) => Ok(Self { path: path.to_owned(), plain_http: false, docker_config: None }),
            None => bail!(
                "`{url}` is no address of a registry: write `oci://host/path` in lower case, such as oci://ghcr.io/acme/charts"
            ),
        }
    }

    /// Sets whether the registry speaks HTTP without TLS.
    #[must_use]
    pub fn plain_http(self, plain_http: bool) -> Self {
        Self { plain_http, ..self }
    }

    /// Takes the logins from a folder with Docker's configuration other than the user's.
    #[must_use]
    pub fn docker_config(self, folder: &Utf8Path) -> Self {
        Self { docker_config: Some(folder.to_owned()), ..self }
    }

    /// A command that uses the logins.
    fn command(&self, tool: &ToolBinary) -> Command {
        let mut command = tool.command();
        if let Some(folder) = &self.docker_config {
            command.env("DOCKER_CONFIG", folder);
        }
        command
    }

    fn chart(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }
}

/// What signs in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CosignKey {
    /// A private key: a file or the address of a key management service. The environment variable `COSIGN_PASSWORD` has its password. No public log has
    /// the signature.
    Key(String),
    /// A certificate of Sigstore's public authority for the identity of the pipeline, with an entry in its public log.
    Keyless,
}

/// A chart in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Its address with the version, such as `oci://ghcr.io/acme/charts/shop:1.0.0`.
    pub address: String,
    /// The digest of its manifest.
    pub digest: String,
    /// Whether this run pushed it. Otherwise the registry had the same content already.
    pub is_new: bool,
}

/// Pushes the archives, whose files lie in `folder`, and signs them with cosign.
///
/// A chart whose version the registry has with the same content is not pushed again, so a run that was interrupted can be repeated. Registry logins are
/// those of Docker's configuration (`DOCKER_CONFIG`, `~/.docker/config.json`).
///
/// # Errors
/// If the registry has a version with other content, before anything is pushed; if it refuses a push; if cosign fails.
pub fn push(
    packaged: &[Packaged],
    folder: &Utf8Path,
    registry: &Registry,
    cosign: Option<&CosignKey>,
) -> anyhow::Result<Vec<Pushed>> {
    let (helm, crane) = (tool(Tool::Helm4)?, tool(Tool::Crane)?);
    let cosign = match cosign {
        Some(key) => Some(Cosign::new(key.clone())?),
        None => None,
    };
    let mut existing = Vec::new();
    for one in packaged {
        existing.push(existing_digest(&crane, registry, one)?);
    }
    let other: Vec<_> = packaged.iter().zip(&existing).filter(|(_, found)| matches!(found, Existing::Other)).collect();
    if !other.is_empty() {
        let names = other.iter().map(|(one, _)| address(registry, one)).collect::<Vec<_>>().join(", ");
        bail!(
            "nothing was pushed: the registry has {names} with other content; raise `version` of the platform: a version that is released never changes"
        );
    }
    let mut pushed = Vec::new();
    for (one, found) in packaged.iter().zip(existing) {
        let (digest, is_new) = match found {
            Existing::Same(digest) => (digest, false),
            Existing::Absent | Existing::Other => (push_one(&helm, registry, one, folder)?, true),
        };
        if let Some(cosign) = &cosign {
            let reference = format!("{}@{digest}", registry.chart(&one.package.name));
            cosign.sign(registry, &reference, &folder.join(one.images_file()))?;
        }
        pushed.push(Pushed { address: address(registry, one), digest, is_new });
    }
    Ok(pushed)
}

fn address(registry: &Registry, one: &Packaged) -> String {
    format!("oci://{}:{}", registry.chart(&one.package.name), one.package.version)
}

/// What the registry has under the version of a chart.
enum Existing {
    Absent,
    /// The same archive; the digest of its manifest.
    Same(String),
    Other,
}

fn existing_digest(crane: &ToolBinary, registry: &Registry, one: &Packaged) -> anyhow::Result<Existing> {
    let reference = format!("{}:{}", registry.chart(&one.package.name), one.package.version);
    let mut command = registry.command(crane);
    command.args(["manifest", &reference]);
    if registry.plain_http {
        command.arg("--insecure");
    }
    let output = command.output().with_context(|| format!("cannot run {}", crane.path))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_absent = ["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"].iter().any(|code| said.contains(code));
        ensure!(
            is_absent,
            "nothing was pushed: the registry does not say whether it has {reference}: {}\n  to do: log in with `docker login` or `crane auth login`; the \
             login needs the rights to read and to write",
            said.trim()
        );
        return Ok(Existing::Absent);
    }
    let manifest: Value =
        serde_json::from_slice(&output.stdout).with_context(|| format!("{reference} has no manifest"))?;
    let layers = manifest["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let archive = layers.iter().find(|layer| layer["mediaType"] == CHART_LAYER);
    let is_same = archive.is_some_and(|layer| layer["digest"] == digest(&one.package.archive));
    Ok(if is_same { Existing::Same(digest(&output.stdout)) } else { Existing::Other })
}

/// A digest as a registry writes it.
fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256(bytes))
}

/// Pushes an archive, with the provenance file beside it, and returns the digest of the manifest.
fn push_one(helm: &ToolBinary, registry: &Registry, one: &Packaged, folder: &Utf8Path) -> anyhow::Result<String> {
    let mut command = registry.command(helm);
    command.args(["push", folder.join(one.package.file_name()).as_str(), &format!("oci://{}", registry.path)]);
    if registry.plain_http {
        command.arg("--plain-http");
    }
    let said = run(command, &format!("helm push of {}", one.package.file_name()))?;
    let digest = said.lines().find_map(|line| line.trim().strip_prefix("Digest: "));
    Ok(digest.with_context(|| format!("helm push names no digest: {said}"))?.to_owned())
}

/// Files that cosign makes, which name no service, and that its options of the same names take.
const PRIVATE: [&str; 2] = ["signing-config", "trusted-root"];

/// cosign with what it signs with.
struct Cosign {
    binary: ToolBinary,
    key: CosignKey,
    /// A folder with the configuration of a signature without public services. Without it, cosign asks Sigstore for its own.
    private: Option<tempfile::TempDir>,
}

impl Cosign {
    fn new(key: CosignKey) -> anyhow::Result<Self> {
        let binary = tool(Tool::Cosign)?;
        let private = match key {
            CosignKey::Keyless => None,
            CosignKey::Key(ref key) => {
                // Before the first push: a wrong key or password would leave a chart in the registry without a signature.
                let mut command = binary.command();
                // With an empty password, unless `COSIGN_PASSWORD` has one.
                command.args(["public-key", "--key", key]).stdin(Stdio::piped());
                run(command, &format!("cosign public-key of {key}"))?;
                let folder = tempfile::tempdir()?;
                for part in PRIVATE {
                    let mut command = binary.command();
                    command.args([part, "create", "--out"]).arg(folder.path().join(part));
                    run(command, &format!("cosign {part} create"))?;
                }
                Some(folder)
            }
        };
        Ok(Self { binary, key, private })
    }

    /// Signs the manifest, and attaches the list of images as an attestation.
    fn sign(&self, registry: &Registry, reference: &str, images: &Utf8Path) -> anyhow::Result<()> {
        let mut sign = self.command("sign", registry);
        sign.arg(reference);
        run(sign, &format!("cosign sign of {reference}"))?;
        let mut attest = self.command("attest", registry);
        attest.args(["--type", "cyclonedx", "--predicate", images.as_str(), reference]);
        run(attest, &format!("cosign attest of {reference}")).map(drop)
    }

    fn command(&self, verb: &str, registry: &Registry) -> Command {
        let mut command = registry.command(&self.binary);
        command.args([verb, "--yes"]);
        if let CosignKey::Key(key) = &self.key {
            command.args(["--key", key]);
        }
        if let Some(folder) = &self.private {
            for part in PRIVATE {
                command.arg(format!("--{part}")).arg(folder.path().join(part));
            }
        }
        if registry.plain_http {
            command.args(["--allow-http-registry", "--allow-insecure-registry"]);
        }
        // Without `COSIGN_PASSWORD`, cosign reads a password: here an empty one, instead of asking a terminal.
        command.stdin(Stdio::piped());
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_registry_has_a_scheme_and_is_in_lower_case() {
        let path = |url| Registry::new(url).map(|registry| registry.chart("shop"));
        assert_eq!(path("oci://ghcr.io/acme/charts/").expect("an address"), "ghcr.io/acme/charts/shop");
        assert_eq!(path("oci://127.0.0.1:5000").expect("an address"), "127.0.0.1:5000/shop");
        for url in ["ghcr.io/acme", "https://ghcr.io", "oci://", "oci://ghcr.io/Acme", "oci://a//b", "oci://a b"] {
            let message = path(url).expect_err(url).to_string();
            assert!(message.contains(url) && message.contains("write `oci://host/path`"), "{message}");
        }
    }
}
