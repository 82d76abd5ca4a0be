//! Two versions are released into a registry on the loopback interface, and installed from there.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use e2e_kit::context::E2eContext;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use e2e_kit::{kubectl, process};
use generator::Resolved;
use release::loopback::LoopbackRegistry;
use release::{CommitTime, CosignKey, Packaged, Pushed, Registry, Signer};
use tools::{Tool, ToolBinary};
use vocabulary::{ChartVersion, NotedChange, ReleaseNotes};

/// The key that signs the packages. It exists for one run.
const KEY: &str = "release@example.org";

const CHANGES: &[NotedChange] = &[NotedChange::changed("The version.")];

const COMMAND: Duration = Duration::from_mins(2);

/// Releases both versions, then installs and upgrades with Helm 4 and Helm 3.
pub(super) fn run(lane: &Lane) -> Outcome {
    let mut bench = None;
    lane.step("start a registry on the loopback interface, and make the keys", || {
        let started = Bench::new(lane.context)?;
        let address = started.registry.address().to_owned();
        bench = Some(started);
        Ok(address)
    })?;
    let Some(bench) = bench else { return Err(Reported) };
    let mut versions = Vec::new();
    lane.step("package, sign and push two versions of each chart", || {
        versions = vec![bench.release(lane.context, 0)?, bench.release(lane.context, 1)?];
        let all: Vec<_> = versions.iter().flat_map(|version| &version.pushed).collect();
        ensure!(all.iter().all(|one| one.is_new), "the registry had a chart already");
        Ok(format!("{} charts", all.len()))
    })?;
    let [old, new] = &versions[..] else { return Err(Reported) };
    let repeated = lane.step("the same release again is the same bytes, and pushes nothing", || {
        let again = bench.release(lane.context, 0)?;
        ensure!(again.packaged == old.packaged, "a second package of the same version differs");
        ensure!(again.pushed.iter().all(|one| !one.is_new), "a chart was pushed again");
        let digests = |version: &Version| version.pushed.iter().map(|one| one.digest.clone()).collect::<Vec<_>>();
        ensure!(digests(&again) == digests(old), "a digest differs");
        Ok(String::new())
    });
    let signed = lane.step("cosign verifies signature and list of images of each chart, with this key alone", || {
        bench.cosign_verifies(new)
    });
    let mut helms = Vec::new();
    lane.step("find Helm 4 and Helm 3", || {
        // Helm 4 keeps a chart's provenance by the digest of the archive: an earlier run signed the same bytes with another key.
        let fresh = |helm: &ToolBinary| ToolBinary { home: bench.folder.join(helm.tool.title()), ..helm.clone() };
        helms = vec![fresh(lane.context.helm4()?), fresh(lane.context.helm3()?)];
        Ok(helms.iter().map(|helm| helm.version.as_str()).collect::<Vec<_>>().join(", "))
    })?;
    let installed = all(helms.iter().map(|helm| with(lane, helm, &bench, old, new)));
    all([repeated, signed, installed])
}

/// Pulls, verifies, installs and upgrades with one Helm.
fn with(lane: &Lane, helm: &ToolBinary, bench: &Bench, old: &Version, new: &Version) -> Outcome {
    let title = helm.tool.title();
    let pulled = lane.step(format!("{title} pulls and verifies each chart, and finds a changed byte"), || {
        for version in [old, new] {
            for one in &version.packaged {
                bench.pull(helm, one)?;
            }
        }
        Ok(String::new())
    });
    let namespace = TestNamespace::as_step(lane, "release")?;
    let release = Release::new(&namespace, helm, "afp");
    let values = lane.context.values(&[]);
    let from_registry = |verb: &str, version: &Version| {
        let chart = format!("oci://{}/{}", bench.path(), version.packaged[0].package.name);
        let mut arguments = release.arguments_of(verb, Utf8Path::new(&chart), &values, &[]);
        arguments.extend(["--version".to_owned(), version.packaged[0].package.version.clone()]);
        arguments.extend(["--plain-http", "--verify", "--keyring", bench.keyring.as_str()].map(str::to_owned));
        arguments
    };
    let foreign = lane.step(format!("{title} refuses a chart that another key signed, and creates nothing"), || {
        let before = namespace.inventory()?;
        let mut arguments = from_registry("install", old);
        arguments.pop();
        arguments.push(bench.other_keyring.to_string());
        let words: Vec<_> = arguments.iter().map(String::as_str).collect();
        let output = release.try_helm(&words)?;
        ensure!(!output.success && output.all().contains("sign"), "{}", output.all());
        ensure!(namespace.inventory()? == before, "objects were created");
        Ok(String::new())
    });
    lane.step(format!("{title} installs {} from the registry", old.name()), || {
        release.apply(&from_registry("install", old), true)?;
        release.whole()?;
        installed_chart(&release, old)
    })?;
    let upgraded =
        lane.step(format!("{title} upgrades to {} from the registry, and no pod changes", new.name()), || {
            let before = release.uids()?;
            release.apply(&from_registry("upgrade", new), true)?;
            release.whole()?;
            let rolled = release.rolled_since(&before)?;
            ensure!(rolled.is_empty(), "a version with the same templates rolled {}", rolled.join(", "));
            installed_chart(&release, new)
        });
    let removed = lane.step(format!("{title} uninstalls"), || release.uninstall().map(|()| String::new()));
    all([pulled, foreign, upgraded, removed])
}

