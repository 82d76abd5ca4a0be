//! What Helm accepts, the API server accepts: samples of the values' schema, rendered by Helm and applied with `--dry-run=server`.
//!
//! Each sample changes some values in one way to expose services and one mode of secrets, for a release of another name. Values that Helm refuses, by the schema or by the chart's
//! checks, are left out. A refusal of what is left by the API server fails the scenario, which then looks for the single value that causes it.

mod changes;
mod random;
mod sample;
mod text;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use e2e_kit::kubectl;
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::report::Outcome;
use serde_json::Value;
use tools::{Template, ToolBinary};

use changes::{Change, EXTERNAL_SECRET, HTTP_ROUTE, Mode, depends_on_mode, is_of_mode, leaves, modes, tree};
use random::Random;
use sample::Sampler;

/// The number of values that a sample changes, beside those that depend on the mode.
const CHANGES: usize = 24;

/// The number of samples in each mode.
const SAMPLES: usize = 4;

/// The share of the sampled values that Helm must accept, and that of the paths at which it must accept one, in percent: a scenario that samples
/// nothing valid proves nothing.
const LEAST_ACCEPTED: usize = 40;
const LEAST_REACHED: usize = 80;

/// The length of a text that Helm must have accepted: that of the longest names.
const LEAST_LONGEST: usize = 253;

/// The maximum length of a namespace's name.
const LONGEST_NAMESPACE: usize = 63;

/// The API versions that every rendering assumes. A mode whose kinds the cluster lacks does not run.
const KINDS: [&str; 5] = [
    EXTERNAL_SECRET,
    HTTP_ROUTE,
    "velero.io/v1/Schedule",
    "monitoring.coreos.com/v1/PodMonitor",
    "monitoring.coreos.com/v1/PrometheusRule",
];

pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    let seed = context.seed;
    let mut state = None;
    lane.step("read the schema, and find Helm 3 and Helm 4", || {
        let read = |name: &str| {
            let file = context.chart.join(name);
            fs::read_to_string(&file).with_context(|| file.to_string())
        };
        let schema: Value = serde_json::from_str(&read("values.schema.json")?)?;
        let defaults: Value = serde_yaml::from_str(&read("values.yaml")?)?;
        state = Some((schema, defaults, [context.helm3()?, context.helm4()?], context.folder("values")?));
        Ok(format!("seed {seed}; --seed {seed} repeats the samples"))
    })?;
    let Some((schema, defaults, helms, folder)) = state else { return Ok(()) };
    let namespace = TestNamespace::as_step(lane, "values")?;
    let filler = "n".repeat(LONGEST_NAMESPACE - namespace.name.len() - 1);
    let namespaces = [TestNamespace::as_step(lane, &format!("values-{filler}"))?, namespace];
    let mut found = Vec::new();
    lane.step("find the custom resources", || {
        for kind in KINDS {
            let (group, name) = kind.rsplit_once('/').context("a kind has a group")?;
            let list = kubectl::run(&[
                "api-resources",
                "--no-headers",
                &format!("--api-group={}", group.split('/').next().unwrap_or(group)),
            ])?;
            if list.lines().any(|line| line.trim_end().ends_with(name)) {
                found.push(kind);
            }
        }
        Ok(found.join(", "))
    })?;
    let longest = context.platform.platform().longest_release_name;
    let mut samples = Samples::new(&schema, &defaults, seed);
    let mut outcomes = Vec::new();
    for mode in &modes(&defaults) {
        if let Some(kind) = mode.kinds.iter().find(|kind| !found.contains(kind)) {
            lane.not_run(&mode.name, &format!("the cluster has no kind {kind}"));
            continue;
        }
        outcomes.push(lane.step(&mode.name, || {
            let mut all = Vec::new();
            for number in 0..SAMPLES {
                // Helm 3 creates objects, Helm 4 applies them on the server.
                let server_side = number % 2 == 1;
                let helm = helms[usize::from(server_side)];
                let (namespace, release) = (&namespaces[number / 2 % namespaces.len()], samples.release_name(longest));
                all.push(samples.try_in(&Judge { folder: &folder, namespace, release, helm, server_side, mode })?);
            }
            Ok(all.join(", "))
        }));
    }
    outcomes.push(lane.step("Helm accepts most of the sampled values", || samples.verdict()));
    all(outcomes)
}

/// The samples of a run.
struct Samples<'a> {
    leaves: Vec<(Vec<String>, &'a Value)>,
    sampler: Sampler<'a>,
    /// The paths that are still to be sampled in this round, as positions in `leaves`.
    waiting: Vec<usize>,
    sampled: usize,
    accepted: usize,
    /// The paths at which a sampled value was accepted.
    reached: BTreeSet<String>,
    /// The lengths of the release names.
    releases: BTreeSet<usize>,
    /// The length of the longest text that was accepted.
    longest: usize,
    error: Option<anyhow::Error>,
}

