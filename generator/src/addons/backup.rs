//! Backups of the databases: a `CronJob` per server, its volume, its login and its paths.
//!
//! A server has backups if one of its clients owns a database ([`crate::kinds::ServerKind::add_on_logins`]). Everything lies in the server's chart.

use askama::Template;

use super::{AddOn, HelperPath};
use crate::expr::{bare, value};
use crate::files::Files;
use crate::graph::{Component, Edge, Graph, Login, Server};
use crate::names::BACKUP;
use crate::text::digest;
use crate::workloads::parts::pod_security;
use crate::workloads::{Container, ContainerImage, EnvVar, Mount, Pod, RestartPolicy, Scope, Volume};

/// The script that makes, lists and removes backups.
const SCRIPT: &str = include_str!("../../templates/addons/backup/backup.sh");

/// The add-on.
pub(super) struct Backup;

impl AddOn for Backup {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let servers: Vec<_> = backed_up(graph).map(|(component, _)| ServerView::of(graph, component)).collect();
        if !servers.is_empty() {
            files.umbrella("restore.sh", &Restore { servers });
        }
        for (component, server) in backed_up(graph) {
            let name = component.name;
            let file = |file: &str| format!("templates/backup/{file}.yaml");
            files.text(format!("charts/{name}/files/backup.sh"), SCRIPT.to_owned());
            let pod = pod(graph, component).text(graph, POD_INDENT);
            files.subchart(name, "templates/backup/_pod.tpl", &PodTemplate { c: graph, name, pod });
            files.subchart(name, &file("cronjob"), &CronJob { c: graph, name });
            files.subchart(name, &file("job"), &FirstJob { c: graph, name });
            files.subchart(name, &file("persistentvolumeclaim"), &Claim { c: graph });
            files.subchart(name, &file("scripts"), &Scripts { c: graph, scripts: digest([SCRIPT]) });
            files.subchart(name, &file("serviceaccount"), &ServiceAccount { c: graph });
            debug_assert!(!server.add_on_logins.is_empty());
        }
    }

    fn paths(&self, graph: &Graph) -> Vec<HelperPath> {
        let path = |(component, server): (&Component, &Server)| HelperPath {
            identity: format!("{}-{BACKUP}", component.name),
            target: component.name,
            port: server.kind.profile().administration_port(),
            note: "The backups.",
            when: Some(value(&[component.name, "backup", "enabled"])),
        };
        backed_up(graph).map(path).collect()
    }
}

/// The servers with backups.
pub(crate) fn backed_up(graph: &Graph) -> impl Iterator<Item = (&Component, &Server)> {
    graph.servers().filter(|(_, server)| server.add_on_logins.iter().any(|login| login.section == BACKUP))
}

/// The databases that can have backups.
pub(crate) fn databases(graph: &Graph) -> impl Iterator<Item = &'static str> {
    backed_up(graph).flat_map(|(server, _)| databases_of(graph, server))
}

/// The databases of a server.
pub(crate) fn databases_of(graph: &Graph, server: &Component) -> impl Iterator<Item = &'static str> {
    graph.logins_at(server.name).filter_map(|(_, login)| login.grants.owned_database())
}

/// The indentation of the Pod's `spec` in its named template.
const POD_INDENT: usize = 2;

/// The Pod that makes a backup, as text of a template of the server's chart.
fn pod(graph: &Graph, component: &Component) -> Pod {
    let (c, name) = (graph.name, component.name);
    let own = format!("{{{{ .Release.Name }}}}-{{{{ .Chart.Name }}}}-{BACKUP}");
    let include = |helper: &str| format!(r#"{{{{ include "{c}.{name}.{helper}" . }}}}"#);
    let number = |key: &str| format!("{{{{ int {} | quote }}}}", bare(&value(&["backup", "retention", key])));
    let secret = format!(r#"{{{{ include "{c}.serverSecret" . | quote }}}}"#);
    let container = Container {
        image: Some(ContainerImage::of_server(graph, name)),
        command: Some("[sh, /opt/backup/backup.sh, make]".to_owned()),
        env: vec![
            EnvVar::new("PGHOST", include("host")),
            EnvVar::new("PGUSER", include("addOnLogin")),
            EnvVar::of_secret("PGPASSWORD", &secret, "backup.r{{ int .Values.credentials.backup.revision }}"),
            EnvVar::new("RELEASE", "{{ .Release.Name | quote }}"),
            EnvVar::new("DATABASES", include("databases")),
            EnvVar::new("KEEP_COUNT", number("count")),
            EnvVar::new("KEEP_DAYS", number("days")),
        ],
        resources: Some(format!(
            r#"{{{{- include "{c}.resources" (dict "Values" .Values.backup) | trim | nindent 8 }}}}"#
        )),
        mounts: vec![
            Mount::new("backups", "/backups"),
            Mount::new("scripts", "/opt/backup").read_only(),
            Mount::new("tmp", "/tmp"),
        ],
        ..Container::new(BACKUP)
    };
    Pod {
        scope: Scope::Own,
        service_account: own.clone(),
        token: "false".to_owned(),
        no_service_links: None,
        restart_policy: Some(RestartPolicy {
            value: "Never".to_owned(),
            note: Some("Keeps the log of a failed backup."),
        }),
        grace_period: None,
        security: pod_security(component.run_as_user, true),
        init_containers: Vec::new(),
        containers: vec![container],
        volumes: vec![
            Volume::claim("backups", &own),
            Volume::config_map("scripts", &format!("{own}-{}", digest([SCRIPT])), &[]),
            Volume::memory("tmp", "4Mi"),
        ],
    }
}

/// The script by which an operator restores a database.
#[derive(Template)]
#[template(path = "addons/backup/restore.sh", escape = "none")]
struct Restore {
    servers: Vec<ServerView>,
}

struct ServerView {
    name: &'static str,
    clients: Vec<ClientView>,
}

/// A database and the service that owns it.
struct ClientView {
    database: &'static str,
    service: &'static str,
}

impl ServerView {
    fn of(graph: &Graph, server: &Component) -> Self {
        let client = |(edge, login): (&Edge, &Login)| {
            Some(ClientView { database: login.grants.owned_database()?, service: edge.client })
        };
        Self { name: server.name, clients: graph.logins_at(server.name).filter_map(client).collect() }
    }
}

#[derive(Template)]
#[template(path = "addons/backup/_pod.tpl")]
struct PodTemplate<'a> {
    c: &'a Graph,
    name: &'a str,
    pod: String,
}

#[derive(Template)]
#[template(path = "addons/backup/cronjob.yaml")]
struct CronJob<'a> {
    c: &'a Graph,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "addons/backup/job.yaml")]
struct FirstJob<'a> {
    c: &'a Graph,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "addons/backup/persistentvolumeclaim.yaml")]
struct Claim<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/backup/scripts.yaml")]
struct Scripts<'a> {
    c: &'a Graph,
    scripts: String,
}

#[derive(Template)]
#[template(path = "addons/backup/serviceaccount.yaml")]
struct ServiceAccount<'a> {
    c: &'a Graph,
}