/// Fails unless the release, and the labels of its objects, have this version.
fn installed_chart(release: &Release, version: &Version) -> anyhow::Result<String> {
    let name = version.name();
    let listed = release.try_helm(&["list", "--output", "json"])?.ok("helm list")?;
    let listed: serde_json::Value = serde_json::from_str(&listed)?;
    ensure!(listed[0]["chart"] == name.as_str(), "helm list shows {}", listed[0]["chart"]);
    let selector = format!("app.kubernetes.io/instance={},helm.sh/chart", release.name);
    let items = kubectl::items(&[
        "get",
        "services,deployments",
        "--namespace",
        &release.namespace.name,
        "--selector",
        &selector,
    ])?;
    let ends = format!("-{}", version.packaged[0].package.version);
    let label =
        |item: &serde_json::Value| item["metadata"]["labels"]["helm.sh/chart"].as_str().unwrap_or_default().to_owned();
    let others: Vec<_> = items.iter().map(label).filter(|label| !label.ends_with(&ends)).collect();
    ensure!(others.is_empty(), "objects have the labels {}", others.join(", "));
    Ok(name)
}

/// A version of all charts in the registry.
struct Version {
    packaged: Vec<Packaged>,
    pushed: Vec<Pushed>,
}

impl Version {
    /// Name and version of the umbrella chart, as Helm shows them.
    fn name(&self) -> String {
        let package = &self.packaged[0].package;
        format!("{}-{}", package.name, package.version)
    }
}

/// The registry, and the keys.
struct Bench {
    registry: LoopbackRegistry,
    folder: Utf8PathBuf,
    signer: Signer,
    keyring: Utf8PathBuf,
    other_keyring: Utf8PathBuf,
}

impl Bench {
    fn new(context: &E2eContext) -> anyhow::Result<Self> {
        let folder = context.folder("release")?;
        fs::create_dir_all(folder.join("registry"))?;
        let registry = LoopbackRegistry::start(&folder.join("registry"), None)?;
        let (signer, keyring) = key(&folder.join("gnupg"))?;
        let (_, other_keyring) = key(&folder.join("other"))?;
        let mut cosign = Tool::Cosign.ensure()?.command();
        cosign.arg("generate-key-pair").env("COSIGN_PASSWORD", "").current_dir(&folder);
        process::run(cosign, "", COMMAND, false)?.ok("cosign generate-key-pair")?;
        Ok(Self { registry, folder, signer, keyring, other_keyring })
    }

    /// Host and path of the charts.
    fn path(&self) -> String {
        format!("{}/charts", self.registry.address())
    }

    /// Releases the platform in its version, with the patch number raised by `patches`.
    fn release(&self, context: &E2eContext, patches: u32) -> anyhow::Result<Version> {
        let platform = in_version(&context.platform, patches)?;
        let time =
            CommitTime { seconds: 1_790_000_000 + u64::from(patches), text: format!("2026-09-21T14:13:2{patches}Z") };
        let packaged = release::packages(&platform, &time)?;
        let folder = self.folder.join(format!("packages-{patches}"));
        release::write(&packaged, Some(&self.signer), &time, &folder)?;
        let registry = Registry::new(&format!("oci://{}", self.path()))?.plain_http(true);
        let key = CosignKey::Key(self.folder.join("cosign.key").into_string());
        let pushed = release::push(&packaged, &folder, &registry, Some(&key))?;
        Ok(Version { packaged, pushed })
    }