impl<'a> Samples<'a> {
    fn new(schema: &'a Value, defaults: &Value, seed: u64) -> Self {
        let (leaves, error) = match leaves(schema, defaults) {
            Ok(leaves) => (leaves.into_iter().filter(|(path, _)| !is_of_mode(path)).collect(), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let sampler = Sampler { schema, random: Random::new(seed) };
        let (reached, releases) = (BTreeSet::new(), BTreeSet::new());
        Self { leaves, sampler, waiting: Vec::new(), sampled: 0, accepted: 0, reached, releases, longest: 0, error }
    }

    /// A release name of up to `longest` characters. Its first letter excludes the words that YAML reads as booleans.
    fn release_name(&mut self, longest: u8) -> String {
        let random = &mut self.sampler.random;
        let length = usize::try_from(random.within(1, longest.into())).unwrap_or(1);
        let characters = b"abcxyz019-";
        let mut name = String::from("r");
        while name.len() < length {
            let last = characters.len() - usize::from(name.len() + 1 == length);
            name.push(random.pick(&characters[..last]).copied().unwrap_or(b'r').into());
        }
        self.releases.insert(length);
        name
    }

    /// The next changes: every path once before any of them a second time, and those that depend on the mode each time.
    fn next(&mut self) -> anyhow::Result<Vec<Change>> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let depends = |position: &usize| depends_on_mode(&self.leaves[*position].0);
        let mut chosen: Vec<usize> = (0..self.leaves.len()).filter(depends).collect();
        if self.waiting.len() < CHANGES {
            let mut round: Vec<usize> = (0..self.leaves.len()).filter(|position| !depends(position)).collect();
            self.sampler.random.shuffle(&mut round);
            self.waiting.splice(0..0, round);
        }
        chosen.extend(self.waiting.split_off(self.waiting.len().saturating_sub(CHANGES)));
        chosen.sort_unstable();
        chosen.dedup();
        let mut changes = Vec::new();
        for position in chosen {
            let (path, schema) = self.leaves[position].clone();
            changes.push(Change { path, value: self.sampler.value(schema, 0)? });
        }
        Ok(changes)
    }

    /// Tries one sample.
    fn try_in(&mut self, judge: &Judge) -> anyhow::Result<String> {
        let changes = self.next()?;
        let sampled = changes.len();
        let (accepted, manifest) = judge.accepted(changes)?;
        self.sampled += sampled;
        self.accepted += accepted.len();
        self.reached.extend(accepted.iter().map(Change::dotted));
        self.longest =
            accepted.iter().map(|change| longest_text(&change.value)).chain([self.longest]).max().unwrap_or(0);
        if let Some(refusal) = judge.refusal(&manifest)? {
            let cause = judge.shrunk(accepted)?;
            let values = serde_json::to_string(&tree(&cause))?;
            let refusal =
                judge.manifest(&cause)?.ok().map_or(Ok(None), |manifest| judge.refusal(&manifest))?.unwrap_or(refusal);
            let (release, namespace) = (&judge.release, &judge.namespace.name);
            bail!(
                "Helm accepts {values} for the release {release} in {namespace}, and the API server refuses it:\n{refusal}"
            );
        }
        Ok(format!("{} of {sampled}", accepted.len()))
    }

    fn verdict(&self) -> anyhow::Result<String> {
        let percent = self.accepted * 100 / self.sampled.max(1);
        let never: Vec<String> =
            self.leaves.iter().map(|(path, _)| path.join(".")).filter(|path| !self.reached.contains(path)).collect();
        let summary = format!(
            "{} of {} values, at {} of {} paths, with texts of up to {} characters and release names of {} to {}",
            self.accepted,
            self.sampled,
            self.reached.len(),
            self.leaves.len(),
            self.longest,
            self.releases.first().unwrap_or(&0),
            self.releases.last().unwrap_or(&0),
        );
        let reached = self.reached.len() * 100 / self.leaves.len().max(1);
        let is_enough = percent >= LEAST_ACCEPTED && reached >= LEAST_REACHED && self.longest >= LEAST_LONGEST;
        ensure!(is_enough, "Helm accepts only {summary}; none at {}", never.join(", "));
        Ok(format!("{summary}; none at {}", never.join(", ")))
    }
}

/// The number of characters of the longest text in a value, keys included.
fn longest_text(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.iter().map(longest_text).max().unwrap_or(0),
        Value::Object(map) => map.iter().map(|(key, value)| key.len().max(longest_text(value))).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Helm and the API server, for one release in one mode.
struct Judge<'a> {
    /// A folder for values files.
    folder: &'a Utf8Path,
    namespace: &'a TestNamespace<'a>,
    release: String,
    helm: &'a ToolBinary,
    /// Whether objects are applied on the server, as Helm 4 does.
    server_side: bool,
    mode: &'a Mode,
}

/// Values as JSON that is also YAML, which takes some characters as escapes only.
fn as_yaml(values: &Value) -> String {
    let escaped = |c: char| match c {
        '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => format!("\\u{:04x}", u32::from(c)),
        _ => c.to_string(),
    };
    values.to_string().chars().map(escaped).collect()
}

impl Judge<'_> {
    /// The changes that Helm accepts together, and what it renders with them.
    fn accepted(&self, mut changes: Vec<Change>) -> anyhow::Result<(Vec<Change>, String)> {
        loop {
            let message = match self.manifest(&changes)? {
                Ok(manifest) => return Ok((changes, manifest)),
                Err(message) => message,
            };
            // A check names one of the values that it compares; the other one is in the same section, or at least in the same chart.
            let named =
                [usize::MAX, 2, 1].into_iter().find(|keys| changes.iter().any(|one| one.is_named(&message, *keys)));
            let keys = named.with_context(|| {
                format!("Helm refuses the values, and its message names none of {}:\n{message}", tree(&changes))
            })?;
            changes.retain(|one| !one.is_named(&message, keys));
        }
    }

