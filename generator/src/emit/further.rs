//! The files that every chart beside the umbrella has: `Chart.yaml`, the values with their schema and documentation, and the values for lint and tests.

use askama::Template;
use schemars::JsonSchema;
use serde_yaml::Value;
use vocabulary::Environment;

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
    /// Its values.
    pub(crate) tree: Section,
    /// Values that complete the defaults for lint and tests.
    pub(crate) ci_values: Value,
    /// The environments that declare values for it, each with the values that differ from the defaults.
    pub(crate) overlays: Vec<(Environment, Value)>,
}

/// Adds these files; `V` is the type of the values. The chart's own files follow.
pub(crate) fn files<'f, V: JsonSchema>(graph: &Graph, files: &'f mut Files, chart: &Further) -> FurtherFiles<'f> {
    let mut out = files.further(chart.name);
    let name = format!("{}-{}", graph.name, chart.name);
    out.view("Chart.yaml", &ChartYaml { c: graph, name: &name, doc: scalar(&chart.doc), home: scalar(graph.home) });
    out.view(".helmignore", &HelmIgnore);
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
    home: String,
}
