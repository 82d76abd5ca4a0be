//! From the graph to the files of the umbrella chart and of the services' charts: which files exist, and one view per template.

mod beside;
pub(crate) mod chart_yaml;
pub(crate) mod connections;
mod earlier;
pub(crate) mod further;
pub(crate) mod images;
mod policies;
pub(crate) mod publication;
mod readme;
mod secret;
pub(crate) mod service;
mod umbrella;
mod upgrading;
pub(crate) mod values;
mod values_yaml;

use crate::files::Files;
use crate::graph::Graph;
use values::Values;

/// Adds the files of the umbrella and of all services.
pub(crate) fn files(graph: &Graph, files: &mut Files) {
    let values = Values::of(graph);
    let tree = values.tree(graph);
    umbrella::files(graph, files);
    beside::files(graph, files);
    earlier::files(graph, files);
    policies::files(graph, files);
    connections::files(graph, files);
    values_yaml::files(graph, &values, &tree, files);
    readme::files(graph, &tree, files);
    upgrading::files(graph, files);
    publication::files(graph, files);
    for (component, service) in graph.services() {
        service::files(graph, component, service, files);
    }
}

/// The ports by peer, in the order of the peers.
pub(crate) fn by_peer<'a>(paths: impl Iterator<Item = (&'a str, u16)>) -> Vec<(&'a str, Vec<u16>)> {
    let mut by_peer: std::collections::BTreeMap<&str, Vec<u16>> = std::collections::BTreeMap::new();
    for (peer, port) in paths {
        by_peer.entry(peer).or_default().push(port);
    }
    by_peer.into_iter().collect()
}
