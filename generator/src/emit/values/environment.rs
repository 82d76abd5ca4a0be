//! Applies the changes of an environment to a copy of the defaults.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_yaml::Value;
use vocabulary::{Certificate, Change, EdgeController, HostName, ObjectName};

use super::exposure::{CertManagerMode, IssuerKind};
use super::{BackingValues, ChartValues, ServiceValues, Values, Via};

/// Applies the changes of one environment. `resolve` has verified that their targets exist.
pub(crate) fn apply_all(values: &mut Values, changes: &[Change]) {
    for change in changes {
        apply(values, *change);
    }
    if changes.contains(&Change::Controller(EdgeController::Traefik)) {
        keep_off_plain_http(values);
    }
}

fn apply(values: &mut Values, change: Change) {
    match change {
        Change::Setting { service, variable, value } => {
            let Some(service) = service_of(values, service.as_str()) else { return };
            if let Some(setting) = service.settings.get_mut(&variable.camel_case()) {
                // The setting's default determines whether it is a number.
                *setting = match (&*setting, value.parse::<i64>()) {
                    (Value::Number(_), Ok(number)) => Value::from(number),
                    _ => Value::from(value),
                };
            }
        }
        Change::ImageTag { service, tag } => {
            if let Some(service) = service_of(values, service.as_str()) {
                service.image.tagged(tag);
            }
        }
        Change::Replicas { service, count } => {
            if let Some(service) = service_of(values, service.as_str()) {
                service.replicas = count;
            }
        }
        Change::Autoscaled { service } => {
            if let Some(autoscaling) = service_of(values, service.as_str()).and_then(|s| s.autoscaling.as_mut()) {
                autoscaling.enabled = true;
            }
        }
        Change::NodePort { service, port } => {
            if let Some(exposure) = service_of(values, service.as_str()).and_then(|s| s.exposure.as_mut()) {
                exposure.via = Via::NodePort;
                exposure.node_port = port.into();
            }
        }
        Change::Ingress { service, host, class, certificate } => {
            if let Some(service) = service_of(values, service.as_str()) {
                expose(service, host, class, certificate);
            }
        }
        Change::Controller(controller) => values.global.forwarded_by(controller),
        Change::ExternalSecrets(source) => values.global.take_secrets_from(source),
        Change::BackedUp { backing } => {
            if let Some(backup) = backing_of(values, backing.as_str()).and_then(|server| server.backup.as_mut()) {
                backup.enabled = true;
            }
        }
        Change::Monitored(monitoring) => {
            values.global.monitor_by(monitoring);
            for chart in values.charts.values_mut() {
                if let ChartValues::Backing(server) = chart
                    && let Some(exporter) = server.exporter.as_mut()
                {
                    exporter.enabled = true;
                }
            }
        }
        // A value of the chart with the log agent.
        Change::Logged(_) => {}
        Change::Storage { backing, size } => {
            if let Some(backing) = backing_of(values, backing.as_str()) {
                backing.persistence.size = Quantity(size.to_string());
            }
        }
    }
}

fn expose(service: &mut ServiceValues, host: HostName, class: ObjectName, certificate: Certificate) {
    let Some(exposure) = service.exposure.as_mut() else { return };
    exposure.via = Via::Ingress;
    host.as_str().clone_into(&mut exposure.host);
    class.as_str().clone_into(&mut exposure.ingress.class_name);
    let (kind, issuer) = match certificate {
        Certificate::Secret(name) => {
            name.as_str().clone_into(&mut exposure.tls.secret_name);
            return;
        }
        Certificate::ClusterIssuer(name) => (IssuerKind::ClusterIssuer, name),
        Certificate::Issuer(name) => (IssuerKind::Issuer, name),
    };
    let cert_manager = &mut exposure.tls.cert_manager;
    cert_manager.mode = CertManagerMode::Certificate;
    cert_manager.issuer_kind = kind;
    issuer.as_str().clone_into(&mut cert_manager.issuer_name);
}

/// Traefik serves an Ingress at every entry point by default, also at the one for plain HTTP. The other controllers redirect an Ingress with TLS.
fn keep_off_plain_http(values: &mut Values) {
    for chart in values.charts.values_mut() {
        if let ChartValues::Service(service) = chart
            && let Some(exposure) = service.exposure.as_mut()
            && exposure.via == Via::Ingress
        {
            let key = "traefik.ingress.kubernetes.io/router.entrypoints".to_owned();
            exposure.ingress.annotations.insert(key, "websecure".to_owned());
        }
    }
}

fn service_of<'a>(values: &'a mut Values, name: &str) -> Option<&'a mut ServiceValues> {
    match values.charts.get_mut(name) {
        Some(ChartValues::Service(service)) => Some(service),
        _ => None,
    }
}

fn backing_of<'a>(values: &'a mut Values, name: &str) -> Option<&'a mut BackingValues> {
    match values.charts.get_mut(name) {
        Some(ChartValues::Backing(backing)) => Some(backing),
        _ => None,
    }
}
