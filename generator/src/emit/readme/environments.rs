//! The README's table of environments, with what each needs in the cluster.

use vocabulary::{Certificate, Change, Environment, LogStore, Monitoring, SecretSource};

use crate::graph::Graph;
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

/// The names of the environments that declare a log store.
pub(crate) fn logged(graph: &Graph) -> impl Iterator<Item = &'static str> {
    let is_logged = |change: &Change| matches!(change, Change::Logged(_));
    graph.environments.iter().filter(move |one| one.changes.iter().any(is_logged)).map(|one| one.name.as_str())
}

/// The link to what a store must contain.
const STORED: &str = " and [the passwords in it](#passwords-in-a-store)";

/// What the cluster must have before the installation, as Markdown.
fn need(change: &Change) -> Option<String> {
    let external = "[External Secrets](#custom-resources)";
    Some(match change {
        Change::NodePort { port, .. } => format!("node port {port}"),
        Change::Autoscaled { .. } => "a metrics server".to_owned(),
        Change::ExternalSecrets(SecretSource::Values) => external.to_owned(),
        Change::ExternalSecrets(SecretSource::Store(name)) => {
            format!("{external}, with the SecretStore {}{STORED}", code_cell(name.as_str()))
        }
        Change::ExternalSecrets(SecretSource::ClusterStore(name)) => {
            format!("{external}, with the ClusterSecretStore {}{STORED}", code_cell(name.as_str()))
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
        Change::Monitored(Monitoring::KubePrometheusStack(release)) => format!(
            "the [Prometheus operator](#custom-resources) of a release {} of kube-prometheus-stack",
            code_cell(release.as_str())
        ),
        Change::Logged(store) => {
            let (kind, service) = match store {
                LogStore::Loki(service) => ("Loki", service),
                LogStore::VictoriaLogs(service) => ("VictoriaLogs", service),
            };
            let [name, namespace] = [service.name, service.namespace].map(|name| code_cell(name.as_str()));
            format!("for the logs {kind}, as the Service {name} in the namespace {namespace}")
        }
        _ => return None,
    })
}
