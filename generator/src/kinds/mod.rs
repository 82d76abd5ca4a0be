//! The kinds of servers: one folder per kind, with its rights, its templates and what its clients get.
//!
//! To add a kind, add its folder, its `mod` line and its line in `kinds!`. Nothing else in this crate names a kind.

mod postgresql;
mod rabbitmq;
mod valkey;

pub use rabbitmq::AmqpPermissions;
use vocabulary::{EarlierServer, Image, Kind, Resources, Use, VariableName};

use crate::alert::Alerts;
use crate::dashboard::ServerDashboards;
use crate::emit::chart_yaml::{chart_yaml, service_account};
use crate::emit::values::Section;
use crate::files::Files;
use crate::graph::{Component, Edge, EnvBinding, Graph, Login, LoginScripts, Port, Purpose, Server};
use crate::log_format::LogFormat;
use crate::workloads::server::EmbeddedServer;

/// Registers the kinds: the variant of the vocabulary and the folder of each.
macro_rules! kinds {
    ($($variant:ident => $module:ident),* $(,)?) => {
        /// What a login may do at its server, in the terms of the server's kind.
        pub(crate) enum Grants {
            $(#[doc = concat!("At a server of the kind `", stringify!($module), "`.")] $variant($module::Grants),)*
        }

        $(impl From<$module::Grants> for Grants {
            fn from(grants: $module::Grants) -> Self {
                Self::$variant(grants)
            }
        }

        impl<'a> TryFrom<&'a Grants> for &'a $module::Grants {
            type Error = ();

            fn try_from(grants: &'a Grants) -> Result<Self, ()> {
                #[allow(unreachable_patterns, reason = "with a single kind there is no other")]
                match grants {
                    Grants::$variant(grants) => Ok(grants),
                    _ => Err(()),
                }
            }
        })*

        impl Grants {
            /// The database that the login owns, if its server has databases.
            pub(crate) fn owned_database(&self) -> Option<&'static str> {
                match self {
                    $(Self::$variant(grants) => KindGrants::owned_database(grants),)*
                }
            }
        }

        /// The kind of a server.
        pub(crate) const fn of(kind: Kind) -> &'static dyn ServerKind {
            match kind {
                $(Kind::$variant => &$module::KIND,)*
            }
        }
    };
}

kinds! {
    RabbitMq => rabbitmq,
    PostgreSql => postgresql,
    Valkey => valkey,
}

/// A kind of server: what follows for its clients, and what its own chart contains.
pub(crate) trait ServerKind: Sync {
    /// Its fixed facts.
    fn profile(&self) -> &'static Profile;

    /// What follows for a client from a use of this kind.
    fn client(&self, used: &Use) -> ClientFacts;

    /// The values that only servers of this kind have, as one section of a server's values, with its key.
    fn values(&self) -> Option<(&'static str, Section)> {
        None
    }

