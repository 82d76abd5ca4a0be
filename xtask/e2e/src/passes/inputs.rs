//! The inputs of each scenario: named groups of files, each with a digest.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use super::files::{decides, is_chart_test, is_document, is_in_an_image, is_manual, is_of_chart, is_overlay};
use super::rendering::{CHART, Rendering, add_on};

/// The input groups of each scenario, in addition to [`COMMON`] and its own code. A scenario's name is also the group of its code.
///
/// The platform's declaration has no group: a change of it that matters to a scenario also changes the chart.
pub(super) const TABLE: &[(&str, &[&str])] = &[
    ("install", &["environments", "stand-ins", "load", "edge"]),
    ("reach", &["metrics", "stand-ins", "reach-probe"]),
    ("rights", &["stand-ins", "rights-probe"]),
    ("helm-test", &["metrics", "chart-tests", "stand-ins", "secrets"]),
    ("rotation", &["stand-ins", "load", "rights-probe"]),
    ("secrets", &["chart-tests", "stand-ins", "passwords"]),
    ("refusals", &["chart-files"]),
    ("partial", &[]),
    ("foreign-data", &[]),
    ("runbooks", &["backups", "chart-files", "documents", "stand-ins"]),
    ("backup", &["backups", "documents", "stand-ins"]),
    ("backup-hook", &["backups", "documents", "stand-ins", "backup"]),
    ("observe", &["metrics", "exporters", "alerts", "backups", "stand-ins"]),
    ("logs", &["logs-chart", "stand-ins", "traces"]),
    ("edge", &["authentication", "stand-ins"]),
    ("traces", &["tracing", "traces-chart", "stand-ins", "web", "reach", "reach-probe"]),
    ("migrate", &["backups", "chart-files", "documents", "stand-ins"]),
    ("gitops", &["backups", "documents", "beside", "stand-ins", "secrets"]),
    ("quick-start", &["documents", "chart-tests", "environments", "stand-ins"]),
    ("values", &["chart-files", "chart-tests"]),
    ("faults", &["stand-ins", "load"]),
    ("release", &["release-code", "stand-ins"]),
    ("upgrade", &["stand-ins", "load"]),
];

/// The groups of every scenario.
const COMMON: &[&str] = &[CHART, "kit", "helm"];

/// A named set of files.
struct Group {
    name: &'static str,
    place: Place,
    /// Files, and folders with everything below them.
    paths: &'static [&'static str],
    /// Selects the inputs among these files by path.
    has: fn(&Utf8Path) -> bool,
}

/// The base folder of a group's paths.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The umbrella chart.
    Chart,
    /// The chart beside the umbrella with this behind its name.
    Further(&'static str),
    /// The folder that holds the charts.
    Generated,
    /// The checkout that this program was built from.
    Code,
}

const GROUPS: &[Group] = &[
    // All of it, for scenarios that depend on its schema, its checks or its default values.
    Group { name: "chart-files", place: Place::Chart, paths: &[""], has: decides },
    Group { name: "chart-tests", place: Place::Chart, paths: &[""], has: is_chart_test },
    Group { name: "logs-chart", place: Place::Further("logs"), paths: &[""], has: |path| !is_document(path) },
    Group { name: "traces-chart", place: Place::Further("traces"), paths: &[""], has: |path| !is_document(path) },
    Group { name: "documents", place: Place::Chart, paths: &[""], has: is_manual },
    Group { name: "environments", place: Place::Generated, paths: &["environments"], has: is_overlay },
    // The pages whose commands a scenario runs, and the script that examines a cluster.
    Group {
        name: "beside",
        place: Place::Generated,
        paths: &["CRDS.md", "GITOPS.md", "prerequisites/README.md", "prerequisites/doctor"],
        has: |_| true,
    },
    Group { name: "kit", place: Place::Code, paths: &["xtask/e2e-kit/src", "xtask/e2e/src"], has: is_shared_code },
    Group {
        name: "stand-ins",
        place: Place::Code,
        paths: &["xtask/e2e/stand-ins", "xtask/e2e/images", "xtask/e2e/Dockerfile"],
        has: is_in_an_image,
    },
    Group { name: "web", place: Place::Code, paths: &["xtask/e2e/web"], has: is_in_an_image },
    Group { name: "load", place: Place::Code, paths: &["xtask/e2e/load"], has: is_in_an_image },
    Group { name: "reach-probe", place: Place::Code, paths: &["xtask/e2e/reach"], has: is_in_an_image },
    Group { name: "rights-probe", place: Place::Code, paths: &["xtask/e2e/rights"], has: is_in_an_image },
    Group {
        name: "helm",
        place: Place::Code,
        paths: &["xtask/tools/helm3/go.mod", "xtask/tools/helm4/go.mod"],
        has: |_| true,
    },
    Group {
        name: "release-code",
        place: Place::Code,
        paths: &[
            "xtask/release/src",
            "xtask/chart-package/src",
            "xtask/tools/cosign/go.mod",
            "xtask/tools/crane/go.mod",
            "xtask/tools/registry/go.mod",
        ],
        has: |_| true,
    },
    Group {
        name: "passwords",
        place: Place::Code,
        paths: &["xtask/secrets/src", "xtask/tools/sops/go.mod", "xtask/tools/age/go.mod"],
        has: |_| true,
    },
];

