//! The record of each scenario's last complete pass, and detection of outdated passes.

mod date;
mod file;
mod files;
mod inputs;
mod rendering;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use e2e_kit::process;
use generator::Resolved;

use file::Pass;
use inputs::Places;
use rendering::Rendering;

/// The committed record, at the root of the repository.
const RECORD: &str = "e2e-passes.txt";

/// The checkout that this program was built from.
///
/// It contains the scenarios' code and images, even if the platform is in another repository.
const CODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

const GIT_LIMIT: Duration = Duration::from_mins(1);

/// The record of passes and the inputs that it refers to.
#[derive(Clone, Debug)]
pub struct Passes {
    file: Utf8PathBuf,
    places: Places,
}

/// The digests of a scenario's inputs at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inputs(BTreeMap<String, String>);

/// A scenario's last complete pass, compared with its current inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The scenario passed with its current inputs.
    Current,
    /// The record has no pass.
    NeverPassed,
    /// The scenario passed with other inputs.
    Stale {
        /// The date of the last pass, such as `2026-11-27`.
        date: String,
        /// The input groups that have changed since.
        changed: Vec<String>,
    },
}

impl Passes {
    /// The record of the repository `root`, which contains the chart of `platform`.
    #[must_use]
    pub fn new(root: &Utf8Path, platform: &Resolved) -> Self {
        let generated = root.join(owned_tree::FOLDER);
        let files = generator::generate(platform);
        let chart = generated.join(&files.paths().umbrella);
        let rendering = Rendering::of(platform, &files, &generated);
        Self { file: root.join(RECORD), places: Places { chart, generated, code: CODE.into(), rendering } }
    }

    /// Compares the last pass of a scenario with its current inputs.
    ///
    /// # Errors
    /// If the record or an input cannot be read.
    pub fn state(&self, scenario: &str) -> anyhow::Result<State> {
        let Inputs(now) = self.inputs(scenario)?;
        let passes: Vec<_> = self.read()?.into_iter().filter(|pass| pass.scenario == scenario).collect();
        // After a merge a scenario may have two passes; either may match the current inputs.
        if passes.iter().any(|pass| pass.changed(&now).is_empty()) {
            return Ok(State::Current);
        }
        let last = passes.into_iter().max_by(|a, b| a.date.cmp(&b.date));
        Ok(last.map_or(State::NeverPassed, |pass| {
            let changed = pass.changed(&now).into_iter().map(str::to_owned).collect();
            State::Stale { date: pass.date, changed }
        }))
    }

    /// The current inputs of a scenario.
    pub(crate) fn inputs(&self, scenario: &str) -> anyhow::Result<Inputs> {
        self.places.digests(scenario).map(Inputs)
    }

    /// Records a pass of a scenario that started with the inputs `before`.
    ///
    /// # Errors
    /// If the inputs changed during the run or are not committed, or git or a write fails.
    pub(crate) fn record(&self, scenario: &str, before: &Inputs) -> anyhow::Result<()> {
        ensure!(self.inputs(scenario)? == *before, "its inputs changed while it ran");
        let uncommitted: Vec<_> = self.uncommitted(scenario)?.into_iter().map(Utf8PathBuf::into_string).collect();
        ensure!(uncommitted.is_empty(), "these inputs differ from the last commit: {}", uncommitted.join(", "));
        let mut passes = self.read()?;
        passes.retain(|pass| pass.scenario != scenario);
        passes.push(Pass { scenario: scenario.to_owned(), date: date::today(), digests: before.0.clone() });
        let new = self.file.with_extension("new");
        fs::write(&new, file::text(passes)).with_context(|| new.to_string())?;
        fs::rename(&new, &self.file).with_context(|| self.file.to_string())
    }

    fn read(&self) -> anyhow::Result<Vec<Pass>> {
        let text = match fs::read_to_string(&self.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            text => text.with_context(|| self.file.to_string())?,
        };
        file::parse(&text).with_context(|| self.file.to_string())
    }

