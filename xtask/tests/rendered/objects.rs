//! One snapshot per object of the defaults; of every other case what differs from them.

use std::collections::BTreeMap;

use tools::{Object, Tool};
use xtask::{cases, platform};

use crate::{Snapshots, chart, folder};

/// What stands in a snapshot in the place of a file of the chart, which is reviewed where it lies.
const FILES: &[(&str, &str)] = &[
    ("files/connections.py", "connections.py"),
    ("files/tests/tests.py", "tests.py"),
    ("files/tests/access.py", "access.py"),
    ("files/tests/isolation.py", "isolation.py"),
    ("files/tests/journey.py", "journey.py"),
    ("files/tests/sessions.py", "sessions.py"),
    ("files/tests/support.py", "support.py"),
    ("charts/rabbitmq/files/rabbitmq.conf", "rabbitmq.conf"),
    ("files/common.sh", "common.sh"),
    ("charts/rabbitmq/files/provisioning.sh", "provisioning.sh"),
    ("charts/postgresql/files/provisioning.sh", "provisioning.sh"),
    ("charts/redis/files/provisioning.sh", "provisioning.sh"),
];

#[test]
fn every_object_is_what_was_reviewed() {
    let helm = Tool::Helm4.ensure().expect("Helm 4 is there or can be built");
    let platform = platform::resolved().expect("the platform resolves");
    let rendered = generator::generate(&platform);
    let cases = cases::all(platform.platform(), &rendered, &folder());
    let mut snapshots = Snapshots::of("rendered");
    let mut defaults: BTreeMap<String, String> = BTreeMap::new();
    for case in &cases {
        let manifest = case.render(&helm, chart()).expect("every case renders");
        let objects = tools::objects(&manifest).expect("Helm renders YAML");
        let objects: BTreeMap<_, _> = objects.into_iter().map(|object| (name(&object), shown(&object))).collect();
        if defaults.is_empty() {
            for (object, text) in &objects {
                snapshots.compare(&format!("{}@{object}", case.name), text);
            }
            defaults = objects;
            continue;
        }
        for (object, text) in &objects {
            match defaults.get(object) {
                None => snapshots.compare(&format!("{}@{object}", case.name), text),
                Some(default) if default != text => {
                    snapshots.compare(&format!("{}@{object}", case.name), &difference(default, text));
                }
                Some(_) => {}
            }
        }
        let gone: Vec<_> =
            defaults.keys().filter(|object| !objects.contains_key(*object)).map(String::as_str).collect();
        if !gone.is_empty() {
            snapshots.compare(&format!("{}@gone", case.name), &gone.join("\n"));
        }
    }
    snapshots.finish();
}

fn name(object: &Object) -> String {
    let name = object.name.trim_start_matches(&format!("{}-", cases::RELEASE));
    format!("{}-{}", object.kind.to_lowercase(), without_digest(name))
}

/// A name without the digest of what it is the name of, which any change changes.
fn without_digest(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((stem, end)) if matches!(end.len(), 6 | 8) && end.chars().all(|c| c.is_ascii_hexdigit()) => stem,
        _ => name,
    }
}

/// The object's text, with the chart's own files left out.
fn shown(object: &Object) -> String {
    let mut text = object.text.clone();
    for (path, key) in FILES {
        let file = std::fs::read_to_string(chart().join(path)).expect("the chart has this file");
        let block: String = file.lines().flat_map(|line| ["    ", line, "\n"]).collect();
        text = text.replace(block.trim_end(), &format!("    (the text of {path})"));
        // Helm leaves the indentation of empty lines, and trims the document's end.
        assert!(
            !text.contains(&format!("{key}: |")) || text.contains("(the text of"),
            "{path} is no longer in {}",
            object.name
        );
    }
    text
}

/// The lines that differ, each with the path of what it belongs to readable from three lines around it.
fn difference(default: &str, text: &str) -> String {
    let diff = similar::TextDiff::from_lines(default, text);
    diff.unified_diff().context_radius(3).to_string()
}
