//! The scripts that connect to servers: they wait for logins, probe programs that never reconnect, and try logins in `helm test`.

use askama::Template;

use crate::files::Files;
use crate::graph::{Graph, LoginScripts, Runner};
use crate::kinds::{self, ScriptFile, ScriptSet};
use crate::names::CONNECTIONS;
use crate::text::digest;

const PROBE: ScriptFile = ScriptFile {
    set: ScriptSet::Connections,
    name: "probe.py",
    text: include_str!("../../templates/connections/probe.py"),
};

/// What the shell scripts of the kinds share.
const RETRY: ScriptFile = ScriptFile {
    set: ScriptSet::Connections,
    name: "retry.sh",
    text: include_str!("../../templates/connections/retry.sh"),
};

/// The scripts that this platform needs.
pub(crate) fn scripts(graph: &Graph) -> Vec<ScriptFile> {
    let of_kinds = kinds::client_scripts(graph, ScriptSet::Connections);
    let is_probed = graph.services().any(|(_, service)| service.is_judged_by_connections());
    let runs_in_server_image = |scripts: &LoginScripts| scripts.test.runner == Runner::ServerImage;
    let has_shell_scripts = graph.edges.iter().filter_map(|edge| edge.scripts.as_ref()).any(runs_in_server_image);
    let probe = is_probed.then_some(PROBE);
    let retry = has_shell_scripts.then_some(RETRY);
    of_kinds.into_iter().chain(probe).chain(retry).collect()
}

pub(super) fn files(graph: &Graph, files: &mut Files) {
    let scripts = scripts(graph);
    if scripts.is_empty() {
        return;
    }
    for script in &scripts {
        files.text(format!("files/connections/{}", script.name), script.text.to_owned());
    }
    let names = scripts.iter().map(|script| script.name).collect();
    let view = ConfigMap { c: graph, digest: scripts_digest(graph), scripts: names };
    files.umbrella("templates/connections.yaml", &view);
}

/// The name of the ConfigMap with these scripts, as text of a template. It ends with a digest of them: the ConfigMap is immutable, so other scripts
/// need another one.
pub(crate) fn config_map(graph: &Graph) -> String {
    format!("{{{{ .Release.Name }}}}-{CONNECTIONS}-{}", scripts_digest(graph))
}

fn scripts_digest(graph: &Graph) -> String {
    digest(scripts(graph).iter().flat_map(|script| [script.name, script.text]))
}

#[derive(Template)]
#[template(path = "connections/configmap.yaml")]
struct ConfigMap<'a> {
    c: &'a Graph,
    digest: String,
    scripts: Vec<&'static str>,
}
