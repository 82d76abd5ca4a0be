//! Images of a registry on the loopback interface, and the pattern for Renovate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use generator::PublishedImage;
use images::{ImageState, states, update};
use regex_lite::Regex;
use release::loopback::LoopbackRegistry;
use serde_json::Value;
use tempfile::TempDir;
use tools::Tool;
use vocabulary::{Image, ServerVersion};

/// A registry, and a repository with declarations of its images.
struct Bench {
    registry: LoopbackRegistry,
    root: Utf8PathBuf,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        fs::create_dir(root.join("registry")).unwrap();
        let registry = LoopbackRegistry::start(&root.join("registry"), None).unwrap();
        Self { registry, root, _folder: folder }
    }

    /// Pushes an image under these tags; each has a content of its own.
    fn push(&self, name: &str, tags: &[&str]) -> &'static str {
        let repository = format!("{}/{name}", self.registry.address());
        for tag in tags {
            fs::write(self.root.join("content"), format!("{name} {tag}")).unwrap();
            let layer = self.root.join("layer.tar");
            self.run("tar", &["--create", "--file", layer.as_str(), "content"]);
            let crane = Tool::Crane.ensure().unwrap();
            let append = ["append", "--new_layer", layer.as_str(), "--new_tag", &format!("{repository}:{tag}")];
            self.run(crane.path.as_str(), &append);
        }
        repository.leak()
    }

    fn digest(&self, repository: &str, tag: &str) -> &'static str {
        let crane = Tool::Crane.ensure().unwrap();
        self.run(crane.path.as_str(), &["digest", &format!("{repository}:{tag}")]).trim().to_owned().leak()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).current_dir(&self.root).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }
}

fn published(name: &str, image: Image, version: Option<&'static str>) -> PublishedImage {
    let version = version.map(ServerVersion::new);
    PublishedImage { chart: "shop".to_owned(), name: name.to_owned(), image, version }
}

fn state<'s>(states: &'s [ImageState], name: &str) -> &'s ImageState {
    states.iter().find(|state| state.image.repository.as_str().ends_with(name)).unwrap()
}

#[test]
fn newer_tags_and_digests_are_listed_and_declared() {
    let bench = Bench::new();
    let exporter = bench.push("a/exporter", &["v1.9.0", "v1.10.0", "v1.10.0-alpine", "latest", "sha-0123abc"]);
    let server = bench.push("server", &["18", "18.1", "19", "18-alpine"]);
    let pinned = bench.push("pinned", &["1.0.0", "1.0.1"]);
    let moved = bench.push("moved", &["2.0"]);
    let old = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let images = [
        published("exporter", Image::new(exporter, "v1.9.0"), None),
        published("other-exporter", Image::new(exporter, "v1.9.0"), None),
        published("database", Image::new(server, "18"), Some("18")),
        published("pinned", Image::new(pinned, "1.0.0").digest(bench.digest(pinned, "1.0.0")), None),
        published("moved", Image::new(moved, "2.0").digest(old), None),
        published("unnamed", Image::without_tag("nowhere.invalid/x", "built by the installer"), None),
    ];
    let found = states(&images).unwrap();
    assert_eq!(found.len(), 4, "{found:#?}");
    let newest = bench.digest(exporter, "v1.10.0").to_owned();
    assert_eq!(state(&found, "a/exporter").found.as_ref().unwrap().newer, Some(("v1.10.0".to_owned(), newest.clone())));
    assert_eq!(state(&found, "a/exporter").used_by, ["exporter (shop)", "other-exporter (shop)"]);
    let of_server = state(&found, "server").found.as_ref().unwrap();
    assert_eq!((&of_server.newer, of_server.other_version.as_deref()), (&None, Some("19")));
    assert_eq!(of_server.digest, bench.digest(server, "18"));
    assert!(state(&found, "server").text().contains("another version, whose data differs: 19"));
    assert!(state(&found, "moved").text().contains(&format!("the tag has the digest {}", bench.digest(moved, "2.0"))));
    assert!(state(&found, "pinned").text().contains("the tag has the declared digest\n  newer: 1.0.1 (sha256:"));

    let declaration =
        |repository: &str, tag: &str| format!("const IMAGE: Image = Image::new(\"{repository}\", \"{tag}\")");
    let own = bench.digest(pinned, "1.0.0");
    bench.write("src/exporter.rs", &format!("{};\n", declaration(exporter, "v1.9.0")));
    bench.write("src/server.rs", &format!("{};\n", declaration(server, "18")));
    bench.write("src/pinned.rs", &format!("{}\n    .digest(\"{own}\");\n", declaration(pinned, "1.0.0")));
    bench.write("tests/it.rs", &format!("{};\n", declaration(exporter, "v1.9.0")));
    bench.write("untracked.rs", &format!("{};\n", declaration(exporter, "v1.9.0")));
    bench.run("git", &["init", "--quiet"]);
    bench.run("git", &["add", "src", "tests"]);
    let updated = update(&bench.root, &found).unwrap();
    let mut edits: Vec<_> = updated.edits.iter().map(|edit| (edit.path.as_str(), edit.to.as_str())).collect();
    edits.sort_unstable();
    let new = bench.digest(pinned, "1.0.1");
    let (to_exporter, to_pinned) = (format!("{exporter}:v1.10.0"), format!("{pinned}:1.0.1@{new}"));
    assert_eq!(edits, [("src/exporter.rs", to_exporter.as_str()), ("src/pinned.rs", to_pinned.as_str())]);
    assert_eq!(updated.elsewhere, [format!("{moved}:2.0@{old}")]);
    assert_eq!(bench.read("src/exporter.rs"), format!("{};\n", declaration(exporter, "v1.10.0")));
    assert_eq!(bench.read("src/pinned.rs"), format!("{}\n    .digest(\"{new}\");\n", declaration(pinned, "1.0.1")));
    assert_eq!(bench.read("src/server.rs"), format!("{};\n", declaration(server, "18")));
    for untouched in ["tests/it.rs", "untracked.rs"] {
        assert_eq!(bench.read(untouched), format!("{};\n", declaration(exporter, "v1.9.0")), "{untouched}");
    }

    // What was declared now is up to date.
    let images = [
        published("exporter", Image::new(exporter, "v1.10.0"), None),
        published("pinned", Image::new(pinned, "1.0.1").digest(new), None),
    ];
    let again = states(&images).unwrap();
    assert!(again.iter().all(|state| state.update().is_none()), "{again:#?}");
}

