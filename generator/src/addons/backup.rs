//! Backups of the databases: a `CronJob` per server, its volume, its login and its paths.
//!
//! A server has backups if one of its clients owns a database ([`crate::kinds::ServerKind::add_on_logins`]). Everything lies in the server's chart.

use askama::Template;

use super::{AddOn, HelperPath};
use crate::expr::{bare, value};
use crate::files::Files;
use crate::graph::{Component, Edge, Graph, Login, Server};
use crate::kinds::notes_of_kinds;
use crate::names::BACKUP;
use crate::text::digest;
use crate::workloads::parts::pod_security;
use crate::workloads::{Container, ContainerImage, EnvVar, Mount, Pod, RestartPolicy, Scope, Volume};

/// The scripts that run in the Pods of the backups, with their names.
const SCRIPTS: [(&str, &str); 2] = [
    ("backup.sh", include_str!("../../templates/addons/backup/backup.sh")),
    ("contents.sql", include_str!("../../templates/addons/backup/contents.sql")),
];

/// The add-on.
pub(super) struct Backup;

impl AddOn for Backup {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let servers: Vec<_> = backed_up(graph).map(|(component, _)| ServerView::of(graph, component)).collect();
        if let Some(example) = servers.first() {
            let page = Page {
                c: graph,
                example_release: graph.example_release(),
                example_server: example.name,
                example_database: example.clients.first().map_or("", |client| client.database),
                notes: notes_of_kinds(graph, |kind| kind.backup_note().map(str::to_owned)),
                servers: &servers,
            };
            files.umbrella("BACKUP.md", &page);
            files.umbrella("restore.sh", &Restore { servers: &servers });
        }
        for (component, server) in backed_up(graph) {
            let name = component.name;
            let file = |file: &str| format!("templates/backup/{file}.yaml");
            for (script, text) in SCRIPTS {
                files.text(format!("charts/{name}/files/{script}"), text.to_owned());
            }
            let pod = |task: &Task| pod(graph, component, task).text(graph, POD_INDENT);
            let pods = PodTemplates { c: graph, name, backup: pod(&MAKE), verification: pod(&VERIFY) };
            files.subchart(name, "templates/backup/_pods.tpl", &pods);
            files.subchart(name, &file("before-upgrade"), &BeforeUpgrade { c: graph });
            files.subchart(name, &file("cronjob"), &CronJob { c: graph, name });
            files.subchart(name, &file("job"), &FirstJob { c: graph, name });
            files.subchart(name, &file("persistentvolumeclaim"), &Claim { c: graph });
            files.subchart(name, &file("scripts"), &Scripts { c: graph, scripts: scripts_digest() });
            files.subchart(name, &file("serviceaccount"), &ServiceAccount { c: graph });
            files.subchart(name, &file("verification"), &Verification { c: graph, name });
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

/// The indentation of the Pod's `spec` in its named template.
const POD_INDENT: usize = 2;

/// What a Pod of the backups does: an argument of `backup.sh`, and the volumes that it needs.
struct Task {
    command: &'static str,
    /// Whether it changes the backups.
    writes: bool,
    /// Whether it needs room for a copy of the data.
    needs_scratch: bool,
}

const MAKE: Task = Task { command: "make", writes: true, needs_scratch: false };

const VERIFY: Task = Task { command: "verify", writes: false, needs_scratch: true };

fn scripts_digest() -> String {
    digest(SCRIPTS.map(|(_, text)| text))
}

/// A Pod, as text of a template of the server's chart.
fn pod(graph: &Graph, component: &Component, task: &Task) -> Pod {
    let (c, name) = (graph.name, component.name);
    let own = format!("{{{{ .Release.Name }}}}-{{{{ .Chart.Name }}}}-{BACKUP}");
    let include = |helper: &str| format!(r#"{{{{ include "{c}.{name}.{helper}" . }}}}"#);
    let number = |key: &str| format!("{{{{ int {} | quote }}}}", bare(&value(&["backup", "retention", key])));
    let secret = format!(r#"{{{{ include "{c}.serverSecret" . | quote }}}}"#);
    let backups = Mount::new("backups", "/backups");
    let mut mounts = vec![
        if task.writes { backups } else { backups.read_only() },
        Mount::new("scripts", "/opt/backup").read_only(),
        Mount::new("tmp", "/tmp"),
    ];
    let mut volumes = vec![
        Volume::claim("backups", &own),
        Volume::config_map("scripts", &format!("{own}-{}", scripts_digest()), &[]),
        Volume::memory("tmp", "4Mi"),
    ];
    if task.needs_scratch {
        mounts.push(Mount::new("scratch", "/scratch"));
        let size = format!("{{{{ {} }}}}", bare(&value(&["persistence", "size"])));
        volumes.push(
            Volume::scratch("scratch", &size).note("The restored data, which need as much room as the server's."),
        );
    }
    // The scratch volume counts as local disk of the container.
    let resources = if task.needs_scratch {
        r#"(mustMergeOverwrite (deepCopy .Values.backup) (dict "resources" (dict "limits" (dict "ephemeral-storage" .Values.persistence.size))))"#
    } else {
        ".Values.backup"
    };
    let container = Container {
        image: Some(ContainerImage::of_server(graph, name)),
        command: Some(format!("[sh, /opt/backup/backup.sh, {}]", task.command)),
        env: vec![
            EnvVar::new("PGHOST", include("host")),
            EnvVar::new("PGUSER", include("addOnLogin")),
            EnvVar::of_secret("PGPASSWORD", &secret, "backup.r{{ int .Values.credentials.backup.revision }}"),
            EnvVar::new("RELEASE", "{{ .Release.Name | quote }}"),
            EnvVar::new("DATABASES", include("databases")),
            EnvVar::new("STATUS", include("backupStatus")),
            EnvVar::new("KEEP_COUNT", number("count")),
            EnvVar::new("KEEP_DAYS", number("days")),
        ],
        resources: Some(format!(
            r#"{{{{- include "{c}.resources" (dict "Values" {resources}) | trim | nindent 8 }}}}"#
        )),
        mounts,
        ..Container::new(BACKUP)
    };
    Pod {
        scope: Scope::Own,
        service_account: own,
        token: "false".to_owned(),
        no_service_links: None,
        restart_policy: Some(RestartPolicy { value: "Never".to_owned(), note: Some("Keeps the log of a failed run.") }),
        grace_period: None,
        security: pod_security(component.run_as_user, true),
        init_containers: Vec::new(),
        containers: vec![container],
        volumes,
    }
}

/// The script by which an operator restores a database.
#[derive(Template)]
#[template(path = "addons/backup/restore.sh", escape = "none")]
struct Restore<'a> {
    servers: &'a [ServerView],
}

/// The page for operators.
#[derive(Template)]
#[template(path = "addons/backup/BACKUP.md")]
struct Page<'a> {
    c: &'a Graph,
    example_release: &'static str,
    example_server: &'static str,
    example_database: &'static str,
    /// What of the other servers is in no backup.
    notes: Vec<String>,
    servers: &'a [ServerView],
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
#[template(path = "addons/backup/_pods.tpl")]
struct PodTemplates<'a> {
    c: &'a Graph,
    name: &'a str,
    backup: String,
    verification: String,
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

#[derive(Template)]
#[template(path = "addons/backup/verification.yaml")]
struct Verification<'a> {
    c: &'a Graph,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "addons/backup/before-upgrade.yaml")]
struct BeforeUpgrade<'a> {
    c: &'a Graph,
}