/// Code that only reports and selects; no scenario's result depends on it.
const REPORTING: &[&str] = &[
    "xtask/e2e/src/lib.rs",
    "xtask/e2e/src/run.rs",
    "xtask/e2e/src/plan.rs",
    "xtask/e2e/src/passes",
    "xtask/e2e/src/scenarios/mod.rs",
];

/// Whether a file is code shared by scenarios.
fn is_shared_code(path: &Utf8Path) -> bool {
    let is_reporting = REPORTING.iter().any(|reporting| path.starts_with(reporting));
    !is_reporting && !TABLE.iter().any(|(scenario, _)| is_code_of(scenario, path))
}

/// Whether a file is the code of this scenario: `helm_test.rs`, or below `helm_test/`.
fn is_code_of(scenario: &str, path: &Utf8Path) -> bool {
    let module = format!("xtask/e2e/src/scenarios/{}", scenario.replace('-', "_"));
    path.starts_with(&module) || path == format!("{module}.rs")
}

/// The base folders of the inputs.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) chart: Utf8PathBuf,
    pub(super) generated: Utf8PathBuf,
    pub(super) code: Utf8PathBuf,
    pub(super) rendering: Rendering,
}

/// The files of one group, as paths below a folder.
pub(super) struct Files {
    pub(super) folder: Utf8PathBuf,
    /// Files and folders that contain the group's files.
    pub(super) paths: Vec<&'static str>,
    selects: Box<dyn Fn(&Utf8Path) -> bool>,
}

impl Places {
    /// The names of a scenario's input groups.
    ///
    /// # Panics
    /// If the scenario is not in the table.
    pub(super) fn groups(scenario: &str) -> Vec<&str> {
        let row = TABLE.iter().find(|(name, _)| *name == scenario);
        let (_, groups) = row.expect("a test proves that every scenario is in the table");
        COMMON.iter().chain(*groups).copied().chain([scenario]).collect()
    }

    /// The files of a group.
    pub(super) fn files(&self, name: &str) -> Files {
        if let Some(group) = GROUPS.iter().find(|group| group.name == name) {
            let folder = match group.place {
                Place::Chart => self.chart.clone(),
                Place::Further(name) => format!("{}-{name}", self.chart).into(),
                Place::Generated => self.generated.clone(),
                Place::Code => self.code.clone(),
            };
            let has = group.has;
            return Files { folder, paths: group.paths.to_vec(), selects: Box::new(has) };
        }
        // What is rendered: with every add-on off, or with one on.
        let owns = add_on(name).map(|add_on| add_on.owns);
        if name == CHART || owns.is_some() {
            let selects = move |path: &Utf8Path| is_of_chart(path) || owns.is_some_and(|owns| owns(path));
            return Files { folder: self.chart.clone(), paths: vec![""], selects: Box::new(selects) };
        }
        let scenario = name.to_owned();
        Files {
            folder: self.code.clone(),
            paths: vec!["xtask/e2e/src/scenarios"],
            selects: Box::new(move |path| is_code_of(&scenario, path)),
        }
    }

    /// The digest of each input group of a scenario.
    pub(super) fn digests(&self, scenario: &str) -> anyhow::Result<BTreeMap<String, String>> {
        let digest = |group: &str| Ok((group.to_owned(), self.digest(group)?));
        Self::groups(scenario).into_iter().map(digest).collect()
    }