    /// Pulls a chart with its provenance into a folder of its own, and compares it.
    fn pull(&self, helm: &ToolBinary, one: &Packaged) -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let folder = Utf8Path::from_path(folder.path()).context("the folder for temporary files is not UTF-8")?;
        let chart = format!("oci://{}/{}", self.path(), one.package.name);
        let mut pull = helm.command();
        pull.args([
            "pull",
            &chart,
            "--version",
            &one.package.version,
            "--plain-http",
            "--verify",
            "--keyring",
            self.keyring.as_str(),
        ]);
        pull.args(["--destination", folder.as_str()]);
        process::run(pull, "", COMMAND, false)?.ok("helm pull")?;
        let archive = folder.join(one.package.file_name());
        ensure!(fs::read(&archive)? == one.package.archive, "{} differs from what was pushed", one.package.file_name());
        let verify = || -> anyhow::Result<bool> {
            let mut verify = helm.command();
            verify.args(["verify", archive.as_str(), "--keyring", self.keyring.as_str()]);
            Ok(process::run(verify, "", COMMAND, false)?.success)
        };
        ensure!(verify()?, "helm verify refuses {}", one.package.file_name());
        let mut broken = one.package.archive.clone();
        if let Some(byte) = broken.last_mut() {
            *byte ^= 1;
        }
        fs::write(&archive, broken)?;
        ensure!(!verify()?, "helm verify accepts a changed {}", one.package.file_name());
        Ok(())
    }

    fn cosign_verifies(&self, version: &Version) -> anyhow::Result<String> {
        let cosign = Tool::Cosign.ensure()?;
        let other = self.folder.join("other-cosign");
        fs::create_dir_all(&other)?;
        let mut keys = cosign.command();
        keys.arg("generate-key-pair").env("COSIGN_PASSWORD", "").current_dir(&other);
        process::run(keys, "", COMMAND, false)?.ok("cosign generate-key-pair")?;
        let verify = |words: &[&str], key: &Utf8Path, reference: &str| -> anyhow::Result<bool> {
            let mut command = cosign.command();
            command.args(words).args([
                "--allow-http-registry",
                "--allow-insecure-registry",
                "--insecure-ignore-tlog=true",
            ]);
            command.args(["--key", key.as_str(), reference]);
            Ok(process::run(command, "", COMMAND, false)?.success)
        };
        for (one, pushed) in version.packaged.iter().zip(&version.pushed) {
            let reference = format!("{}/{}@{}", self.path(), one.package.name, pushed.digest);
            let own = self.folder.join("cosign.pub");
            ensure!(verify(&["verify"], &own, &reference)?, "cosign verify refuses {reference}");
            let attestation = ["verify-attestation", "--type", "cyclonedx"];
            ensure!(verify(&attestation, &own, &reference)?, "cosign verify-attestation refuses {reference}");
            ensure!(
                !verify(&["verify"], &other.join("cosign.pub"), &reference)?,
                "cosign accepts another key for {reference}"
            );
        }
        Ok(format!("{} charts", version.pushed.len()))
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for home in ["gnupg", "other"] {
            let _ = Command::new("gpgconf")
                .args(["--homedir", self.folder.join(home).as_str(), "--kill", "gpg-agent"])
                .status();
        }
    }
}

/// Makes a key in a keyring of its own; the second result is a file with its public part.
fn key(home: &Utf8Path) -> anyhow::Result<(Signer, Utf8PathBuf)> {
    fs::create_dir_all(home)?;
    // gpg warns of a folder that others may read.
    let mut mode = Command::new("chmod");
    mode.args(["700", home.as_str()]);
    process::run(mode, "", COMMAND, false)?.ok("chmod")?;
    let gpg = |words: &[&str]| {
        let mut command = Command::new("gpg");
        command.env("GNUPGHOME", home).args(["--batch", "--no-tty"]).args(words);
        process::run(command, "", COMMAND, false)
    };
    gpg(&["--passphrase", "", "--quick-generate-key", KEY, "rsa3072", "sign", "1d"])?.ok("gpg --quick-generate-key")?;
    let keyring = home.join("public.gpg");
    gpg(&["--output", keyring.as_str(), "--export", KEY])?.ok("gpg --export")?;
    Ok((Signer { key: KEY.to_owned(), passphrase_file: None, home: Some(home.to_owned()) }, keyring))
}

/// The platform with a raised patch number.
fn in_version(platform: &Resolved, patches: u32) -> anyhow::Result<Resolved> {
    let mut platform = platform.platform().clone();
    let text = platform.version.as_str();
    let (numbers, _) = text.split_once('-').unwrap_or((text, ""));
    let (start, patch) = numbers.rsplit_once('.').context("a version has three numbers")?;
    let patch: u32 = patch.parse().context("a version has three numbers")?;
    // A declaration consists of constants.
    let version: &'static str = format!("{start}.{}", patch + patches).leak();
    platform.version = ChartVersion::checked(version)?;
    platform.publication.changelog = vec![ReleaseNotes::released(version, "2026-09-21", CHANGES)].leak();
    platform.resolve().map_err(|diagnostics| anyhow::anyhow!("{diagnostics}"))
}
