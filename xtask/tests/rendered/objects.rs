//! One snapshot per object of a chart's default case, and for every other case one per object that differs from it.

use std::collections::{BTreeMap, BTreeSet};

use generator::Chart;
use tools::Object;
use vocabulary::Platform;

use crate::text::{difference, without_digests};
use crate::{Snapshots, cases, platform, rendered, without_release};

/// Cases that do the same to, or show the same of, every service and every server: the snapshots show only one of each. The steps of `verify` render all.
const UNIFORM: &[&str] = &["mirror", "placed", "store", "dashboards"];

#[test]
fn every_object_equals_its_reviewed_snapshot() {
    let platform = platform();
    let is_case = |name: &&str| cases().iter().any(|(case, _)| case.name == *name);
    assert!(UNIFORM.iter().all(is_case), "a uniform case no longer exists");
    let mut files = ChartFiles::new(rendered());
    let mut snapshots = Snapshots::of("rendered");
    // Each object, as in the first case that contains it.
    let mut shown_before: BTreeMap<String, String> = BTreeMap::new();
    let mut defaults: Vec<String> = Vec::new();
    let mut chart = None;
    for (case, objects) in cases() {
        // The objects of a chart beside the umbrella are compared among themselves.
        if chart.replace(&case.chart) != Some(&case.chart) {
            defaults.clear();
            shown_before.clear();
        }
        let is_shown =
            |object: &String| !UNIFORM.contains(&case.name.as_str()) || is_example(object, platform.platform());
        let count = objects.len();
        let objects: BTreeMap<_, _> = objects.iter().map(|object| (name(object), files.shown(object))).collect();
        assert_eq!(objects.len(), count, "two objects of {} have the same name", case.name);
        for (object, text) in objects.iter().filter(|(object, _)| is_shown(object)) {
            match shown_before.get(object) {
                None => snapshots.compare(&format!("{}@{object}", case.name), text),
                Some(before) if before != text => {
                    snapshots.compare(&format!("{}@{object}", case.name), &difference(before, text));
                }
                Some(_) => {}
            }
        }
        let gone = defaults.iter().filter(|object| !objects.contains_key(*object) && is_shown(object));
        let gone: Vec<_> = gone.map(String::as_str).collect();
        if !gone.is_empty() {
            snapshots.compare(&format!("{}@gone", case.name), &gone.join("\n"));
        }
        snapshots.compare_repeated(&format!("{}@repeated", case.name));
        if defaults.is_empty() {
            defaults = objects.keys().cloned().collect();
        }
        for (object, text) in objects {
            shown_before.entry(object).or_insert(text);
        }
    }
    files.assert_all_found();
    snapshots.finish();
}

/// The kind and the name of an object, without the release's name; a digest is replaced by `digest`.
fn name(object: &Object) -> String {
    let name = without_digests(without_release(&object.name));
    format!("{}-{}", object.kind.to_lowercase(), name.replace("<digest>", "digest"))
}

/// Whether an object belongs to the service with the most uses or to the first server.
fn is_example(object: &str, platform: &Platform) -> bool {
    let services = platform.services.iter().map(|service| service.name.as_str());
    let components: Vec<_> = services.chain(platform.backing.iter().map(|server| server.name().as_str())).collect();
    // The name of a dashboard's object ends with that of the component.
    let is_of = |name: &str, component: &str| name.starts_with(component) || name.ends_with(component);
    let belongs_to = |component: &str| object.split_once('-').is_some_and(|(_, name)| is_of(name, component));
    let owner =
        components.into_iter().filter(|component| belongs_to(component)).max_by_key(|component| component.len());
    let service =
        platform.services.iter().max_by_key(|service| service.uses.len()).map(|service| service.name.as_str());
    let server = platform.backing.first().map(|server| server.name().as_str());
    owner.is_some() && (owner == service || owner == server)
}

/// The scripts and configuration files of the chart. Snapshots contain only their names, because they are reviewed as files.
struct ChartFiles {
    /// The paths below the chart, and the texts as in a ConfigMap.
    blocks: Vec<(String, String)>,
    /// The paths of the files that an object contains.
    found: BTreeSet<String>,
}

impl ChartFiles {
    fn new(chart: &Chart) -> Self {
        let paths = chart.paths();
        let charts: Vec<_> =
            std::iter::once(&paths.umbrella).chain(paths.further.iter().map(|further| &further.folder)).collect();
        let files = chart.files().iter().filter_map(|(path, text)| {
            let path = charts.iter().find_map(|chart| path.strip_prefix(chart).ok())?;
            // The alerts become rules with the names of the release.
            let is_mounted = path.components().any(|part| part.as_str() == "files") && path != "files/alerts.yaml";
            let block: String = text.lines().flat_map(|line| ["    ", line, "\n"]).collect();
            // Helm keeps the indentation of empty lines, and trims the end of the document.
            is_mounted.then(|| (path.to_string(), block.trim_end().to_owned()))
        });
        Self { blocks: files.collect(), found: BTreeSet::new() }
    }

    /// The object's text without digests, and with these files replaced by their names.
    fn shown(&mut self, object: &Object) -> String {
        let mut text = object.text.clone();
        for (path, block) in &self.blocks {
            if text.contains(block) {
                text = text.replace(block, &format!("    (the text of {path})"));
                self.found.insert(path.clone());
            }
        }
        without_digests(&text)
    }

    /// Fails if no object contains the exact text of a file.
    fn assert_all_found(&self) {
        let lost: Vec<_> =
            self.blocks.iter().map(|(path, _)| path).filter(|path| !self.found.contains(*path)).collect();
        assert!(lost.is_empty(), "no ConfigMap has the text of these files: {lost:?}");
    }
}
