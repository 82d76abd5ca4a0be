//! The page "Your own platform": its files in an empty repository, and its commands, on this repository as a git dependency.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, and says why")]

use std::fs;
use std::process::{Command, Output};

use camino::{Utf8Path, Utf8PathBuf};
use tools::{Tool, Toolbox};

const ADDRESS: &str = "https://example.org/the-address-of-this-repository.git";

/// A code block of the page, with the comment before it: `file: Cargo.toml`, `run`, `compiles`.
struct Block {
    label: String,
    code: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let labelled = page.split("<!-- ").skip(1).map(|part| {
        let (label, rest) = part.split_once(" -->").expect("a comment ends");
        let (_, rest) = rest.split_once("```").expect("a code block follows");
        let (_, rest) = rest.split_once('\n').expect("it has lines");
        let (code, _) = rest.split_once("```").expect("it ends");
        Block { label: label.to_owned(), code: code.to_owned() }
    });
    labelled.collect()
}

/// This repository's files as they are now, committed into a repository that cargo takes a dependency from.
fn source(root: &Utf8Path, folder: &Utf8Path) {
    let listed = git(root, &["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    let _ = fs::remove_dir_all(folder);
    for path in String::from_utf8(listed.stdout).unwrap().split('\0').filter(|path| !path.is_empty()) {
        // A file that is deleted and not committed is still listed.
        if let Ok(content) = fs::read(root.join(path)) {
            let copy = folder.join(path);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::write(copy, content).unwrap();
        }
    }
    git(folder, &["init", "--quiet"]);
    git(folder, &["add", "--all"]);
    // The same files are the same commit, so that cargo compiles them once.
    git(folder, &["commit", "--quiet", "--message", "The working tree"]);
}

fn git(folder: &Utf8Path, arguments: &[&str]) -> Output {
    let identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
    let mut git = Command::new("git");
    git.args(identity).args(arguments).current_dir(folder);
    git.env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z").env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z");
    let output = git.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

struct Repository {
    root: Utf8PathBuf,
    target: Utf8PathBuf,
}

impl Repository {
    fn write(&self, path: &str, text: &str) {
        let file = self.root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Runs a command as a user does, without what cargo tells this test.
    fn try_run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(words[0]);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_")) {
            command.env_remove(name);
        }
        // A folder that outlives the test: compiled dependencies are used again.
        command.args(&words[1..]).current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        // The tools that this repository has built already.
        let tools = Toolbox::from_environment().unwrap().folder;
        command.env("CHART_TOOLS_DIR", tools).output().unwrap()
    }

    fn run(&self, words: &[&str]) -> String {
        let output = self.try_run(words);
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success(), "{words:?} failed:\n{out}\n{err}");
        out
    }
}

#[test]
#[ignore = "compiles everything once more, which takes minutes: a step of .ci/run"]
fn the_page_leads_from_an_empty_repository_to_a_chart() {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("model/your-own-platform.md")).unwrap();
    let blocks = blocks(&page);
    let labelled = |label: &str| -> Vec<&str> {
        blocks.iter().filter(|block| block.label == label).map(|block| block.code.as_str()).collect()
    };
    let folder = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("own-platform");
    source(root, &folder.join("source"));
    // Below this workspace cargo would take the repository for a part of it.
    let temporary = tempfile::tempdir().unwrap();
    let place = Utf8Path::from_path(temporary.path()).unwrap();
    let repository = Repository { root: place.join("shop"), target: folder.join("target") };
    for block in &blocks {
        if let Some(path) = block.label.strip_prefix("file: ") {
            repository.write(path, &block.code.replace(ADDRESS, &format!("file://{folder}/source")));
        }
    }
    git(&repository.root, &["init", "--quiet"]);
    // The versions that this repository is tried with.
    fs::copy(root.join("Cargo.lock"), repository.root.join("Cargo.lock")).unwrap();

    let commands = labelled("run").concat();
    for line in commands.lines() {
        repository.run(&line.split(' ').collect::<Vec<_>>());
    }
    assert!(repository.root.join("generated-chart/shop/Chart.yaml").is_file());

    // What is installed renders. A cluster is needed for the rest.
    let [install] = labelled("install")[..] else { panic!("one block installs") };
    let install = install.replace("\\\n", "");
    let words: Vec<_> = install.lines().next().unwrap().split_whitespace().filter(|word| *word != "--wait").collect();
    assert_eq!(words[..2], ["helm", "install"]);
    let helm = Tool::Helm4.ensure().unwrap();
    let rendered = helm.command().arg("template").args(&words[2..]).current_dir(&repository.root).output().unwrap();
    assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));

    // The other steps of `verify` that are about the repository, and what scenarios there are for it.
    repository.run(&["cargo", "xtask", "verify", "--only", "generate", "--only", "tests", "--only", "snapshots"]);
    let stale = repository.try_run(&["cargo", "xtask", "e2e", "--stale"]);
    let stale = String::from_utf8_lossy(&stale.stdout).into_owned();
    assert!(
        stale.contains(" scenarios are out of date: cargo xtask e2e install reach rights secrets refusals partial"),
        "{stale}"
    );

    let platform = fs::read_to_string(repository.root.join("src/platform.rs")).unwrap();
    let check = |code: &str| {
        repository.write("src/platform.rs", &format!("#![allow(dead_code)]\n{platform}\n{code}"));
        repository.try_run(&["cargo", "check", "--quiet"])
    };
    let (broken, mended) = (labelled("does not compile: E0716"), labelled("compiles"));
    assert_eq!((broken.len(), mended.len()), (2, 2));
    for code in broken {
        let output = check(code);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(errors.contains("error[E0716]"), "this compiles, or fails otherwise:\n{code}\n{errors}");
    }
    for code in mended {
        let output = check(code);
        assert!(output.status.success(), "this does not compile:\n{code}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_page_has_what_the_test_looks_for() {
    let page =
        fs::read_to_string(Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/your-own-platform.md")).unwrap();
    let labels: Vec<_> = blocks(&page).into_iter().map(|block| block.label).collect();
    for label in ["file: Cargo.toml", "file: src/main.rs", "run", "install", "does not compile: E0716", "compiles"] {
        assert!(labels.iter().any(|one| one == label), "{label} is lacking: {labels:?}");
    }
    assert!(page.contains(ADDRESS));
}
