//! Environments: the same platform with other sizes and settings.

use crate::{
    BackingName, DnsLabel, EnvironmentName, HostName, ObjectName, Quantity, ServiceName, SourceLocation, Tag,
    VariableName,
};

/// An environment that the platform is installed in: a list of changes of sizes and settings. It cannot change the structure.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// A description, in one line.
    pub doc: &'static str,
    /// The differences from the defaults.
    pub changes: &'static [Change],
    /// Where it is declared.
    pub location: SourceLocation,
}

impl Environment {
    /// An environment, with its differences from the defaults.
    ///
    /// # Panics
    /// When the name breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(name: &'static str, doc: &'static str, changes: &'static [Change]) -> Self {
        Self { name: EnvironmentName::new(name), doc, changes, location: SourceLocation::here() }
    }

    /// The store that External Secrets reads in this environment, if the environment uses External Secrets.
    #[must_use]
    pub fn secret_source(&self) -> Option<SecretSource> {
        self.changes.iter().find_map(|change| match change {
            Change::ExternalSecrets(source) => Some(*source),
            _ => None,
        })
    }
}

/// A difference from the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sets a setting of a service.
    Setting {
        /// The service.
        service: ServiceName,
        /// The setting's variable.
        variable: VariableName,
        /// The value, as text.
        value: &'static str,
    },
    /// Sets the tag of a service's image.
    ImageTag {
        /// The service.
        service: ServiceName,
        /// The tag.
        tag: Tag,
    },
    /// Sets the number of pods, while autoscaling is disabled.
    Replicas {
        /// The service.
        service: ServiceName,
        /// The number of pods.
        count: u16,
    },
    /// Enables autoscaling.
    Autoscaled {
        /// The service.
        service: ServiceName,
    },
    /// Exposes a service on a port of every node.
    NodePort {
        /// The service.
        service: ServiceName,
        /// The port, from the cluster's range of node ports: 30000 to 32767.
        port: u16,
    },
    /// Exposes a service through an Ingress with TLS.
    Ingress {
        /// The service.
        service: ServiceName,
        /// The host.
        host: HostName,
        /// The ingress class.
        class: ObjectName,
        /// The certificate.
        certificate: Certificate,
    },
    /// Names the ingress controller or gateway of the cluster.
    Controller(EdgeController),
    /// Takes the Secrets from External Secrets.
    ExternalSecrets(SecretSource),
    /// Enables the backups of a server.
    BackedUp {
        /// The server.
        backing: BackingName,
    },
    /// Enables the metrics, the exporters and the alerts.
    Monitored(Monitoring),
    /// Names the store to which the chart with the log agent sends the logs.
    Logged(LogStore),
    /// Sets the size of a server's data volume.
    Storage {
        /// The server.
        backing: BackingName,
        /// The size.
        size: Quantity,
    },
}

/// Where the TLS certificate of a host comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// A Secret of type `kubernetes.io/tls` that exists in the release's namespace.
    Secret(ObjectName),
    /// A `ClusterIssuer` of cert-manager; the chart creates the `Certificate`.
    ClusterIssuer(ObjectName),
    /// An `Issuer` of cert-manager in the release's namespace; the chart creates the `Certificate`.
    Issuer(ObjectName),
}

impl Certificate {
    /// The certificate in an existing Secret.
    ///
    /// # Panics
    /// When the text is not the name of an object; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn secret(name: &'static str) -> Self {
        Self::Secret(ObjectName::new(name))
    }

    /// A certificate that cert-manager gets from this `ClusterIssuer`.
    ///
    /// # Panics
    /// When the text is not the name of an object; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn cluster_issuer(name: &'static str) -> Self {
        Self::ClusterIssuer(ObjectName::new(name))
    }

    /// A certificate that cert-manager gets from this `Issuer`.
    ///
    /// # Panics
    /// When the text is not the name of an object; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn issuer(name: &'static str) -> Self {
        Self::Issuer(ObjectName::new(name))
    }
}

/// An ingress controller or gateway whose pods the chart knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeController {
    /// Traefik, as k3s installs it.
    Traefik,
    /// Cilium's own proxy.
    Cilium,
    /// Istio's gateways.
    Istio,
    /// Envoy Gateway. It serves no Ingress.
    EnvoyGateway,
    /// The ingress controller of HAProxy Technologies.
    HAProxy,
    /// A controller on the network of the nodes.
    HostNetwork,
}

