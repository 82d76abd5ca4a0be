//! The parts of a Pod that refer to no object of the release: typed Kubernetes values, serialised into the templates.

use k8s_openapi::api::core::v1::{
    Capabilities, ExecAction, HTTPGetAction, PodSecurityContext, Probe, ResourceRequirements, SeccompProfile,
    SecurityContext, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use vocabulary::{Health, Port};

use super::scripts;
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

/// For a program that starts within seconds.
const STARTUP: ProbeTiming = ProbeTiming { period_seconds: 5, failures: 24, timeout_seconds: 3 };
const READINESS: ProbeTiming = ProbeTiming { period_seconds: 10, failures: 2, timeout_seconds: 3 };
const LIVENESS: ProbeTiming = ProbeTiming { period_seconds: 15, failures: 3, timeout_seconds: 3 };

/// The timeout allows for Python, which takes a second to start at a low CPU limit. Three failures at a period of 15 s give the program 45 s to
/// find a dependency that came back by itself, since some programs retry for 30 s at their start.
const CONNECTIONS_STARTUP: ProbeTiming = ProbeTiming { period_seconds: 5, failures: 24, timeout_seconds: 10 };
const CONNECTIONS: ProbeTiming = ProbeTiming { period_seconds: 15, failures: 3, timeout_seconds: 10 };
const CONNECTIONS_READINESS: ProbeTiming = ProbeTiming { period_seconds: 10, failures: 2, timeout_seconds: 10 };

/// The probes of a service. `servers` are the words that name its watched connections to the script `probe.py`.
pub(crate) fn probes(health: &Health, servers: &[&str]) -> Probes {
    match *health {
        Health::Connections(_) => Probes {
            startup: probe_block(exec(probe_command("alive", servers)), CONNECTIONS_STARTUP),
            readiness: probe_block(exec(probe_command("connected", servers)), CONNECTIONS_READINESS),
            liveness: probe_block(exec(probe_command("alive", servers)), CONNECTIONS),
        },
        Health::Probes { readiness, liveness } => Probes {
            startup: probe_block(handler(liveness), STARTUP),
            readiness: probe_block(handler(readiness), READINESS),
            liveness: probe_block(handler(liveness), LIVENESS),
        },
    }
}

fn probe_command(check: &str, servers: &[&str]) -> Vec<String> {
    let script = format!("{}/probe.py", Health::CONNECTIONS_FOLDER);
    let words = scripts::PYTHON.iter().copied().chain([script.as_str(), check]).chain(servers.iter().copied());
    words.map(str::to_owned).collect()
}

fn handler(probe: vocabulary::Probe) -> Probe {
    let named = |port: Port| IntOrString::String(port.name.to_string());
    match probe {
        vocabulary::Probe::Tcp(port) => tcp(named(port)),
        vocabulary::Probe::Http(route) => http(route.path.as_str(), named(route.port)),
    }
}

impl Probes {
    /// The probes of a helper Pod beside a component, such as an exporter: ready by its answer to this path, alive while its port is open.
    pub(crate) fn of_helper(port: &str, path: &str) -> Self {
        let port = || IntOrString::String(port.to_owned());
        let timing = |period_seconds, failures| ProbeTiming { period_seconds, failures, timeout_seconds: 3 };
        Self {
            startup: probe_block(tcp(port()), timing(2, 30)),
            readiness: probe_block(http(path, port()), timing(10, 3)),
            liveness: probe_block(tcp(port()), timing(30, 3)),
        }
    }
}

fn http(path: &str, port: IntOrString) -> Probe {
    let get = HTTPGetAction { path: Some(path.to_owned()), port, ..HTTPGetAction::default() };
    Probe { http_get: Some(get), ..Probe::default() }
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

/// The Pod security context that Pod Security `restricted` requires, with an `fsGroup` for a Pod with writable volumes.
pub(crate) fn pod_security(user: u32, volumes: bool) -> String {
    let id = Some(i64::from(user));
    template_block(&PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: id,
        run_as_group: id,
        fs_group: if volumes { id } else { None },
        // By default the kubelet changes the group of every file at each start, which takes minutes on a large volume.
        fs_group_change_policy: volumes.then(|| "OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
        ..PodSecurityContext::default()
    })
}

/// The same for a Pod without writable volumes, with this text as its user and group.
pub(crate) fn pod_security_as(user: &str) -> String {
    format!("runAsGroup: {user}\nrunAsNonRoot: true\nrunAsUser: {user}\nseccompProfile:\n  type: RuntimeDefault")
}

/// Requests and limits for a script that mostly waits and sometimes runs a server's own tools. RabbitMQ's tools start an Erlang VM of 75 MB.
pub(crate) fn helper_resources() -> String {
    HELPER_AMOUNTS.block()
}

/// Request and limit of each resource of a helper container.
pub(crate) struct HelperAmounts {
    pub(crate) cpu: [&'static str; 2],
    pub(crate) memory: [&'static str; 2],
    pub(crate) storage: [&'static str; 2],
}

impl HelperAmounts {
    /// The container's `resources`, a block of YAML.
    pub(crate) fn block(&self) -> String {
        let Self { cpu, memory, storage } = *self;
        let amounts = |which: usize| {
            let amount = |(name, amounts): (&str, [&str; 2])| (name.to_owned(), Quantity(amounts[which].to_owned()));
            Some([("cpu", cpu), ("memory", memory), ("ephemeral-storage", storage)].map(amount).into())
        };
        template_block(&ResourceRequirements { requests: amounts(0), limits: amounts(1), claims: None })
    }
}

/// What a helper container takes.
pub(crate) const HELPER_AMOUNTS: HelperAmounts =
    HelperAmounts { cpu: ["10m", "500m"], memory: ["16Mi", "256Mi"], storage: ["16Mi", "64Mi"] };

/// The container security context that Pod Security `restricted` requires, with a read-only root file system.
pub(crate) fn container_security() -> String {
    template_block(&SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), add: None }),
        ..SecurityContext::default()
    })
}
