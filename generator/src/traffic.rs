//! The traffic that a platform declares: what every proof of its NetworkPolicies is compared with.

use vocabulary::Resolved;

use crate::addons;
use crate::graph::{Component, Edge, Graph};
use crate::names;

/// A path over the network that a declaration needs: pods of `from` open connections to `port` of pods of `to`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessPath {
    /// The service that connects.
    pub from: String,
    /// The service or backing service that is connected to.
    pub to: String,
    /// The port's number, the same on the pod and on its Service.
    pub port: u16,
}

/// All traffic that the NetworkPolicies of [`crate::generate`] let through, and on what it hangs: what a proof of them is held against.
///
/// Beside this, all pods may ask the cluster's DNS, and what a service's `network.extraIngress` and `network.extraEgress` say in the values is
/// let through as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The label whose value tells the policies who a pod is.
    pub identity_label: String,
    /// The services; each is there when `<service>.enabled` says so.
    pub services: Vec<String>,
    /// The backing services, always there.
    pub backing: Vec<String>,
    /// What the declared uses need, in order: open while the services at its ends are there.
    pub paths: Vec<AccessPath>,
    /// From the Jobs that make the logins of a server, by their identity, to the server.
    pub provisioning: Vec<AccessPath>,
    /// What the pods of `helm test` need, while they run.
    pub tests: TestTraffic,
    /// Ports that users reach through a service's `exposure.via`: from the edge's namespace or from anywhere.
    pub exposed_ports: Vec<ComponentPort>,
    /// Ports that the monitoring's namespace reaches when `global.metrics.enabled` says so.
    pub metrics: Vec<ComponentPort>,
    /// Services that always may connect to the Kubernetes API server; others may with rules in `<service>.rbac.extraRules`.
    pub kubernetes: Vec<String>,
}

impl Traffic {
    /// The identities that a pod of a release can have, each once.
    pub fn identities(&self) -> impl Iterator<Item = &str> {
        let tests = &self.tests;
        let end_to_end = (!tests.end_to_end_paths.is_empty()).then_some(&tests.end_to_end);
        let provisioning = self.provisioning.iter().map(|path| &path.from);
        let all = self
            .services
            .iter()
            .chain(&self.backing)
            .chain(provisioning)
            .chain([&tests.network_policy])
            .chain(end_to_end);
        all.map(String::as_str)
    }
}

/// The traffic of the pods of `helm test` that have an identity of their own; the others have that of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestTraffic {
    /// The identity of the pod that is nobody: it is let out to every pod of the release, and in nowhere. It is there when
    /// `global.tests.isolation` says so.
    pub network_policy: String,
    /// The identity of the pod that follows something through the platform.
    pub end_to_end: String,
    /// What that one needs; nothing where no journey is declared. Open when `global.tests.end_to_end` says so.
    pub end_to_end_paths: Vec<AccessPath>,
    /// The services without which there is no journey.
    pub end_to_end_services: Vec<String>,
}

/// A port of the pods of a service or backing service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComponentPort {
    /// Whose it is.
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
    Traffic {
        identity_label: format!("{}/identity", graph.name),
        services: graph.services().map(|(service, _)| service.name.to_owned()).collect(),
        backing: graph.servers().map(|(server, _)| server.name.to_owned()).collect(),
        paths,
        provisioning: addons::paths(&graph)
            .iter()
            .map(|helper| path(&helper.identity, helper.target, helper.port))
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
        exposed_ports: graph
            .services()
            .filter_map(|(component, service)| Some(port(component, service.exposed?.number)))
            .collect(),
        metrics: graph
            .components
            .iter()
            .flat_map(|component| component.metrics_ports().map(move |number| port(component, number)))
            .collect(),
        kubernetes: graph
            .services()
            .filter(|(_, service)| !service.api_rules.is_empty())
            .map(|(component, _)| component.name.to_owned())
            .collect(),
    }
}
