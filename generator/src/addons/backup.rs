//! Backups of the databases: a `CronJob` per server, its volume, its login and its paths.
//!
//! A server has backups if one of its clients owns a database ([`crate::kinds::ServerKind::add_on_logins`]). Everything lies in the server's chart.

use askama::Template;
use vocabulary::Image;

use super::{AddOn, HelperPath};
use crate::expr::{bare, value};
use crate::files::Files;
use crate::graph::{Component, Edge, Graph, Login, Server};
use crate::kinds::notes_of_kinds;
use crate::names::BACKUP;
use crate::text::digest;
use crate::workloads::parts::pod_security;
use crate::workloads::{
    Container, ContainerImage, EnvVar, FurtherOfPod, Mount, Noted, Pod, RestartPolicy, Scope, Volume,
};

/// The scripts that run in the Pods of the backups, with their names.
const SCRIPTS: [(&str, &str); 2] = [
    ("backup.sh", include_str!("../../templates/addons/backup/backup.sh")),
    ("contents.sql", include_str!("../../templates/addons/backup/contents.sql")),
];

/// What carries backups to an object store. Its project publishes the image for amd64 and arm64 (<https://hub.docker.com/r/rclone/rclone/tags>), and so does that
/// of PostgreSQL (<https://hub.docker.com/_/postgres>, "Supported architectures").
pub(crate) const RCLONE: Image = Image::new("rclone/rclone", "1.75.2");

/// The add-on.
pub(crate) struct Backup;

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
        for (component, _) in backed_up(graph) {
            let name = component.name;
            let file = |file: &str| format!("templates/backup/{file}.yaml");
            for (script, text) in SCRIPTS {
                files.text(format!("charts/{name}/files/{script}"), text.to_owned());
            }
            let pod = |storage| pod(graph, component, storage).text(graph, POD_INDENT);
            let template = PodTemplate { c: graph, name, on_volume: pod(Storage::Volume), on_s3: pod(Storage::S3) };
            files.subchart(name, "templates/backup/_pod.tpl", &template);
            files.subchart(name, &file("before-upgrade"), &BeforeUpgrade { c: graph });
            files.subchart(name, &file("cronjob"), &CronJob { c: graph, name });
            files.subchart(name, &file("job"), &FirstJob { c: graph, name });
            files.subchart(name, &file("persistentvolumeclaim"), &Claim { c: graph });
            files.subchart(name, &file("scripts"), &Scripts { c: graph, scripts: scripts_digest() });
            files.subchart(name, &file("serviceaccount"), &ServiceAccount { c: graph });
            files.subchart(name, &file("verification"), &Verification { c: graph, name });
        }
    }

    fn paths(&self, graph: &Graph) -> Vec<HelperPath> {
        let path = |(component, server): (&Component, &Server)| HelperPath {
            identity: format!("{}-{BACKUP}", component.name),
            target: component.name,
            port: server.kind.profile().administration_port(),
            metrics: None,
            note: "The backups.",
            when: Some(value(&[component.name, "backup", "enabled"])),
            extra_egress: Some(value(&[component.name, "backup", "s3", "egress"])),
        };
        backed_up(graph).map(path).collect()
    }
}

/// The servers that can have backups.
pub(crate) fn backed_up(graph: &Graph) -> impl Iterator<Item = (&Component, &Server)> {
    graph.servers().filter(|(_, server)| server.has_backups())
}

/// Their names.
pub(crate) fn names(graph: &Graph) -> Vec<&'static str> {
    backed_up(graph).map(|(component, _)| component.name).collect()
}

/// The indentation of the Pod's `spec` in its named template.
const POD_INDENT: usize = 2;

/// Where backups lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Storage {
    Volume,
    S3,
}

fn scripts_digest() -> String {
    digest(SCRIPTS.map(|(_, text)| text))
}

