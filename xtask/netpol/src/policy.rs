//! The semantics of NetworkPolicies: which endpoint may connect to which, on which ports.
//!
//! If no policy selects a pod for a direction, everything is allowed in that direction; otherwise the rules of all selecting policies add up.
//! Both ends must allow a connection. Unknown fields are an error, because an ignored field could hide an open connection.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::Value;

use super::ports::{Ports, Protocol};

type Labels = BTreeMap<String, String>;

/// One end of a connection: a pod, or an address outside the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Its name in findings.
    pub(super) name: String,
    /// Whether the release creates it.
    pub(super) ours: bool,
    /// Its namespace; `None` outside the cluster.
    pub(super) namespace: Option<Namespace>,
    pub(super) labels: Labels,
    /// Its address. CIDR blocks match pods too: some network plugins do this, and the check assumes the more permissive behaviour.
    pub(super) address: IpAddr,
    /// Its named ports.
    pub(super) ports: BTreeMap<String, Ports>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Namespace {
    pub(super) name: String,
    pub(super) labels: Labels,
}

impl Namespace {
    /// A namespace with only the name label that Kubernetes adds to each namespace.
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), labels: [(NAME_LABEL.to_owned(), name.to_owned())].into() }
    }
}

pub(super) const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// A NetworkPolicy.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    pod_selector: Selector,
    #[serde(default)]
    policy_types: Vec<Direction>,
    #[serde(default)]
    ingress: Vec<Rule>,
    #[serde(default)]
    egress: Vec<Rule>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Direction {
    Ingress,
    Egress,
}

/// A policy and its namespace.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    namespace: String,
    spec: Spec,
}

/// An ingress or egress rule. Its peers are the clients of an ingress rule, or the servers of an egress rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// The peers; an empty list means any peer.
    #[serde(default, alias = "from", alias = "to")]
    pub(super) peers: Vec<Peer>,
    /// The ports; an empty list means every port.
    #[serde(default)]
    ports: Vec<Port>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Peer {
    pub(super) pod_selector: Option<Selector>,
    pub(super) namespace_selector: Option<Selector>,
    pub(super) ip_block: Option<Block>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Selector {
    #[serde(default)]
    pub(super) match_labels: Labels,
    #[serde(default)]
    pub(super) match_expressions: Vec<Expression>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expression {
    pub(super) key: String,
    pub(super) operator: Operator,
    #[serde(default)]
    pub(super) values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    pub(super) cidr: Cidr,
    #[serde(default)]
    pub(super) except: Vec<Cidr>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Port {
    #[serde(default = "tcp")]
    protocol: Protocol,
    #[serde(rename = "port")]
    first: Option<PortName>,
    #[serde(rename = "endPort")]
    last: Option<u16>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum PortName {
    Number(u16),
    Name(String),
}

const fn tcp() -> Protocol {
    Protocol::Tcp
}

/// A CIDR block, such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Cidr {
    address: IpAddr,
    length: u32,
}

impl TryFrom<String> for Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts =
            text.split_once('/').and_then(|(address, length)| Some((address.parse().ok()?, length.parse().ok()?)));
        let (address, length) = parts.ok_or_else(|| format!("`{text}` is not a CIDR block"))?;
        if length > width(address) {
            Err(format!("`{text}` is not a CIDR block"))
        } else {
            Ok(Self { address, length })
        }
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u128::from(four.to_bits()),
        IpAddr::V6(six) => six.to_bits(),
    }
}

impl Cidr {
    pub(super) fn contains(self, address: IpAddr) -> bool {
        let host = width(self.address) - self.length;
        let prefix = |address| bits(address).checked_shr(host).unwrap_or(0);
        self.address.is_ipv4() == address.is_ipv4() && prefix(self.address) == prefix(address)
    }

    /// The first address of the block, and the first address after it.
    pub(super) fn edges(self) -> Vec<IpAddr> {
        let host = width(self.address) - self.length;
        let first = bits(self.address).checked_shr(host).unwrap_or(0).checked_shl(host).unwrap_or(0);
        let behind = 1u128.checked_shl(host).and_then(|size| first.checked_add(size));
        let address = |bits: u128| match self.address {
            IpAddr::V4(_) => u32::try_from(bits).ok().map(|bits| IpAddr::from(bits.to_be_bytes())),
            IpAddr::V6(_) => Some(IpAddr::from(bits.to_be_bytes())),
        };
        [Some(first), behind].into_iter().flatten().filter_map(address).collect()
    }
}

impl Selector {
    pub(super) fn matches(&self, labels: &Labels) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|expression| expression.holds(labels))
    }
}

