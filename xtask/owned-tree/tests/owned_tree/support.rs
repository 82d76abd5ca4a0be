//! A temporary folder for the tests, and its content.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use owned_tree::{self, Error, HandEdits, OwnedTree, State, Step, Summary, Wanted};
use tempfile::TempDir;

/// A `generated-chart` in its own temporary folder.
pub(crate) struct Folder {
    _temporary: TempDir,
    pub(crate) root: Utf8PathBuf,
}

impl Folder {
    /// An empty folder, in memory if the system has a memory file system, because the tests sync thousands of writes.
    pub(crate) fn empty() -> Self {
        let memory = Path::new("/dev/shm");
        let temporary = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        let root = Utf8Path::from_path(temporary.path()).unwrap().join("generated-chart");
        fs::create_dir(&root).unwrap();
        Self { _temporary: temporary, root }
    }

    /// A folder with these files, written by `generate`.
    pub(crate) fn generated(files: &[(&str, &str)]) -> Self {
        let folder = Self::empty();
        folder.generate(&wanted(files)).unwrap();
        folder
    }

    pub(crate) fn copy(&self) -> Self {
        let copy = Self::empty();
        for (path, node) in self.content() {
            match node {
                Node::Folder => fs::create_dir_all(copy.root.join(path)).unwrap(),
                Node::File(text) => copy.edit(&path, &text),
                Node::Link => panic!("{path} is a link"),
            }
        }
        copy
    }

    pub(crate) fn generate(&self, wanted: &Wanted) -> Result<Summary, Error> {
        owned_tree::write_tree(&self.root, wanted, HandEdits::Keep)
    }

    pub(crate) fn force(&self, wanted: &Wanted) -> Result<Summary, Error> {
        owned_tree::write_tree(&self.root, wanted, HandEdits::Overwrite)
    }

    /// The steps of a run.
    pub(crate) fn steps(&self, wanted: &Wanted) -> Vec<Step> {
        let mut steps = Vec::new();
        owned_tree::write_tree_stepwise(&self.root, wanted, HandEdits::Keep, &mut |step, _| {
            steps.push(step);
            Ok(())
        })
        .unwrap();
        steps
    }

    pub(crate) fn report(&self, wanted: &Wanted) -> String {
        OwnedTree::open(&self.root).unwrap().plan(wanted).unwrap().report().to_string()
    }

    /// The paths that differ, with their states.
    pub(crate) fn differing(&self, wanted: &Wanted) -> Vec<(String, State)> {
        let tree = OwnedTree::open(&self.root).unwrap();
        let plan = tree.plan(wanted).unwrap();
        plan.states()
            .filter(|(_, state)| *state != State::Equal)
            .map(|(path, state)| (path.to_string(), state))
            .collect()
    }

    pub(crate) fn is_up_to_date(&self, wanted: &Wanted) -> bool {
        OwnedTree::open(&self.root).unwrap().plan(wanted).unwrap().is_up_to_date()
    }

    /// Writes a file by hand.
    pub(crate) fn edit(&self, path: impl AsRef<Utf8Path>, text: &str) {
        let file = self.root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.root.join(path)).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    pub(crate) fn record(&self) -> String {
        self.read(".generated-files")
    }

    /// All paths in the folder.
    pub(crate) fn content(&self) -> BTreeMap<Utf8PathBuf, Node> {
        let mut content = BTreeMap::new();
        collect(&self.root, Utf8Path::new(""), &mut content);
        content
    }

    /// The texts of the files, without the record.
    pub(crate) fn files(&self) -> Wanted {
        self.content()
            .into_iter()
            .filter(|(path, _)| path != ".generated-files")
            .filter_map(|(path, node)| match node {
                Node::File(text) => Some((path, text)),
                Node::Folder | Node::Link => None,
            })
            .collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Folder,
    File(String),
    Link,
}

fn collect(root: &Utf8Path, folder: &Utf8Path, content: &mut BTreeMap<Utf8PathBuf, Node>) {
    for entry in root.join(folder).read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        let node = if kind.is_dir() {
            collect(root, &path, content);
            Node::Folder
        } else if kind.is_file() {
            Node::File(fs::read_to_string(root.join(&path)).unwrap())
        } else {
            Node::Link
        };
        content.insert(path, node);
    }
}

pub(crate) fn wanted(files: &[(&str, &str)]) -> Wanted {
    files.iter().map(|(path, text)| (Utf8PathBuf::from(path), (*text).to_owned())).collect()
}

/// A chart with one file in each state, and its wanted files.
pub(crate) fn one_file_of_each_state() -> (Folder, Wanted) {
    let values = "# Values\nreplicas: 1\nimage: a\nport: 80\nhost: b\n";
    let folder = Folder::generated(&[
        ("chart/values.yaml", values),
        ("chart/edited.yaml", values),
        ("chart/edited-orphan.yaml", values),
        ("chart/equal.yaml", values),
        ("chart/orphaned.yaml", "kind: Role\n"),
        ("chart/gone.yaml", "kind: Role\n"),
    ]);
    folder.edit("chart/edited.yaml", &values.replace("80", "8080"));
    folder.edit("chart/edited-orphan.yaml", "by: hand\n");
    folder.edit("chart/foreign.yaml", "kind: Secret\n");
    folder.edit("chart/Chart.lock", "digest: sha256:1\n");
    folder.remove("chart/gone.yaml");
    let files = wanted(&[
        ("chart/values.yaml", &values.replace("replicas: 1", "replicas: 2")),
        ("chart/edited.yaml", values),
        ("chart/equal.yaml", values),
        ("chart/foreign.yaml", "kind: ConfigMap\n"),
        ("chart/missing.yaml", "kind: Service\n"),
    ]);
    (folder, files)
}
