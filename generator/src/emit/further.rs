//! The files that every chart beside the umbrella has: `Chart.yaml`, the values with their schema and documentation, and the values for lint and tests.

use askama::Template;
use schemars::JsonSchema;
use serde_yaml::Value;
use vocabulary::{Environment, Image};

use super::publication::{self, Metadata};
use super::readme::ValuesPage;
use super::umbrella::HelmIgnore;
use super::values::Section;
use super::values_yaml;
use crate::files::{Files, FurtherFiles};
use crate::graph::Graph;
use crate::text::scalar;

/// A chart beside the umbrella.
pub(crate) struct Further {
    /// What its name has behind the platform's.
    pub(crate) name: &'static str,
    /// Its description, one line.
    pub(crate) doc: String,
    /// The images that it installs, each with a name for readers.
    pub(crate) images: Vec<(&'static str, Image)>,
    /// Its values.
    pub(crate) tree: Section,
    /// Values that complete the defaults for lint and tests.
    pub(crate) ci_values: Value,
    /// The environments that declare values for it, each with the values that differ from the defaults.
    pub(crate) overlays: Vec<(Environment, Value)>,
}

/// Adds these files; `V` is the type of the values. The chart's own files follow.
pub(crate) fn files<'f, V: JsonSchema>(graph: &Graph, files: &'f mut Files, chart: &Further) -> FurtherFiles<'f> {
    let name = format!("{}-{}", graph.name, chart.name);
    let start = files.images().len();
    for (title, image) in &chart.images {
        files.image(&name, (*title).to_owned(), *image, None);
    }
    let metadata = Metadata::of(graph, Some(chart.name), &files.images()[start..]);
    let mut out = files.further(chart.name);
    out.view("Chart.yaml", &ChartYaml { c: graph, name: &name, doc: scalar(&chart.doc), metadata });
    out.view(".helmignore", &HelmIgnore { omits_pages: false });
    if let Some(text) = publication::licence(graph) {
        out.text("LICENSE", text);
    }
    out.view("VALUES.md", &ValuesPage::of_chart(&name, &chart.tree));
    values_yaml::further::<V>(graph, &name, &chart.tree, &chart.ci_values, &mut out);
    for (environment, values) in &chart.overlays {
        out.environment(environment.name.as_str(), values_yaml::further_overlay(&name, environment, values));
    }
    out
}

#[derive(Template)]
#[template(path = "further/Chart.yaml")]
struct ChartYaml<'a> {
    c: &'a Graph,
    name: &'a str,
    doc: String,
    metadata: Metadata,
}
