//! The Pods of the gateway and of Jaeger.

use k8s_openapi::api::core::v1::{HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{DATA, HEALTH, OTLP, QUERY};
use crate::addons::logs::go_memory;
use crate::graph::Graph;
use crate::workloads::parts::{ProbeTiming, Probes, pod_security, probe_block};
use crate::workloads::{Container, FurtherOfContainer, FurtherOfPod, Mount, Pod, Scope, Volume};

/// The indentation of a Pod's `spec` in the template of a Deployment.
const INDENT: usize = 6;

/// The user and group of both programs, which their images also name.
const USER: u32 = 10001;

/// The condition of the values under which Jaeger has a volume.
const STORED: &str = r#"eq .Values.jaeger.storage "Badger""#;

/// The gateway's Pod.
pub(super) fn gateway(graph: &Graph) -> String {
    let scope = Scope::Section("$gateway");
    let container = Container {
        args: Some("- --config=/etc/otelcol/config.yaml".to_owned()),
        ports: vec![("otlp-http".to_owned(), OTLP), ("health".to_owned(), HEALTH)],
        env: vec![go_memory(graph, "$gateway")],
        further: FurtherOfContainer { env: Some(r#"include "gateway.secrets" ."#.to_owned()), mounts: None },
        probes: Some(probes("/")),
        mounts: vec![Mount::new("config", "/etc/otelcol").read_only()],
        ..Container::new("gateway")
    };
    let configuration = r#"{{- include "gateway.configuration" . | trim | nindent 14 }}"#;
    pod(scope, "gateway", false, container, vec![Volume::projected("config", configuration)]).text(graph, INDENT)
}

/// Jaeger's Pod. Its database is on the volume, or there is none.
pub(super) fn jaeger(graph: &Graph) -> String {
    let scope = Scope::Section("$jaeger");
    let container = Container {
        args: Some("- --config=/etc/jaeger/config.yaml".to_owned()),
        ports: vec![("otlp-http".to_owned(), OTLP), ("query".to_owned(), QUERY), ("health".to_owned(), HEALTH)],
        env: vec![go_memory(graph, "$jaeger")],
        probes: Some(probes("/status")),
        mounts: vec![Mount::new("config", "/etc/jaeger").read_only(), Mount::new("data", DATA).when(STORED)],
        ..Container::new("jaeger")
    };
    let volumes = vec![
        Volume::config_map("config", "{{ .Release.Name }}-jaeger", &[]),
        Volume::claim("data", "{{ .Release.Name }}-jaeger").when(STORED),
    ];
    pod(scope, "jaeger", true, container, volumes).text(graph, INDENT)
}

fn pod(scope: Scope, name: &str, has_data: bool, container: Container, volumes: Vec<Volume>) -> Pod {
    Pod {
        scope,
        service_account: format!("{{{{ .Release.Name }}}}-{name}"),
        token: "false".to_owned(),
        no_service_links: None,
        further: FurtherOfPod::default(),
        restart_policy: None,
        grace_period: None,
        security: pod_security(USER, has_data),
        init_containers: Vec::new(),
        containers: vec![container],
        volumes,
    }
}

/// A database of some gigabytes takes a while to open.
fn probes(path: &str) -> Probes {
    let block = |period_seconds, failures| {
        let get = HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("health".to_owned()),
            ..HTTPGetAction::default()
        };
        let probe = Probe { http_get: Some(get), ..Probe::default() };
        probe_block(probe, ProbeTiming { period_seconds, failures, timeout_seconds: 3 })
    };
    Probes { startup: block(2, 60), readiness: block(10, 2), liveness: block(15, 4) }
}
