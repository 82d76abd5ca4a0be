//! The semantics of NetworkPolicies on small examples, as the Kubernetes documentation describes them.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::policy::{Cidr, Endpoint, Namespace, Policy, open};
use super::ports::Ports;

fn pod(namespace: &str, labels: &[(&str, &str)]) -> Endpoint {
    Endpoint {
        name: "pod".to_owned(),
        ours: true,
        namespace: Some(Namespace::named(namespace)),
        labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        address: IpAddr::from([10, 244, 0, 1]),
        ports: [("http".to_owned(), Ports::tcp(8080))].into(),
    }
}

fn outside(address: [u8; 4]) -> Endpoint {
    Endpoint { namespace: None, address: address.into(), ports: [].into(), ..pod("", &[]) }
}

fn policy(spec: &Value) -> Policy {
    Policy::read(&json!({ "spec": spec }), "here").expect("a policy")
}

/// The open ports of a pod `app: server` in the namespace `here`, under one policy for it.
fn into_server(from: &Endpoint, rules: &Value) -> String {
    let spec =
        json!({ "podSelector": { "matchLabels": { "app": "server" } }, "policyTypes": ["Ingress"], "ingress": rules });
    open(&[policy(&spec)], from, &pod("here", &[("app", "server")])).to_string()
}

#[test]
fn without_a_policy_everything_is_open_and_a_policy_closes_only_its_direction() {
    let (a, b) = (pod("here", &[("app", "a")]), pod("here", &[("app", "b")]));
    assert_eq!(open(&[], &a, &b), Ports::all());
    let closed_in = policy(&json!({ "podSelector": {}, "policyTypes": ["Ingress"] }));
    assert_eq!(open(std::slice::from_ref(&closed_in), &a, &b), Ports::NONE);
    // A policy does not select pods of another namespace.
    assert_eq!(open(&[closed_in], &a, &pod("there", &[])), Ports::all());
    let closed_out = policy(&json!({ "podSelector": { "matchLabels": { "app": "a" } }, "policyTypes": ["Egress"] }));
    assert_eq!(open(std::slice::from_ref(&closed_out), &a, &b), Ports::NONE);
    assert_eq!(open(&[closed_out], &b, &a), Ports::all());
}

#[test]
fn missing_policy_types_are_derived_from_the_rules() {
    let (a, b) = (pod("here", &[("app", "a")]), pod("here", &[("app", "b")]));
    let of_a = |spec: Value| policy(&json!({ "podSelector": { "matchLabels": { "app": "a" } }, "egress": spec }));
    // Always Ingress, and Egress if the policy has egress rules.
    assert_eq!(open(&[of_a(json!([]))], &b, &a), Ports::NONE);
    assert_eq!(open(&[of_a(json!([]))], &a, &b), Ports::all());
    assert_eq!(open(&[of_a(json!([{ "ports": [{ "port": 1 }] }]))], &a, &b).to_string(), "1");
}

