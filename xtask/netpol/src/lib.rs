//! Compares the connections that the NetworkPolicies of a rendered chart allow with the declared connections, for every pair of endpoints and
//! every port.
//!
//! *Invariant:* the two sides are independent. The expectation (`expected.rs`) is computed from the declaration and the values, and never reads a
//! rendered policy; the evaluation of policies (`policy.rs`) never reads the declaration.

mod edge;
mod expected;
mod policy;
#[cfg(test)]
mod policy_tests;
mod ports;
#[cfg(test)]
mod tests;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use generator::Traffic;
use render::{NAMESPACE, Object};
use serde_json::Value;

use self::expected::Expected;
use self::policy::{Direction, Endpoint, Policy, open, passes};
use self::ports::Ports;
use self::world::{ANY_ADDRESS, ANY_POD, identity, pods, strangers};

/// A release of a platform.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// Its name.
    pub name: &'a str,
    /// The traffic that the platform declares.
    pub traffic: &'a Traffic,
}

/// The connections that the policies of a case allow, and their differences from the declared connections.
pub struct Findings {
    /// The differences, as messages.
    pub wrong: BTreeSet<String>,
    /// The number of pairs of endpoints that were compared.
    pub pairs: usize,
    /// The pairs with an open port.
    open: Vec<(Endpoint, Endpoint, Ports)>,
}

impl Findings {
    /// The number of pairs of endpoints with an open port.
    #[must_use]
    pub fn open_pairs(&self) -> usize {
        self.open.len()
    }
}

/// The NetworkPolicies of a rendered chart.
pub struct Policies(Vec<Policy>);

/// Reads the NetworkPolicies among the objects.
///
/// # Errors
/// If a policy has an unknown field. Ignoring the field could hide an open connection.
pub fn policies(objects: &[Object]) -> anyhow::Result<Policies> {
    let all = objects.iter().filter(|object| object.kind == "NetworkPolicy");
    let read = |object: &Object| {
        Policy::read(&object.value, NAMESPACE)
            .with_context(|| format!("cannot evaluate the NetworkPolicy {}", object.name))
    };
    all.map(read).collect::<Result<_, _>>().map(Policies)
}

/// Compares the connections that the policies among the objects allow with those that declaration and values allow.
///
/// # Errors
/// If a policy, or the rules and addresses in the values, cannot be read.
pub fn compare(release: Release<'_>, values: &Value, objects: &[Object]) -> anyhow::Result<Findings> {
    let expected = Expected::new(release, values)?;
    let Policies(policies) = policies(objects)?;
    let pods = pods(release, objects);
    let mut others = strangers(release, &pods, &policies, &expected.namespaces(), expected.api_server());
    others.extend(expected.edges());
    // Policies select by labels: any pod with the labels of a service has its rights.
    let ours = |end: &Endpoint| end.ours || identity(release, end).is_some();
    let all: Vec<(&Endpoint, bool)> = pods.iter().chain(&others).map(|end| (end, ours(end))).collect();
    let mut found = Findings { wrong: unserved(release.traffic, &expected, objects), pairs: 0, open: Vec::new() };
    for (client, client_is_ours) in &all {
        for (server, server_is_ours) in &all {
            // Connections between two endpoints outside the release do not concern the chart.
            if !client_is_ours && !server_is_ours {
                continue;
            }
            found.pairs += 1;
            let out = passes(&policies, Direction::Egress, client, server);
            let into = passes(&policies, Direction::Ingress, client, server);
            let (may_leave, may_enter) = (expected.leaves(client, server), expected.enters(client, server));
            let (is, should) = (out.and(&into), may_leave.and(&may_enter));
            let (from, to) = (&client.name, &server.name);
            let (too_much, too_little) = (is.without(&should), should.without(&is));
            if !too_much.is_empty() {
                found.wrong.insert(format!("{from} → {to}:{too_much} is open but not declared"));
            }
            if !too_little.is_empty() {
                let closed_by = match (too_little.without(&out).is_empty(), too_little.without(&into).is_empty()) {
                    (false, false) => "the policies of both ends",
                    (false, true) => "the policies of the client",
                    (true, _) => "the policies of the server",
                };
                found.wrong.insert(format!("{from} → {to}:{too_little} is declared but closed by {closed_by}"));
            }
            // Each end must restrict the connection by itself, so that it stays closed where the policies of the other end are missing.
            for (passes, may, end) in [(&out, &may_leave, from), (&into, &may_enter, to)] {
                let more = passes.without(may).without(&is);
                if !more.is_empty() {
                    found.wrong.insert(format!(
                        "{from} → {to}:{more} is allowed by the policies of {end} but not declared; only the other end closes it"
                    ));
                }
            }
            if !is.is_empty() {
                found.open.push(((*client).clone(), (*server).clone(), is));
            }
        }
    }
    Ok(found)
}

