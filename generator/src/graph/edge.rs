//! Who uses what of whom: one edge per declared use, with all that follows from it at both ends.

use vocabulary::{Call, Client, LoginEnv, Reconnects, Setting, VariableName};

use crate::kinds::{ClientFacts, Grants};

/// A service uses a server or calls another service.
pub(crate) struct Edge {
    /// The service that connects.
    pub(crate) client: &'static str,
    /// The component that is connected to.
    pub(crate) target: &'static str,
    /// The ports of the target that the client connects to.
    pub(crate) ports: Vec<u16>,
    /// The client's variables, in the order in which they are emitted.
    pub(crate) env: Vec<EnvBinding>,
    /// The login at the target; none for a call.
    pub(crate) login: Option<Login>,
    /// The scripts that run with the login; none for a call.
    pub(crate) scripts: Option<LoginScripts>,
    /// What `helm test` requests from the called service; none at a server.
    pub(crate) request: Option<Request>,
    /// How its connection is watched, where the client never reconnects by itself.
    pub(crate) watch: Option<Watch>,
    /// What the client may do at the target, as Markdown for a cell of the README's table.
    pub(crate) rights_text: String,
}

/// A variable of a client, and where its value comes from.
#[derive(Clone)]
pub(crate) struct EnvBinding {
    /// The variable's name.
    pub(crate) variable: &'static str,
    /// Where its value comes from.
    pub(crate) value: EnvValue,
}

/// Where a variable's value comes from.
#[derive(Clone)]
pub(crate) enum EnvValue {
    /// The host name of this component.
    HostOf(&'static str),
    /// A port's number.
    Port(u16),
    /// The declaration: the same in every release.
    Text(&'static str),
    /// The values, with a default.
    Setting {
        /// The key below `settings`.
        key: String,
        /// Its type, default and documentation.
        setting: Setting,
    },
    /// The service's Secret: the name of a login.
    UserName,
    /// The service's Secret: the password of a login.
    Password,
    /// One key of the service's Secret, for a container that takes no other.
    SecretKey(&'static str),
}

/// A login of a service at a server.
pub(crate) struct Login {
    /// How it is called.
    pub(crate) name: LoginName,
    /// The variables that get name and password; none for a client that cannot log in.
    pub(crate) variables: Option<LoginEnv>,
    /// What it may do, in the terms of the server's kind.
    pub(crate) grants: Grants,
}

/// How a login is called. Where several logins of a service can exist side by side, the name carries the credential's revision; where several
/// releases can share a server, it carries the release.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginName {
    /// The server's default user, of whom there is one.
    Default,
    /// `<namespace>.<release>.<service>.r<revision>`, for servers that take any name.
    Dotted,
    /// `<service>_r<revision>_<release hash>`: an SQL identifier of at most 63 bytes that needs no quotes.
    SqlIdentifier,
}

/// The scripts that containers run with the login of a client.
pub(crate) struct LoginScripts {
    /// Address and login, under the names that the scripts read.
    pub(crate) env: Vec<EnvBinding>,
    /// Waits until the login works.
    pub(crate) wait: Script,
    /// Tries what the client declares, for `helm test`.
    pub(crate) test: Script,
    /// Runs the statement that removes what the end-to-end test left, at a server with databases.
    pub(crate) clean_up: Option<Script>,
}

/// How a script is run.
pub(crate) struct Script {
    /// What runs it.
    pub(crate) runner: Runner,
    /// The name of its file.
    pub(crate) file: &'static str,
    /// Its arguments.
    pub(crate) arguments: Vec<&'static str>,
}

/// What runs a script.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// Python 3, in the service's own image or in that of the tests.
    Python,
    /// `sh` in the image of the server, which contains the server's client programs.
    ServerImage,
}

/// A request to a service, for `helm test`.
pub(crate) struct Request {
    /// The route, which has to succeed. Without one, `/` is requested and may answer with any status below 500.
    pub(crate) path: Option<&'static str>,
}

/// A connection that the client never opens again once it is lost, or one on the same port as such a connection.
pub(crate) struct Watch {
    /// How it is known that the client never reconnects; none for a connection that only shares the port.
    pub(crate) reason: Option<&'static str>,
    /// The variables with host and port.
    pub(crate) address: [&'static str; 2],
}

impl EnvBinding {
    /// A variable of a client that a server's kind derives.
    pub(crate) const fn new(variable: VariableName, value: EnvValue) -> Self {
        Self { variable: variable.as_str(), value }
    }

    /// Whether the value comes from the service's Secret, which the container takes as a whole.
    pub(crate) const fn is_secret(&self) -> bool {
        matches!(self.value, EnvValue::UserName | EnvValue::Password)
    }
}

/// The edge of a call.
pub(super) fn of_call(client: &'static str, call: &Call) -> Edge {
    let (target, port) = (call.endpoint.service.as_str(), call.endpoint.port.number);
    let (host_variable, port_variable) = (call.env.host, call.env.port);
    Edge {
        client,
        target,
        ports: vec![port],
        env: vec![
            EnvBinding::new(host_variable, EnvValue::HostOf(target)),
            EnvBinding::new(port_variable, EnvValue::Port(port)),
        ],
        login: None,
        scripts: None,
        request: Some(Request { path: call.path.map(vocabulary::HttpPath::as_str) }),
        watch: None,
        rights_text: "call it".to_owned(),
    }
}

/// The edge of a server's client, whose kind says what follows from it.
pub(super) fn of_client(client: &'static str, declared: &Client, facts: ClientFacts) -> Edge {
    let reason = match declared.reconnects {
        Reconnects::Never(reason) => Some(reason),
        Reconnects::ByItself => None,
    };
    Edge {
        client,
        target: declared.backing.as_str(),
        ports: vec![facts.port],
        env: facts.env,
        login: Some(facts.login),
        scripts: Some(facts.scripts),
        request: None,
        watch: Some(Watch { reason, address: facts.address.map(VariableName::as_str) }),
        rights_text: facts.rights_text,
    }
}

/// Keeps a service's connections under watch where it never opens them again, and those that share a port with one of these: in the Pod's
/// TCP table the two cannot be told apart by the port alone.
pub(super) fn keep_watched(edges: &mut [Edge]) {
    let lost_for_good = |edge: &Edge| edge.watch.as_ref().is_some_and(|watch| watch.reason.is_some());
    let ports: Vec<u16> = edges.iter().filter(|edge| lost_for_good(edge)).flat_map(|edge| edge.ports.clone()).collect();
    for edge in edges {
        let shares_port = edge.ports.iter().any(|port| ports.contains(port));
        if !lost_for_good(edge) && !shares_port {
            edge.watch = None;
        }
    }
}
