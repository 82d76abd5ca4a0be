//! Applies the changes of an environment to a copy of the defaults.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_yaml::Value;
use vocabulary::Change;

use super::{BackingValues, ChartValues, ServiceValues, Values, Via};

/// Applies one change. `resolve` has verified that its target exists.
pub(crate) fn apply(values: &mut Values, change: Change) {
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
        Change::Storage { backing, size } => {
            if let Some(backing) = backing_of(values, backing.as_str()) {
                backing.persistence.size = Quantity(size.to_string());
            }
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