#[test]
fn both_ends_must_allow_a_connection() {
    let (a, b) = (pod("here", &[("app", "a")]), pod("here", &[("app", "b")]));
    let out = json!({ "podSelector": { "matchLabels": { "app": "a" } }, "policyTypes": ["Egress"],
        "egress": [{ "ports": [{ "port": 80 }, { "port": 81 }] }] });
    let r#in = json!({ "podSelector": { "matchLabels": { "app": "b" } }, "ingress": [{ "ports": [{ "port": 81 }, { "port": 82 }] }] });
    assert_eq!(open(&[policy(&out), policy(&r#in)], &a, &b).to_string(), "81");
}

#[test]
fn several_policies_add_up() {
    let rule = |port: u16| policy(&json!({ "podSelector": {}, "ingress": [{ "ports": [{ "port": port }] }] }));
    let (a, b) = (pod("there", &[]), pod("here", &[]));
    assert_eq!(open(&[rule(1), rule(2)], &a, &b).to_string(), "1-2");
}

#[test]
fn selectors_of_one_peer_must_both_match_and_of_two_peers_either() {
    let namespace = json!({ "matchLabels": { "kubernetes.io/metadata.name": "there" } });
    let pods = json!({ "matchLabels": { "app": "client" } });
    let both = json!([{ "from": [{ "namespaceSelector": namespace, "podSelector": pods }] }]);
    let either = json!([{ "from": [{ "namespaceSelector": namespace }, { "podSelector": pods }] }]);
    let client = [("app", "client")];
    let mut seen = Vec::new();
    for from in [pod("there", &client), pod("there", &[]), pod("here", &client), pod("here", &[])] {
        seen.push((into_server(&from, &both) == "every port", into_server(&from, &either) == "every port"));
    }
    assert_eq!(seen, [(true, true), (false, true), (false, true), (false, false)]);
    // An empty namespace selector matches every namespace; a missing one means the policy's own namespace.
    assert_eq!(
        into_server(&pod("there", &client), &json!([{ "from": [{ "namespaceSelector": {}, "podSelector": pods }] }])),
        "every port"
    );
    assert_eq!(into_server(&outside([192, 0, 2, 1]), &json!([{ "from": [{ "namespaceSelector": {} }] }])), "");
}

#[test]
fn expressions() {
    let from = |operator: &str, values: &[&str], labels: &[(&str, &str)]| {
        let expression = json!({ "key": "tier", "operator": operator, "values": values });
        let rules = json!([{ "from": [{ "podSelector": { "matchExpressions": [expression] } }] }]);
        into_server(&pod("here", labels), &rules) == "every port"
    };
    let (x, y) = (&[("tier", "x")][..], &[("tier", "y")][..]);
    assert_eq!([from("In", &["x"], x), from("In", &["x"], y), from("In", &["x"], &[])], [true, false, false]);
    assert_eq!([from("NotIn", &["x"], x), from("NotIn", &["x"], y), from("NotIn", &["x"], &[])], [false, true, true]);
    assert_eq!([from("Exists", &[], x), from("Exists", &[], &[])], [true, false]);
    assert_eq!([from("DoesNotExist", &[], x), from("DoesNotExist", &[], &[])], [false, true]);
}

#[test]
fn ports() {
    let from = pod("here", &[]);
    let with = |ports: Value| into_server(&from, &json!([{ "ports": ports }]));
    assert_eq!(with(json!([])), "every port");
    assert_eq!(with(json!([{ "port": 80 }])), "80");
    assert_eq!(with(json!([{ "port": 80, "endPort": 90, "protocol": "UDP" }])), "80-90/udp");
    assert_eq!(with(json!([{ "protocol": "SCTP" }])), "1-65535/sctp");
    // A port name refers to a named port of the server with the same protocol.
    assert_eq!(with(json!([{ "port": "http" }])), "8080");
    assert_eq!(with(json!([{ "port": "http", "protocol": "UDP" }])), "");
    assert_eq!(with(json!([{ "port": "gone" }])), "");
}

#[test]
fn cidr_blocks() {
    let from = |address: [u8; 4], block: &Value| {
        into_server(&outside(address), &json!([{ "from": [{ "ipBlock": block }] }])) == "every port"
    };
    let block = json!({ "cidr": "172.17.0.0/16", "except": ["172.17.1.0/24"] });
    assert!(from([172, 17, 0, 9], &block) && from([172, 17, 2, 0], &block));
    assert!(!from([172, 17, 1, 9], &block) && !from([172, 18, 0, 9], &block));
    assert!(from([8, 8, 8, 8], &json!({ "cidr": "0.0.0.0/0" })));
    let edges = |text: &str| {
        Cidr::try_from(text.to_owned()).expect("a block").edges().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(edges("10.1.2.3/8"), ["10.0.0.0", "11.0.0.0"]);
    assert_eq!(edges("0.0.0.0/0"), ["0.0.0.0"]);
    assert_eq!(edges("2001:db8::/32"), ["2001:db8::", "2001:db9::"]);
    for wrong in ["10.0.0.0", "10.0.0.0/33", "x/8"] {
        assert!(Cidr::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

#[test]
fn unknown_fields_are_rejected() {
    for spec in [
        json!({ "podSelector": {}, "ingres": [] }),
        json!({ "podSelector": {}, "ingress": [{ "from": [{ "nodeSelector": {} }] }] }),
        json!({ "podSelector": {}, "ingress": [{ "port": [] }] }),
        json!({ "ingress": [] }),
    ] {
        assert!(Policy::read(&json!({ "spec": spec }), "here").is_err(), "{spec}");
    }
}
