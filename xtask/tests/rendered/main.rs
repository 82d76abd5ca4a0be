//! What real Helm makes of the committed chart: one small snapshot per object, and the texts with which it refuses.

#![expect(clippy::panic, reason = "a test fails by panicking, and says why")]

mod objects;
mod passwords;
mod refusals;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use camino::{Utf8Path, Utf8PathBuf};
use xtask::{commands::generate, platform, workspace};

/// The folder of the committed files.
fn folder() -> Utf8PathBuf {
    workspace::root().join(generate::FOLDER)
}

/// The committed umbrella chart. The generator is asked once: it is asked for in every object of every case.
fn chart() -> &'static Utf8Path {
    static CHART: LazyLock<Utf8PathBuf> =
        LazyLock::new(|| folder().join(&platform::chart().expect("the platform resolves").paths().umbrella));
    &CHART
}

/// Snapshots of one folder below `snapshots/`, all compared before the first difference fails the test.
struct Snapshots {
    folder: &'static str,
    asked: BTreeSet<String>,
    different: Vec<String>,
}

impl Snapshots {
    fn of(folder: &'static str) -> Self {
        Self { folder, asked: BTreeSet::new(), different: Vec::new() }
    }

    /// Compares one text; `name` is `environment@object`.
    fn compare(&mut self, name: &str, text: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(workspace::root().join("snapshots").join(self.folder));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        self.asked.insert(format!("{name}.snap"));
        let same = catch_unwind(AssertUnwindSafe(|| settings.bind(|| insta::assert_snapshot!(name, text))));
        if same.is_err() {
            self.different.push(name.to_owned());
        }
    }

    /// Fails when a text differed, or a file in the folder belongs to none.
    fn finish(self) {
        let folder = workspace::root().join("snapshots").join(self.folder);
        let entries = folder.read_dir_utf8().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
        let names = entries.into_iter().map(|entry| entry.expect("the folder can be read").file_name().to_owned());
        let unreferenced: Vec<_> =
            names.filter(|n| Utf8Path::new(n).extension() == Some("snap") && !self.asked.contains(n)).collect();
        assert!(self.different.is_empty(), "these differ, see above: {:#?}", self.different);
        assert!(unreferenced.is_empty(), "no object has these snapshots in {folder}, delete them: {unreferenced:#?}");
    }
}
