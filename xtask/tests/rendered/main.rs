//! What real Helm makes of the committed chart: one small snapshot per object, and the texts with which it refuses.

#![expect(clippy::panic, reason = "a test fails by panicking, and says why")]

mod objects;
mod passwords;
mod refusals;
mod text;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use camino::{Utf8Path, Utf8PathBuf};
use generator::{Chart, Resolved};
use owned_tree::FOLDER;

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

fn rendered() -> Chart {
    generator::generate(&platform())
}

/// The committed umbrella chart. The generator is asked once: it is asked for in every object of every case.
fn chart() -> &'static Utf8Path {
    static CHART: LazyLock<Utf8PathBuf> = LazyLock::new(|| folder().join(&rendered().paths().umbrella));
    &CHART
}

/// Snapshots of one folder below `snapshots/`, all compared before the first difference fails the test. No two have the same text. The step
/// `snapshots` of `verify` finds those that no test compares.
struct Snapshots {
    folder: &'static str,
    /// The name of the first snapshot with a text.
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

    /// Compares the list of the texts since the last call that earlier snapshots have, if there are any.
    fn compare_repeated(&mut self, name: &str) {
        if !self.repeated.is_empty() {
            let list = std::mem::take(&mut self.repeated).join("\n");
            self.compare(name, &list);
        }
    }

    /// Fails when a text differed.
    fn finish(self) {
        assert!(self.repeated.is_empty(), "a call of `compare_repeated` is missing: {:#?}", self.repeated);
        assert!(self.different.is_empty(), "these differ, see above: {:#?}", self.different);
    }
}
