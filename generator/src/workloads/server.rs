//! A server that the chart runs itself: one StatefulSet with one Pod and one volume, and its Services.

use askama::Template;
use k8s_openapi::api::core::v1::Probe;

use super::parts::{ProbeTiming, Probes, helper_resources, pod_security, probe_block};
use super::{Container, ContainerImage, EnvVar, FurtherOfPod, Mount, Noted, Pod, Scope, Volume};
use crate::addons::provisioning;
use crate::files::Files;
use crate::graph::{Component, Graph, Port};
use crate::names::{PROVISIONING, SCRIPTS};
use crate::text::scalar;

/// What a kind of server adds to the parts that the Pods of all servers have.
pub(crate) struct EmbeddedServer {
    /// What the server is in the label `app.kubernetes.io/component`, such as `broker`.
    pub(crate) role: &'static str,
    /// The time to end after SIGTERM, in seconds, with the reason.
    pub(crate) grace_period: Option<Noted<u32>>,
    /// The server's container, but for the mounts that all servers have.
    pub(crate) container: Container,
    /// The mounts with which the container beside it reaches the server from within the Pod.
    pub(crate) administrator_mounts: Vec<Mount>,
    /// The Pod's volumes, but for those that all servers have.
    pub(crate) volumes: Vec<Volume>,
}

/// The probes of a server's container.
///
/// A starting server is probed every five seconds for `startup_failures` times before it is restarted. `timeout_seconds` is the timeout of the
/// startup and readiness probes; the liveness probe has five seconds in any case.
pub(crate) fn server_probes(probe: &Probe, startup_failures: i32, timeout_seconds: i32) -> Probes {
    let timing = |period_seconds, failures, timeout_seconds| ProbeTiming { period_seconds, failures, timeout_seconds };
    Probes {
        startup: probe_block(probe.clone(), timing(5, startup_failures, timeout_seconds)),
        readiness: probe_block(probe.clone(), timing(10, 3, timeout_seconds)),
        liveness: probe_block(probe.clone(), timing(30, 5, 5)),
    }
}

impl EmbeddedServer {
    /// Adds the StatefulSet and the Services.
    pub(crate) fn files(self, graph: &Graph, component: &Component, files: &mut Files) {
        let (name, source, role) = (component.name, component.source, self.role);
        files.subchart(
            name,
            "templates/service.yaml",
            &Services { c: graph, source, role, ports: &component.ports, scraped: component.scraped() },
        );
        let pod = self.pod(graph, component).text(graph, POD_INDENT);
        files.subchart(name, "templates/statefulset.yaml", &StatefulSet { c: graph, source, role, pod });
    }

    fn pod(self, graph: &Graph, component: &Component) -> Pod {
        let mut container = self.container;
        container.image = Some(ContainerImage::of_server(graph, component.name));
        let version = component.server().map(|server| server.version).unwrap_or_default();
        container.env.push(EnvVar::new("SERVER_VERSION", scalar(version)).note(
            "The script refuses to start an image of another version, and refuses data that this version cannot read.",
        ));
        container.mounts.extend([
            scripts(),
            provisioning(),
            credentials().note(
                "Mounted as a folder, not as single files (`subPath`): only then does a change reach a running pod.",
            ),
        ]);
        let mut administrator_mounts = self.administrator_mounts;
        administrator_mounts.extend([scripts(), provisioning(), credentials()]);
        let administrator = Container {
            image: Some(ContainerImage::of_server(graph, component.name)),
            notes: vec![
                "Sets the administrator's password to the value in the Secret, over access that only this pod has. A new password needs neither a"
                    .to_owned(),
                "restart nor the old password.".to_owned(),
            ],
            command: Some(script("keep")),
            resources: Some(helper_resources()),
            mounts: administrator_mounts,
            ..Container::new("administrator")
        };
        let mut volumes = self.volumes;
        volumes.extend([
            Volume::config_map("scripts", &scripts_config_map(component), &[]),
            Volume::config_map("provisioning", &shared_config_map(), &[]),
            Volume::secret("credentials", &secret(graph)),
        ]);
        Pod {
            scope: Scope::Own,
            service_account: "{{ .Release.Name }}-{{ .Chart.Name }}".to_owned(),
            token: "false".to_owned(),
            no_service_links: None,
            restart_policy: None,
            grace_period: self.grace_period,
            security: pod_security(component.run_as_user, true),
            init_containers: Vec::new(),
            containers: vec![container, administrator],
            further: FurtherOfPod::default(),
            volumes,
        }
    }
}

/// The ConfigMap with the scripts and the declared logins, as text of a server's own chart.
pub(crate) fn shared_config_map() -> String {
    format!("{{{{ .Release.Name }}}}-{{{{ .Chart.Name }}}}-{PROVISIONING}")
}

fn secret(graph: &Graph) -> String {
    format!(r#"{{{{ include "{}.serverSecret" . | quote }}}}"#, graph.name)
}

/// The command that runs the script of a server's kind. `common.sh` says what each verb does.
pub(crate) fn script(verb: &str) -> String {
    format!("[sh, {SCRIPTS_FOLDER}/provisioning.sh, {verb}]")
}

/// The folder of the scripts in a server's Pod and in the Jobs that manage its logins.
const SCRIPTS_FOLDER: &str = "/opt/provisioning";

/// The mount of the scripts.
pub(crate) fn scripts() -> Mount {
    Mount::new("scripts", SCRIPTS_FOLDER).read_only()
}

/// The name of the ConfigMap with the scripts, as text of the server's own chart.
fn scripts_config_map(component: &Component) -> String {
    format!("{{{{ .Release.Name }}}}-{{{{ .Chart.Name }}}}-{SCRIPTS}-{}", provisioning::scripts_digest(component))
}

fn provisioning() -> Mount {
    Mount::new("provisioning", "/etc/provisioning").read_only()
}

fn credentials() -> Mount {
    Mount::new("credentials", "/etc/credentials").read_only()
}

/// The indentation of a Pod's `spec` in a StatefulSet.
const POD_INDENT: usize = 6;

#[derive(Template)]
#[template(path = "umbrella/charts/server/templates/service.yaml")]
struct Services<'a> {
    c: &'a Graph,
    source: &'a str,
    role: &'a str,
    ports: &'a [Port],
    /// The port with metrics, and the path.
    scraped: Option<(u16, &'static str)>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/server/templates/statefulset.yaml")]
struct StatefulSet<'a> {
    c: &'a Graph,
    source: &'a str,
    role: &'a str,
    pod: String,
}
