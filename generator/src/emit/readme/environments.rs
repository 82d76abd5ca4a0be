//! The README's table of environments, with what each needs in the cluster.

use vocabulary::{Certificate, Change, Environment, Monitoring, SecretSource};

use crate::text::{Row, cell, code_cell};

pub(super) fn row(environment: &Environment) -> Row {
    let mut needs: Vec<String> = Vec::new();
    for need in environment.changes.iter().filter_map(need) {
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    let needs = if needs.is_empty() { "nothing else".to_owned() } else { needs.join("; ") };
    Row::of(&[code_cell(environment.name.as_str()), cell(environment.doc), needs])
}

/// What the cluster must have before the installation, as Markdown.
fn need(change: &Change) -> Option<String> {
    let external = "[External Secrets](#custom-resources)";
    Some(match change {
        Change::NodePort { port, .. } => format!("node port {port}"),
        Change::Autoscaled { .. } => "a metrics server".to_owned(),
        Change::ExternalSecrets(SecretSource::Values) => external.to_owned(),
        Change::ExternalSecrets(SecretSource::Store(name)) => {
            format!("{external}, with the SecretStore {}", code_cell(name.as_str()))
        }
        Change::ExternalSecrets(SecretSource::ClusterStore(name)) => {
            format!("{external}, with the ClusterSecretStore {}", code_cell(name.as_str()))
        }
        Change::Ingress { host, class, certificate, .. } => {
            let (kind, name) = match certificate {
                Certificate::Secret(name) => ("the Secret", name),
                Certificate::ClusterIssuer(name) => ("cert-manager's ClusterIssuer", name),
                Certificate::Issuer(name) => ("cert-manager's Issuer", name),
            };
            let [host, class, name] = [host.as_str(), class.as_str(), name.as_str()].map(code_cell);
            format!("an ingress class {class}; {kind} {name} with the certificate of {host}")
        }
        Change::Monitored(Monitoring::Annotations) => "Prometheus".to_owned(),
        Change::Monitored(Monitoring::Operator) => "the [Prometheus operator](#custom-resources)".to_owned(),
        _ => return None,
    })
}