    fn digest(&self, group: &str) -> anyhow::Result<String> {
        let files = self.files(group);
        if group != CHART && add_on(group).is_none() {
            return files.digest();
        }
        // What a template asks the cluster or the installed release for shows only there, and what a page tells operators to do, in the page.
        let mut texts = String::new();
        for path in files.list()? {
            let text = fs::read_to_string(files.folder.join(&path)).with_context(|| path.to_string())?;
            let asks = ["lookup ", ".Release.Is", ".Release.Revision"].iter().any(|word| text.contains(word));
            if asks || path.extension() == Some("md") {
                texts += &text;
            }
        }
        let digest = |rendered: &str| shortened(Sha256::new().chain_update(rendered).chain_update(&texts));
        self.rendering.digest(group, files.digest()?, digest)
    }
}

impl Files {
    /// Whether a file below the group's paths belongs to the group.
    pub(super) fn has(&self, path: &Utf8Path) -> bool {
        let is_cache = path.components().any(|part| part.as_str() == "__pycache__");
        !is_cache && (self.selects)(path)
    }

    /// The paths of the files, sorted.
    pub(super) fn list(&self) -> anyhow::Result<Vec<Utf8PathBuf>> {
        let mut found = Vec::new();
        for path in &self.paths {
            walk(&self.folder, Utf8Path::new(path), &mut found)?;
        }
        found.retain(|path| self.has(path));
        found.sort();
        Ok(found)
    }

    /// A digest of paths and contents.
    fn digest(&self) -> anyhow::Result<String> {
        let mut digest = Sha256::new();
        for path in self.list()? {
            let mut content = fs::read(self.folder.join(&path)).with_context(|| path.to_string())?;
            let is_code = ["xtask/e2e/src", "xtask/e2e-kit/src"].iter().any(|folder| path.starts_with(folder));
            if is_code && is_shared_code(&path) {
                content.truncate(before_tests(&content));
            }
            digest.update(format!("{path}\0{}\0", content.len()));
            digest.update(content);
        }
        Ok(shortened(digest))
    }
}

/// The length of shared code without its unit tests, on which no scenario depends. They are the last item of a file.
fn before_tests(code: &[u8]) -> usize {
    const TESTS: [&[u8]; 2] = [b"\n#[cfg(test)]\nmod tests {\n", b"\n#[cfg(test)]\npub(crate) mod tests {\n"];
    let position = |tests: &[u8]| code.windows(tests.len()).position(|part| part == tests);
    TESTS.into_iter().find_map(position).unwrap_or(code.len())
}

