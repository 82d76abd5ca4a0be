//! Renders the committed chart with real Helm: one small snapshot per object, and the messages for wrong values.

#![expect(clippy::panic, reason = "a test fails by panicking, and says why")]

mod accepted;
mod alerts;
mod authentication;
mod choices;
mod edge;
mod further;
mod logs;
mod notes;
mod objects;
mod password_rules;
mod passwords;
mod personal;
mod refusals;
mod text;
mod traces;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use camino::{Utf8Path, Utf8PathBuf};
use generator::{Chart, Resolved};
use owned_tree::FOLDER;
use render::Case;
use tools::{Object, Tool};

/// The root of the repository.
fn root() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in a folder of the repository")
}

/// The folder of the committed files.
fn folder() -> Utf8PathBuf {
    root().join(FOLDER)
}

fn platform() -> Resolved {
    auditflow::platform().resolve().expect("the platform resolves")
}

/// The generated chart, made once: in a debug build that takes as long as Helm takes to render it.
fn rendered() -> &'static Chart {
    static GENERATED: LazyLock<Chart> = LazyLock::new(|| generator::generate(&platform()));
    &GENERATED
}

/// The path of the committed umbrella chart, computed once, because every object of every case needs it.
fn chart() -> &'static Utf8Path {
    static CHART: LazyLock<Utf8PathBuf> = LazyLock::new(|| folder().join(&rendered().paths().umbrella));
    &CHART
}

/// Every case with the objects that Helm 4 renders for it, rendered once for all tests.
fn cases() -> &'static [(Case, Vec<Object>)] {
    static CASES: LazyLock<Vec<(Case, Vec<Object>)>> = LazyLock::new(|| {
        let helm = Tool::BatchHelm4.ensure().expect("Helm 4 is there or can be built");
        let cases = render::cases::all(&platform(), rendered(), &folder());
        let render = |case: &Case| {
            let manifest = case.render(&helm).expect("every case renders");
            (case.clone(), tools::objects(&manifest).expect("Helm renders YAML"))
        };
        // The first tests wait for it, so both processors are free.
        let (first, second) = cases.split_at(cases.len() / 2);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| second.iter().map(render).collect::<Vec<_>>());
            let first: Vec<_> = first.iter().map(render).collect();
            [first, second.join().expect("the other half renders")].concat()
        })
    });
    &CASES
}

/// The name of an object without that of the release.
fn without_release(name: &str) -> &str {
    static PREFIX: LazyLock<String> = LazyLock::new(|| format!("{}-", render::cases::release_name(&platform())));
    name.strip_prefix(PREFIX.as_str()).unwrap_or(name)
}

/// The snapshots of one folder below `snapshots/`. All of them are compared before a difference fails the test. No two have the same text. The
/// step `snapshots` of `verify` finds unused ones.
struct Snapshots {
    folder: &'static str,
    /// The name of the first snapshot with each text.
    names: BTreeMap<String, String>,
    repeated: Vec<String>,
    different: Vec<String>,
}

impl Snapshots {
    fn of(folder: &'static str) -> Self {
        Self { folder, names: BTreeMap::new(), repeated: Vec::new(), different: Vec::new() }
    }

    /// Compares one text with its snapshot, or notes that an earlier snapshot has the same text.
    fn compare(&mut self, name: &str, text: &str) {
        if let Some(earlier) = self.names.get(text) {
            self.repeated.push(format!("{name}: as in {earlier}"));
            return;
        }
        self.names.insert(text.to_owned(), name.to_owned());
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(root().join("snapshots").join(self.folder));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let same = catch_unwind(AssertUnwindSafe(|| settings.bind(|| insta::assert_snapshot!(name, text))));
        if same.is_err() {
            self.different.push(name.to_owned());
        }
    }

    /// Compares the list of texts that repeat an earlier snapshot since the last call, if there are any.
    fn compare_repeated(&mut self, name: &str) {
        if !self.repeated.is_empty() {
            let list = std::mem::take(&mut self.repeated).join("\n");
            self.compare(name, &list);
        }
    }

    /// Fails if a text differed.
    fn finish(self) {
        assert!(self.repeated.is_empty(), "a call of `compare_repeated` is missing: {:#?}", self.repeated);
        assert!(self.different.is_empty(), "these snapshots differ (see above): {:#?}", self.different);
    }
}
