//! Velero: a `Schedule` that copies the objects and the volumes of the release.

use askama::Template;

use super::AddOn;
use crate::files::Files;
use crate::graph::Graph;

/// The add-on.
pub(super) struct Velero;

impl AddOn for Velero {
    fn files(&self, graph: &Graph, files: &mut Files) {
        if graph.servers().next().is_none() {
            return;
        }
        let hooks = graph.servers().filter_map(|(component, server)| {
            let hook = server.kind.snapshot_hook()?;
            Some(Hook { server: component.name, note: hook.note, container: hook.container, command: hook.command })
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
    note: &'static str,
    container: &'static str,
    command: &'static str,
}
