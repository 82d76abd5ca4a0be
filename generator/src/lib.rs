//! A resolved platform in, its whole Helm chart out.
//!
//! ```text
//! Resolved ─▶ Graph ─▶ kinds, add-ons, emit: values, views ─▶ askama templates ─▶ Chart (path → text)
//! ```
//!
//! **Invariant.** Pure: no disk, no clock, no environment, no randomness. The same [`Resolved`] gives the same bytes.
//! **Invariant.** No platform is named here: what is particular to one comes from its declaration alone.

mod addons;
mod alert;
mod dashboard;
mod earlier;
mod emit;
mod expr;
mod files;
mod graph;
mod json;
mod kinds;
pub mod kubernetes;
mod log_format;
mod names;
pub mod password_files;
pub mod password_rules;
mod text;
mod traffic;
mod workloads;
pub mod yaml;

pub use addons::prerequisites::{CustomKind, Prerequisite};
pub use earlier::{EarlierValue, Successor, ValuePath, VariableSuccessor, VariableValue, earlier_values, value_paths};
pub use files::{Chart, ChartPaths, FurtherChart, PublishedImage};
pub use kinds::AmqpPermissions;
pub use traffic::{AccessPath, ComponentPort, ExporterTraffic, ProxyTraffic, TestTraffic, Traffic, traffic};
pub use vocabulary::{Diagnostics, MetricKind, Platform, Resolved};

use emit::images;
use files::Files;
use graph::{Credential, Graph};

/// Checks what the declaration says of the charts and their values, which [`vocabulary`] does not know.
///
/// # Errors
/// Every mistake, with its source location and a fix. [`generate`] then makes a chart that refuses valid values, or names a key or a chart that does not
/// exist.
pub fn check(platform: &Resolved) -> Result<(), Diagnostics> {
    let graph = Graph::of(platform);
    let mut diagnostics = earlier::mistakes_of(&graph);
    if graph.publication.changelog.iter().any(|notes| notes.changes.iter().any(|change| change.chart.is_some())) {
        let paths = generate(platform).paths().clone();
        let charts: Vec<_> = paths.further.iter().map(|chart| chart.name).collect();
        diagnostics.extend(emit::publication::unknown_charts(&graph, &charts));
    }
    if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics::new(diagnostics)) }
}

/// Renders the whole chart: every file that the generator owns, below the folder that holds the chart. The platform has passed [`check`].
#[must_use]
pub fn generate(platform: &Resolved) -> Chart {
    let graph = Graph::of(platform);
    let mut files = Files::new(graph.name);
    emit::files(&graph, &mut files);
    for (component, server) in graph.servers() {
        kinds::files(&graph, component, server, &mut files);
    }
    for add_on in addons::ADD_ONS {
        add_on.files(&graph, &mut files);
    }
    files.into_chart()
}

/// A secret that an installer has to give, and its place in the umbrella chart's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialPath {
    /// Its name, such as `audit-log-analysis.rabbitmq`: its owner and its purpose. Unique in a platform.
    pub name: String,
    /// The path of the secret text itself in the values.
    pub value: Vec<String>,
    /// The path of its revision in the values: an integer from 1 on, 1 by default.
    pub revision: Vec<String>,
    /// What it is for, as a sentence.
    pub doc: String,
    /// The path of the value that must be true for the credential to be used, besides `<owner>.enabled`; usually there is none.
    pub switch: Option<Vec<String>>,
}

/// An alert of a release, and series that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertProof {
    /// Its name.
    pub name: &'static str,
    /// Its labels.
    pub labels: Vec<(&'static str, String)>,
    /// Whether its series come from the cluster's own monitoring, not from the release.
    pub of_cluster: bool,
    /// The series with which it fires or stays silent; empty if it always fires.
    pub samples: Vec<SeriesProof>,
    /// Further series, each set for one branch of its expression.
    pub scenes: Vec<SceneProof>,
}

/// Series, and whether an alert fires with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SceneProof {
    /// Whether it fires.
    pub fires: bool,
    /// Each selector, with the values in the notation of [`SeriesProof`].
    pub series: Vec<(String, &'static str)>,
}

/// A series, with one value a minute for an hour, in the notation of `promtool test rules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesProof {
    /// Its selector.
    pub series: String,
    /// The values while something is wrong.
    pub broken: String,
    /// The values while all is well.
    pub healthy: String,
}

/// A metric that the dashboards may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedMetric {
    /// The component that exports it, or whose exporter does.
    pub component: &'static str,
    /// Its name, without the suffixes of the series of a histogram.
    pub name: &'static str,
    /// Its type.
    pub kind: MetricKind,
    /// Its labels, besides those that a scrape adds.
    pub labels: Vec<&'static str>,
}

/// The metrics of all components that report some, themselves or through an exporter: those that the model and the kinds of the servers declare, and
/// those that Prometheus makes for a target.
#[must_use]
pub fn exported_metrics(platform: &Resolved) -> Vec<ExportedMetric> {
    addons::dashboards::exported(&Graph::of(platform))
}

/// The kinds of other projects that the chart can render, which CRDS.md lists.
#[must_use]
pub fn custom_kinds(platform: &Resolved) -> Vec<CustomKind> {
    addons::prerequisites::kinds(&Graph::of(platform))
}

/// The charts of other projects that the chart can use, with the values for them.
#[must_use]
pub fn prerequisites(platform: &Resolved) -> Vec<Prerequisite> {
    addons::prerequisites::prerequisites(&Graph::of(platform))
}

/// The alerts of a release with this name in this namespace.
#[must_use]
pub fn alerts(platform: &Resolved, namespace: &str, release: &str) -> Vec<AlertProof> {
    addons::alerts::proofs(&Graph::of(platform), namespace, release)
}

/// The paths in the values of the tags that have no default. An installer sets each of them, or a digest in its place.
#[must_use]
pub fn unnamed_tags(platform: &Resolved) -> Vec<Vec<&'static str>> {
    images::without_default(&Graph::of(platform)).map(|(image, _)| image.path("tag")).collect()
}

/// Every credential of a platform: the services' in the order of their declaration, then the servers' administrators' and add-ons'.
#[must_use]
pub fn credential_paths(platform: &Resolved) -> Vec<CredentialPath> {
    let path = |path: [&str; 4]| path.map(str::to_owned).to_vec();
    let credential = |credential: &Credential| CredentialPath {
        name: credential.path.name(),
        value: path(credential.path.text()),
        revision: path(credential.path.revision()),
        doc: credential.doc.clone(),
        switch: credential.switch().map(|path| path.map(str::to_owned).to_vec()),
    };
    Graph::of(platform).credentials().map(credential).collect()
}
