use std::fs;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use release::loopback::{HtpasswdFile, LoopbackRegistry};
use release::{CosignKey, Packaged, Pushed, Registry, Signer, packages, push, write};
use tools::{Tool, ToolBinary};

use crate::support::{Folder, in_version, signer, time};

const PASSWORD: &str = "only-for-this-test";
/// The password of the user `test`, as the registry stores it.
const HTPASSWD: &str = "test:$2a$05$Pi3kEcGskSp6SPQrW9yBFu3U2aSSLtxC9.qe.0t2QtdNf0sDt6raK\n";

/// A registry with a login, and a folder with Docker's configuration that has it.
struct Bench {
    registry: LoopbackRegistry,
    folder: Folder,
}

impl Bench {
    fn new() -> Self {
        let folder = Folder::new();
        let logins = folder.path.join("htpasswd");
        fs::write(&logins, HTPASSWD).unwrap();
        let registry = LoopbackRegistry::start(&folder.path, Some(&HtpasswdFile(logins))).unwrap();
        fs::create_dir(folder.path.join("docker")).unwrap();
        let login = STANDARD.encode(format!("test:{PASSWORD}"));
        let configuration = format!(r#"{{"auths": {{"{}": {{"auth": "{login}"}}}}}}"#, registry.address());
        fs::write(folder.path.join("docker/config.json"), configuration).unwrap();
        Self { registry, folder }
    }

    fn url(&self) -> String {
        format!("oci://{}/charts", self.registry.address())
    }

    fn registry(&self) -> Registry {
        Registry::new(&self.url()).unwrap().plain_http(true).docker_config(&self.folder.path.join("docker"))
    }

    /// Runs a tool with the login.
    fn run(&self, tool: &ToolBinary, arguments: &[&str]) -> Output {
        let mut command = tool.command();
        command.args(arguments).env("DOCKER_CONFIG", self.folder.path.join("docker"));
        command.current_dir(&self.folder.path).output().unwrap()
    }

    #[track_caller]
    fn succeed(&self, tool: &ToolBinary, arguments: &[&str]) -> String {
        let output = self.run(tool, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A pair of keys for cosign, without a password.
    fn keys(&self) -> Utf8PathBuf {
        let mut command = Tool::Cosign.ensure().unwrap().command();
        command.arg("generate-key-pair").env("COSIGN_PASSWORD", "").current_dir(&self.folder.path);
        assert!(command.output().unwrap().status.success());
        self.folder.path.join("cosign.key")
    }
}

/// Packages version `version` of the platform into `folder`.
fn packaged(version: &'static str, signer: Option<&Signer>, folder: &Utf8Path) -> Vec<Packaged> {
    let packaged = packages(&in_version(version), &time()).unwrap();
    write(&packaged, signer, &time(), folder).unwrap();
    packaged
}

#[test]
fn charts_are_pushed_pulled_and_verified() {
    let (bench, files) = (Bench::new(), Folder::new());
    let (signer, _agent) = signer();
    signer.check().unwrap();
    let all = packaged("2.0.0", Some(&signer), &files.path);
    let key = CosignKey::Key(bench.keys().into_string());
    let pushed = push(&all, &files.path, &bench.registry(), Some(&key)).unwrap();
    let addresses: Vec<_> = pushed.iter().map(|one| one.address.clone()).collect();
    let url = bench.url();
    let expected = ["shop-floor", "shop-floor-dashboards", "shop-floor-logs"].map(|name| format!("{url}/{name}:2.0.0"));
    assert_eq!(addresses, expected);
    assert!(pushed.iter().all(|one| one.is_new && one.digest.starts_with("sha256:")), "{pushed:?}");

    // An installer pulls and verifies with Helm 3 and 4.
    let keyring = bench.folder.path.join("keyring.gpg");
    let mut export = Command::new("gpg");
    export.env("GNUPGHOME", signer.home.as_ref().unwrap()).args(["--batch", "--export", &signer.key]);
    fs::write(&keyring, export.output().unwrap().stdout).unwrap();
    let helm = Tool::Helm4.ensure().unwrap();
    for (helm, folder) in [(&Tool::Helm3.ensure().unwrap(), "three"), (&helm, "four")] {
        fs::create_dir(bench.folder.path.join(folder)).unwrap();
        let chart = format!("{url}/shop-floor");
        let pull = ["pull", &chart, "--version", "2.0.0", "--plain-http", "--verify", "--destination", folder];
        bench.succeed(helm, &[&pull[..], &["--keyring", keyring.as_str()]].concat());
        let archive = bench.folder.path.join(folder).join("shop-floor-2.0.0.tgz");
        assert!(fs::read(&archive).unwrap() == all[0].package.archive);
        bench.succeed(helm, &["verify", archive.as_str(), "--keyring", keyring.as_str()]);
        // One changed byte is found.
        let mut broken = all[0].package.archive.clone();
        *broken.last_mut().unwrap() ^= 1;
        fs::write(&archive, broken).unwrap();
        assert!(!bench.run(helm, &["verify", archive.as_str(), "--keyring", keyring.as_str()]).status.success());
    }

    // cosign verifies the signature and the list of images of each chart; another key does not fit.
    let cosign = Tool::Cosign.ensure().unwrap();
    let local = ["--allow-http-registry", "--allow-insecure-registry", "--insecure-ignore-tlog=true"];
    for (one, chart) in pushed.iter().zip(&all) {
        let (name, _) = one.address.trim_start_matches("oci://").rsplit_once(':').unwrap();
        let reference = format!("{name}@{}", one.digest);
        let own = ["--key", "cosign.pub", &reference];
        bench.succeed(&cosign, &[&["verify"], &local[..], &own].concat());
        let attestation =
            bench.succeed(&cosign, &[&["verify-attestation", "--type", "cyclonedx"], &local[..], &own].concat());
        let attestation: serde_json::Value = serde_json::from_str(attestation.lines().next().unwrap()).unwrap();
        let payload = STANDARD.decode(attestation["payload"].as_str().unwrap()).unwrap();
        let statement: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        let list: serde_json::Value = serde_json::from_str(&chart.images).unwrap();
        assert_eq!(statement["predicate"]["components"], list["components"]);
    }
    bench.keys_of_another();
    let (name, _) = pushed[0].address.trim_start_matches("oci://").rsplit_once(':').unwrap();
    let reference = format!("{name}@{}", pushed[0].digest);
    let other = [&["verify"], &local[..], &["--key", "other/cosign.pub", &reference]].concat();
    assert!(!bench.run(&cosign, &other).status.success());
}

impl Bench {
    fn keys_of_another(&self) {
        let folder = self.folder.path.join("other");
        fs::create_dir(&folder).unwrap();
        let mut command = Tool::Cosign.ensure().unwrap().command();
        command.arg("generate-key-pair").env("COSIGN_PASSWORD", "").current_dir(&folder);
        assert!(command.output().unwrap().status.success());
    }
}

#[test]
fn a_release_can_be_repeated_and_a_version_never_changes() {
    let (bench, files) = (Bench::new(), Folder::new());
    let all = packaged("2.0.0", None, &files.path);
    let new = |pushed: &[Pushed]| pushed.iter().map(|one| one.is_new).collect::<Vec<_>>();
    // A run that ended after its first chart.
    let first = push(&all[..1], &files.path, &bench.registry(), None).unwrap();
    let again = push(&all, &files.path, &bench.registry(), None).unwrap();
    assert_eq!((new(&first), new(&again)), (vec![true], vec![false, true, true]));
    assert_eq!(first[0].digest, again[0].digest);
    // The registry shows the time of the commit, so a second registry has the same digests.
    let second = Bench::new();
    let elsewhere = push(&all, &files.path, &second.registry(), None).unwrap();
    assert_eq!(
        elsewhere.iter().map(|one| &one.digest).collect::<Vec<_>>(),
        again.iter().map(|one| &one.digest).collect::<Vec<_>>()
    );

    // The same version with other content is refused before anything is pushed.
    let others = Folder::new();
    let mut other = packaged("2.0.1", None, &others.path);
    for one in &mut other {
        one.package.version = "2.0.0".to_owned();
    }
    other.rotate_left(1);
    let error = push(&other, &others.path, &bench.registry(), None).unwrap_err().to_string();
    assert!(
        error.starts_with("nothing was pushed: the registry has ") && error.contains("shop-floor-logs:2.0.0"),
        "{error}"
    );
    let crane = Tool::Crane.ensure().unwrap();
    let repository = format!("{}/charts/shop-floor", bench.registry.address());
    assert_eq!(bench.succeed(&crane, &["ls", &repository]), "2.0.0\n");
}

#[test]
fn a_missing_login_and_a_missing_key_are_refused_without_a_secret() {
    let (bench, files) = (Bench::new(), Folder::new());
    let all = packaged("2.0.0", None, &files.path);
    let nobody = Folder::new();
    let registry = bench.registry().docker_config(&nobody.path);
    let error = push(&all, &files.path, &registry, None).unwrap_err().to_string();
    assert!(error.contains("UNAUTHORIZED") && error.contains("to do: log in with `docker login`"), "{error}");
    let wrong = format!(
        r#"{{"auths": {{"{}": {{"username": "test", "password": "wrong-{PASSWORD}"}}}}}}"#,
        bench.registry.address()
    );
    fs::write(nobody.path.join("config.json"), wrong).unwrap();
    let error = push(&all, &files.path, &registry, None).unwrap_err().to_string();
    assert!(error.contains("UNAUTHORIZED") && !error.contains(PASSWORD), "{error}");

    let key = Signer { key: "nobody@example.org".to_owned(), passphrase_file: None, home: Some(nobody.path.clone()) };
    let error = key.check().unwrap_err().to_string();
    assert!(error.starts_with("gpg has no secret key `nobody@example.org`: import it"), "{error}");
    // Without a signature there is no archive either.
    let empty = Folder::new();
    let error = write(&all, Some(&key), &time(), &empty.path).unwrap_err().to_string();
    assert!(error.starts_with("gpg cannot sign shop-floor-2.0.0.tgz with the key `nobody@example.org`"), "{error}");
    assert_eq!(empty.path.read_dir_utf8().unwrap().count(), 0);
}

#[test]
fn signatures_stay_and_foreign_ones_are_refused() {
    let files = Folder::new();
    let (signer, _agent) = signer();
    let all = packaged("2.0.0", Some(&signer), &files.path);
    let provenance = files.path.join(all[0].provenance_file());
    let before = fs::read(&provenance).unwrap();
    write(&all, Some(&signer), &time(), &files.path).unwrap();
    assert!(fs::read(&provenance).unwrap() == before);
    fs::write(&provenance, "no signature").unwrap();
    let error = write(&all, Some(&signer), &time(), &files.path).unwrap_err().to_string();
    assert!(error.contains("is no signature of this package by this key; move it away"), "{error}");
    assert_eq!(fs::read(&provenance).unwrap(), b"no signature");
}