/// A Pod, as text of a template of the server's chart; `.task` is the argument of `backup.sh`.
fn pod(graph: &Graph, component: &Component, storage: Storage) -> Pod {
    let (c, name) = (graph.name, component.name);
    let own = format!("{{{{ .Release.Name }}}}-{{{{ .Chart.Name }}}}-{BACKUP}");
    let include = |helper: &str| format!(r#"{{{{ include "{c}.{name}.{helper}" . }}}}"#);
    let number = |key: &str| format!("{{{{ int {} | quote }}}}", bare(&value(&["backup", "retention", key])));
    let s3 = |key: &str| format!("{{{{ {} | quote }}}}", bare(&value(&["backup", "s3", key])));
    let secret = format!(r#"{{{{ include "{c}.serverSecret" . | quote }}}}"#);
    let resources = Some(format!(r#"{{{{- include "{c}.{name}.backupResources" . | trim | nindent 8 }}}}"#));
    let size = format!("{{{{ {} }}}}", bare(&value(&["persistence", "size"])));
    let mut container = Container {
        image: Some(ContainerImage::of_server(graph, name)),
        command: Some("[sh, /opt/backup/backup.sh, {{ .task }}]".to_owned()),
        env: vec![
            EnvVar::new("PGHOST", include("host")),
            EnvVar::new("PGUSER", include("backupLogin")),
            EnvVar::of_secret("PGPASSWORD", &secret, "backup.r{{ int .Values.credentials.backup.revision }}"),
            EnvVar::new("RELEASE", "{{ .Release.Name | quote }}"),
            EnvVar::new("DATABASES", include("databases")),
            EnvVar::new("STATUS", include("backupStatus")),
            EnvVar::new("KEEP_COUNT", number("count")),
            EnvVar::new("KEEP_DAYS", number("days")),
        ],
        resources: resources.clone(),
        mounts: vec![
            Mount::new("scripts", "/opt/backup").read_only(),
            Mount::new("scratch", "/scratch"),
            Mount::new("tmp", "/tmp"),
        ],
        ..Container::new(BACKUP)
    };
    let mut volumes = vec![
        Volume::config_map("scripts", &format!("{own}-{}", scripts_digest()), &[]),
        Volume::scratch("scratch", &size).note("Restored data need as much room as the server's."),
        Volume::memory("tmp", "4Mi"),
    ];
    let mut init_containers = Vec::new();
    match storage {
        Storage::Volume => {
            container.mounts.insert(0, Mount::new("backups", "/backups"));
            volumes.insert(0, Volume::claim("backups", &own));
        }
        Storage::S3 => {
            container.env.extend([
                EnvVar::new("S3_PROVIDER", s3("provider")),
                EnvVar::new("S3_ENDPOINT", s3("endpoint")),
                EnvVar::new("S3_REGION", s3("region")),
                EnvVar::new("S3_PATH", include("backupPath")),
            ]);
            container.mounts.push(Mount::new("rclone", "/opt/rclone").read_only());
            container.mounts.push(Mount::new("store", "/etc/store").read_only());
            volumes.push(Volume::scratch("rclone", "256Mi"));
            volumes.push(Volume::projected(
                "store",
                &format!(r#"{{{{- include "{c}.{name}.backupStore" . | trim | nindent 10 }}}}"#),
            ));
            init_containers.push(Container {
                notes: vec!["rclone is one file. pg_dump and rclone in one container need no copy of a dump between them.".to_owned()],
                image: Some(ContainerImage {
                    reference: format!(
                        r#"{{{{ include "{c}.image" (dict "Values" (dict "global" .Values.global "image" .Values.backup.s3.image)) | quote }}}}"#
                    ),
                    pull_policy: "{{ .Values.backup.s3.image.pullPolicy }}".to_owned(),
                }),
                command: Some("[cp, /usr/local/bin/rclone, /etc/ssl/certs/ca-certificates.crt, /opt/rclone/]".to_owned()),
                resources,
                mounts: vec![Mount::new("rclone", "/opt/rclone")],
                ..Container::new("rclone")
            });
        }
    }
    Pod {
        scope: Scope::Own,
        service_account: own,
        token: "false".to_owned(),
        no_service_links: None,
        restart_policy: Some(RestartPolicy { value: "Never".to_owned(), note: Some("Keeps the log of a failed run.") }),
        grace_period: Some(Noted {
            value: 2,
            note: "A backup that is ended has no name yet, so there is nothing to save.",
        }),
        security: pod_security(component.run_as_user, true),
        init_containers,
        containers: vec![container],
        further: FurtherOfPod::default(),
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
#[template(path = "addons/backup/_pod.tpl")]
struct PodTemplate<'a> {
    c: &'a Graph,
    name: &'a str,
    on_volume: String,
    on_s3: String,
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
