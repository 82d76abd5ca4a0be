//! `UPGRADING.md`: what an upgrade changes, and runbooks. The scenario `runbooks` executes its commands.

use askama::Template;
use vocabulary::{Change, Environment};

use super::{earlier, images};
use crate::files::Files;
use crate::graph::Graph;
use crate::kinds::notes_of_kinds;

pub(super) fn files(graph: &Graph, files: &mut Files) {
    let example = graph.servers().next();
    let row = |(component, server): (&crate::graph::Component, &crate::graph::Server)| {
        format!("| `{}` | {} | {} |", component.name, server.version, server.kind.readable_data(server))
    };
    let view = Upgrading {
        c: graph,
        unnamed: images::without_default(graph).map(|(image, _)| image.name()).collect(),
        stateful: example.is_some(),
        has_credentials: graph.credentials().next().is_some(),
        autoscaled: graph.autoscales(),
        tagged_environments: graph
            .environments
            .iter()
            .filter(|one| names_a_tag(one))
            .map(|one| one.name.as_str())
            .collect(),
        example_release: graph.example_release(),
        example_server: example.map(|(component, _)| component.name).unwrap_or_default(),
        example_size: example.map(|(_, server)| doubled(server.storage)).unwrap_or_default(),
        versions: graph.servers().map(row).collect(),
        version_steps: graph
            .servers()
            .map(|(component, server)| server.kind.version_steps(graph, component).trim_end().to_owned())
            .collect(),
        earlier: earlier::sections_of_upgrading(graph),
        login_commands: notes_of_kinds(graph, |kind| kind.login_commands().map(str::to_owned)),
    };
    files.umbrella("UPGRADING.md", &view);
}

fn names_a_tag(environment: &Environment) -> bool {
    environment.changes.iter().any(|change| matches!(change, Change::ImageTag { .. }))
}

/// Twice a size, in whole mebibytes or gibibytes.
fn doubled(size: vocabulary::Quantity) -> String {
    let mebibytes = (2 * size.thousandths()).div_ceil(1000 << 20);
    if mebibytes.is_multiple_of(1024) { format!("{}Gi", mebibytes / 1024) } else { format!("{mebibytes}Mi") }
}

#[derive(Template)]
#[template(path = "umbrella/UPGRADING.md")]
struct Upgrading<'a> {
    c: &'a Graph,
    /// The charts whose images have neither tag nor digest by default.
    unnamed: Vec<String>,
    stateful: bool,
    has_credentials: bool,
    autoscaled: bool,
    /// The environments whose values name the tag of an image.
    tagged_environments: Vec<&'static str>,
    /// The release's name in the commands.
    example_release: &'static str,
    /// A server whose volume grows in the example, and its new size.
    example_server: &'static str,
    example_size: String,
    /// For each server its version and the data that it accepts, as rows of a table.
    versions: Vec<String>,
    /// The steps to another version of each server.
    version_steps: Vec<String>,
    login_commands: Vec<String>,
    /// What became of the values and releases of earlier versions, as sections.
    earlier: Vec<String>,
}
