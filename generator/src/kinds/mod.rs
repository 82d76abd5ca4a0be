//! The kinds of servers: one folder per kind, with its rights, its templates and what its clients get.
//!
//! A further kind is a folder here and one line in `kinds!`; nothing else in this crate names a kind.

use vocabulary::{Kind, PasswordVariable, Use, VariableName};

use crate::emit::chart_yaml::{chart_yaml, service_account};
use crate::emit::values::Section;
use crate::files::Files;
use crate::graph::{Check, Component, EnvBinding, Graph, Login, Port, Purpose, Server};
use crate::workloads::server::EmbeddedServer;

/// Registers the kinds: the variant of the vocabulary and the folder of each.
macro_rules! kinds {
    ($($variant:ident => $module:ident),* $(,)?) => {
        $(mod $module;)*

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

    /// What the README adds about a service that is switched off, as a sentence: what remains at a server of this kind besides data.
    fn disabled_note(&self) -> Option<&'static str> {
        None
    }

    /// What the README adds about the tests of a use, as a sentence: why they leave nothing at a server of this kind.
    fn test_note(&self) -> Option<&'static str> {
        None
    }

    /// The commands that list and remove logins in the Pod of a server of this kind, as Markdown.
    fn login_commands(&self) -> Option<&'static str> {
        None
    }

    /// The script in a server's chart that makes its logins.
    fn script(&self) -> &'static str;

    /// The server in the mode `embedded`: the chart runs it. Adds further files of its chart.
    fn embedded(&self, graph: &Graph, server: &Component, files: &mut Files) -> EmbeddedServer;

    /// The named templates that the provisioning Jobs of a server use, as the text of a file: its clients as data (`<platform>.<server>.clients`),
    /// the name of a client's login (`…login`) and what the script reads (`…declared`).
    fn provisioning(&self, graph: &Graph, server: &Component) -> String;
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

/// What follows for a client from its use of a server.
pub(crate) struct ClientFacts {
    /// The port that it connects to.
    pub(crate) port: u16,
    /// Its variables, in the order in which they are emitted.
    pub(crate) env: Vec<EnvBinding>,
    /// Its login.
    pub(crate) login: Login,
    /// What `helm test` tries.
    pub(crate) checks: Vec<Check>,
    /// The protocol of its login, a verb of the script that waits for it.
    pub(crate) protocol: &'static str,
    /// The variables with host and port.
    pub(crate) address: [VariableName; 2],
    /// The further variables that a login takes, in the script's order.
    pub(crate) login_variables: Vec<VariableName>,
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

/// What follows for a client from a use of a server.
///
/// # Panics
/// For a call, which uses no server.
pub(crate) fn client(used: &Use) -> ClientFacts {
    let kind = used.kind().expect("only a call has no server");
    of(kind).client(used)
}

/// The variables of a client's address and login, in the order that the scripts read them in.
fn script_variables(address: [VariableName; 2], login: Option<(VariableName, PasswordVariable)>) -> Vec<&'static str> {
    let login = login.into_iter().flat_map(|(user, password)| [user, password.name]);
    address.into_iter().chain(login).map(VariableName::as_str).collect()
}
