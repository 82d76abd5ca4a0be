//! The Jobs that make the logins of the servers.

use k8s_openapi::api::core::v1::Probe;

use crate::emit::chart_yaml::{chart_yaml, service_account};
use crate::expr::{enabled_service, password_key, value};
use crate::files::Files;
use crate::graph::{Component, Graph};
use crate::names::PROVISIONING;
use crate::workloads::parts::{ProbeTiming, Probes, container_security, helper_resources, pod_security, probe_block};

/// The administrator in the templates of the Jobs.
pub(crate) struct AdministratorView {
    pub(crate) key: &'static str,
    pub(crate) value: String,
    pub(crate) section: String,
}

/// A login in the templates of the Jobs.
pub(crate) struct LoginView {
    pub(crate) service: &'static str,
    pub(crate) enabled: String,
    /// The key of its password in the server's Secret.
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) section: String,
}

/// The network identity of the Jobs of a server.
pub(crate) fn identity(server: &str) -> String {
    format!("{server}-{PROVISIONING}")
}

/// The administrator of a server.
pub(crate) fn administrator_view(server: &Component) -> AdministratorView {
    let role = server.server().expect("only servers have administrators");
    let path = &server.credentials.first().expect("a server has its administrator's password").path;
    AdministratorView {
        key: role.kind.profile().administrator.key,
        value: value(&path.text()),
        section: value(&path.section()),
    }
}

/// The logins at a server that have a password.
pub(crate) fn login_views(graph: &Graph, server: &str) -> Vec<LoginView> {
    let with_password = graph.logins_at(server).filter(|(_, login)| login.variables.is_some());
    let view = with_password.map(|(edge, _)| LoginView {
        service: edge.client,
        enabled: enabled_service(edge.client),
        key: password_key(edge),
        value: value(&edge.password()),
        section: value(&edge.credential()),
    });
    view.collect()
}

/// What the Pod of every kind of server has, and the Pods of the Jobs that make its logins.
pub(crate) struct ServerPod {
    pub(crate) security: String,
    pub(crate) job_security: String,
    pub(crate) container_security: String,
    /// Of a Job's container, and of the one beside the server.
    pub(crate) helper_resources: String,
    pub(crate) probes: Probes,
}

impl ServerPod {
    /// A Pod with this probe. At its start it is probed every five seconds for `startup_failures` times before it is restarted; `timeout_seconds`
    /// is the timeout of the startup and readiness probes.
    pub(crate) fn probed(server: &Component, probe: &Probe, startup_failures: i32, timeout_seconds: i32) -> Self {
        let timing =
            |period_seconds, failures, timeout_seconds| ProbeTiming { period_seconds, failures, timeout_seconds };
        Self {
            security: pod_security(server.run_as_user, true),
            job_security: pod_security(server.run_as_user, false),
            helper_resources: helper_resources(),
            container_security: container_security(),
            probes: Probes {
                startup: probe_block(probe.clone(), timing(5, startup_failures, timeout_seconds)),
                readiness: probe_block(probe.clone(), timing(10, 3, timeout_seconds)),
                liveness: probe_block(probe.clone(), timing(30, 5, 5)),
            },
        }
    }
}

/// The files that the chart of every kind of server has; `script` makes its logins.
pub(crate) fn basics(graph: &Graph, server: &Component, script: &str, files: &mut Files) {
    let name = server.name;
    let doc = server.server().map_or("", |role| role.kind.profile().doc);
    files.text(format!("charts/{name}/files/provisioning.sh"), script.to_owned());
    files.subchart(name, "Chart.yaml", &chart_yaml(graph, name, doc, server.source));
    files.subchart(name, "templates/serviceaccount.yaml", &service_account(graph, server.source));
}
