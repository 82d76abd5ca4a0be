//! The expected connections, computed from the declaration and the values only, never from the rendered chart.

use generator::{AccessPath, ExporterTraffic, ProxyTraffic, Traffic};
use render::NAMESPACE;
use serde_json::Value;

use super::Release;
use super::edge::Edge;
use super::policy::{Cidr, Endpoint, Rule};
use super::ports::{Ports, Protocol};
use super::world::{NODE_LOCAL_DNS, identity};

/// The declaration, together with the values of a case.
pub(super) struct Expected<'a> {
    release: Release<'a>,
    traffic: &'a Traffic,
    values: &'a Value,
    api_server: Vec<Cidr>,
    extra: Vec<Extra<'a>>,
    edges: Vec<Edge>,
}

/// The rules that the values add to a service (`network.extraIngress` and `network.extraEgress`) to backups (`backup.s3.egress`)
/// to proxies in front of services (`exposure.authentication.network`) or to all services that send spans (`global.tracing.egress`).
struct Extra<'a> {
    identity: &'a str,
    ingress: Vec<Rule>,
    egress: Vec<Rule>,
}

/// Whether the values put this proxy in front of its service.
fn is_used(values: &Value, proxy: &ProxyTraffic) -> bool {
    let service = &values[&proxy.path.to];
    service["enabled"] == true && service["exposure"]["authentication"]["mode"] == "OAuth2Proxy"
}

const API_SERVER_PORTS: [u16; 2] = [443, 6443];

impl<'a> Expected<'a> {
    /// # Errors
    /// If rules or CIDR blocks in the values cannot be read.
    pub(super) fn new(release: Release<'a>, values: &'a Value) -> anyhow::Result<Self> {
        let traffic = release.traffic;
        let api_server = serde_json::from_value(values["global"]["network"]["apiServerCidrs"].clone())?;
        let mut extra = Vec::new();
        for service in &traffic.services {
            let network = &values[service]["network"];
            let (ingress, egress) = (Rule::list(&network["extraIngress"])?, Rule::list(&network["extraEgress"])?);
            extra.push(Extra { identity: service, ingress, egress });
        }
        for path in traffic.backup.iter().filter(|path| values[&path.to]["backup"]["enabled"] == true) {
            let egress = Rule::list(&values[&path.to]["backup"]["s3"]["egress"])?;
            extra.push(Extra { identity: &path.from, ingress: Vec::new(), egress });
        }
        for proxy in traffic.proxies.iter().filter(|proxy| is_used(values, proxy)) {
            let network = &values[&proxy.path.to]["exposure"]["authentication"]["network"];
            let (ingress, egress) = (Rule::list(&network["extraIngress"])?, Rule::list(&network["egress"])?);
            extra.push(Extra { identity: &proxy.path.from, ingress, egress });
        }
        if values["global"]["tracing"]["enabled"] == true {
            for service in traffic.traced.iter().filter(|service| values[service]["enabled"] == true) {
                let egress = Rule::list(&values["global"]["tracing"]["egress"])?;
                extra.push(Extra { identity: service, ingress: Vec::new(), egress });
            }
        }
        let edges = traffic.services.iter().filter_map(|service| Edge::of(service, values, release.name)).collect();
        Ok(Self { release, traffic, values, api_server, extra, edges })
    }

    /// Pods of the controllers that forward users' requests, and pods that lack one of their labels.
    pub(super) fn edges(&self) -> impl Iterator<Item = Endpoint> {
        self.edges.iter().flat_map(Edge::pods)
    }

