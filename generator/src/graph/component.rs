//! What runs: services and servers, with all that their charts need.

use vocabulary::{
    ApiRule, Backing, Health, Image, Metric, Protocol, Quantity, Resources, Runtime, Scaling, Setting, VariableSource,
    WritablePath,
};

use super::{Credential, Edge, EnvBinding, EnvValue};
use crate::kinds::{self, AddOnLogin, Exporter, ServerKind};
use crate::names::BACKUP;

/// Something with Pods, and so with a chart, a key in the values and a network identity of its own.
pub(crate) struct Component {
    /// Its name: its chart's, its key in the values, the last part of its objects' names.
    pub(crate) name: &'static str,
    /// Its description, one line.
    pub(crate) doc: String,
    /// The file that declares it.
    pub(crate) source: &'static str,
    /// Its image.
    pub(crate) image: Image,
    /// What one Pod's main container takes.
    pub(crate) resources: Resources,
    /// The user and group that its Pods run as.
    pub(crate) run_as_user: u32,
    /// The ports that it listens on.
    pub(crate) ports: Vec<Port>,
    /// The secrets that an installer has to give for it.
    pub(crate) credentials: Vec<Credential>,
    /// What it is.
    pub(crate) role: Role,
}

/// What a component is.
pub(crate) enum Role {
    /// A program of the platform, switched on and off by `<name>.enabled`.
    Service(Box<Service>),
    /// A server that the services use; always installed.
    Server(Server),
}

/// What only a service has.
pub(crate) struct Service {
    /// What runs its program.
    pub(crate) runtime: Runtime,
    /// Its variables, without secrets: those of its edges, then its own.
    pub(crate) env: Vec<EnvBinding>,
    /// Its probes.
    pub(crate) health: Health,
    /// How its number of Pods is decided.
    pub(crate) scaling: Scaling,
    /// The port that users outside the cluster reach, if any.
    pub(crate) exposed: Option<ExposedPort>,
    /// What it may do at the Kubernetes API.
    pub(crate) api_rules: &'static [ApiRule],
    /// The folders that it writes to.
    pub(crate) writable: &'static [WritablePath],
    /// The metrics on its port for metrics.
    pub(crate) metrics: &'static [Metric],
    /// The personal data in its log, as a part of a sentence.
    pub(crate) personal_log: Option<&'static str>,
}

/// What only a server has.
pub(crate) struct Server {
    /// Its kind.
    pub(crate) kind: &'static dyn ServerKind,
    /// The logins that add-ons have at it.
    pub(crate) add_on_logins: Vec<AddOnLogin>,
    /// The size of its volume.
    pub(crate) storage: Quantity,
    /// The product's name, as its vendor writes it.
    pub(crate) product: &'static str,
    /// The version that decides whether its image can use the data on its volume.
    pub(crate) version: &'static str,
}

/// A port that users outside the cluster reach.
#[derive(Clone, Copy)]
pub(crate) struct ExposedPort {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its number.
    pub(crate) number: u16,
}

/// A port that a component listens on.
#[derive(Clone, Copy)]
pub(crate) struct Port {
    /// Its name, unique in its component.
    pub(crate) name: &'static str,
    /// Its number, the same on the Pod and on its Service.
    pub(crate) number: u16,
    /// Who has a reason to connect to it.
    pub(crate) purpose: Purpose,
}

/// Who has a reason to connect to a port.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Other components, by their uses.
    Clients,
    /// The Jobs that administer a server's logins. Where clients and Jobs share a port, that is [`Purpose::Clients`].
    Administration,
    /// Monitoring, at this path.
    Metrics(&'static str),
}

impl Component {
    /// What only a service has.
    pub(crate) fn service(&self) -> Option<&Service> {
        match &self.role {
            Role::Service(service) => Some(service),
            Role::Server(_) => None,
        }
    }

    /// What only a server has.
    pub(crate) fn server(&self) -> Option<&Server> {
        match &self.role {
            Role::Server(server) => Some(server),
            Role::Service(_) => None,
        }
    }

    /// What reports the metrics of a server that does not do so itself.
    pub(crate) fn exporter(&self) -> Option<&'static Exporter> {
        self.server().and_then(|server| server.kind.exporter())
    }

    /// Whether something reports its metrics: the component itself, or its exporter.
    pub(crate) fn has_metrics(&self) -> bool {
        self.scraped().is_some() || self.exporter().is_some()
    }

    /// Whether `<name>.enabled` switches it on and off.
    pub(crate) fn is_optional(&self) -> bool {
        self.service().is_some()
    }

    /// The ports that monitoring scrapes, each with the path.
    pub(crate) fn metrics_ports(&self) -> impl Iterator<Item = (&Port, &'static str)> {
        self.ports.iter().filter_map(|port| match port.purpose {
            Purpose::Metrics(path) => Some((port, path)),
            Purpose::Clients | Purpose::Administration => None,
        })
    }
}