    /// The inputs of a scenario that differ from the last commit.
    fn uncommitted(&self, scenario: &str) -> anyhow::Result<BTreeSet<Utf8PathBuf>> {
        let mut found = BTreeSet::new();
        for group in Places::groups(scenario) {
            let files = self.places.files(group);
            for arguments in
                [&["diff", "--name-only", "--relative", "HEAD"][..], &["ls-files", "--others", "--exclude-standard"]]
            {
                let mut git = Command::new("git");
                git.args(["-C", files.folder.as_str()]).args(arguments).arg("-z").arg("--");
                // An empty path is the base folder itself.
                git.args(files.paths.iter().map(|path| if path.is_empty() { "." } else { path }));
                let paths = process::run(git, "", GIT_LIMIT, false)?.ok("git")?;
                let paths = paths.split('\0').filter(|path| !path.is_empty()).map(Utf8PathBuf::from);
                found.extend(paths.filter(|path| files.has(path)));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A repository with a chart and with the code of every scenario.
    pub(crate) fn repository() -> (tempfile::TempDir, Passes) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
        let chart = root.join("generated/chart");
        let main = chart.join("main.py");
        let rendering = Rendering::new(move |_| Ok(fs::read_to_string(&main)?));
        let places = Places { chart, generated: root.join("generated"), code: root.clone(), rendering };
        let passes = Passes { file: root.join(RECORD), places };
        for (scenario, _) in inputs::TABLE {
            for group in Places::groups(scenario) {
                let files = passes.places.files(group);
                for path in files.paths {
                    let path = files.folder.join(path);
                    // A path without an extension is a folder, but for two scripts.
                    let is_file =
                        path.extension().is_some() || matches!(path.file_name(), Some("images" | "Dockerfile"));
                    let file = if is_file { path } else { path.join("main.py") };
                    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
                    fs::write(file, "1").expect("a file");
                }
            }
        }
        fs::write(root.join("xtask/e2e/src/scenarios/reach.rs"), "1").expect("a file");
        git(&root, &["init", "--quiet"]);
        commit(&root);
        (folder, passes)
    }

    fn git(root: &Utf8Path, arguments: &[&str]) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        let status = Command::new("git").args(["-C", root.as_str()]).args(identity).args(arguments).status();
        assert!(status.expect("git").success());
    }

    fn commit(root: &Utf8Path) {
        git(root, &["add", "--all"]);
        git(root, &["commit", "--quiet", "--message", "a"]);
    }

    fn root(passes: &Passes) -> &Utf8Path {
        &passes.places.code
    }

    /// Replaces the record.
    pub(crate) fn write_record(passes: &Passes, text: &str) {
        fs::write(&passes.file, text).expect("the record");
    }

    pub(crate) fn pass(passes: &Passes, scenario: &str) -> Result<(), String> {
        let before = passes.inputs(scenario).expect("the inputs can be read");
        passes.record(scenario, &before).map_err(|error| format!("{error:#}"))
    }

    fn stale(changed: &[&str]) -> State {
        State::Stale { date: date::today(), changed: changed.iter().map(|group| (*group).to_owned()).collect() }
    }

    #[test]
    fn a_pass_is_current_until_an_input_changes() {
        let (_folder, passes) = repository();
        let state = |scenario| passes.state(scenario).expect("the inputs can be read");
        assert_eq!(state("reach"), State::NeverPassed);
        assert_eq!(pass(&passes, "reach"), Ok(()));
        assert_eq!(pass(&passes, "rights"), Ok(()));
        assert_eq!(
            (state("reach"), state("rights"), state("faults")),
            (State::Current, State::Current, State::NeverPassed)
        );
        fs::write(root(&passes).join("xtask/e2e/reach/main.py"), "2").expect("a file");
        assert_eq!((state("reach"), state("rights")), (stale(&["reach-probe"]), State::Current));
        fs::write(root(&passes).join("xtask/e2e/src/scenarios/reach.rs"), "2").expect("a file");
        fs::write(root(&passes).join("generated/chart/main.py"), "2").expect("a file");
        assert_eq!(
            (state("reach"), state("rights")),
            (stale(&["chart", "metrics", "reach", "reach-probe"]), stale(&["chart"]))
        );
        commit(root(&passes));
        assert_eq!(pass(&passes, "reach"), Ok(()));
        assert_eq!((state("reach"), state("rights")), (State::Current, stale(&["chart"])));
    }

    #[test]
    fn a_pass_with_inputs_of_no_commit_is_not_recorded() {
        let (_folder, passes) = repository();
        let before = passes.inputs("reach").expect("the inputs can be read");
        fs::write(root(&passes).join("generated/chart/main.py"), "2").expect("a file");
        fs::write(root(&passes).join("xtask/e2e/reach/new.py"), "2").expect("a file");
        let error = pass(&passes, "reach").expect_err("it is not committed");
        assert_eq!(error, "these inputs differ from the last commit: main.py, xtask/e2e/reach/new.py");
        let error = passes.record("reach", &before).expect_err("it is not what began").to_string();
        assert_eq!(error, "its inputs changed while it ran");
        assert_eq!(passes.state("reach").expect("the inputs can be read"), State::NeverPassed);
        // What is no input of the scenario does not matter, nor does a document.
        git(root(&passes), &["checkout", "--quiet", "."]);
        fs::remove_file(root(&passes).join("xtask/e2e/reach/new.py")).expect("a file");
        fs::write(root(&passes).join("xtask/e2e/rights/new.py"), "2").expect("a file");
        fs::write(root(&passes).join("generated/chart/README.md"), "2").expect("a file");
        assert_eq!(pass(&passes, "reach"), Ok(()));
    }

    #[test]
    fn after_a_merge_either_of_two_passes_counts() {
        let (_folder, passes) = repository();
        assert_eq!(pass(&passes, "reach"), Ok(()));
        let mine = fs::read_to_string(&passes.file).expect("the record");
        write_record(&passes, &(mine + "reach 2999-01-01 chart=0\n"));
        assert_eq!(passes.state("reach").expect("the inputs can be read"), State::Current);
    }
}
