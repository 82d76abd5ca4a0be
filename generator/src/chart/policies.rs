//! NetworkPolicies: one for each service and backing service, in the umbrella, since both ends of a path are written where it is known
//! whether the service at the other end is installed.

use std::collections::BTreeMap;

use askama::Template;

use crate::access::{Access, Path, metrics_ports};
use crate::context::Context;
use crate::files::Files;
use crate::text::value;

pub(super) fn files(c: &Context, access: &Access, files: &mut Files) {
    files.umbrella("templates/networkpolicies/default.yaml", &Default { c });
    let declared = c.platform.platform();
    for service in &declared.services {
        let name = service.name.as_str();
        let door = service
            .exposure
            .map(|exposure| Door { via: value(&[name, "exposure", "via"]), port: exposure.port.number });
        let mut egress: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
        for path in access.from(service.name) {
            egress.entry(path.to.name()).or_default().push(path.port);
        }
        let egress = egress.into_iter().map(|(peer, ports)| Egress { peer, ports }).collect();
        let enabled = Some(value(&[name, "enabled"]));
        add(files, c, name, enabled, access, door, metrics_ports(service).collect(), egress);
    }
    for one in &declared.backing {
        let metrics = one.kind().metrics_port().into_iter().collect();
        add(files, c, one.name().as_str(), None, access, None, metrics, Vec::new());
    }
}

#[expect(clippy::too_many_arguments, reason = "the fields of the one view that is made here")]
fn add<'a>(
    files: &mut Files,
    c: &'a Context<'a>,
    name: &'a str,
    enabled: Option<String>,
    access: &Access,
    door: Option<Door>,
    metrics: Vec<u16>,
    egress: Vec<Egress<'a>>,
) {
    let ingress = ingress(access.to(name));
    let mut conditions: Vec<String> = ingress.iter().map(|rule| rule.enabled.clone()).collect();
    conditions.extend(door.as_ref().map(|door| format!(r#"(ne {} "None")"#, door.via)));
    if !metrics.is_empty() {
        conditions.push(".Values.global.metrics.enabled".into());
    }
    let any_ingress = match conditions.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(format!("or {}", several.join(" "))),
    };
    let view = Component { c, name, enabled, any_ingress, ingress, door, metrics, egress };
    files.umbrella(format!("templates/networkpolicies/{name}.yaml"), &view);
}

/// The rules at the end that is connected to, one for each client.
fn ingress<'a>(paths: impl Iterator<Item = &'a Path>) -> Vec<Ingress> {
    let mut clients: BTreeMap<&'static str, Vec<u16>> = BTreeMap::new();
    for path in paths {
        clients.entry(path.from.as_str()).or_default().push(path.port);
    }
    let rule = |(peer, ports): (&'static str, Vec<u16>)| Ingress { enabled: value(&[peer, "enabled"]), peer, ports };
    clients.into_iter().map(rule).collect()
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
    name: &'a str,
    enabled: Option<String>,
    any_ingress: Option<String>,
    ingress: Vec<Ingress>,
    door: Option<Door>,
    metrics: Vec<u16>,
    egress: Vec<Egress<'a>>,
}

struct Ingress {
    enabled: String,
    peer: &'static str,
    ports: Vec<u16>,
}

struct Egress<'a> {
    peer: &'a str,
    ports: Vec<u16>,
}

/// Users outside the cluster.
struct Door {
    via: String,
    port: u16,
}