    /// The documentation of that section.
    fn values_doc(&self) -> &'static str {
        ""
    }

    /// What the README adds to the section on access for servers of this kind, as paragraphs of Markdown.
    fn access_notes(&self, _graph: &Graph) -> Option<String> {
        None
    }

    /// What the chart makes at a server from the table of accesses, as a plural: `the roles of PostgreSQL`.
    fn rights_noun(&self) -> &'static str;

    /// The alerts of a server of this kind; none if it has no metrics.
    fn alerts(&self, _graph: &Graph, _server: &Component) -> Alerts {
        Alerts::default()
    }

    /// The program that reports the metrics of a server of this kind; none if the server does so itself.
    fn exporter(&self) -> Option<&'static Exporter> {
        None
    }

    /// What the dashboards show of a server of this kind; none if it exports no metrics.
    fn dashboards(&self) -> Option<&'static dyn ServerDashboards> {
        None
    }

    /// The format of the server's log; none if the log agent reads no severity.
    fn log_format(&self) -> Option<LogFormat> {
        None
    }

    /// A command in the server's Pod before its volume is copied as it is, as Velero does; none if the server needs none.
    fn snapshot_hook(&self) -> Option<SnapshotHook> {
        None
    }

    /// What the README adds about a service that is switched off, as a sentence: what remains at a server of this kind besides data.
    fn disabled_note(&self) -> Option<&'static str> {
        None
    }

    /// What the README adds about the tests of a use, as a sentence: why they leave nothing at a server of this kind.
    fn test_note(&self) -> Option<&'static str> {
        None
    }

    /// What of a server of this kind is in no backup, and why that is enough, as sentences; none if it has backups.
    fn backup_note(&self) -> Option<&'static str> {
        None
    }

    /// The logins that add-ons have at a server of this kind with these clients.
    fn add_on_logins(&self, _clients: &[&Edge]) -> Vec<AddOnLogin> {
        Vec::new()
    }

    /// The commands that list and remove logins in the Pod of a server of this kind, as Markdown.
    fn login_commands(&self) -> Option<&'static str> {
        None
    }

    /// The data that the server's version accepts on its volume, as Markdown for a cell of a table.
    fn readable_data(&self, server: &Server) -> String;

    /// How an installation moves to another version of a server, as a section of Markdown below a heading of the third level.
    fn version_steps(&self, graph: &Graph, server: &Component) -> String;

    /// A command that waits until the clients of a server of an earlier version have consumed all its messages; none for a server without messages.
    fn consumed(&self, _earlier: &EarlierServer) -> Option<String> {
        None
    }

    /// Commands that copy the databases of a server of an earlier version to the folder `moved`, and commands that restore them from there; none for a
    /// server without databases.
    fn moved(&self, _graph: &Graph, _server: &Component, _earlier: &EarlierServer) -> Option<[Vec<String>; 2]> {
        None
    }

    /// The script in a server's chart that makes its logins.
    fn script(&self) -> &'static str;

    /// The scripts that run with a client's login. The chart contains each once, however many servers of the kind there are.
    fn client_scripts(&self) -> &'static [ScriptFile];

    /// The server in the mode `embedded`: the chart runs it. Adds further files of its chart.
    fn embedded(&self, graph: &Graph, server: &Component, files: &mut Files) -> EmbeddedServer;

    /// The named templates that the provisioning Jobs of a server use, as the text of a file: its clients as data (`<platform>.<server>.clients`),
    /// the name of a client's login (`…login`) and what the script reads (`…declared`).
    fn provisioning(&self, graph: &Graph, server: &Component) -> String;
}

/// See [`ServerKind::snapshot_hook`].
pub(crate) struct SnapshotHook {
    /// Why it runs, as a comment.
    pub(crate) note: &'static str,
    pub(crate) container: &'static str,
    /// The command, as a YAML list on one line.
    pub(crate) command: &'static str,
}

/// The fixed facts of a kind.
pub(crate) struct Profile {
    /// The description of a server's chart, a sentence.
    pub(crate) doc: &'static str,
    /// Its administrator.
    pub(crate) administrator: Administrator,
    /// The ports that it listens on; the first is the one for clients.
    pub(crate) ports: &'static [Port],
    /// The user and group that the official image runs as.
    pub(crate) run_as_user: u32,
    /// The variant of the official image that the chart needs, as its tags name it.
    pub(crate) image_variant: Option<&'static str>,
}

/// A script of the chart.
#[derive(Clone, Copy)]
pub(crate) struct ScriptFile {
    /// The ConfigMap that contains it.
    pub(crate) set: ScriptSet,
    /// Its file name, unique among all scripts: one folder can contain both sets.
    pub(crate) name: &'static str,
    /// Its text.
    pub(crate) text: &'static str,
}

/// A ConfigMap with scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScriptSet {
    /// What connects to servers: there as long as the release.
    Connections,
    /// What only `helm test` runs: there while it runs.
    Tests,
}

/// The administrator of a server, which no program of the platform is.
pub(crate) struct Administrator {
    /// Its key in the values' `credentials` and in the server's Secret.
    pub(crate) key: &'static str,
    /// The name that it logs in with.
    pub(crate) login: &'static str,
    /// What the password is for, as a sentence.
    pub(crate) doc: &'static str,
}

