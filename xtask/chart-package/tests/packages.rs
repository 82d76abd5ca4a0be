//! Packages of the second platform's charts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use chart_package::{package, read_package};
use tools::{Tool, ToolBinary};

fn files() -> BTreeMap<Utf8PathBuf, String> {
    generator::generate(&second_platform::platform().resolve().unwrap()).into_files()
}

fn helm() -> ToolBinary {
    Tool::Helm4.ensure().unwrap()
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let (helm, files) = (helm(), files());
    let first = package(&helm, "shop-floor", &files, 1_700_000_000).unwrap();
    assert_eq!((first.name.as_str(), first.version.as_str()), ("shop-floor", "2.0.0-rc.1"));
    // Helm adds the five subcharts in a random order. By chance, eight runs have the same one once in 10^14 times.
    for _ in 0..7 {
        assert!(package(&helm, "shop-floor", &files, 1_700_000_000).unwrap() == first);
    }
    let later = package(&helm, "shop-floor", &files, 1_700_000_001).unwrap();
    assert!(later.archive != first.archive && later.files == first.files);
    assert!(read_package(&first.archive).unwrap() == first);
}

#[test]
fn helm_reads_the_archive_and_renders_the_same_objects() {
    let (helm, files) = (helm(), files());
    let folder = tempfile::tempdir().unwrap();
    let folder = Utf8Path::from_path(folder.path()).unwrap();
    for (path, text) in &files {
        fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        fs::write(folder.join(path), text).unwrap();
    }
    let packaged = package(&helm, "shop-floor", &files, 0).unwrap();
    fs::write(folder.join(packaged.file_name()), &packaged.archive).unwrap();
    let values = folder.join("shop-floor/ci/default-values.yaml");
    let render = |chart: &Utf8Path| {
        let mut command = helm.command();
        let output = command.args(["template", "r", chart.as_str(), "--values", values.as_str()]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let rendered = render(&folder.join("shop-floor"));
    assert!(!rendered.is_empty() && rendered == render(&folder.join(packaged.file_name())));
    assert!(!packaged.files.contains_key(Utf8Path::new("ci/default-values.yaml")));
    assert!(!packaged.files.contains_key(Utf8Path::new("VALUES.md")));
    assert!(packaged.files.contains_key(Utf8Path::new("README.md")));
}

#[test]
fn what_is_no_package_is_refused() {
    let refusal = |archive: &[u8]| read_package(archive).unwrap_err().to_string();
    assert_eq!(refusal(b"text"), "the archive is not a gzipped tar, or is incomplete");
    let archive = package(&helm(), "shop-floor-logs", &files(), 0).unwrap().archive;
    assert!(read_package(&archive[..archive.len() / 2]).is_err());
    let missing = package(&helm(), "shop", &files(), 0).unwrap_err().to_string();
    assert!(missing.starts_with("helm package refuses the chart shop: "), "{missing}");
}
