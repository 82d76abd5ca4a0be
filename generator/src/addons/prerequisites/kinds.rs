//! The kinds of other projects that the chart can render: the one list of them, with the values that ask for each.

use super::operators::{CERT_MANAGER, CILIUM, EXTERNAL_SECRETS, GATEWAY_API, OPENTELEMETRY, Owner, PROMETHEUS, VELERO};
use crate::addons::instrumentation;
use crate::graph::Graph;

/// A kind of another project that the chart can render.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomKind {
    /// Its API group, such as `monitoring.coreos.com`.
    pub group: &'static str,
    /// The version that the chart renders.
    pub version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// Its name in the definition's name: plural and lower case.
    pub plural: &'static str,
    /// The versions besides `version` that the pinned definition still has; none is the version in which objects are stored.
    pub(super) others: &'static str,
    /// The name of what brings the definition.
    pub(super) owner: &'static str,
    /// The settings of the values with each of which the chart renders it.
    pub(super) settings: Vec<Setting>,
}

impl CustomKind {
    /// The name of its definition.
    #[must_use]
    pub fn definition(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }

    /// The API version of its objects in the chart.
    #[must_use]
    pub fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }
}

/// A setting of the values: all its conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) conditions: Vec<Condition>,
}

impl Setting {
    fn of(conditions: Vec<Condition>) -> Self {
        Self { conditions }
    }

    /// The setting of a service, which has an effect only while the service is enabled.
    pub(super) fn of_service(service: &str, conditions: Vec<Condition>) -> Self {
        let enabled =
            Condition { is_implied: true, ..Condition::new(&format!("{service}.enabled"), "true", true, "true") };
        Self::of(std::iter::once(enabled).chain(conditions).collect())
    }

    /// The setting as text: each of its conditions as `shown` writes it.
    fn joined(&self, shown: impl Fn(&Condition) -> String) -> String {
        let conditions = self.conditions.iter().filter(|condition| !condition.is_implied);
        conditions.map(shown).collect::<Vec<_>>().join(" with ")
    }

    /// The setting as plain text.
    pub(super) fn text(&self) -> String {
        self.joined(|Condition { path, equal, wanted, .. }| {
            let wanted = if wanted.is_empty() { "\"\"" } else { wanted };
            if *equal { format!("{path}: {wanted}") } else { format!("{path} other than {wanted}") }
        })
    }

    /// The setting as Markdown.
    pub(super) fn code(&self) -> String {
        self.joined(|Condition { path, equal, wanted, .. }| {
            let wanted = if wanted.is_empty() { "\"\"" } else { wanted };
            if *equal { format!("`{path}: {wanted}`") } else { format!("`{path}` other than `{wanted}`") }
        })
    }
}

/// A comparison of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) path: String,
    /// The value's default, as the script reads it from a values file. A test compares it with `values.yaml`.
    pub(super) default: &'static str,
    /// Whether the value equals `wanted`; otherwise it differs.
    pub(super) equal: bool,
    pub(super) wanted: &'static str,
    /// Whether a reader takes it for granted, so that no text shows it.
    pub(super) is_implied: bool,
}

impl Condition {
    pub(super) fn new(path: &str, default: &'static str, equal: bool, wanted: &'static str) -> Self {
        Self { path: path.to_owned(), default, equal, wanted, is_implied: false }
    }
}

/// A condition on a value of `global`.
fn global(path: &str, default: &'static str, wanted: &'static str) -> Condition {
    Condition::new(&format!("global.{path}"), default, true, wanted)
}

