//! Random sequences of events: hand-written content is never lost, and `generate` never gets stuck without a hand edit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use owned_tree::{self, Error, HandEdits, Wanted};
use proptest::prelude::*;

use crate::support::Folder;

/// A few paths, so that events collide. Some paths exclude each other.
const PATHS: [&str; 8] = ["a", "a/q", "b", "d", "d/x", "d/y", "d/e", "d/e/z"];

/// A few models, so that runs often want the same files.
const MODELS: usize = 3;

#[derive(Clone, Debug)]
enum Event {
    /// Runs `generate` for one of the [`MODELS`], possibly killed before a step.
    Run { model: usize, hand_edits: HandEdits, killed_before: Option<usize> },
    /// A developer writes a file: with their own text, or with one that the generator might write too.
    Edit { path: &'static str, generated: Option<u8> },
    /// A developer deletes a file.
    Remove { path: &'static str },
}

fn event() -> impl Strategy<Value = Event> {
    let path = || proptest::sample::select(&PATHS[..]);
    let hand_edits = prop_oneof![3 => Just(HandEdits::Keep), 1 => Just(HandEdits::Overwrite)];
    let run = (0..MODELS, hand_edits, proptest::option::of(0..40_usize))
        .prop_map(|(model, hand_edits, killed_before)| Event::Run { model, hand_edits, killed_before });
    prop_oneof![
        5 => run,
        2 => (path(), proptest::option::of(0..3_u8)).prop_map(|(path, generated)| Event::Edit { path, generated }),
        1 => path().prop_map(|path| Event::Remove { path }),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    proptest::collection::btree_map(proptest::sample::select(&PATHS[..]), 0..3_u8, 0..6).prop_map(|files| {
        let is_folder = |path: &str| files.keys().any(|other| other.starts_with(&format!("{path}/")));
        let files = files.iter().filter(|(path, _)| !is_folder(path));
        files.map(|(path, text)| (Utf8PathBuf::from(path), generated_text(*text))).collect()
    })
}

fn generated_text(number: u8) -> String {
    format!("generated {number}\n")
}

/// The expected state of the folder, tracked independently of the record.
struct World {
    folder: Folder,
    /// Hand-written texts that may not be overwritten.
    protected: BTreeMap<Utf8PathBuf, String>,
    /// Paths with hand-written content that the generator has not taken over since.
    meddled_with: BTreeSet<Utf8PathBuf>,
    edits: usize,
}

impl World {
    fn new() -> Self {
        Self { folder: Folder::empty(), protected: BTreeMap::new(), meddled_with: BTreeSet::new(), edits: 0 }
    }

    fn happen(&mut self, event: &Event, models: &[Wanted]) {
        match event {
            Event::Run { model, hand_edits, killed_before } => self.run(&models[*model], *hand_edits, *killed_before),
            Event::Edit { path, generated } => self.edit(path, *generated),
            Event::Remove { path } => {
                if fs::remove_file(self.folder.root.join(path)).is_ok() {
                    self.protected.remove(Utf8Path::new(path));
                }
            }
        }
        for (path, text) in &self.protected {
            assert_eq!(self.folder.files().get(path), Some(text), "{path}: a hand edit is lost");
        }
    }

    fn edit(&mut self, path: &'static str, generated: Option<u8>) {
        let file = self.folder.root.join(path);
        if file.is_dir() || fs::create_dir_all(file.parent().unwrap()).is_err() {
            return;
        }
        self.edits += 1;
        let text = generated.map_or_else(|| format!("by hand {}\n", self.edits), generated_text);
        self.folder.edit(path, &text);
        self.meddled_with.insert(path.into());
        self.protected.remove(Utf8Path::new(path));
        if generated.is_none() {
            self.protected.insert(path.into(), text);
        }
    }

    fn run(&mut self, wanted: &Wanted, hand_edits: HandEdits, killed_before: Option<usize>) {
        let before = self.folder.content();
        let files_before = self.final_files();
        let recorded = self.recorded();
        let looked = owned_tree::OwnedTree::open(&self.folder.root)
            .and_then(|tree| tree.plan(wanted).map(|plan| plan.is_up_to_date()));

        let mut steps = 0;
        let result = owned_tree::write_tree_stepwise(&self.folder.root, wanted, hand_edits, &mut |_, _| {
            if Some(steps) == killed_before {
                return Err(io::Error::other("killed"));
            }
            steps += 1;
            Ok(())
        });

        let files = self.final_files();
        for (path, text) in &files_before {
            if !recorded.contains(path) {
                assert_eq!(files.get(path), Some(text), "{path} was never recorded and is changed");
            }
        }
        for (path, text) in &files {
            assert!(
                files_before.get(path) == Some(text) || wanted.get(path) == Some(text),
                "{path} is neither the old nor the new: {text:?}"
            );
        }
        match result {
            Ok(_) => {
                assert_eq!(looked.unwrap(), steps == 0, "check and write disagree");
                self.assert_written(wanted, &recorded);
                self.meddled_with.retain(|path| !wanted.contains_key(path));
            }
            Err(Error::Io { .. }) => assert!(killed_before.is_some()),
            Err(Error::Refused(_) | Error::Obstructed(_)) => {
                assert_eq!(self.folder.content(), before, "refused means that nothing was changed");
                assert!(!self.meddled_with.is_empty(), "refused, and nobody else wrote anything");
                return;
            }
            Err(error) => panic!("{error}"),
        }
        if hand_edits == HandEdits::Overwrite {
            self.protected.retain(|path, _| !recorded.contains(path));
        }
    }

    fn assert_written(&self, wanted: &Wanted, recorded: &BTreeSet<Utf8PathBuf>) {
        let files = self.folder.files();
        for (path, text) in wanted {
            assert_eq!(files.get(path), Some(text));
        }
        for path in files.keys() {
            assert!(!path.as_str().ends_with(".generate-tmp"), "{path} is left over");
            assert!(wanted.contains_key(path) || !recorded.contains(path), "{path} is no longer wanted");
        }
        assert!(self.recorded().iter().eq(wanted.keys()));
        assert!(self.folder.is_up_to_date(wanted));
        assert_eq!(self.folder.steps(wanted), []);
    }

    fn final_files(&self) -> Wanted {
        let mut files = self.folder.files();
        files.retain(|path, _| !path.as_str().ends_with(".generate-tmp"));
        files
    }

    fn recorded(&self) -> BTreeSet<Utf8PathBuf> {
        let record = fs::read_to_string(self.folder.root.join(".generated-files")).unwrap_or_default();
        record.lines().map(|line| line.split_once("  ").unwrap().1.into()).collect()
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_gets_stuck(
        models in proptest::collection::vec(wanted(), MODELS),
        events in proptest::collection::vec(event(), 1..16),
    ) {
        let mut world = World::new();
        for event in &events {
            world.happen(event, &models);
        }
    }
}