/// The beginning of a digest.
fn shortened(digest: Sha256) -> String {
    digest.finalize()[..8].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Adds the file `path` below `folder`, or all files below that path if it is a folder.
fn walk(folder: &Utf8Path, path: &Utf8Path, found: &mut Vec<Utf8PathBuf>) -> anyhow::Result<()> {
    let whole = folder.join(path);
    if !whole.is_dir() {
        // Reading a missing file fails later.
        found.push(path.to_owned());
        return Ok(());
    }
    for entry in whole.read_dir_utf8().with_context(|| whole.to_string())? {
        let entry = entry.with_context(|| whole.to_string())?;
        walk(folder, &path.join(entry.file_name()), found)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::rendering::ADD_ONS;
    use super::*;
    use crate::scenarios::ALL;

    fn nothing() -> Rendering {
        Rendering::new(|_| Ok(String::new()))
    }

    fn places() -> Places {
        let code = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let generated = code.join(owned_tree::FOLDER);
        let charts = generated.read_dir_utf8().expect("the folder of the chart").map(|entry| entry.expect("an entry"));
        let chart = charts.map(camino::Utf8DirEntry::into_path).find(|path| path.join("charts").exists());
        Places { chart: chart.expect("the chart is committed"), generated, code, rendering: nothing() }
    }

    #[test]
    fn every_scenario_is_in_the_table() {
        let table: Vec<_> = TABLE.iter().map(|(scenario, _)| *scenario).collect();
        assert_eq!(table, ALL.iter().map(|scenario| scenario.name).collect::<Vec<_>>());
    }

    #[test]
    fn every_group_is_used_and_has_files() {
        let used: BTreeSet<_> = TABLE.iter().flat_map(|(scenario, _)| Places::groups(scenario)).collect();
        let of_files = GROUPS.iter().map(|group| group.name);
        let rendered = ADD_ONS.iter().map(|add_on| add_on.group).chain([CHART]);
        let scenarios = TABLE.iter().map(|(scenario, _)| *scenario);
        let defined: BTreeSet<_> = of_files.chain(rendered).chain(scenarios).collect();
        assert_eq!(used, defined);
        for group in defined {
            let files = places().files(group);
            for path in &files.paths {
                assert!(files.folder.join(path).exists(), "{group}: there is no {path}");
            }
            assert!(!files.list().expect("the files can be read").is_empty(), "{group} has no files");
        }
    }

    #[test]
    fn unit_tests_of_shared_code_are_no_input() {
        let kit = places().files("kit");
        let mut with_tests = 0;
        for path in kit.list().expect("the files can be read") {
            let code = fs::read(kit.folder.join(&path)).expect("a file");
            let end = before_tests(&code);
            if end < code.len() {
                with_tests += 1;
                let tests = String::from_utf8_lossy(&code[end..]);
                let is_last = tests.ends_with("\n}\n") && tests.matches("\n}\n").count() == 1;
                assert!(is_last, "{path}: the unit tests are not the last item");
            }
        }
        assert!(with_tests > 0);
        assert_eq!(before_tests(b"fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n"), b"fn a() {}\n".len());
        assert_eq!(before_tests(b"#[cfg(test)]\nuse a;\n"), b"#[cfg(test)]\nuse a;\n".len());
    }

    #[test]
    fn every_program_of_the_scenarios_is_in_a_group() {
        let places = places();
        let mut programs = Vec::new();
        for folder in ["xtask/e2e", "xtask/e2e-kit"] {
            walk(&places.code, Utf8Path::new(folder), &mut programs).expect("the folder can be read");
        }
        let groups = TABLE.iter().flat_map(|(scenario, _)| Places::groups(scenario));
        let inputs: BTreeSet<_> =
            groups.flat_map(|group| places.files(group).list().expect("the files can be read")).collect();
        let is_program = |path: &&Utf8PathBuf| {
            let is_test = path.components().any(|part| part.as_str() == "helm-test") || !is_in_an_image(path);
            let is_reporting = REPORTING.iter().any(|reporting| path.starts_with(reporting));
            matches!(path.extension(), Some("rs" | "py")) && !is_test && !is_reporting
        };
        let left: Vec<_> = programs.iter().filter(is_program).filter(|path| !inputs.contains(*path)).collect();
        assert!(left.is_empty(), "these are inputs of no scenario: {left:#?}");
    }

    #[test]
    fn a_scenario_that_uses_another_has_its_code_in_the_table() {
        let places = places();
        for (scenario, _) in TABLE {
            let groups = Places::groups(scenario);
            for file in places.files(scenario).list().expect("the files can be read") {
                let text = fs::read_to_string(places.code.join(&file)).expect("Rust");
                let imports: String = text.lines().filter(|line| line.starts_with("use ")).collect();
                for (other, _) in TABLE.iter().filter(|(other, _)| !groups.contains(other)) {
                    let module = other.replace('-', "_");
                    for import in ["super::", "crate::scenarios::"].map(|parent| format!("{parent}{module}::")) {
                        assert!(!imports.contains(&import), "{file} uses {other}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_document_is_no_input_and_a_renamed_file_is_another_input() {
        let folder = tempfile::tempdir().expect("a folder");
        let chart = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let [chart_of, generated, code] = [chart; 3].map(Utf8Path::to_owned);
        let places = Places { chart: chart_of, generated, code, rendering: nothing() };
        let digest = |group| places.files(group).digest().expect("the files can be read");
        fs::create_dir_all(chart.join("templates/tests")).expect("a folder");
        fs::write(chart.join("templates/a.yaml"), "a").expect("a file");
        let (before, tests) = (digest("chart"), digest("chart-tests"));
        fs::write(chart.join("templates/NOTES.txt"), "thanks").expect("a file");
        assert_eq!(digest("chart"), before);
        fs::write(chart.join("templates/tests/a.yaml"), "a").expect("a file");
        assert_eq!(digest("chart"), before);
        assert_ne!(digest("chart-tests"), tests);
        fs::rename(chart.join("templates/a.yaml"), chart.join("templates/b.yaml")).expect("a file");
        assert_ne!(digest("chart"), before);
    }
}
