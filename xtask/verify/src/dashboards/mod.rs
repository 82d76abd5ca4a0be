//! The step `dashboards`: Grafana's own types decode every dashboard strictly, and every query is one of Prometheus that names declared metrics only.

mod findings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use tools::Tool;

use super::context::{Rendered, VerifyContext};
use super::report::Outcome;
use findings::Declared;

pub(super) fn dashboards(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let declared =
        Declared { metrics: &context.exported_metrics, alerts: &context.alerts, services: &context.services };
    let mut wrong = Vec::new();
    // The values change the objects around the dashboards, so most cases have the same ones.
    let mut tried: Vec<BTreeMap<String, String>> = Vec::new();
    for one in context.manifests()? {
        let texts = texts(one);
        if texts.is_empty() || tried.contains(&texts) {
            continue;
        }
        let found = findings::of(&read(&texts)?, &declared);
        wrong.extend(found.into_iter().map(|what| format!("{}: {what}", one.case.name)));
        tried.push(texts);
    }
    if declared.metrics.is_empty() {
        if !tried.is_empty() {
            wrong.push("the platform has no metrics, but dashboards".to_owned());
        }
        return Ok(Outcome::of("the platform has no metrics, and so no dashboards").with(wrong));
    }
    if tried.is_empty() {
        wrong.push("no case has dashboards, although the platform has metrics".to_owned());
    }
    let count = tried.iter().map(BTreeMap::len).max().unwrap_or_default();
    Ok(Outcome::of(format!("{count} dashboards show {} metrics", declared.metrics.len())).with(wrong))
}

/// The dashboards of a case by the names of their objects. Each object has one dashboard.
fn texts(one: &Rendered) -> BTreeMap<String, String> {
    one.texts("dashboards").map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// What [`Tool::ReadDashboards`] finds in dashboards, by their names.
fn read(texts: &BTreeMap<String, String>) -> anyhow::Result<Vec<Dashboard>> {
    let temporary = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(temporary.path()).context("the temporary folder is not UTF-8")?;
    let files: Vec<Utf8PathBuf> = texts.keys().map(|name| folder.join(name)).collect();
    for (file, text) in files.iter().zip(texts.values()) {
        fs::write(file, text)?;
    }
    let output = Tool::ReadDashboards.ensure()?.command().args(&files).output()?;
    if !output.status.success() {
        bail!("read-dashboards: {}", String::from_utf8_lossy(&output.stderr));
    }
    let mut found: Vec<Dashboard> =
        serde_json::from_slice(&output.stdout).context("read-dashboards prints no report")?;
    for one in &mut found {
        one.file = one.file.trim_start_matches(folder.as_str()).trim_start_matches('/').to_owned();
    }
    Ok(found)
}

/// A dashboard, as Grafana's types read it.
#[derive(Debug, Deserialize)]
struct Dashboard {
    /// The name of its object.
    file: String,
    /// What the types do not accept.
    errors: Vec<String>,
    uid: String,
    title: String,
    /// The addresses of its links.
    links: Vec<String>,
    /// The headings of rows and the panels.
    panels: Vec<Panel>,
    variables: Vec<Variable>,
}

#[derive(Debug, Deserialize)]
struct Panel {
    id: u32,
    #[serde(rename = "type")]
    kind: String,
    title: String,
    description: String,
    grid: Grid,
    queries: Vec<Query>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Grid {
    x: u32,
    y: u32,
    w: u32,
    h: u32,
}

#[derive(Debug, Deserialize)]
struct Variable {
    name: String,
    /// The query that finds its values.
    query: Option<Query>,
    /// The label whose values it has.
    label: String,
}

/// A query, as Prometheus's parser reads it.
#[derive(Debug, Deserialize)]
struct Query {
    expr: String,
    legend: String,
    selectors: Vec<Selector>,
    groupings: Vec<Grouping>,
    /// The labels of the result; `None` if it has all labels of its series.
    labels: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Selector {
    metric: String,
    /// The labels that must have one value, with Grafana's variables as they are.
    equal: BTreeMap<String, String>,
    /// All labels that it matches.
    matchers: Vec<String>,
    /// The function that is applied to the samples of a range.
    function: String,
    /// `$__rate_interval` or a duration; empty for an instant.
    range: String,
}

/// The labels that a part of a query groups or joins by, and the metrics in that part.
#[derive(Debug, Deserialize)]
struct Grouping {
    labels: Vec<String>,
    metrics: Vec<String>,
}