/// The store that External Secrets reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A store that the chart makes from the passwords in the values.
    Values,
    /// A `SecretStore` in the release's namespace.
    Store(ObjectName),
    /// A `ClusterSecretStore`.
    ClusterStore(ObjectName),
}

/// How Prometheus finds the metrics and the alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitoring {
    /// By annotations, and rules in a `ConfigMap`.
    Annotations,
    /// By `PodMonitor` and `PrometheusRule` objects of the Prometheus operator.
    Operator,
    /// As [`Monitoring::Operator`], with the label `release`, by which the Prometheus of this release of kube-prometheus-stack selects its objects.
    KubePrometheusStack(DnsLabel),
}

impl Monitoring {
    /// Monitoring by the Prometheus of this release of kube-prometheus-stack.
    ///
    /// # Panics
    /// When the text is not a DNS label; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn kube_prometheus_stack(release: &'static str) -> Self {
        Self::KubePrometheusStack(DnsLabel::new(release))
    }
}

/// A log store in the cluster, which takes OTLP over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStore {
    /// Loki from version 3, at its own port 3100.
    Loki(ClusterService),
    /// VictoriaLogs, at its port 9428.
    VictoriaLogs(ClusterService),
}

/// A Service of the cluster outside the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterService {
    /// Its name.
    pub name: DnsLabel,
    /// Its namespace, in which its pods run, too.
    pub namespace: DnsLabel,
}

impl ClusterService {
    /// The Service with this name in this namespace.
    ///
    /// # Panics
    /// When one of the two is not a DNS label; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(name: &'static str, namespace: &'static str) -> Self {
        Self { name: DnsLabel::new(name), namespace: DnsLabel::new(namespace) }
    }
}

/// Sets a setting of a service.
#[must_use]
pub const fn setting(service: ServiceName, variable: VariableName, value: &'static str) -> Change {
    Change::Setting { service, variable, value }
}

/// Sets the default tag of a service's image.
///
/// Use a moving tag (`latest`) in test environments only: two installations may run different builds, so may two pods, and a rollback does not restore the
/// previous build.
///
/// # Panics
/// When the text is not a tag; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn image_tag(service: ServiceName, tag: &'static str) -> Change {
    Change::ImageTag { service, tag: Tag::new(tag) }
}

/// Sets the number of pods, while autoscaling is disabled.
#[must_use]
pub const fn replicas(service: ServiceName, count: u16) -> Change {
    Change::Replicas { service, count }
}

/// Enables autoscaling.
#[must_use]
pub const fn autoscaled(service: ServiceName) -> Change {
    Change::Autoscaled { service }
}

/// Exposes a service on this port of every node.
#[must_use]
pub const fn exposed_at_node_port(service: ServiceName, port: u16) -> Change {
    Change::NodePort { service, port }
}

/// Exposes a service at this host, through an Ingress of this class with TLS. [`behind`] names the controller.
///
/// # Panics
/// When the class is not the name of an object; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn exposed_at_host(
    service: ServiceName,
    host: HostName,
    class: &'static str,
    certificate: Certificate,
) -> Change {
    Change::Ingress { service, host, class: ObjectName::new(class), certificate }
}

/// Names the ingress controller or gateway of the cluster, whose pods the NetworkPolicies let in.
#[must_use]
pub const fn behind(controller: EdgeController) -> Change {
    Change::Controller(controller)
}

/// Takes the Secrets from External Secrets, which makes them from this source.
#[must_use]
pub const fn external_secrets(source: SecretSource) -> Change {
    Change::ExternalSecrets(source)
}

/// Enables the backups of a server, on a volume.
#[must_use]
pub const fn backed_up(backing: BackingName) -> Change {
    Change::BackedUp { backing }
}

/// Opens the metrics to Prometheus, and enables the exporters of servers and the alerts.
#[must_use]
pub const fn monitored(monitoring: Monitoring) -> Change {
    Change::Monitored(monitoring)
}

/// Sends the logs to this store. The values are in a file of their own, for the chart with the log agent.
#[must_use]
pub const fn logged(store: LogStore) -> Change {
    Change::Logged(store)
}

/// Sets the size of a server's data volume.
///
/// # Panics
/// When the size is not a quantity; in a `const` this is a compile error.
#[must_use]
#[track_caller]
pub const fn storage(backing: BackingName, size: &'static str) -> Change {
    Change::Storage { backing, size: Quantity::new(size) }
}
