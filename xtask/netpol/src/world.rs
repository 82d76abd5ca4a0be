//! The endpoints of all compared connections: the pods of the release, and one endpoint outside it for every distinction that policies make.

use std::collections::BTreeMap;
use std::net::IpAddr;

use render::{NAMESPACE, Object};
use serde_json::Value;

use super::Release;
use super::policy::{Cidr, Endpoint, NAME_LABEL, Namespace, Operator, Peer, Policy, Selector};
use super::ports::{Ports, Protocol};

/// The name of a pod without any labels, in a namespace that no policy names.
pub(super) const ANY_POD: &str = "a pod in namespace elsewhere";
/// The name of an address that no policy names.
pub(super) const ANY_ADDRESS: &str = "198.51.100.7 outside the cluster";
const INSTANCE: &str = "app.kubernetes.io/instance";
/// The address of the node-local DNS cache.
pub(super) const NODE_LOCAL_DNS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(169, 254, 20, 10));

type Labels = BTreeMap<String, String>;

/// The identity of an endpoint of the release: the value of its identity label. `None` for other endpoints.
pub(super) fn identity<'a>(release: Release<'_>, end: &'a Endpoint) -> Option<&'a str> {
    let here = end.namespace.as_ref().is_some_and(|place| place.name == NAMESPACE);
    let ours = end.labels.get(INSTANCE).is_some_and(|instance| instance == release.name);
    if here && ours { end.labels.get(&release.traffic.identity_label).map(String::as_str) } else { None }
}

/// The pods of a release, each kind of pod once, whatever its number of replicas.
pub(super) fn pods(release: Release<'_>, objects: &[Object]) -> Vec<Endpoint> {
    let mut all: Vec<Endpoint> = Vec::new();
    for object in objects {
        let Some(pod) = object.pod() else { continue };
        let labels = labels(&pod["metadata"]["labels"]);
        let name = match (labels.get(INSTANCE), labels.get(&release.traffic.identity_label)) {
            (Some(instance), Some(identity)) if instance == release.name => identity.clone(),
            _ => format!("{} {} (without identity)", object.kind, object.name),
        };
        let end = Endpoint { ours: true, ports: ports(pod), ..in_namespace(name, Namespace::named(NAMESPACE), labels) };
        if !all.contains(&end) {
            all.push(end);
        }
    }
    all
}

