//! The exporter of Valkey, and the alerts about the server. The metrics are those of `redis_exporter` 1.86.

use vocabulary::{Image, Resources, cpu, memory};

use super::super::{AddOnLogin, Exporter};
use crate::alert::{Alert, Alerts, Needs, Runbook, SERVER_DOWN, Severity, series, word};
use crate::graph::Component;
use crate::names;

/// Its login, which reads statistics and no keys.
pub(super) const LOGIN: AddOnLogin = AddOnLogin {
    section: names::EXPORTER,
    doc: "Password of the user with which the exporter reads statistics. It cannot read keys.",
};

pub(super) const EXPORTER: Exporter = Exporter {
    image: Image::new("oliver006/redis_exporter", "v1.86.0"),
    image_source: "https://hub.docker.com/r/oliver006/redis_exporter/tags",
    measured: ["3m", "20 MiB", "3 s"],
    run_as_user: 59000,
    port: 9121,
    health: "/health",
    resources: Resources::new(cpu("10m").up_to("100m"), memory("16Mi").up_to("48Mi")),
    address: ("REDIS_ADDR", ["redis://", ":6379"]),
    login: ["REDIS_USER", "REDIS_PASSWORD"],
    backup_queries: None,
};

pub(super) fn alerts(server: &Component) -> Alerts {
    Alerts { rules: vec![down(server.name), memory_used(server.name)], queues: Vec::new() }
}

fn down(name: &'static str) -> Alert {
    let up = series("redis_up", &[]);
    let summary = format!("{name} does not answer its exporter.");
    Alert::new(&SERVER_DOWN, "1m", format!("{up} == 0"), summary).needs(Needs::Exporter).sample(&up, "0x60", "1x60")
}

/// The server has no limit of its own, so the limit of its container ends it. A container without a limit raises no alert.
fn memory_used(name: &'static str) -> Alert {
    let used = series("redis_memory_used_rss_bytes", &[]);
    let limit = word(name, "MEMORY");
    let summary = format!("{name} has {{{{ $value | humanize1024 }}}}B in memory, and its limit is near.");
    let expr = format!("{used} > on () group_left () 0.8 * (vector({limit}) > 0)");
    let alert = Alert::new(&MEMORY, "10m", expr, summary).needs(Needs::Exporter);
    alert.quantity(&limit, &[name, "resources", "limits", "memory"]).sample(&used, "1e15x60", "1e3x60")
}

const MEMORY: Runbook = Runbook {
    name: "CacheMemory",
    severity: Severity::Warning,
    meaning: "The cache uses more than 80 % of the memory limit of its container. At the limit, the kernel ends the server, which then starts again with its data and fills up again.",
    steps: &[
        "See which client fills it: `kubectl exec <release>-<component>-0 --namespace <namespace> --container administrator -- sh -c 'REDISCLI_AUTH=$(cat /etc/credentials/administrator) valkey-cli --user administrator --bigkeys'`.",
        "Let the client set a time to live for its keys, or raise `<component>.resources.limits.memory`.",
    ],
    inhibits: &[],
};