/// The declared paths without a matching Service: a client connects to the name of a Service, whose port must equal the port of the pods.
fn unserved(traffic: &Traffic, expected: &Expected<'_>, objects: &[Object]) -> BTreeSet<String> {
    let leads = |to: &str, port: u16| {
        objects.iter().filter(|object| object.kind == "Service").any(|service| {
            let spec = &service.value["spec"];
            let behind: Vec<&Value> =
                objects.iter().filter_map(Object::pod).filter(|pod| selects(&spec["selector"], pod)).collect();
            let is_it = |pod: &&Value| pod["metadata"]["labels"][&traffic.identity_label] == to;
            let entries = spec["ports"].as_array().into_iter().flatten();
            !behind.is_empty()
                && behind.iter().all(is_it)
                && entries
                    .filter(|entry| entry["port"] == port)
                    .any(|entry| behind.iter().all(|pod| target(entry, pod) == Some(u64::from(port))))
        })
    };
    let missing = expected.paths().filter(|path| !leads(&path.to, path.port));
    missing
        .map(|path| format!("no Service leads to {}:{}, to which {} connects", path.to, path.port, path.from))
        .collect()
}

fn selects(selector: &Value, pod: &Value) -> bool {
    let Some(labels) = selector.as_object() else { return false };
    !labels.is_empty() && labels.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value)
}

/// The pod port to which a port entry of a Service leads.
fn target(entry: &Value, pod: &Value) -> Option<u64> {
    let target = if entry["targetPort"].is_null() { &entry["port"] } else { &entry["targetPort"] };
    let Some(name) = target.as_str() else { return target.as_u64() };
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let mut ports = containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
    ports.find(|port| port["name"] == name).and_then(|port| port["containerPort"].as_u64())
}

/// Describes the connections that are open here and closed under the policies of the default values (`usual`).
#[must_use]
pub fn beyond(release: Release<'_>, found: &Findings, usual: &Policies) -> Option<String> {
    let mut into: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut out: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (client, server, ports) in &found.open {
        let more = ports.without(&open(&usual.0, client, server));
        if more.is_empty() {
            continue;
        }
        if identity(release, server).is_some() {
            into.entry(format!("{}:{more}", server.name)).or_default().insert(&client.name);
        } else {
            out.entry(format!("{}, on {more}", client.name)).or_default().insert(&server.name);
        }
    }
    let into = into.into_iter().map(|(to, from)| format!("{} may connect to {to}", some(&from)));
    let out = out.into_iter().map(|(from, to)| format!("{from}, may connect to {}", some(&to)));
    let all: Vec<String> = into.chain(out).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// The names as text: all of them, or the first three and the number of the others, or `any endpoint`.
fn some(names: &BTreeSet<&str>) -> String {
    const SHOWN: usize = 3;
    if names.contains(ANY_POD) && names.contains(ANY_ADDRESS) {
        return "any endpoint".to_owned();
    }
    // If any pod of a namespace is named, its DNS pods need no mention.
    let twin =
        |name: &str| name.strip_prefix("a DNS pod").is_some_and(|rest| names.contains(format!("a pod{rest}").as_str()));
    let names: Vec<&str> = names.iter().copied().filter(|name| !twin(name)).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => names.join(" and "),
        more => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}
