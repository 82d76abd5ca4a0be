//! The log agent: a chart beside the umbrella with the OpenTelemetry Collector on each node, which reads the log files of one release's Pods.
//!
//! It is a chart of its own, because a hostPath needs a namespace with the Pod Security level `privileged`.

mod collector;

use askama::Template;
use k8s_openapi::api::core::v1::{HTTPGetAction, PodSecurityContext, Probe, SeccompProfile};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_yaml::Value;
use vocabulary::Image;

use super::{AddOn, authentication};
use crate::emit::further::{self, Further};
use crate::emit::images::reference;
use crate::emit::values::{LogsValues, RESERVED_FOLDERS};
use crate::files::Files;
use crate::graph::Graph;
use crate::text::{Row, cell, code_cell};
use crate::workloads::parts::{ProbeTiming, Probes, probe_block};
use crate::workloads::{Container, EnvVar, FurtherOfContainer, FurtherOfPod, Mount, Pod, Scope, Volume};
use crate::yaml::{put, template_block};

/// The Collector with the receivers and exporters of its community.
pub(super) const COLLECTOR: Image = Image::new("otel/opentelemetry-collector-contrib", "0.165.0");

/// Where its project says that it builds the image for amd64 and arm64 (`distributions/otelcol-contrib/.goreleaser.yaml`).
pub(super) const COLLECTOR_SOURCE: &str = "https://github.com/open-telemetry/opentelemetry-collector-releases";

/// What the chart's name has behind the platform's.
const NAME: &str = "logs";

/// The workload that has the outputs, as the templates name it.
const AGENT: &str = "agent";

/// The keys of the outputs' Secrets.
const SECRET_KEYS: &[(&str, &str)] = &[("otlp", "authorization"), ("elasticsearch", "apiKey"), ("splunkHec", "token")];

/// The port of the Collector's health check.
const HEALTH: u16 = 13133;

/// The folder of the kubelet with the logs of all Pods of the node.
const POD_LOGS: &str = "/var/log/pods";

/// The folder in the container with positions and queues.
const STATE: &str = "/var/lib/otelcol";

/// The add-on.
pub(super) struct Logs;

impl AddOn for Logs {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let names = Names::of(graph);
        let values = LogsValues::of(COLLECTOR);
        let overlays = graph.environments.iter().filter_map(|one| Some((*one, values.overlay(one)?))).collect();
        let chart = Further {
            name: NAME,
            doc: format!(
                "The log agent of {}: reads the logs of one release on each node and sends them to a log store.",
                graph.name
            ),
            images: vec![("collector", COLLECTOR)],
            tree: values.tree(names.all().copied()),
            ci_values: ci_values(),
            overlays,
        };
        let mut files = further::files::<LogsValues>(graph, files, &chart);
        let file = |name: &str| format!("templates/{name}");
        files.view(&file("_helpers.tpl"), &Helpers::of(graph));
        files.view(&file("_collector.tpl"), &collector::template(graph, &names));
        files.view(&file("_checks.tpl"), &CheckHelpers { c: graph });
        files.view(&file("checks.yaml"), &Checks { c: graph, names: &names, reserved_folders: &RESERVED_FOLDERS });
        files.view(&file("configmap.yaml"), &ConfigMap { c: graph });
        files.view(&file("daemonset.yaml"), &DaemonSet { c: graph, pod: pod(graph).text(graph, POD_INDENT) });
        files.view(&file("networkpolicies.yaml"), &NetworkPolicies { c: graph });
        files.view(&file("rbac.yaml"), &Rbac { c: graph });
        files.view(&file("serviceaccount.yaml"), &ServiceAccount { c: graph });
        files.view(&file("NOTES.txt"), &Notes);
        let of_services = graph.services().filter_map(|(component, service)| {
            Some(Row::of(&[code_cell(component.name), capitalised(&cell(service.personal_log?)) + "."]))
        });
        let of_servers = graph.servers().filter_map(|(component, server)| {
            let text = server.kind.log_format()?.personal?;
            Some(Row::of(&[code_cell(component.name), text.to_owned()]))
        });
        let of_proxies = graph.exposed().map(|(service, _)| {
            let text = "E-mail address, IP address and path of each request.";
            Row::of(&[code_cell(&authentication::identity(service)), text.to_owned()])
        });
        let personal = of_services.chain(of_servers).chain(of_proxies);
        let readme = Readme {
            c: graph,
            names: &names,
            release: graph.example_release(),
            environments: chart.overlays.iter().map(|(environment, _)| environment.name.as_str()).collect(),
            personal: personal.collect(),
            continuations: collector::continuations(graph).join("|"),
            image: reference(COLLECTOR),
        };
        files.view("README.md", &readme);
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// The names of the components whose logs are collected.
struct Names {
    services: Vec<&'static str>,
    /// The services that can have a proxy.
    exposed: Vec<&'static str>,
    servers: Vec<&'static str>,
}

impl Names {
    fn of(graph: &Graph) -> Self {
        let servers = graph.servers().map(|(component, _)| component.name).collect();
        let services = graph.services().map(|(component, _)| component.name).collect();
        Self { services, exposed: graph.exposed().map(|(service, _)| service).collect(), servers }
    }

    /// Whether there are several, so that one can be left out.
    fn is_choice(&self) -> bool {
        self.all().count() > 1
    }

