//! The Jobs that make the logins of the servers: their Pod, what they read, and the Secrets of the servers.

use askama::Template;

use super::{AddOn, HelperPath};
use crate::files::Files;
use crate::graph::{Component, Graph};
use crate::names::{PROVISIONING, SCRIPTS};
use crate::text::digest;
use crate::workloads::parts::{helper_resources, pod_security_as};
use crate::workloads::server::{script, scripts};
use crate::workloads::{Container, ContainerImage, EnvVar, FurtherOfPod, Mount, Pod, RestartPolicy, Scope, Volume};

/// What the scripts of all kinds have in common.
const COMMON_SCRIPT: &str = include_str!("../../templates/addons/provisioning/common.sh");

/// The add-on.
pub(crate) struct Provisioning;

impl AddOn for Provisioning {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let servers = graph.servers().map(|(component, server)| {
            let profile = server.kind.profile();
            ServerView {
                name: component.name,
                administrator: profile.administrator.key,
                port: profile.administration_port(),
                user: component.run_as_user,
                scripts: scripts_digest(component),
            }
        });
        let servers: Vec<ServerView> = servers.collect();
        if servers.is_empty() {
            return;
        }
        files.text("files/common.sh", COMMON_SCRIPT.to_owned());
        let pod = pod(graph).text(graph, POD_INDENT);
        files.umbrella("templates/provisioning/_helpers.tpl", &Helpers { c: graph, servers, pod });
        for (component, server) in graph.servers() {
            let text = server.kind.provisioning(graph, component);
            files.text(format!("templates/provisioning/_{}.tpl", component.name), text);
        }
        files.umbrella("templates/provisioning/scripts.yaml", &Scripts { c: graph });
        files.umbrella("templates/provisioning/configmap.yaml", &ConfigMap { c: graph });
        files.umbrella("templates/provisioning/serviceaccount.yaml", &ServiceAccount { c: graph });
        files.umbrella("templates/provisioning/secret.yaml", &Secret { c: graph });
        files.umbrella("templates/provisioning/externalsecret.yaml", &ExternalSecret { c: graph });
        files.umbrella("templates/provisioning/provision-job.yaml", &ProvisionJob { c: graph });
        files.umbrella("templates/provisioning/reconcile-job.yaml", &ReconcileJob { c: graph });
    }

    fn paths(&self, graph: &Graph) -> Vec<HelperPath> {
        let path = graph.servers().map(|(component, server)| HelperPath {
            identity: format!("{}-{PROVISIONING}", component.name),
            target: component.name,
            port: server.kind.profile().administration_port(),
            metrics: None,
            note: "The Jobs that provision its logins.",
            when: None,
            extra_egress: None,
        });
        path.collect()
    }
}

/// The end of the name of the ConfigMap with a server's scripts.
///
/// # Panics
/// If the component is not a server.
pub(crate) fn scripts_digest(component: &Component) -> String {
    let server = component.server().expect("only a server has these scripts");
    digest([COMMON_SCRIPT, server.kind.script()])
}

/// The indentation of the Pod's `spec` in the Jobs' named template.
const POD_INDENT: usize = 4;

/// The Pod of a Job, as text of a named template whose scope has `root`, `server` and `command`.
fn pod(graph: &Graph) -> Pod {
    let name = graph.name;
    let own = format!("{{{{ .root.Release.Name }}}}-{{{{ .server.name }}}}-{PROVISIONING}");
    let scripts_name =
        format!("{{{{ .root.Release.Name }}}}-{{{{ .server.name }}}}-{SCRIPTS}-{{{{ .server.scripts }}}}");
    let image = ContainerImage {
        reference: format!(
            r#"{{{{ include "{name}.globalImage" (dict "global" .root.Values.global "section" .server.name) | quote }}}}"#
        ),
        pull_policy: "{{ (index .root.Values.global .server.name).image.pullPolicy }}".to_owned(),
    };
    let container = Container {
        image: Some(image),
        command: Some(script("{{ .command }}")),
        env: vec![
            EnvVar::new("OWNER", r#"{{ printf "%s.%s" .root.Release.Namespace .root.Release.Name | quote }}"#),
            EnvVar::new("DIGEST", format!(r#"{{{{ include "{name}.provisioningData" . | sha256sum | quote }}}}"#)),
            EnvVar::new("SERVER_HOST", format!(r#"{{{{ include (printf "{name}.%s.host" .server.name) .root }}}}"#)),
            EnvVar::new("SERVER_PORT", "{{ .server.port | quote }}"),
            EnvVar::new("HOME", "/tmp").note("The client tools look for their configuration files there."),
        ],
        resources: Some(helper_resources()),
        mounts: vec![
            Mount::new("tmp", "/tmp"),
            scripts(),
            Mount::new("provisioning", "/etc/provisioning").read_only(),
            Mount::new("credentials", "/etc/credentials").read_only(),
        ],
        ..Container::new("provisioning")
    };
    Pod {
        scope: Scope::Server,
        service_account: own.clone(),
        token: "false".to_owned(),
        no_service_links: None,
        restart_policy: Some(RestartPolicy {
            value: r#"{{ ternary "OnFailure" "Never" (eq .command "add") }}"#.to_owned(),
            note: Some("Keeps the pod, and so the log, of a failed reconciliation."),
        }),
        grace_period: None,
        security: pod_security_as("{{ .server.user }}"),
        init_containers: Vec::new(),
        containers: vec![container],
        further: FurtherOfPod::default(),
        volumes: vec![
            Volume::memory("tmp", "4Mi"),
            Volume::config_map("scripts", &scripts_name, &[]),
            Volume::config_map("provisioning", &own, &[]),
            Volume::secret("credentials", &format!(r#"{{{{ include "{name}.jobSecret" . | quote }}}}"#)),
        ],
    }
}

#[derive(Template)]
#[template(path = "addons/provisioning/_helpers.tpl")]
struct Helpers<'a> {
    c: &'a Graph,
    servers: Vec<ServerView>,
    pod: String,
}

struct ServerView {
    name: &'static str,
    /// The key of the administrator's password in the server's Secret.
    administrator: &'static str,
    /// The port through which logins are administered.
    port: u16,
    /// The user and group that the image runs as.
    user: u32,
    /// The end of the name of the ConfigMap with its scripts.
    scripts: String,
}

#[derive(Template)]
#[template(path = "addons/provisioning/scripts.yaml")]
struct Scripts<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/provisioning/configmap.yaml")]
struct ConfigMap<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/provisioning/serviceaccount.yaml")]
struct ServiceAccount<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/provisioning/secret.yaml")]
struct Secret<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/provisioning/externalsecret.yaml")]
struct ExternalSecret<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/provisioning/provision-job.yaml")]
struct ProvisionJob<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/provisioning/reconcile-job.yaml")]
struct ReconcileJob<'a> {
    c: &'a Graph,
}