impl Expression {
    fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let listed = value.is_some_and(|value| self.values.contains(value));
        match self.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

impl Peer {
    /// Whether the peer selects this endpoint, in a policy of this namespace.
    pub(super) fn matches(&self, end: &Endpoint, namespace: &str) -> bool {
        if let Some(block) = &self.ip_block {
            return block.cidr.contains(end.address) && !block.except.iter().any(|cidr| cidr.contains(end.address));
        }
        let Some(place) = &end.namespace else { return false };
        let there = match &self.namespace_selector {
            Some(selector) => selector.matches(&place.labels),
            None => place.name == namespace,
        };
        there && self.pod_selector.as_ref().is_none_or(|selector| selector.matches(&end.labels))
    }
}

impl Rule {
    /// Parses a list of rules from the values.
    pub(super) fn list(value: &Value) -> Result<Vec<Self>, serde_json::Error> {
        if value.is_null() { Ok(Vec::new()) } else { serde_json::from_value(value.clone()) }
    }

    /// The ports that the rule opens between a policy's pods and `peer`. `server` is the end of the two that accepts the connection.
    pub(super) fn opens(&self, peer: &Endpoint, server: &Endpoint, namespace: &str) -> Ports {
        if !self.peers.is_empty() && !self.peers.iter().any(|one| one.matches(peer, namespace)) {
            return Ports::NONE;
        }
        if self.ports.is_empty() {
            return Ports::all();
        }
        let mut open = Ports::NONE;
        for port in &self.ports {
            open.add(&match &port.first {
                None => Ports::of(port.protocol),
                Some(PortName::Number(first)) => Ports::range(port.protocol, *first, port.last.unwrap_or(*first)),
                Some(PortName::Name(name)) => {
                    let named = server.ports.get(name).cloned().unwrap_or_default();
                    named.and(&Ports::of(port.protocol))
                }
            });
        }
        open
    }
}

impl Policy {
    /// Reads a NetworkPolicy. `namespace` applies if its metadata name none.
    ///
    /// # Errors
    /// If the policy has an unknown field or value.
    pub(super) fn read(object: &Value, namespace: &str) -> Result<Self, serde_json::Error> {
        let own = object["metadata"]["namespace"].as_str().unwrap_or(namespace);
        Ok(Self { namespace: own.to_owned(), spec: serde_json::from_value(object["spec"].clone())? })
    }

    /// All peers of its rules.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.spec.ingress.iter().chain(&self.spec.egress).flat_map(|rule| &rule.peers)
    }

    pub(super) fn selects(&self, end: &Endpoint) -> bool {
        let here = end.namespace.as_ref().is_some_and(|place| place.name == self.namespace);
        here && self.spec.pod_selector.matches(&end.labels)
    }

    fn concerns(&self, direction: Direction) -> bool {
        if self.spec.policy_types.is_empty() {
            return direction == Direction::Ingress || !self.spec.egress.is_empty();
        }
        self.spec.policy_types.contains(&direction)
    }
}

/// The ports on which the policies let `client` connect to `server`.
pub(super) fn open(policies: &[Policy], client: &Endpoint, server: &Endpoint) -> Ports {
    let out = passes(policies, Direction::Egress, client, server);
    if out.is_empty() { out } else { out.and(&passes(policies, Direction::Ingress, client, server)) }
}

/// The ports that the policies of one end allow.
pub(super) fn passes(policies: &[Policy], direction: Direction, client: &Endpoint, server: &Endpoint) -> Ports {
    let (of, peer) = match direction {
        Direction::Ingress => (server, client),
        Direction::Egress => (client, server),
    };
    let mut selecting = policies.iter().filter(|policy| policy.concerns(direction) && policy.selects(of)).peekable();
    if selecting.peek().is_none() {
        return Ports::all();
    }
    let mut open = Ports::NONE;
    for policy in selecting {
        let rules = if direction == Direction::Ingress { &policy.spec.ingress } else { &policy.spec.egress };
        for rule in rules {
            open.add(&rule.opens(peer, server, &policy.namespace));
        }
    }
    open
}
