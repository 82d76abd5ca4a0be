//! `cargo xtask release`: checks, packages, signs and pushes the charts.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use release::{CommitTime, CosignKey, Registry, Signer};

use crate::Project;

/// Releases the charts: checks, packages, signs, and pushes to an OCI registry
///
/// Refuses files that differ from the commit, a chart that is not generated, a version without a dated entry in the changelog, and one that is not above the
/// last tag v… although the charts changed. Then it runs `verify`. Without --package and --push it only checks. The same commit gives the same archives.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Arguments {
    /// Only check
    #[arg(long, conflicts_with_all = ["package", "push"])]
    pub(crate) check: bool,

    /// Write the archives, their provenance and the lists of their images into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) package: Option<Utf8PathBuf>,

    /// Push the archives, with their provenance, to this registry, such as `oci://ghcr.io/acme/charts`. The logins are those of `docker login`
    #[arg(long, value_name = "URL", requires = "sign_key")]
    pub(crate) push: Option<String>,

    /// The tag that the release is for: it must be v and the version
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Option<String>,

    /// Sign the archives with this key of gpg, for `helm verify`
    #[arg(long, value_name = "KEY")]
    pub(crate) sign_key: Option<String>,

    /// The file with the passphrase of the key of gpg; without it gpg's agent has it or asks for it
    #[arg(long, value_name = "FILE", requires = "sign_key")]
    pub(crate) passphrase_file: Option<Utf8PathBuf>,

    /// Sign in the registry with cosign and this private key, a file or the address of a key management service. `COSIGN_PASSWORD` has its password
    #[arg(long, value_name = "KEY", requires = "push")]
    pub(crate) cosign_key: Option<String>,

    /// Sign in the registry with cosign and a certificate for the identity of the pipeline, in Sigstore's public log
    #[arg(long, requires = "push", conflicts_with = "cosign_key")]
    pub(crate) cosign_keyless: bool,

    /// The registry speaks HTTP without TLS, as one on the loopback interface does
    #[arg(long, requires = "push")]
    pub(crate) plain_http: bool,

    /// Do not run `verify`: it has passed on this commit already, as in a pipeline
    #[arg(long)]
    pub(crate) without_verify: bool,
}

/// Runs the checks, then what the arguments ask for, and reports to `out`.
///
/// # Errors
/// If something prevents a release, before anything is written or pushed; if signing, writing or pushing fails; if `out` cannot be written.
pub(crate) fn run(arguments: &Arguments, project: &Project, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let platform = project.resolved()?;
    let registry = arguments.push.as_deref().map(Registry::new).transpose()?;
    let registry = registry.map(|registry| registry.plain_http(arguments.plain_http));
    let signer = arguments.sign_key.as_ref().map(|key| Signer {
        key: key.clone(),
        passphrase_file: arguments.passphrase_file.clone(),
        home: None,
    });
    if let Some(signer) = &signer {
        signer.check()?;
    }
    release::refuse(&release::check(&project.root, &platform, arguments.tag.as_deref())?)?;
    if !arguments.without_verify {
        let code = verify::run(
            &project.root,
            &platform,
            &verify::Settings { strict: true, ..verify::Settings::default() },
            out,
        )?;
        if code != ExitCode::SUCCESS {
            writeln!(out, "nothing was released: `cargo xtask verify` fails")?;
            return Ok(code);
        }
    }
    let version = platform.platform().version;
    if arguments.package.is_none() && registry.is_none() {
        writeln!(out, "version {version} can be released")?;
        return Ok(ExitCode::SUCCESS);
    }
    let time = CommitTime::of_head(&project.root)?;
    let packaged = release::packages(&platform, &time)?;
    let temporary = tempfile::tempdir()?;
    let temporary = Utf8Path::from_path(temporary.path()).context("the folder for temporary files is not UTF-8")?;
    let folder = arguments.package.as_deref().unwrap_or(temporary);
    let written = release::write(&packaged, signer.as_ref(), &time, folder)?;
    if arguments.package.is_some() {
        for file in &written.files {
            writeln!(out, "  file    {file}")?;
        }
    }
    if signer.is_none() {
        writeln!(out, "  note: the archives have no provenance, so `helm verify` refuses them; --sign-key signs them")?;
    }
    if let Some(registry) = &registry {
        let cosign = match &arguments.cosign_key {
            Some(key) => Some(CosignKey::Key(key.clone())),
            None => arguments.cosign_keyless.then_some(CosignKey::Keyless),
        };
        for pushed in release::push(&packaged, folder, registry, cosign.as_ref())? {
            let verb = if pushed.is_new { "pushed " } else { "has    " };
            writeln!(out, "  {verb} {} {}", pushed.address, pushed.digest)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
