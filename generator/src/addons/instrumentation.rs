//! Traces: the instrumentation of the programs that a runtime lets the chart instrument, by an init container or by the OpenTelemetry operator. The
//! programs send their spans to an address in the values; the gateway and its store are a chart beside the umbrella.

use askama::Template;
use vocabulary::{Health, Image, Probe, Runtime};

use super::AddOn;
use crate::expr::go_string;
use crate::files::Files;
use crate::graph::{Component, Graph, Service};
use crate::names::TRACING;
use crate::text::digest;
use crate::workloads::parts::{HelperAmounts, container_security};

/// The instrumentation of the OpenTelemetry operator, which works without the operator.
pub(crate) const INSTRUMENTATION: Image =
    Image::new("ghcr.io/open-telemetry/opentelemetry-operator/autoinstrumentation-python", "0.66b1");

/// Where its project says that it builds the image for amd64 and arm64 (`.github/workflows/publish-autoinstrumentation-python.yaml`).
pub(super) const INSTRUMENTATION_SOURCE: &str = "https://github.com/open-telemetry/opentelemetry-operator";

/// The size at which the operator bounds its volume of the instrumentation.
const VOLUME_SIZE: &str = "200Mi";

/// What the copy of the instrumentation takes. The kubelet adds up a Pod's files on the node and compares them with the limit of its containers or of
/// its largest init container: this one leaves room for the volume beside the log.
const COPY: HelperAmounts =
    HelperAmounts { cpu: ["50m", "500m"], memory: ["32Mi", "128Mi"], storage: ["64Mi", "512Mi"] };

/// What the instrumentation lacks, as a module that it loads by itself.
const ADDITIONS: &str = include_str!("../../templates/addons/instrumentation/tracing_additions.py");

/// The add-on.
pub(super) struct Instrumentation;

impl AddOn for Instrumentation {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let services: Vec<_> = traced(graph).map(|(component, _)| component.name).collect();
        if services.is_empty() {
            return;
        }
        files.text("files/tracing/tracing_additions.py", ADDITIONS.to_owned());
        let file = |name: &str| format!("templates/tracing/{name}");
        files.umbrella(file("_tracing.tpl"), &Helpers::of(graph));
        files.umbrella(file("configmap.yaml"), &ConfigMap { c: graph, config_map: config_map() });
        files.umbrella(file("instrumentation.yaml"), &InstrumentationObject { c: graph });
        files.umbrella(file("networkpolicy.yaml"), &NetworkPolicy { c: graph, services });
    }
}

/// The services whose programs are traced.
pub(crate) fn traced(graph: &Graph) -> impl Iterator<Item = (&Component, &Service)> {
    graph.services().filter(|(_, service)| is_traced(service))
}

/// Whether the platform has such a service.
pub(crate) fn has_traces(graph: &Graph) -> bool {
    traced(graph).next().is_some()
}

/// Whether a service's program is traced.
pub(crate) fn is_traced(service: &Service) -> bool {
    service.runtime == Runtime::Python
}

/// The argument of the helper for the variables of a service's container, as text of a template of the service's chart.
pub(crate) fn variables_argument(component: &Component, service: &Service) -> String {
    let probed = match service.health {
        Health::Probes { readiness, liveness } => vec![readiness, liveness],
        Health::Connections(_) => Vec::new(),
    };
    let probed = probed.into_iter().filter_map(|probe| match probe {
        Probe::Http(route) => Some(route.path.as_str()),
        Probe::Tcp(_) => None,
    });
    let mut paths: Vec<_> = probed.chain(component.metrics_ports().map(|(_, path)| path)).collect();
    paths.sort_unstable();
    paths.dedup();
    let patterns: Vec<_> = paths.into_iter().map(|path| format!("{}$", regular(path))).collect();
    format!(r#"(dict "chart" . "untraced" {})"#, go_string(&patterns.join(",")))
}

/// A path as a regular expression. The instrumentation separates expressions by commas.
fn regular(path: &str) -> String {
    let mut out = String::new();
    for character in path.chars() {
        match character {
            ',' => out.push('.'),
            '.' | '+' | '*' | '(' | ')' | '$' | '?' | '[' | ']' | '|' | '^' | '{' | '}' | '\\' => {
                out.extend(['\\', character]);
            }
            _ => out.push(character),
        }
    }
    out
}

/// The name of the ConfigMap with the module, as text of a template. It ends with a digest of it: the ConfigMap is immutable.
fn config_map() -> String {
    format!("{{{{ .Release.Name }}}}-{TRACING}-{}", digest([ADDITIONS]))
}

#[derive(Template)]
#[template(path = "addons/instrumentation/_tracing.tpl")]
struct Helpers<'a> {
    c: &'a Graph,
    init_container: &'static str,
    folder: &'static str,
    additions_folder: &'static str,
    volume: &'static str,
    additions_volume: &'static str,
    volume_size: &'static str,
    config_map: String,
    resources: String,
    security: String,
}

impl<'a> Helpers<'a> {
    fn of(graph: &'a Graph) -> Self {
        let [volume, additions_volume] = Runtime::VOLUMES;
        Self {
            c: graph,
            init_container: Runtime::INIT_CONTAINER,
            folder: Runtime::INSTRUMENTATION_FOLDER,
            additions_folder: Runtime::INSTRUMENTATION_ADDITIONS_FOLDER,
            volume,
            additions_volume,
            volume_size: VOLUME_SIZE,
            config_map: config_map(),
            resources: COPY.block(),
            security: container_security(),
        }
    }
}

#[derive(Template)]
#[template(path = "addons/instrumentation/configmap.yaml")]
struct ConfigMap<'a> {
    c: &'a Graph,
    config_map: String,
}

#[derive(Template)]
#[template(path = "addons/instrumentation/instrumentation.yaml")]
struct InstrumentationObject<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/instrumentation/networkpolicy.yaml")]
struct NetworkPolicy<'a> {
    c: &'a Graph,
    services: Vec<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::regular;

    #[test]
    fn a_path_is_matched_literally() {
        assert_eq!(regular("/health.check+now,please"), r"/health\.check\+now.please");
    }
}