    /// What Helm renders with these changes, or its message.
    fn manifest(&self, changes: &[Change]) -> anyhow::Result<Result<String, String>> {
        let context = self.namespace.context;
        let file = |name: &str, values: &Value| -> anyhow::Result<Utf8PathBuf> {
            let file = self.folder.join(name);
            fs::write(&file, as_yaml(values)).with_context(|| file.to_string())?;
            Ok(file)
        };
        let (mode, sample) = (file("mode.json", &self.mode.values)?, file("sample.json", &tree(changes))?);
        // Both name the tags of images that have none by default.
        let tags = if self.mode.takes_passwords { &context.passwords } else { &context.overlay };
        let values = [tags.as_path(), &mode, &sample];
        let apis = KINDS.map(|kind| format!("--api-versions={kind}"));
        let namespace = format!("--namespace={}", self.namespace.name);
        let arguments: Vec<&str> = apis.iter().map(String::as_str).chain([namespace.as_str()]).collect();
        let release = self.release.as_str();
        Ok(self.helm.template(&Template { chart: &context.chart, release, values: &values, arguments: &arguments })?)
    }

    /// What the API server says against a manifest, if it refuses any object.
    fn refusal(&self, manifest: &str) -> anyhow::Result<Option<String>> {
        let verb: &[&str] = if self.server_side { &["apply", "--server-side"] } else { &["create"] };
        let rest = ["--dry-run=server", "--output=name", "--filename=-", "--namespace", &self.namespace.name];
        let arguments = [verb, &rest].concat();
        let output = kubectl::try_run(&arguments, &self.in_this_namespace(manifest))?;
        let says = |line: &&str| !line.starts_with("Warning:");
        let refusal = output.err.lines().filter(says).collect::<Vec<_>>().join("\n");
        Ok((!output.success).then_some(refusal))
    }

    /// The manifest with the `Schedule` of Velero in the namespace of the test: the values name one that does not exist.
    fn in_this_namespace(&self, manifest: &str) -> String {
        let namespace = format!("  namespace: {}", self.namespace.name);
        let document = |text: &str| {
            let is_schedule = text.lines().any(|line| line == "kind: Schedule");
            let line = |line| if is_schedule && str::starts_with(line, "  namespace: ") { &namespace } else { line };
            text.lines().map(line).collect::<Vec<_>>().join("\n")
        };
        manifest.split("\n---\n").map(document).collect::<Vec<_>>().join("\n---\n") + "\n"
    }

    /// The smallest set of changes that is still refused by the API server alone: halves first, then all but one.
    fn shrunk(&self, mut changes: Vec<Change>) -> anyhow::Result<Vec<Change>> {
        let is_refused = |changes: &[Change]| -> anyhow::Result<bool> {
            Ok(match self.manifest(changes)? {
                Ok(manifest) => self.refusal(&manifest)?.is_some(),
                Err(_) => false,
            })
        };
        loop {
            let (first, second) = changes.split_at(changes.len() / 2);
            let halves = [first.to_vec(), second.to_vec()];
            let others = (0..changes.len()).map(|left_out| {
                let others = changes.iter().enumerate().filter(|(position, _)| *position != left_out);
                others.map(|(_, change)| change.clone()).collect::<Vec<_>>()
            });
            let mut smaller = None;
            for candidate in halves.into_iter().chain(others).filter(|candidate| candidate.len() < changes.len()) {
                if is_refused(&candidate)? {
                    smaller = Some(candidate);
                    break;
                }
            }
            match smaller {
                Some(smaller) => changes = smaller,
                None => return Ok(changes),
            }
        }
    }
}
