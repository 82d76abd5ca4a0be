//! NetworkPolicies: one per component, in the umbrella. A subchart sees only its own values and `global`, so only the umbrella knows whether the
//! service at the other end of a path is installed.

use askama::Template;

use super::by_peer;
use crate::addons::{self, HelperPath, authentication};
use crate::expr::{any_of, bare, enabled_service, value};
use crate::files::Files;
use crate::graph::{Component, Graph};

pub(super) fn files(graph: &Graph, files: &mut Files) {
    files.umbrella("templates/networkpolicies/default.yaml", &Default { c: graph });
    files.umbrella("templates/networkpolicies/dns.yaml", &Dns { c: graph });
    let exposed_ports: Vec<_> = graph.exposed().collect();
    if !exposed_ports.is_empty() {
        files.umbrella(
            "templates/networkpolicies/cilium.yaml",
            &Cilium { c: graph, exposed_ports, proxy_port: authentication::PORT },
        );
    }
    let mut add = |mut view: ComponentPolicy| {
        view.ingress.state_once();
        files.umbrella(format!("templates/networkpolicies/{}.yaml", view.name), &view);
    };
    for (component, service) in graph.services() {
        let name = component.name;
        let exposed_port = service.exposed.map(|port| port.number);
        let edges = graph.edges_from(name);
        let peers = by_peer(edges.flat_map(|edge| edge.ports.iter().map(|port| (edge.target, *port))));
        let rules = service.api_rules.is_empty().then(|| value(&[name, "rbac", "extraRules"]));
        add(ComponentPolicy {
            c: graph,
            name: name.to_owned(),
            enabled: Some(bare(&enabled_service(name))),
            ingress: Ingress::of(graph, component, exposed_port).with_extra(&value(&[name, "network", "extraIngress"])),
            egress: Egress::of(peers, rules, &value(&[name, "network", "extraEgress"])),
        });
    }
    let helpers = addons::paths(graph);
    for (component, _) in graph.servers() {
        let name = component.name;
        let mut ingress = Ingress::of(graph, component, None);
        for helper in helpers.iter().filter(|helper| helper.target == name) {
            ingress.add_helper(helper);
        }
        add(ComponentPolicy { c: graph, name: name.to_owned(), enabled: None, ingress, egress: Egress::default() });
    }
    for HelperPath { identity, target, port, metrics, when, extra_egress, .. } in &helpers {
        let extra = extra_egress.as_deref().map(bare);
        let egress = Egress { peers: vec![(target, vec![*port])], extra, ..Egress::default() };
        let enabled = when.as_deref().map(bare);
        let mut ingress = Ingress::default();
        ingress.add_monitoring(metrics.iter().copied().collect());
        add(ComponentPolicy { c: graph, name: identity.clone(), enabled, ingress, egress });
    }
}

#[derive(Template)]
#[template(path = "umbrella/templates/networkpolicies/default.yaml")]
struct Default<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "umbrella/templates/networkpolicies/dns.yaml")]
struct Dns<'a> {
    c: &'a Graph,
}

/// The policies for Cilium's own proxy, which forwards users' requests.
#[derive(Template)]
#[template(path = "umbrella/templates/networkpolicies/cilium.yaml")]
struct Cilium<'a> {
    c: &'a Graph,
    exposed_ports: Vec<(&'static str, u16)>,
    /// The port of a proxy in front of a service.
    proxy_port: u16,
}

#[derive(Template)]
#[template(path = "umbrella/templates/networkpolicies/component.yaml")]
struct ComponentPolicy<'a> {
    c: &'a Graph,
    name: String,
    enabled: Option<String>,
    ingress: Ingress,
    egress: Egress<'a>,
}

/// The ingress rules of a policy.
#[derive(Default)]
struct Ingress {
    rules: Vec<Rule>,
    /// The expression for further rules from the values, as the whole of its action.
    extra: Option<String>,
    /// The conditions of the rules. The list is left out when none holds, since an empty one would be written as null. No condition means that
    /// some rule always holds.
    conditions: Vec<String>,
}

/// The egress rules of a policy.
#[derive(Default)]
struct Egress<'a> {
    peers: Vec<(&'a str, Vec<u16>)>,
    /// The Kubernetes API server.
    api: Api,
    /// See [`Ingress::extra`].
    extra: Option<String>,
    /// See [`Ingress::conditions`].
    conditions: Vec<String>,
}

/// Whether a service may connect to the Kubernetes API server.
#[derive(Default, PartialEq)]
enum Api {
    #[default]
    Never,
    /// When this expression holds, which is the whole of its action.
    When(String),
    Always,
}