/// The kinds that the chart of a platform can render, by group.
pub(crate) fn kinds(graph: &Graph) -> Vec<CustomKind> {
    let mut kinds = Vec::new();
    let mut add = |owner: &Owner,
                   (group, version): (&'static str, &'static str),
                   kind,
                   plural,
                   others,
                   settings: Vec<Setting>| {
        kinds.push(CustomKind { group, version, kind, plural, others, owner: owner.name, settings });
    };
    let exposed: Vec<&str> = graph.exposed().map(|(service, _)| service).collect();
    let each = |conditions: &dyn Fn(&str) -> Vec<Condition>| -> Vec<Setting> {
        exposed.iter().map(|service| Setting::of_service(service, conditions(service))).collect()
    };
    let exposure = |service: &str, path: &str, default, equal, wanted| {
        Condition::new(&format!("{service}.exposure.{path}"), default, equal, wanted)
    };
    if !exposed.is_empty() {
        let certificate = |service: &str| {
            // The mode `Annotation` lets cert-manager make it.
            vec![exposure(service, "tls.certManager.mode", "None", false, "None")]
        };
        add(&CERT_MANAGER, ("cert-manager.io", "v1"), "Certificate", "certificates", "", each(&certificate));
        let cilium = |via: &'static str| {
            move |service: &str| {
                let controller = global("network.edgeController", "Custom", "Cilium");
                vec![exposure(service, "via", "None", true, via), controller]
            }
        };
        let settings = [each(&cilium("Ingress")), each(&cilium("HTTPRoute"))].concat();
        add(&CILIUM, ("cilium.io", "v2"), "CiliumNetworkPolicy", "ciliumnetworkpolicies", "", settings);
    }
    if graph.has_secrets() {
        let external = || vec![Setting::of(vec![global("secrets.mode", "inline", "external")])];
        let group = ("external-secrets.io", "v1");
        add(&EXTERNAL_SECRETS, group, "ExternalSecret", "externalsecrets", "v1beta1, not served", external());
        let mut own_store = external();
        // The chart's own store; one with a name is the installer's.
        own_store[0].conditions.push(global("secrets.store.name", "", ""));
        add(&EXTERNAL_SECRETS, group, "SecretStore", "secretstores", "v1beta1, not served", own_store);
    }
    if !exposed.is_empty() {
        let group = ("gateway.networking.k8s.io", "v1");
        let route = |service: &str| vec![exposure(service, "via", "None", true, "HTTPRoute")];
        add(&GATEWAY_API, group, "HTTPRoute", "httproutes", "v1beta1, served", each(&route));
        let own_gateway = |service: &str| {
            let own = exposure(service, "httpRoute.ownGateway.enabled", "false", true, "true");
            [route(service), vec![own]].concat()
        };
        add(&GATEWAY_API, group, "Gateway", "gateways", "v1beta1, served", each(&own_gateway));
    }
    if graph.has_metrics() {
        let group = "monitoring.coreos.com";
        let on = |switch: &str, condition| vec![Setting::of(vec![global(switch, "false", "true"), condition])];
        let monitors = on("metrics.enabled", global("metrics.discovery", "None", "PodMonitor"));
        add(&PROMETHEUS, (group, "v1"), "PodMonitor", "podmonitors", "", monitors);
        let rules = on("alerts.enabled", global("alerts.format", "PrometheusRule", "PrometheusRule"));
        add(&PROMETHEUS, (group, "v1"), "PrometheusRule", "prometheusrules", "", rules);
        let routing = vec![Setting::of(vec![global("alerts.routing.format", "None", "AlertmanagerConfig")])];
        add(&PROMETHEUS, (group, "v1alpha1"), "AlertmanagerConfig", "alertmanagerconfigs", "", routing);
    }
    if instrumentation::has_traces(graph) {
        let operator = global("tracing.instrumentation", "InitContainer", "Operator");
        let settings = vec![Setting::of(vec![global("tracing.enabled", "false", "true"), operator])];
        add(&OPENTELEMETRY, ("opentelemetry.io", "v1alpha1"), "Instrumentation", "instrumentations", "", settings);
    }
    if graph.servers().next().is_some() {
        let settings = vec![Setting::of(vec![global("velero.enabled", "false", "true")])];
        add(&VELERO, ("velero.io", "v1"), "Schedule", "schedules", "", settings);
    }
    kinds
}
