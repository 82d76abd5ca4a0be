//! NetworkPolicies: one for each service and backing service, in the umbrella, since both ends of a path are written where it is known
//! whether the service at the other end is installed.

use std::collections::BTreeMap;

use askama::Template;

use crate::access::{Access, metrics_ports};
use crate::context::Context;
use crate::files::Files;
use crate::names::PROVISIONING;
use crate::text::{bare, value};

pub(super) fn files(c: &Context, access: &Access, files: &mut Files) {
    files.umbrella("templates/networkpolicies/default.yaml", &Default { c });
    let declared = c.platform.platform();
    let mut add = |view: Component| files.umbrella(format!("templates/networkpolicies/{}.yaml", view.name), &view);
    for service in &declared.services {
        let name = service.name.as_str();
        let exposed_port = service.exposure.map(|e| (value(&[name, "exposure", "via"]), e.port.number));
        let metrics: Vec<u16> = metrics_ports(service).collect();
        let peers = by_peer(access.from(service.name).map(|path| (path.to.name(), path.port)));
        let rules = service.kubernetes.is_empty().then(|| value(&[name, "rbac", "extraRules"]));
        add(Component {
            c,
            name: name.to_owned(),
            enabled: Some(bare(&value(&[name, "enabled"]))),
            ingress: Ingress::of(access, name, exposed_port, metrics).with_extra(&value(&[
                name,
                "network",
                "extraIngress",
            ])),
            egress: Egress::of(peers, rules, &value(&[name, "network", "extraEgress"])),
        });
    }
    for one in &declared.backing {
        let (name, metrics) = (one.name().as_str(), one.kind().metrics_port().into_iter().collect());
        let mut ingress = Ingress::of(access, name, None, metrics);
        let (jobs, port) = (provisioning_identity(name), one.kind().administration_port());
        ingress.add_always("The Jobs that make its logins.", From::Identity(jobs.clone()), port);
        add(Component { c, name: name.to_owned(), enabled: None, ingress, egress: Egress::default() });
        let egress = Egress { peers: vec![(name, vec![port])], ..Egress::default() };
        add(Component { c, name: jobs, enabled: None, ingress: Ingress::default(), egress });
    }
}

/// The identity of the Jobs that make the logins of a server.
pub(crate) fn provisioning_identity(backing: &str) -> String {
    format!("{backing}-{PROVISIONING}")
}

/// The ports by peer.
pub(super) fn by_peer(paths: impl Iterator<Item = (&'static str, u16)>) -> Vec<(&'static str, Vec<u16>)> {
    let mut by_peer: BTreeMap<&'static str, Vec<u16>> = BTreeMap::new();
    for (peer, port) in paths {
        by_peer.entry(peer).or_default().push(port);
    }
    by_peer.into_iter().collect()
}

#[derive(Template)]
#[template(path = "umbrella/templates/networkpolicies/default.yaml")]
struct Default<'a> {
    c: &'a Context<'a>,
}

#[derive(Template)]
#[template(path = "umbrella/templates/networkpolicies/component.yaml")]
struct Component<'a> {
    c: &'a Context<'a>,
    name: String,
    enabled: Option<String>,
    ingress: Ingress,
    egress: Egress,
}

/// Who is let in.
#[derive(Default)]
struct Ingress {
    rules: Vec<Rule>,
    /// The expression for further rules from the values, to stand alone in its action.
    extra: Option<String>,
    /// On what the list of rules hangs, since an empty one would be written as null; nothing where one of them always holds.
    conditions: Vec<String>,
}

/// Who is connected to.
#[derive(Default)]
struct Egress {
    peers: Vec<(&'static str, Vec<u16>)>,
    /// The Kubernetes API server.
    api: Api,
    /// As that of [`Ingress`].
    extra: Option<String>,
    /// As those of [`Ingress`].
    conditions: Vec<String>,
}

/// Whether a service may connect to the Kubernetes API server.
#[derive(Default, PartialEq)]
enum Api {
    #[default]
    Never,
    /// When this expression holds, which stands alone in its action.
    When(String),
    Always,
}

impl Egress {
    /// Of a service that may connect to the API server always, or when there are `rules` for it.
    fn of(peers: Vec<(&'static str, Vec<u16>)>, rules: Option<String>, extra: &str) -> Self {
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

/// An expression that holds when one of these does, to stand alone in its action.
fn any_of(conditions: &[String]) -> Option<String> {
    match conditions {
        [] => None,
        [one] => Some(bare(one)),
        several => Some(format!("or {}", several.join(" "))),
    }
}

struct Rule {
    /// Why, where that does not show.
    comment: Option<&'static str>,
    /// The condition; none when it always holds.
    when: Option<String>,
    from: From,
    ports: Vec<u16>,
}

enum From {
    /// Pods with this identity.
    Identity(String),
    /// Any pod of the namespace that a value names.
    Namespace(&'static str),
    /// Anybody.
    Anywhere,
}

impl Ingress {
    /// Lets somebody in whatever the values say.
    fn add_always(&mut self, comment: &'static str, from: From, port: u16) {
        self.conditions.clear();
        self.rules.push(Rule { comment: Some(comment), when: None, from, ports: vec![port] });
    }

    /// From the services that use this one, from users through its door (the value that says which, and its port), from the monitoring.
    fn of(access: &Access, name: &'static str, exposed_port: Option<(String, u16)>, metrics: Vec<u16>) -> Self {
        let users = by_peer(access.to(name).map(|path| (path.from.as_str(), path.port)));
        let mut conditions = Vec::new();
        let mut rules = Vec::new();
        for (peer, ports) in users {
            let when = value(&[peer, "enabled"]);
            conditions.push(when.clone());
            rules.push(Rule { comment: None, when: Some(bare(&when)), from: From::Identity(peer.to_owned()), ports });
        }
        if let Some((via, port)) = exposed_port {
            conditions.push(format!(r#"(ne {via} "None")"#));
            rules.push(Rule {
                comment: Some("Users, through the ingress controller or gateway."),
                when: Some(format!(r#"has {via} (list "Ingress" "HTTPRoute")"#)),
                from: From::Namespace("network.edgeNamespace"),
                ports: vec![port],
            });
            rules.push(Rule {
                comment: Some(
                    "Users, from anywhere: behind a node's port or a load balancer their addresses are not known.",
                ),
                when: Some(format!(r#"has {via} (list "NodePort" "LoadBalancer")"#)),
                from: From::Anywhere,
                ports: vec![port],
            });
        }
        if !metrics.is_empty() {
            let when = ".Values.global.metrics.enabled";
            conditions.push(when.to_owned());
            let from = From::Namespace("metrics.namespace");
            rules.push(Rule { comment: Some("The monitoring."), when: Some(when.to_owned()), from, ports: metrics });
        }
        Self { rules, extra: None, conditions }
    }

    /// With further rules from the values.
    fn with_extra(mut self, extra: &str) -> Self {
        self.conditions.push(extra.to_owned());
        Self { extra: Some(bare(extra)), ..self }
    }

    fn any(&self) -> Option<String> {
        any_of(&self.conditions)
    }
}