/// A program that asks a server for its state and reports it as metrics. It has a login of its own at the server.
pub(crate) struct Exporter {
    /// Its image.
    pub(crate) image: Image,
    /// Where its project lists the architectures of the image: amd64 and arm64.
    pub(crate) image_source: &'static str,
    /// What one was measured to take, as text: processor time, memory, and the time until it is Ready.
    pub(crate) measured: [&'static str; 3],
    /// The user and group that the image runs as.
    pub(crate) run_as_user: u32,
    /// The port at which it reports the metrics, at `/metrics`.
    pub(crate) port: u16,
    /// A path that it answers without asking the server.
    pub(crate) health: &'static str,
    /// What it takes.
    pub(crate) resources: Resources,
    /// The variable with the server's address, and the text before and behind the host in it.
    pub(crate) address: (&'static str, [&'static str; 2]),
    /// The variables with the name and the password of its login.
    pub(crate) login: [&'static str; 2],
    /// The variable with the path of a file with further queries, for the results of the backups; none if its kind has no backups.
    pub(crate) backup_queries: Option<&'static str>,
}

/// The login of an add-on at a server.
pub(crate) struct AddOnLogin {
    /// The section of the server's values whose `enabled` switches the add-on on. Also the key of its credential.
    pub(crate) section: &'static str,
    /// What the password is for, as a sentence.
    pub(crate) doc: &'static str,
}

/// What follows for a client from its use of a server.
pub(crate) struct ClientFacts {
    /// The port that it connects to.
    pub(crate) port: u16,
    /// Its variables, in the order in which they are emitted.
    pub(crate) env: Vec<EnvBinding>,
    /// Its login.
    pub(crate) login: Login,
    /// The scripts that wait for its login and try it.
    pub(crate) scripts: LoginScripts,
    /// The variables with host and port.
    pub(crate) address: [VariableName; 2],
    /// What it may do, as Markdown for a cell of a table.
    pub(crate) rights_text: String,
}

impl Profile {
    /// The port that clients connect to.
    pub(crate) const fn port(&self) -> u16 {
        self.ports[0].number
    }

    /// The port through which logins are administered: a port for that alone, or else that of the clients.
    pub(crate) fn administration_port(&self) -> u16 {
        let own = self.ports.iter().find(|port| port.purpose == Purpose::Administration);
        own.map_or(self.port(), |port| port.number)
    }
}

/// Questions that other parts ask about the rights of any kind.
trait KindGrants {
    /// The database that the login owns.
    fn owned_database(&self) -> Option<&'static str> {
        None
    }
}

/// Adds the chart of a server.
pub(crate) fn files(graph: &Graph, component: &Component, server: &Server, files: &mut Files) {
    let (name, source) = (component.name, component.source);
    files.text(format!("charts/{name}/files/provisioning.sh"), server.kind.script().to_owned());
    files.subchart(name, "Chart.yaml", &chart_yaml(graph, name, server.kind.profile().doc, source));
    files.subchart(name, "templates/serviceaccount.yaml", &service_account(graph, source));
    server.kind.embedded(graph, component, files).files(graph, component, files);
}

/// The scripts of all kinds that a platform has servers of, for one ConfigMap.
pub(crate) fn client_scripts(graph: &Graph, set: ScriptSet) -> Vec<ScriptFile> {
    let mut scripts: Vec<ScriptFile> =
        graph.servers().flat_map(|(_, server)| server.kind.client_scripts()).copied().collect();
    scripts.retain(|script| script.set == set);
    scripts.sort_by_key(|script| script.name);
    scripts.dedup_by_key(|script| script.name);
    scripts
}

/// What the kinds of the platform's servers add to a section, each kind once.
pub(crate) fn notes_of_kinds(graph: &Graph, note: impl Fn(&dyn ServerKind) -> Option<String>) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for (_, server) in graph.servers() {
        if let Some(note) = note(server.kind).filter(|note| !notes.contains(note)) {
            notes.push(note);
        }
    }
    notes
}

/// What follows for a client from a use of a server.
///
/// # Panics
/// For a call, which uses no server.
pub(crate) fn client(used: &Use) -> ClientFacts {
    let kind = used.kind().expect("only a call has no server");
    of(kind).client(used)
}
