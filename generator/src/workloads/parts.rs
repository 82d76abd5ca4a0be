//! The parts of a Pod that refer to no object of the release: typed Kubernetes values, serialised into the templates.

use k8s_openapi::api::core::v1::{
    Capabilities, ExecAction, HTTPGetAction, PodSecurityContext, Probe, ResourceRequirements, SeccompProfile,
    SecurityContext, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use vocabulary::{Health, Port};

use crate::yaml::template_block;

/// The probes of a container, each as a block of YAML.
pub(crate) struct Probes {
    pub(crate) startup: String,
    pub(crate) readiness: String,
    pub(crate) liveness: String,
}

/// Probe period, failure threshold and timeout.
#[derive(Clone, Copy)]
pub(crate) struct ProbeTiming {
    pub(crate) period_seconds: i32,
    pub(crate) failures: i32,
    pub(crate) timeout_seconds: i32,
}

/// A program of a few seconds' start.
const STARTUP: ProbeTiming = ProbeTiming { period_seconds: 5, failures: 24, timeout_seconds: 3 };
const READINESS: ProbeTiming = ProbeTiming { period_seconds: 10, failures: 2, timeout_seconds: 3 };
const LIVENESS: ProbeTiming = ProbeTiming { period_seconds: 15, failures: 3, timeout_seconds: 3 };

/// Python takes a second to start where processor time is scarce. A dependency that is back for less than this (three failures, fifteen
/// seconds apart) may still be found by the program itself, when it is in the middle of its tries at the start.
const CONNECTIONS_STARTUP: ProbeTiming = ProbeTiming { period_seconds: 5, failures: 24, timeout_seconds: 10 };
const CONNECTIONS: ProbeTiming = ProbeTiming { period_seconds: 15, failures: 3, timeout_seconds: 10 };
const CONNECTIONS_READINESS: ProbeTiming = ProbeTiming { period_seconds: 10, failures: 2, timeout_seconds: 10 };

pub(crate) fn probes(health: &Health, connections: &[String]) -> Probes {
    match *health {
        Health::Connections(_) => Probes {
            startup: probe_block(exec(connection_command("alive", connections)), CONNECTIONS_STARTUP),
            readiness: probe_block(exec(connection_command("connected", connections)), CONNECTIONS_READINESS),
            liveness: probe_block(exec(connection_command("alive", connections)), CONNECTIONS),
        },
        Health::Probes { readiness, liveness } => Probes {
            startup: probe_block(handler(liveness), STARTUP),
            readiness: probe_block(handler(readiness), READINESS),
            liveness: probe_block(handler(liveness), LIVENESS),
        },
    }
}

/// The command line of the script: what to do, and which connections.
pub(crate) fn connection_command(verb: &str, connections: &[String]) -> Vec<String> {
    // `-I`: nothing of the image's Python environment, `-S`: no site packages, which halves its start.
    let script = format!("{}/connections.py", Health::CONNECTIONS_FOLDER);
    ["python3", "-IS", &script, verb].map(str::to_owned).into_iter().chain(connections.iter().cloned()).collect()
}

fn handler(probe: vocabulary::Probe) -> Probe {
    let named = |port: Port| IntOrString::String(port.name.to_string());
    match probe {
        vocabulary::Probe::Tcp(port) => tcp(named(port)),
        vocabulary::Probe::Http(route) => Probe {
            http_get: Some(HTTPGetAction {
                path: Some(route.path.to_string()),
                port: named(route.port),
                ..HTTPGetAction::default()
            }),
            ..Probe::default()
        },
    }
}

pub(crate) fn tcp(port: IntOrString) -> Probe {
    Probe { tcp_socket: Some(TCPSocketAction { port, host: None }), ..Probe::default() }
}

pub(crate) fn exec(command: Vec<String>) -> Probe {
    Probe { exec: Some(ExecAction { command: Some(command) }), ..Probe::default() }
}

pub(crate) fn probe_block(handler: Probe, timing: ProbeTiming) -> String {
    template_block(&Probe {
        period_seconds: Some(timing.period_seconds),
        timeout_seconds: Some(timing.timeout_seconds),
        failure_threshold: Some(timing.failures),
        ..handler
    })
}

/// What Pod Security `restricted` asks of a pod. With a group for its volumes where it has any that must be written.
pub(crate) fn pod_security(user: u32, volumes: bool) -> String {
    let id = Some(i64::from(user));
    template_block(&PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: id,
        run_as_group: id,
        fs_group: if volumes { id } else { None },
        // Changing the owner of every file at each start takes minutes on a large volume.
        fs_group_change_policy: volumes.then(|| "OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
        ..PodSecurityContext::default()
    })
}

/// What Pod Security `restricted` asks of a Pod without volumes to be written, whose user and group are given by this text.
pub(crate) fn pod_security_as(user: &str) -> String {
    format!("runAsGroup: {user}\nrunAsNonRoot: true\nrunAsUser: {user}\nseccompProfile:\n  type: RuntimeDefault")
}

/// What a script takes that mostly waits, and now and then starts one of a server's own tools: RabbitMQ's are Erlang machines of 75 MB.
pub(crate) fn helper_resources() -> String {
    let amounts = |cpu: &str, memory: &str, storage: &str| {
        let amount = |(name, amount): (&str, &str)| (name.to_owned(), Quantity(amount.to_owned()));
        Some([("cpu", cpu), ("memory", memory), ("ephemeral-storage", storage)].map(amount).into())
    };
    template_block(&ResourceRequirements {
        requests: amounts("10m", "16Mi", "16Mi"),
        limits: amounts("500m", "256Mi", "64Mi"),
        claims: None,
    })
}

/// What Pod Security `restricted` asks of a container, and a root file system that cannot be written.
pub(crate) fn container_security() -> String {
    template_block(&SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), add: None }),
        ..SecurityContext::default()
    })
}
