//! Exporters: a Deployment beside each server that does not report its metrics itself, with a login of its own.
//!
//! An exporter in the server's Pod would restart the server with each of its own changes, and share its network identity.

use askama::Template;

use super::{AddOn, HelperPath};
use crate::expr::{host, value};
use crate::files::Files;
use crate::graph::{Component, Graph, Server};
use crate::kinds::Exporter;
use crate::names::EXPORTER;
use crate::text::scalar;
use crate::workloads::parts::{Probes, pod_security_as};
use crate::workloads::{Container, ContainerImage, EnvVar, FurtherOfPod, Mount, Pod, Scope, Volume};

/// The add-on.
pub(crate) struct Exporters;

impl AddOn for Exporters {
    fn files(&self, graph: &Graph, files: &mut Files) {
        for (component, exporter) in exporters(graph) {
            let name = component.name;
            let file = |file: &str| format!("templates/exporter/{file}.yaml");
            let pod = pod(graph, component, exporter).text(graph, POD_INDENT);
            let has_queries = queries(component, exporter).is_some();
            files.subchart(name, &file("deployment"), &Deployment { c: graph, has_queries, pod });
            files.subchart(name, &file("service"), &ServiceObject { c: graph, port: exporter.port });
            files.subchart(name, &file("serviceaccount"), &ServiceAccount { c: graph });
            if has_queries {
                files.subchart(name, &file("queries"), &Queries { c: graph, name });
            }
        }
    }

    fn paths(&self, graph: &Graph) -> Vec<HelperPath> {
        let path = |(component, exporter): (&Component, &Exporter)| {
            let server = component.server()?;
            Some(HelperPath {
                identity: identity(component),
                target: component.name,
                port: server.kind.profile().port(),
                metrics: Some(exporter.port),
                note: "The exporter.",
                when: Some(value(&[component.name, EXPORTER, "enabled"])),
                extra_egress: None,
            })
        };
        exporters(graph).filter_map(path).collect()
    }
}

/// The servers with an exporter.
pub(crate) fn exporters(graph: &Graph) -> impl Iterator<Item = (&Component, &'static Exporter)> {
    graph.components.iter().filter_map(|component| Some((component, component.exporter()?)))
}

/// The network identity of a server's exporter.
pub(crate) fn identity(component: &Component) -> String {
    format!("{}-{EXPORTER}", component.name)
}

/// The name of the port with the metrics.
pub(crate) const PORT: &str = "metrics";

/// The indentation of the Pod's `spec` in a Deployment.
const POD_INDENT: usize = 6;

/// The variable with the path of the queries, if the exporter of this server has some.
fn queries(component: &Component, exporter: &Exporter) -> Option<&'static str> {
    exporter.backup_queries.filter(|_| component.server().is_some_and(Server::has_backups))
}

/// The Pod, as text of a template of the server's chart.
fn pod(graph: &Graph, component: &Component, exporter: &Exporter) -> Pod {
    let (c, name) = (graph.name, component.name);
    let own = format!("{{{{ .Release.Name }}}}-{{{{ .Chart.Name }}}}-{EXPORTER}");
    let (address, [before, behind]) = exporter.address;
    let [user, password] = exporter.login;
    let secret = format!(r#"{{{{ include "{c}.serverSecret" . | quote }}}}"#);
    let image = format!(r#"(dict "Values" (dict "global" .Values.global "image" .Values.{EXPORTER}.image))"#);
    let mut container = Container {
        image: Some(ContainerImage {
            reference: format!(r#"{{{{ include "{c}.image" {image} | quote }}}}"#),
            pull_policy: format!("{{{{ .Values.{EXPORTER}.image.pullPolicy }}}}"),
        }),
        ports: vec![(PORT.to_owned(), exporter.port)],
        env: vec![
            EnvVar::new(address, format!("{before}{}{behind}", host(graph, name))),
            EnvVar::new(user, format!(r#"{{{{ include "{c}.{name}.{EXPORTER}Login" . | quote }}}}"#)),
            EnvVar::of_secret(
                password,
                &secret,
                &format!("{EXPORTER}.r{{{{ int .Values.credentials.{EXPORTER}.revision }}}}"),
            ),
        ],
        probes: Some(Probes::of_helper(PORT, exporter.health)),
        liveness_note: Some("Neither probe asks the server, so an exporter does not restart for it."),
        resources: Some(format!(
            r#"{{{{- include "{c}.resources" (dict "Values" (dict "resources" .Values.{EXPORTER}.resources)) | trim | nindent 12 }}}}"#
        )),
        ..Container::new(EXPORTER)
    };
    let mut volumes = Vec::new();
    if let Some(variable) = queries(component, exporter) {
        container.env.push(EnvVar::new(variable, scalar("/etc/exporter/queries.yaml")));
        container.mounts.push(Mount::new("queries", "/etc/exporter").read_only());
        volumes.push(Volume::config_map("queries", &own, &[]));
    }
    Pod {
        scope: Scope::Own,
        service_account: own,
        token: "false".to_owned(),
        no_service_links: None,
        restart_policy: None,
        grace_period: None,
        security: pod_security_as(&exporter.run_as_user.to_string()),
        init_containers: Vec::new(),
        containers: vec![container],
        further: FurtherOfPod::default(),
        volumes,
    }
}

#[derive(Template)]
#[template(path = "addons/exporter/deployment.yaml")]
struct Deployment<'a> {
    c: &'a Graph,
    /// Whether it reads queries, which depend on the values.
    has_queries: bool,
    pod: String,
}

#[derive(Template)]
#[template(path = "addons/exporter/service.yaml")]
struct ServiceObject<'a> {
    c: &'a Graph,
    port: u16,
}

#[derive(Template)]
#[template(path = "addons/exporter/serviceaccount.yaml")]
struct ServiceAccount<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/exporter/queries.yaml")]
struct Queries<'a> {
    c: &'a Graph,
    name: &'a str,
}