    /// The namespaces named in the values.
    pub(super) fn namespaces(&self) -> Vec<&str> {
        let network = &self.values["global"]["network"];
        let mut all = vec![NAMESPACE];
        all.extend([&network["dnsNamespace"], self.metrics("namespace")].into_iter().filter_map(Value::as_str));
        all.extend(self.edges.iter().map(|edge| edge.namespace.as_str()));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The CIDR blocks of the API server.
    pub(super) fn api_server(&self) -> &[Cidr] {
        &self.api_server
    }

    /// The declared paths whose client and server are both enabled.
    pub(super) fn paths(&self) -> impl Iterator<Item = &AccessPath> {
        self.traffic.paths.iter().filter(|path| self.is_there(&path.from) && self.is_there(&path.to))
    }

    fn metrics(&self, key: &str) -> &Value {
        &self.values["global"]["metrics"][key]
    }

    fn is_there(&self, name: &str) -> bool {
        !self.traffic.services.iter().any(|service| service == name) || self.values[name]["enabled"] == true
    }

    /// The paths of the backups that the values enable.
    fn backups(&self) -> impl Iterator<Item = &AccessPath> {
        self.traffic.backup.iter().filter(|path| self.values[&path.to]["backup"]["enabled"] == true)
    }

    /// The exporters that the values enable.
    fn exporters(&self) -> impl Iterator<Item = &ExporterTraffic> {
        self.traffic.exporters.iter().filter(|one| self.values[&one.path.to]["exporter"]["enabled"] == true)
    }

    /// The proxies that the values put in front of services.
    fn proxies(&self) -> impl Iterator<Item = &ProxyTraffic> {
        self.traffic.proxies.iter().filter(|proxy| is_used(self.values, proxy))
    }

    /// Whether users who come from this client may connect to a service, or to the proxy in front of it.
    fn is_exposed(&self, service: &str, client: &Endpoint) -> bool {
        match self.values[service]["exposure"]["via"].as_str() {
            Some("NodePort" | "LoadBalancer") => true,
            Some("Ingress" | "HTTPRoute") => self.edges.iter().any(|edge| edge.service == service && edge.is(client)),
            _ => false,
        }
    }

    /// The paths of the end-to-end test, if the values enable it.
    fn end_to_end(&self) -> impl Iterator<Item = &AccessPath> {
        let tests = &self.traffic.tests;
        let is_on = self.values["global"]["tests"]["endToEnd"] == true;
        let is_there = is_on && tests.end_to_end_services.iter().all(|service| self.is_there(service));
        tests.end_to_end_paths.iter().filter(move |_| is_there)
    }

    /// The declared ports between two identities of the release.
    fn declared(&self, from: Option<&str>, to: Option<&str>) -> Ports {
        let (Some(from), Some(to)) = (from, to) else { return Ports::NONE };
        let mut open = Ports::NONE;
        let all = self.paths().chain(&self.traffic.provisioning).chain(self.backups()).chain(self.end_to_end());
        let all = all.chain(self.exporters().map(|exporter| &exporter.path));
        let all = all.chain(self.proxies().flat_map(|proxy| [&proxy.path, &proxy.test]));
        for path in all.filter(|path| path.from == from && path.to == to) {
            open.add(&Ports::tcp(path.port));
        }
        open
    }

    /// The ports on which the policies of `client` may allow egress to `server`.
    pub(super) fn leaves(&self, client: &Endpoint, server: &Endpoint) -> Ports {
        let who = identity(self.release, client);
        if who.is_none() && !client.ours {
            return Ports::all();
        }
        let is_isolation_test = who == Some(self.traffic.tests.network_policy.as_str());
        if is_isolation_test
            && identity(self.release, server).is_some()
            && self.values["global"]["tests"]["isolation"] == true
        {
            return Ports::all();
        }
        let mut open = self.declared(who, identity(self.release, server));
        if self.is_dns(server) {
            open.add(&Ports::tcp(53));
            open.add(&Ports::range(Protocol::Udp, 53, 53));
        }
        for rule in self.extra.iter().filter(|extra| Some(extra.identity) == who).flat_map(|extra| &extra.egress) {
            open.add(&rule.opens(server, server, NAMESPACE));
        }
        let is_service = |who: &&str| self.traffic.services.iter().any(|service| service == who) && self.is_there(who);
        let Some(who) = who.filter(is_service) else { return open };
        let has_rules = self.values[who]["rbac"]["extraRules"].as_array().is_some_and(|rules| !rules.is_empty());
        let may_use_api = has_rules || self.traffic.kubernetes.iter().any(|service| service == who);
        if may_use_api && self.api_server.iter().any(|block| block.contains(server.address)) {
            for port in API_SERVER_PORTS {
                open.add(&Ports::tcp(port));
            }
        }
        open
    }

    fn is_dns(&self, server: &Endpoint) -> bool {
        let namespace = self.values["global"]["network"]["dnsNamespace"].as_str();
        let there = server.namespace.as_ref().is_some_and(|place| Some(place.name.as_str()) == namespace);
        (there && server.labels.get("k8s-app").is_some_and(|app| app == "kube-dns")) || server.address == NODE_LOCAL_DNS
    }

    /// The ports on which the policies of `server` may allow ingress from `client`.
    pub(super) fn enters(&self, client: &Endpoint, server: &Endpoint) -> Ports {
        let Some(whose) = identity(self.release, server) else {
            return if server.ours { Ports::NONE } else { Ports::all() };
        };
        let mut open = self.declared(identity(self.release, client), Some(whose));
        if !self.is_there(whose) {
            return open;
        }
        let from = |namespace: &Value| {
            client.namespace.as_ref().is_some_and(|place| Some(place.name.as_str()) == namespace.as_str())
        };
        if self.metrics("enabled") == true && from(self.metrics("namespace")) {
            self.traffic
                .metrics
                .iter()
                .filter(|port| port.of == whose)
                .for_each(|port| open.add(&Ports::tcp(port.number)));
            self.exporters()
                .filter(|exporter| exporter.path.from == whose)
                .for_each(|exporter| open.add(&Ports::tcp(exporter.metrics)));
        }
        for proxy in self.proxies().filter(|proxy| proxy.path.from == whose && self.is_exposed(&proxy.path.to, client))
        {
            open.add(&Ports::tcp(proxy.port));
        }
        if !self.proxies().any(|proxy| proxy.path.to == whose) && self.is_exposed(whose, client) {
            self.traffic
                .exposed_ports
                .iter()
                .filter(|port| port.of == whose)
                .for_each(|port| open.add(&Ports::tcp(port.number)));
        }
        for rule in self.extra.iter().filter(|extra| extra.identity == whose).flat_map(|extra| &extra.ingress) {
            open.add(&rule.opens(client, server, NAMESPACE));
        }
        open
    }
}