    /// All of them, for a list within an action.
    fn all(&self) -> impl Iterator<Item = &&'static str> {
        self.services.iter().chain(&self.servers)
    }
}

/// An output in the address ranges that are reserved for documentation.
fn ci_values() -> Value {
    let mut values = Value::Null;
    put(&mut values, &["release", "name"], "shop".into());
    put(&mut values, &["release", "namespace"], "production".into());
    put(&mut values, &["outputs", "otlp", "endpoint"], "https://logs.example.org/otlp/v1/logs".into());
    let egress = r#"[{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 443}]}]"#;
    let egress = serde_yaml::from_str(egress).expect("this text is YAML");
    put(&mut values, &["network", "egress"], egress);
    values
}

/// The indentation of the Pod's `spec` in the template of the DaemonSet.
const POD_INDENT: usize = 6;

fn pod(graph: &Graph) -> Pod {
    let own = "{{ .Release.Name }}-agent";
    let container = Container {
        args: Some("- --config=/etc/otelcol/config.yaml".to_owned()),
        ports: vec![("health".to_owned(), HEALTH)],
        env: vec![EnvVar::of_field("NODE_NAME", "spec.nodeName"), go_memory(graph, ".")],
        further: FurtherOfContainer { env: Some(r#"include "agent.secrets" ."#.to_owned()), mounts: None },
        probes: Some(probes()),
        mounts: vec![
            Mount::new("config", "/etc/otelcol").read_only(),
            Mount::new("pod-logs", POD_LOGS).read_only(),
            Mount::new("state", STATE),
        ],
        ..Container::new("agent")
    };
    Pod {
        scope: Scope::Further,
        service_account: own.to_owned(),
        token: "{{ not (empty .Values.podLabels) }}".to_owned(),
        no_service_links: None,
        restart_policy: None,
        grace_period: None,
        security: security(),
        init_containers: Vec::new(),
        containers: vec![container],
        further: FurtherOfPod::default(),
        volumes: vec![
            Volume::projected("config", r#"{{- include "agent.configuration" . | trim | nindent 14 }}"#),
            Volume::host_path("pod-logs", POD_LOGS, "Directory"),
            Volume::host_path("state", r#"{{ include "agent.hostPath" . | quote }}"#, "DirectoryOrCreate"),
        ],
    }
}

/// The variable with the limit of Go's memory, from the resources in this scope.
pub(super) fn go_memory(graph: &Graph, scope: &str) -> EnvVar {
    EnvVar::new("GOMEMLIMIT", format!(r#"{{{{ include "{}.goMemory" {scope} | quote }}}}"#, graph.name))
        .note("Go collects garbage before the container reaches its memory limit.")
}

/// The kubelet's log files belong to root and are closed to others. So the agent is root, without any capability.
fn security() -> String {
    template_block(&PodSecurityContext {
        run_as_non_root: Some(false),
        run_as_user: Some(0),
        run_as_group: Some(0),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
        ..PodSecurityContext::default()
    })
}

fn probes() -> Probes {
    let block = |period_seconds, failures| {
        let get = HTTPGetAction {
            path: Some("/".to_owned()),
            port: IntOrString::String("health".to_owned()),
            ..HTTPGetAction::default()
        };
        let probe = Probe { http_get: Some(get), ..Probe::default() };
        probe_block(probe, ProbeTiming { period_seconds, failures, timeout_seconds: 3 })
    };
    Probes { startup: block(2, 60), readiness: block(10, 2), liveness: block(15, 4) }
}

#[derive(Template)]
#[template(path = "addons/logs/_helpers.tpl")]
struct Helpers<'a> {
    c: &'a Graph,
    workload: &'static str,
    secret_keys: &'static [(&'static str, &'static str)],
    example_variable: &'static str,
}

impl<'a> Helpers<'a> {
    const fn of(c: &'a Graph) -> Self {
        Self { c, workload: AGENT, secret_keys: SECRET_KEYS, example_variable: "SPLUNK_HEC" }
    }
}

#[derive(Template)]
#[template(path = "addons/logs/_checks.tpl")]
struct CheckHelpers<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/logs/checks.yaml")]
struct Checks<'a> {
    c: &'a Graph,
    names: &'a Names,
    reserved_folders: &'a [&'static str],
}

#[derive(Template)]
#[template(path = "addons/logs/configmap.yaml")]
struct ConfigMap<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/logs/daemonset.yaml")]
struct DaemonSet<'a> {
    c: &'a Graph,
    pod: String,
}

#[derive(Template)]
#[template(path = "addons/logs/networkpolicies.yaml")]
struct NetworkPolicies<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/logs/rbac.yaml")]
struct Rbac<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/logs/serviceaccount.yaml")]
struct ServiceAccount<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/logs/NOTES.txt")]
struct Notes;

#[derive(Template)]
#[template(path = "addons/logs/README.md")]
struct Readme<'a> {
    c: &'a Graph,
    names: &'a Names,
    release: &'static str,
    /// The environments that declare a log store.
    environments: Vec<&'static str>,
    /// What the logs of services and servers can contain of persons.
    personal: Vec<Row>,
    /// The beginnings of lines that continue a record, as one regular expression.
    continuations: String,
    image: String,
}