fn labels(value: &Value) -> Labels {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// The named ports of a pod.
fn ports(pod: &Value) -> BTreeMap<String, Ports> {
    let containers =
        ["containers", "initContainers"].into_iter().filter_map(|list| pod["spec"][list].as_array()).flatten();
    let declared = containers.filter_map(|container| container["ports"].as_array()).flatten();
    let named = declared.filter_map(|port| {
        let number = u16::try_from(port["containerPort"].as_u64()?).ok()?;
        let protocol = serde_json::from_value(port["protocol"].clone()).unwrap_or(Protocol::Tcp);
        Some((port["name"].as_str()?.to_owned(), Ports::range(protocol, number, number)))
    });
    named.collect()
}

/// An address of a pod. The pod CIDR of the cluster is unknown; this address is in the most common one.
fn pod_address() -> IpAddr {
    IpAddr::from([10, 244, 0, 17])
}

pub(super) fn in_namespace(name: String, namespace: Namespace, labels: Labels) -> Endpoint {
    Endpoint { name, ours: false, namespace: Some(namespace), labels, address: pod_address(), ports: BTreeMap::new() }
}

/// The endpoints outside the release: in its namespace, in namespaces that values or policies name, in another namespace, and outside the cluster.
pub(super) fn strangers(
    release: Release<'_>,
    pods: &[Endpoint],
    policies: &[Policy],
    named: &[&str],
    blocks: &[Cidr],
) -> Vec<Endpoint> {
    let Release { name, traffic } = release;
    let identities: Vec<&str> = traffic.identities().collect();
    let bears = |instance: &str, who: &str| -> Labels {
        [(INSTANCE, instance), (traffic.identity_label.as_str(), who)].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    };
    let mut all = vec![in_namespace(
        "a pod without labels in the namespace".to_owned(),
        Namespace::named(NAMESPACE),
        Labels::new(),
    )];
    for who in &identities {
        let neighbour =
            in_namespace(format!("another release's {who}"), Namespace::named(NAMESPACE), bears("other", who));
        let copy = in_namespace(
            format!("a pod with {who}'s labels in another namespace"),
            Namespace::named("elsewhere"),
            bears(name, who),
        );
        all.extend([neighbour, copy]);
        // A pod with the labels of a disabled service must have no rights.
        if !pods.iter().any(|pod| identity(release, pod) == Some(*who)) {
            all.push(in_namespace(format!("a pod with {who}'s labels"), Namespace::named(NAMESPACE), bears(name, who)));
        }
    }
    for namespace in named.iter().chain(&["elsewhere"]) {
        let dns: Labels = [("k8s-app".to_owned(), "kube-dns".to_owned())].into();
        all.push(in_namespace(format!("a pod in namespace {namespace}"), Namespace::named(namespace), Labels::new()));
        all.push(in_namespace(format!("a DNS pod in namespace {namespace}"), Namespace::named(namespace), dns));
    }
    let outside = |address: IpAddr| Endpoint {
        name: format!("{address} outside the cluster"),
        ours: false,
        namespace: None,
        labels: Labels::new(),
        address,
        ports: BTreeMap::new(),
    };
    let peers = || policies.iter().flat_map(Policy::peers);
    let mentioned = peers()
        .filter_map(|peer| peer.ip_block.as_ref())
        .flat_map(|b| std::iter::once(b.cidr).chain(b.except.iter().copied()));
    let mut addresses =
        vec![IpAddr::from([198, 51, 100, 7]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7]), NODE_LOCAL_DNS];
    addresses.extend(mentioned.chain(blocks.iter().copied()).flat_map(Cidr::edges));
    addresses.sort_unstable();
    addresses.dedup();
    all.extend(addresses.into_iter().map(outside));
    // For each peer of a policy, a pod with only the labels that the peer requires: it detects rules that require too few labels.
    for peer in peers().filter(|peer| peer.ip_block.is_none()) {
        let witness = witness(peer);
        // Pods with a known identity are already in the list.
        let is_known = identity(release, &witness).is_some_and(|who| identities.contains(&who));
        let is_witness = |end: &Endpoint| end.labels == witness.labels && end.namespace == witness.namespace;
        if !is_known && !pods.iter().chain(&all).any(is_witness) {
            all.push(witness);
        }
    }
    all
}

/// A pod that a peer selects, with no labels beyond those that the peer requires.
fn witness(peer: &Peer) -> Endpoint {
    let labels = peer.pod_selector.as_ref().map(satisfying).unwrap_or_default();
    let (namespace, place) = match &peer.namespace_selector {
        None => (Namespace::named(NAMESPACE), "the namespace".to_owned()),
        Some(selector) => {
            let labels = satisfying(selector);
            let place = format!("a namespace with {}", in_words(&labels));
            (Namespace { name: labels.get(NAME_LABEL).cloned().unwrap_or_default(), labels }, place)
        }
    };
    let who = if labels.is_empty() { "a pod".to_owned() } else { format!("a pod with {}", in_words(&labels)) };
    in_namespace(format!("{who} in {place}"), namespace, labels)
}

fn in_words(labels: &Labels) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// The fewest labels that a selector matches.
fn satisfying(selector: &Selector) -> Labels {
    let mut labels = selector.match_labels.clone();
    for expression in &selector.match_expressions {
        let value = match expression.operator {
            Operator::In => expression.values.first().cloned(),
            Operator::Exists => Some("any".to_owned()),
            Operator::NotIn | Operator::DoesNotExist => None,
        };
        labels.extend(value.map(|value| (expression.key.clone(), value)));
    }
    labels
}