impl<'a> Egress<'a> {
    /// The egress of a service that may connect to the API server always, or when the expression `rules` holds.
    fn of(peers: Vec<(&'a str, Vec<u16>)>, rules: Option<String>, extra: &str) -> Self {
        let api = rules.as_deref().map_or(Api::Always, |rules| Api::When(bare(rules)));
        let conditions = match rules {
            Some(rules) if peers.is_empty() => vec![rules, extra.to_owned()],
            _ => Vec::new(),
        };
        Self { peers, api, extra: Some(bare(extra)), conditions }
    }

    fn any(&self) -> Option<String> {
        any_of(&self.conditions)
    }
}

struct Rule {
    /// A comment that explains the rule.
    comment: Option<&'static str>,
    /// The condition; none for a rule that always holds.
    when: Option<String>,
    from: From,
    ports: Vec<u16>,
}

enum From {
    /// Pods with this identity.
    Identity(String),
    /// Every Pod of the namespace that a value names.
    Namespace(&'static str),
    /// The peer that this expression makes.
    Edge(String),
    /// Every address.
    Anywhere,
}

impl Ingress {
    /// Adds the rule for the Pods of an add-on.
    fn add_helper(&mut self, helper: &HelperPath) {
        if helper.when.is_none() {
            // A rule that always holds.
            self.conditions.clear();
        }
        self.rules.push(Rule {
            comment: Some(helper.note),
            when: helper.when.as_deref().map(bare),
            from: From::Identity(helper.identity.clone()),
            ports: vec![helper.port],
        });
    }

    /// The rules for a component's clients, for users outside the cluster at the exposed port, and for monitoring.
    fn of(graph: &Graph, component: &Component, exposed_port: Option<u16>) -> Self {
        let edges = graph.edges_to(component.name);
        let clients = by_peer(edges.flat_map(|edge| edge.ports.iter().map(|port| (edge.client, *port))));
        let metrics: Vec<u16> = component.metrics_ports().map(|(port, _)| port.number).collect();
        let mut conditions = Vec::new();
        let mut rules = Vec::new();
        for (peer, ports) in clients {
            let when = enabled_service(peer);
            conditions.push(when.clone());
            rules.push(Rule { comment: None, when: Some(bare(&when)), from: From::Identity(peer.to_owned()), ports });
        }
        if let Some(port) = exposed_port {
            let via = value(&[component.name, "exposure", "via"]);
            let edge = format!(r#"(include "{}.edgePeer" (dict "root" . "service" "{}"))"#, graph.name, component.name);
            let proxied = authentication::proxied(component.name);
            let direct = authentication::direct(component.name);
            let from_edge = format!("(and {direct} {edge})");
            let anywhere = format!(r#"(and {direct} (has {via} (list "NodePort" "LoadBalancer")))"#);
            conditions.extend([proxied.clone(), from_edge.clone(), anywhere.clone()]);
            rules.push(Rule {
                comment: Some("Users, through the proxy that authenticates them."),
                when: Some(bare(&proxied)),
                from: From::Identity(authentication::identity(component.name)),
                ports: vec![port],
            });
            rules.push(Rule {
                comment: Some("Users, through the pods of the ingress controller or the gateway."),
                when: Some(bare(&from_edge)),
                from: From::Edge(bare(&edge)),
                ports: vec![port],
            });
            rules.push(Rule {
                comment: Some(
                    "Users, from any address: behind a node port or a load balancer their addresses are unknown.",
                ),
                when: Some(bare(&anywhere)),
                from: From::Anywhere,
                ports: vec![port],
            });
        }
        let mut ingress = Self { rules, extra: None, conditions };
        ingress.add_monitoring(metrics);
        ingress
    }

    /// Adds the rule for the pods that read the metrics at these ports.
    fn add_monitoring(&mut self, ports: Vec<u16>) {
        if !ports.is_empty() {
            let when = ".Values.global.metrics.enabled";
            self.conditions.push(when.to_owned());
            self.rules.push(Rule {
                comment: Some("The monitoring namespace."),
                when: Some(when.to_owned()),
                from: From::Namespace("metrics.namespace"),
                ports,
            });
        }
    }

    /// Leaves the condition of the list out of its rules, if there is only one.
    fn state_once(&mut self) {
        if let [condition] = self.conditions.as_slice()
            && self.extra.is_none()
        {
            let condition = bare(condition);
            for rule in self.rules.iter_mut().filter(|rule| rule.when.as_ref() == Some(&condition)) {
                rule.when = None;
            }
        }
    }

    /// Adds the further rules from the values.
    fn with_extra(mut self, extra: &str) -> Self {
        self.conditions.push(extra.to_owned());
        Self { extra: Some(bare(extra)), ..self }
    }

    fn any(&self) -> Option<String> {
        any_of(&self.conditions)
    }
}
