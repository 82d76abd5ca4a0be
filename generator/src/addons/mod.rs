//! What the chart adds to the components: one folder or file per add-on, registered in [`ADD_ONS`].

pub(crate) mod alerts;
pub(crate) mod authentication;
pub(crate) mod backup;
mod costs;
pub(crate) mod dashboards;
pub(crate) mod exporter;
mod gitops;
mod helm_tests;
pub(crate) mod instrumentation;
mod logs;
mod metrics;
mod observability;
pub(crate) mod prerequisites;
pub(crate) mod provisioning;
mod traces;
mod velero;

use crate::files::Files;
use crate::graph::Graph;

/// All add-ons, in the order of their registration.
pub(crate) const ADD_ONS: &[&dyn AddOn] = &[
    &provisioning::Provisioning,
    &backup::Backup,
    &velero::Velero,
    &metrics::Metrics,
    &exporter::Exporters,
    &instrumentation::Instrumentation,
    &authentication::Authentication,
    &alerts::Alerts,
    &dashboards::Dashboards,
    &observability::Observability,
    &prerequisites::Prerequisites,
    &gitops::GitOps,
    &helm_tests::HelmTests,
    &logs::Logs,
    &traces::Traces,
];

/// What an add-on brings.
pub(crate) trait AddOn: Sync {
    /// Adds its files.
    fn files(&self, graph: &Graph, files: &mut Files);

    /// The paths over the network that its Pods need, from identities of their own.
    fn paths(&self, _graph: &Graph) -> Vec<HelperPath> {
        Vec::new()
    }
}

/// A path that an add-on's Pods need.
pub(crate) struct HelperPath {
    /// The network identity of the Pods.
    pub(crate) identity: String,
    /// The component that they connect to.
    pub(crate) target: &'static str,
    /// Its port.
    pub(crate) port: u16,
    /// The port at which monitoring reads their metrics, if they report some.
    pub(crate) metrics: Option<u16>,
    /// The expression of the umbrella's templates that holds while the Pods exist; none if they always do.
    pub(crate) when: Option<String>,
    /// The expression of the values for further egress rules of the Pods; none if they have no such value.
    pub(crate) extra_egress: Option<String>,
    /// What they do, as a comment at the rule that lets them in.
    pub(crate) note: &'static str,
}

/// The paths of all add-ons.
pub(crate) fn paths(graph: &Graph) -> Vec<HelperPath> {
    ADD_ONS.iter().flat_map(|add_on| add_on.paths(graph)).collect()
}