impl Component {
    /// The first port that monitoring scrapes, and the path. The annotations of a Service can name one only.
    pub(crate) fn scraped(&self) -> Option<(u16, &'static str)> {
        self.metrics_ports().next().map(|(port, path)| (port.number, path))
    }
}

impl Server {
    /// Whether it can have backups: they have a login at it.
    pub(crate) fn has_backups(&self) -> bool {
        self.add_on_logins.iter().any(|login| login.section == BACKUP)
    }
}

impl Service {
    /// Its settings, by their keys in the values.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, Setting)> {
        self.env.iter().filter_map(|binding| match &binding.value {
            EnvValue::Setting { key, setting } => Some((key.as_str(), *setting)),
            _ => None,
        })
    }

    /// Whether its health is judged by its own connections.
    pub(crate) fn is_judged_by_connections(&self) -> bool {
        matches!(self.health, Health::Connections(_))
    }
}

/// The component of a service, whose edges these are.
pub(super) fn of_service<'a>(
    service: &vocabulary::Service,
    edges: impl Iterator<Item = &'a Edge> + Clone,
) -> Component {
    let name = service.name.as_str();
    let port = |port: &vocabulary::Port| Port {
        name: port.name.as_str(),
        number: port.number,
        purpose: match port.protocol {
            Protocol::Http | Protocol::Tcp => Purpose::Clients,
            Protocol::Metrics => Purpose::Metrics("/metrics"),
        },
    };
    let of_edges = edges.clone().flat_map(|edge| edge.env.iter().filter(|binding| !binding.is_secret()).cloned());
    let own = service.environment.iter().filter_map(own_binding);
    let logins = edges.filter_map(Credential::of_login);
    let own_secrets = service.environment.iter().filter_map(|variable| match variable.source {
        VariableSource::Secret(doc) => Some(Credential::of_variable(name, variable.name, doc)),
        VariableSource::Fixed(_) | VariableSource::Port(_) | VariableSource::Setting(_) => None,
    });
    Component {
        name,
        doc: service.doc.to_owned(),
        source: service.location.file(),
        image: service.image,
        resources: service.resources,
        run_as_user: service.run_as_user,
        ports: service.ports.iter().map(port).collect(),
        credentials: logins.chain(own_secrets).collect(),
        role: Role::Service(Box::new(Service {
            runtime: service.runtime,
            env: of_edges.chain(own).collect(),
            health: service.health,
            scaling: service.scaling,
            exposed: service
                .exposure
                .map(|exposure| ExposedPort { name: exposure.port.name.as_str(), number: exposure.port.number }),
            api_rules: service.kubernetes,
            writable: service.writable,
            metrics: service.metrics,
            personal_log: service.personal_log,
        })),
    }
}

/// A variable that comes from no edge; a secret one is a credential instead.
fn own_binding(variable: &vocabulary::Variable) -> Option<EnvBinding> {
    let value = match variable.source {
        VariableSource::Fixed(text) => EnvValue::Text(text),
        VariableSource::Port(port) => EnvValue::Port(port.number),
        VariableSource::Setting(setting) => EnvValue::Setting { key: variable.name.camel_case(), setting },
        VariableSource::Secret(_) => return None,
    };
    Some(EnvBinding { variable: variable.name.as_str(), value })
}

/// The component of a server.
pub(super) fn of_server(declared: &Backing, edges: &[Edge]) -> Component {
    let kind = kinds::of(declared.kind());
    let name = declared.name().as_str();
    let clients: Vec<&Edge> = edges.iter().filter(|edge| edge.target == name).collect();
    let add_on_logins = kind.add_on_logins(&clients);
    let administrator = Credential::of_administrator(name, &kind.profile().administrator);
    Component {
        name,
        doc: format!("{}, used by the services.", declared.kind().product()),
        source: declared.location().file(),
        image: declared.image(),
        resources: declared.resources(),
        run_as_user: kind.profile().run_as_user,
        ports: kind.profile().ports.to_vec(),
        credentials: [administrator]
            .into_iter()
            .chain(add_on_logins.iter().map(|login| Credential::of_add_on(name, login)))
            .collect(),
        role: Role::Server(Server {
            kind,
            add_on_logins,
            storage: declared.storage(),
            product: declared.kind().product(),
            version: declared.version().as_str(),
        }),
    }
}
