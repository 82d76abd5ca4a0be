//! Values of the chart: typed structs with the defaults.
//!
//! [`Values`] is the source of `values.yaml`, `values.schema.json`, the table in `VALUES.md`, and each environment's overlay.

mod alerts;
mod authentication;
mod backing;
mod backup;
mod credentials;
mod dashboards;
mod earlier;
mod environment;
mod exporter;
mod exposure;
mod further;
mod global;
mod kubernetes;
mod logs;
mod rules;
mod schema;
mod service;
mod traces;
mod tracing;
mod tree;
mod velero;

use indexmap::IndexMap;
use serde::Serialize;
use serde_yaml::{Mapping, Value};
use vocabulary::Environment;

use crate::graph::{Graph, Role};

pub(crate) use backing::BackingValues;
pub(crate) use dashboards::DashboardsValues;
pub(crate) use earlier::admit;
pub(crate) use environment::apply_all;
pub(crate) use exposure::Via;
pub(crate) use global::Global;
pub(crate) use logs::{LogsValues, RESERVED_FOLDERS};
pub(crate) use schema::{further_schema, json_schema};
pub(crate) use service::ServiceValues;
pub(crate) use traces::TracesValues;
pub(crate) use tree::{Entry, Node, Section};

/// All values of the umbrella chart: the global values, and one section for each chart.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Values {
    pub(crate) global: Global,
    #[serde(flatten)]
    pub(crate) charts: IndexMap<&'static str, ChartValues>,
}

/// The values of one subchart.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ChartValues {
    Service(Box<ServiceValues>),
    Backing(Box<BackingValues>),
}

impl Values {
    /// The defaults.
    pub(crate) fn of(graph: &Graph) -> Self {
        let charts = graph.components.iter().map(|component| {
            let values = match &component.role {
                Role::Service(service) => ChartValues::Service(Box::new(ServiceValues::of(graph, component, service))),
                Role::Server(server) => ChartValues::Backing(Box::new(BackingValues::of(component, server))),
            };
            (component.name, values)
        });
        Self { global: Global::of(graph), charts: charts.collect() }
    }

    /// Every value with its documentation and its schema.
    pub(crate) fn tree(&self, graph: &Graph) -> Section {
        let mut entries = vec![global::entry(graph, &self.global)];
        for component in &graph.components {
            entries.push(match (self.charts.get(component.name), &component.role) {
                (Some(ChartValues::Service(values)), Role::Service(declared)) => {
                    service::entry(component, declared, values)
                }
                (Some(ChartValues::Backing(values)), Role::Server(server)) => backing::entry(component, server, values),
                _ => unreachable!("the values were made from this graph"),
            });
        }
        Section(entries)
    }

    /// The values of an environment that differ from the defaults: the content of its overlay file.
    pub(crate) fn overlay(&self, environment: &Environment) -> Value {
        let mut changed = self.clone();
        apply_all(&mut changed, environment.changes);
        difference(&crate::yaml::tree(self), &crate::yaml::tree(&changed)).unwrap_or(Value::Mapping(Mapping::new()))
    }
}

/// The keys of `changed` that differ from `default`, or `None` if there are none.
pub(super) fn difference(default: &Value, changed: &Value) -> Option<Value> {
    match (default, changed) {
        _ if default == changed => None,
        (Value::Mapping(default), Value::Mapping(changed)) => {
            let differing = changed.iter().filter_map(|(key, value)| {
                let before = default.get(key).unwrap_or(&Value::Null);
                difference(before, value).map(|difference| (key.clone(), difference))
            });
            Some(Value::Mapping(differing.collect()))
        }
        _ => Some(changed.clone()),
    }
}
