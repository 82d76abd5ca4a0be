//! The traffic that a platform declares. The proofs of the NetworkPolicies compare the rendered policies and the cluster with it.

use vocabulary::Resolved;

use crate::addons::backup::Backup;
use crate::addons::exporter::Exporters;
use crate::addons::provisioning::Provisioning;
use crate::addons::{AddOn, authentication, instrumentation};
use crate::graph::{Component, Edge, Graph};
use crate::names;

/// A network path that a declaration needs: Pods of `from` open connections to `port` of Pods of `to`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessPath {
    /// The service that connects.
    pub from: String,
    /// The component that it connects to.
    pub to: String,
    /// The port, the same on the Pod and on its Service.
    pub port: u16,
}

/// All traffic that the NetworkPolicies of [`crate::generate`] allow, with its conditions.
///
/// In addition, every Pod may query the cluster's DNS, and the values `network.extraIngress` and `network.extraEgress` of a service allow more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The label by which policies select Pods.
    pub identity_label: String,
    /// The services; each is installed when `<service>.enabled` is true.
    pub services: Vec<String>,
    /// The servers, always installed.
    pub backing: Vec<String>,
    /// The paths of the declared uses, in order: open while the services at both ends are installed.
    pub paths: Vec<AccessPath>,
    /// From the Jobs that manage a server's logins, by their identity, to the server.
    pub provisioning: Vec<AccessPath>,
    /// From the backups of a server, by their identity, to the server: open when `<server>.backup.enabled` is true.
    pub backup: Vec<AccessPath>,
    /// The exporters of servers, which run when `<server>.exporter.enabled` is true.
    pub exporters: Vec<ExporterTraffic>,
    /// The proxies in front of exposed services, each of which exists when `<service>.exposure.authentication.mode` is not `None`. Users reach
    /// the proxy in place of the service then.
    pub proxies: Vec<ProxyTraffic>,
    /// The paths of the Pods of `helm test`, while they run.
    pub tests: TestTraffic,
    /// Ports that users reach through a service's `exposure.via`: from the pods of the ingress controller or gateway, or from any address.
    pub exposed_ports: Vec<ComponentPort>,
    /// Ports that the namespace of monitoring reaches when `global.metrics.enabled` is true.
    pub metrics: Vec<ComponentPort>,
    /// Services that send spans to the peers of `global.tracing.egress` when `global.tracing.enabled` is true.
    pub traced: Vec<String>,
    /// Services that may always connect to the Kubernetes API server; the others may when `<service>.rbac.extraRules` has rules.
    pub kubernetes: Vec<String>,
}

impl Traffic {
    /// Every identity that a Pod of a release can have, once.
    pub fn identities(&self) -> impl Iterator<Item = &str> {
        let tests = &self.tests;
        let end_to_end = (!tests.end_to_end_paths.is_empty()).then_some(&tests.end_to_end);
        let exporters = self.exporters.iter().map(|exporter| &exporter.path);
        let proxies = self.proxies.iter().flat_map(|proxy| [&proxy.path.from, &proxy.test.from]);
        let provisioning = self.provisioning.iter().chain(&self.backup).chain(exporters).map(|path| &path.from);
        let all = self
            .services
            .iter()
            .chain(&self.backing)
            .chain(provisioning)
            .chain(proxies)
            .chain([&tests.network_policy])
            .chain(end_to_end);
        all.map(String::as_str)
    }
}

/// The traffic of the exporter of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExporterTraffic {
    /// From the exporter, by its identity, to the server.
    pub path: AccessPath,
    /// The port with its metrics, which the namespace of monitoring reaches when `global.metrics.enabled` is true, too.
    pub metrics: u16,
}

/// The traffic of the proxy in front of an exposed service. The values `network` beside its mode allow more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyTraffic {
    /// From the proxy, by its identity, to the service.
    pub path: AccessPath,
    /// The port of the proxy, which users reach.
    pub port: u16,
    /// From the Pod of the test, by its identity, to the proxy.
    pub test: AccessPath,
}

/// The traffic of the Pods of `helm test` with an identity of their own. The others have the identity of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestTraffic {
    /// The identity of the Pod that tries closed ports: its own policy allows egress to the whole release, and no other policy allows its ingress.
    /// It exists when `global.tests.isolation` is true.
    pub network_policy: String,
    /// The identity of the Pod of the end-to-end test.
    pub end_to_end: String,
    /// Its paths; empty where no end-to-end test is declared. Open when `global.tests.endToEnd` is true.
    pub end_to_end_paths: Vec<AccessPath>,
    /// The services that the end-to-end test needs.
    pub end_to_end_services: Vec<String>,
}

/// A port of a component's Pods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComponentPort {
    /// The component.
    pub of: String,
    /// Its number.
    pub number: u16,
}

/// All traffic of a platform, from its graph.
#[must_use]
pub fn traffic(platform: &Resolved) -> Traffic {
    let graph = Graph::of(platform);
    let port = |component: &Component, number| ComponentPort { of: component.name.to_owned(), number };
    let path = |from: &str, to: &str, port: u16| AccessPath { from: from.to_owned(), to: to.to_owned(), port };
    let of_edge = |edge: &Edge| edge.ports.iter().map(|port| path(edge.client, edge.target, *port)).collect::<Vec<_>>();
    let mut paths: Vec<AccessPath> = graph.edges.iter().flat_map(of_edge).collect();
    paths.sort();
    let test = graph.end_to_end.as_ref();
    let of_add_on = |add_on: &dyn AddOn| {
        let helpers = add_on.paths(&graph);
        helpers.iter().map(|helper| path(&helper.identity, helper.target, helper.port)).collect()
    };
    let exporters = Exporters.paths(&graph);
    let exporters = exporters.iter().filter_map(|helper| {
        let path = path(&helper.identity, helper.target, helper.port);
        helper.metrics.map(|metrics| ExporterTraffic { path, metrics })
    });
    Traffic {
        identity_label: format!("{}/identity", graph.name),
        services: graph.services().map(|(service, _)| service.name.to_owned()).collect(),
        backing: graph.servers().map(|(server, _)| server.name.to_owned()).collect(),
        paths,
        provisioning: of_add_on(&Provisioning),
        backup: of_add_on(&Backup),
        exporters: exporters.collect(),
        proxies: graph
            .exposed()
            .map(|(service, number)| ProxyTraffic {
                path: path(&authentication::identity(service), service, number),
                port: authentication::PORT,
                test: path(
                    &authentication::test_identity(service),
                    &authentication::identity(service),
                    authentication::PORT,
                ),
            })
            .collect(),
        tests: TestTraffic {
            network_policy: names::NETWORK_POLICY_TEST.to_owned(),
            end_to_end: names::END_TO_END_TEST.to_owned(),
            end_to_end_paths: test.map_or_else(Vec::new, |test| {
                test.paths.iter().map(|(to, port)| path(names::END_TO_END_TEST, to, *port)).collect()
            }),
            end_to_end_services: test
                .map_or_else(Vec::new, |test| test.services.iter().map(|service| (*service).to_owned()).collect()),
        },
        exposed_ports: graph.exposed().map(|(of, number)| ComponentPort { of: of.to_owned(), number }).collect(),
        metrics: graph
            .components
            .iter()
            .flat_map(|component| component.metrics_ports().map(move |(one, _)| port(component, one.number)))
            .collect(),
        traced: instrumentation::traced(&graph).map(|(service, _)| service.name.to_owned()).collect(),
        kubernetes: graph
            .services()
            .filter(|(_, service)| !service.api_rules.is_empty())
            .map(|(component, _)| component.name.to_owned())
            .collect(),
    }
}