#[test]
fn a_registry_that_does_not_answer_is_named_and_hinders_no_other() {
    let bench = Bench::new();
    let there = bench.push("there", &["1.0", "1.1"]);
    let missing: &'static str = format!("{}/missing", bench.registry.address()).leak();
    let found = states(&[
        published("there", Image::new(there, "1.0"), None),
        published("missing", Image::new(missing, "1.0"), None),
    ])
    .unwrap();
    assert_eq!(state(&found, "there").update().unwrap().0, "1.1");
    let text = state(&found, "missing").text();
    assert!(
        text.contains("missing:1.0: not compared: crane digest ") && state(&found, "missing").update().is_none(),
        "{text}"
    );
}

/// The pattern in renovate.json finds each declared image with its tag, as `update` does.
#[test]
fn renovate_finds_the_declarations() {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let settings: Value = serde_json::from_str(&fs::read_to_string(root.join("renovate.json")).unwrap()).unwrap();
    let manager = &settings["customManagers"][0];
    let pattern = Regex::new(manager["matchStrings"][0].as_str().unwrap()).unwrap();
    let files = manager["managerFilePatterns"][0].as_str().unwrap();
    let files = Regex::new(files.strip_prefix('/').unwrap().strip_suffix('/').unwrap()).unwrap();
    let listed = Command::new("git").args(["-C", root.as_str(), "ls-files", "--", "*.rs"]).output().unwrap();
    let mut found = Vec::new();
    for path in String::from_utf8(listed.stdout).unwrap().lines().filter(|path| files.is_match(path)) {
        let code = fs::read_to_string(root.join(path)).unwrap();
        for captures in pattern.captures_iter(&code) {
            found.push((captures["depName"].to_owned(), captures["currentValue"].to_owned()));
        }
    }
    let platform = auditflow::platform().resolve().unwrap();
    let mut count = 0;
    for one in generator::generate(&platform).images() {
        if let vocabulary::DefaultTag::Fixed(tag) = one.image.tag {
            count += 1;
            let declared = (one.image.repository.as_str().to_owned(), tag.as_str().to_owned());
            assert!(found.contains(&declared), "renovate.json does not find {declared:?}");
        }
    }
    assert!(count > 5);
    let two_lines = "Image::new(\n    \"a/b\",\n    \"1\",\n)\n.digest(\"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\")";
    assert!(pattern.captures(two_lines).unwrap()["currentDigest"].starts_with("sha256:0123"));
}
