//! A search for passwords outside Secrets.

use anyhow::ensure;
use e2e_kit::kubectl;
use e2e_kit::release::Release;
use serde_json::Value;

use super::encrypted::Encrypted;
use super::sources::name_of;

/// Fails if a password appears in an object other than a Secret's data, in a log, or in Helm's output.
pub(super) fn none(release: &Release, file: &Encrypted) -> anyhow::Result<String> {
    let namespace = &release.namespace.name;
    let mut texts = Vec::new();
    let kinds = kubectl::run(&["api-resources", "--namespaced", "--verbs=list", "--output=name"])?;
    let kinds: Vec<_> = kinds.lines().filter(|kind| *kind != "secrets" && !kind.starts_with("pods.metrics")).collect();
    for object in kubectl::items(&["get", &kinds.join(","), "--namespace", namespace, "--ignore-not-found"])? {
        texts.push((name_of(&object), all_text(&object)));
    }
    // A Secret's metadata is not secret: events and owners repeat it.
    for mut secret in kubectl::items(&["get", "secrets", "--namespace", namespace])? {
        secret["data"] = Value::Null;
        texts.push((name_of(&secret), all_text(&secret)));
    }
    for pod in kubectl::items(&["get", "pods", "--namespace", namespace])? {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let log = kubectl::run(&["logs", &name, "--all-containers", "--namespace", namespace])?;
        texts.push((format!("the log of {name}"), log));
    }
    let notes = release.try_helm(&["get", "notes", &release.name])?.ok("helm get notes")?;
    texts.push(("NOTES".to_owned(), notes));
    ensure!(texts.len() > 50, "found only {} texts to search", texts.len());
    for (name, password) in &file.passwords {
        for written in ways_to_write(password) {
            for (place, text) in &texts {
                ensure!(!text.contains(&written), "{place} contains the password of {name}");
            }
        }
    }
    Ok(format!("{} texts searched", texts.len()))
}

/// All strings of an object, unescaped.
fn all_text(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(all) => all.iter().map(all_text).collect(),
        Value::Object(all) => all.values().map(all_text).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

/// A password verbatim and as escaped in SQL, JSON and libpq.
fn ways_to_write(password: &str) -> Vec<String> {
    let escaped = password.replace('\\', r"\\");
    let mut ways = vec![
        password.to_owned(),
        password.replace('\'', "''"),
        escaped.replace('"', r#"\""#),
        escaped.replace('\'', r"\'"),
    ];
    ways.dedup();
    ways
}
