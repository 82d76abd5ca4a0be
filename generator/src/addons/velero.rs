//! Velero: a `Schedule` that copies the objects and the volumes of the release.

use askama::Template;

use super::AddOn;
use crate::files::Files;
use crate::graph::Graph;
use crate::kinds::SnapshotHook;

/// The add-on.
pub(super) struct Velero;

impl AddOn for Velero {
    fn files(&self, graph: &Graph, files: &mut Files) {
        if graph.servers().next().is_none() {
            return;
        }
        let hooks = graph.servers().filter_map(|(component, server)| {
            Some(Hook { server: component.name, exec: server.kind.snapshot_hook()? })
        });
        files.umbrella("templates/velero/schedule.yaml", &Schedule { c: graph, hooks: hooks.collect() });
    }
}

#[derive(Template)]
#[template(path = "addons/velero/schedule.yaml")]
struct Schedule<'a> {
    c: &'a Graph,
    hooks: Vec<Hook>,
}

/// A command in a server's Pod before its volume is copied.
struct Hook {
    server: &'static str,
    exec: SnapshotHook,
}
