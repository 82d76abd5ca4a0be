//! A platform that can be released, and a repository with its chart.

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use generator::Resolved;
use owned_tree::{FOLDER, HandEdits};
use release::{CommitTime, Signer};
use tempfile::TempDir;
use vocabulary::{ChartVersion, Icon, Licence, Maintainer, NotedChange, Platform, Publication, ReleaseNotes};

const CHANGES: &[NotedChange] = &[NotedChange::added("Everything.")];

pub(crate) const PUBLICATION: Publication = Publication {
    sources: &["https://example.org/code"],
    maintainers: &[Maintainer::new("Ada").email("ada@example.org")],
    keywords: &["shop"],
    licence: Some(Licence::new("Apache-2.0", include_str!("../../../../LICENSE"))),
    icon: Some(Icon::Svg("<svg xmlns=\"http://www.w3.org/2000/svg\"/>")),
    files: Some("https://example.org/code/v{version}/generated-chart"),
    changelog: &[ReleaseNotes::released("2.0.0", "2026-11-28", CHANGES)],
    ..Publication::new()
};

/// The second platform in version 2.0.0, with everything that a release needs.
pub(crate) fn platform() -> Platform {
    Platform { version: ChartVersion::new("2.0.0"), publication: PUBLICATION, ..second_platform::platform() }
}

pub(crate) fn resolved(platform: Platform) -> Resolved {
    platform.resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// The same platform in another version.
pub(crate) fn in_version(version: &'static str) -> Resolved {
    let notes: &'static [ReleaseNotes] = vec![ReleaseNotes::released(version, "2026-11-28", CHANGES)].leak();
    let publication = Publication { changelog: notes, ..PUBLICATION };
    resolved(Platform { version: ChartVersion::new(version), publication, ..platform() })
}

pub(crate) const TIME: &str = "2026-11-28T12:00:00Z";

pub(crate) fn time() -> CommitTime {
    CommitTime { seconds: 1_795_867_200, text: TIME.to_owned() }
}

/// A temporary folder.
pub(crate) struct Folder {
    pub(crate) path: Utf8PathBuf,
    _folder: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: Utf8PathBuf::try_from(folder.path().to_owned()).unwrap(), _folder: folder }
    }
}

/// A git repository with the generated chart of a platform.
pub(crate) struct Repository(pub(crate) Folder);

impl Repository {
    pub(crate) fn of(platform: &Resolved) -> Self {
        let repository = Self(Folder::new());
        repository.git(&["init", "--quiet"]);
        repository.generate(platform);
        repository.commit();
        repository
    }

    pub(crate) fn root(&self) -> &Utf8Path {
        &self.0.path
    }

    pub(crate) fn generate(&self, platform: &Resolved) {
        let wanted = generator::generate(platform).into_files();
        owned_tree::write_tree(&self.root().join(FOLDER), &wanted, HandEdits::Keep).unwrap();
    }

    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "A version"]);
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]);
        git.args(["-c", "tag.gpgsign=false"]).args(arguments).current_dir(self.root());
        git.env("GIT_AUTHOR_DATE", "2026-11-28T13:00:00+01:00").env("GIT_COMMITTER_DATE", "2026-11-28T13:00:00+01:00");
        let output = git.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// gpg's agent for a keyring of the test's own. It ends when this value is dropped.
pub(crate) struct Agent(Folder);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").args(["--homedir", self.0.path.as_str(), "--kill", "gpg-agent"]).status();
    }
}

/// A secret key of gpg in a keyring of the test's own.
pub(crate) fn signer() -> (Signer, Agent) {
    let agent = Agent(Folder::new());
    let home = &agent.0.path;
    let passphrase = home.join("passphrase");
    fs::write(&passphrase, "only-for-this-test\n").unwrap();
    let parameters = home.join("parameters");
    let text = "Key-Type: RSA\nKey-Length: 3072\nKey-Usage: sign\nName-Real: Release Test\nName-Email: release@example.org\n\
                Expire-Date: 1d\nPassphrase: only-for-this-test\n%commit\n";
    fs::write(&parameters, text).unwrap();
    let output = Command::new("gpg")
        .env("GNUPGHOME", home)
        .args(["--batch", "--generate-key", parameters.as_str()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let key = "release@example.org".to_owned();
    (Signer { key, passphrase_file: Some(passphrase), home: Some(home.clone()) }, agent)
}
