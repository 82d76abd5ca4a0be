//! Alerts from metrics that the cluster's own monitoring reports: kube-state-metrics, the kubelet and cert-manager. A value switches them on.

use crate::alert::{Alert, NAMESPACE, Needs, RELEASE, Runbook, Severity};
use crate::graph::Graph;

/// The metrics of others that the rules read, and what reports them.
pub(super) const METRICS: &[(&str, &str)] = &[
    ("kube_pod_status_ready", KUBE_STATE_METRICS),
    ("kube_pod_status_phase", KUBE_STATE_METRICS),
    ("kube_pod_container_status_restarts_total", KUBE_STATE_METRICS),
    ("kube_pod_container_status_last_terminated_reason", KUBE_STATE_METRICS),
    ("kube_job_failed", KUBE_STATE_METRICS),
    ("kube_resourcequota", KUBE_STATE_METRICS),
    ("kubelet_volume_stats_available_bytes", "the kubelet"),
    ("kubelet_volume_stats_capacity_bytes", "the kubelet"),
    ("certmanager_certificate_expiration_timestamp_seconds", "cert-manager"),
];

const KUBE_STATE_METRICS: &str = "[kube-state-metrics](https://github.com/kubernetes/kube-state-metrics)";

/// What stands for the pattern of the names of the release's objects; the rules' file repeats it less often than the expressions.
pub(super) const OWN: &str = "__OBJECTS__";

/// A pattern of the names of the release's objects. Those of release `afp-2` do not match that of `afp`.
pub(super) fn objects(graph: &Graph) -> String {
    let names: Vec<_> = graph.components.iter().map(|component| component.name).collect();
    format!("{RELEASE}-({})-.+", names.join("|"))
}

pub(super) fn alerts(graph: &Graph) -> Vec<Alert> {
    // The name of an object, for the series that prove the rules.
    let name = format!("{RELEASE}-{}-0", graph.components.first().map_or("", |component| component.name));
    vec![not_ready(&name), restarts(&name), out_of_memory(&name), jobs(&name), quota(), volumes(&name), certificates()]
}

/// A selector of a metric's series in the release's namespace; `matchers` is empty or begins with a comma.
fn select(metric: &str, matchers: &str) -> String {
    format!("{metric}{{namespace=\"{NAMESPACE}\"{matchers}}}")
}

/// The series of a metric of all pods of the release.
fn pods(metric: &str, matchers: &str) -> String {
    select(metric, &format!(",pod=~\"{OWN}\"{matchers}"))
}

/// A series of a metric of one pod.
fn pod(metric: &str, name: &str, matchers: &str) -> String {
    select(metric, &format!(",pod=\"{name}\"{matchers}"))
}

fn rule(about: &'static Runbook, wait: &'static str, expr: String, summary: &str) -> Alert {
    Alert::new(about, wait, expr, summary.to_owned()).needs(Needs::ClusterMetrics)
}

/// The pods of finished Jobs are not Ready, either.
fn not_ready(name: &str) -> Alert {
    let waiting = ",condition=\"false\"";
    let phase = |phase: &str| format!(",phase=~\"{phase}\"");
    let ended = pods("kube_pod_status_phase", &phase("Succeeded|Failed"));
    // A pod that no node has taken has no condition `Ready` yet.
    let pending = pods("kube_pod_status_phase", &phase("Pending"));
    let not_ready = pods("kube_pod_status_ready", waiting);
    let expr = format!("({not_ready} == 1 unless on (pod) {ended} == 1) or on (pod) {pending} == 1");
    let alert = rule(&NOT_READY, "15m", expr, "The pod {{ $labels.pod }} is not Ready.");
    let ready = pod("kube_pod_status_ready", name, waiting);
    let alert = alert.sample(&ready, "1x60", "0x60");
    let alert = alert.also_fires(&[(&pod("kube_pod_status_phase", name, ",phase=\"Pending\""), "1x60")]);
    alert.stays_silent(&[(&ready, "1x60"), (&pod("kube_pod_status_phase", name, ",phase=\"Succeeded\""), "1x60")])
}

fn restarts(name: &str) -> Alert {
    let metric = "kube_pod_container_status_restarts_total";
    let expr = format!("increase({}[1h]) > 3", pods(metric, ""));
    let alert = rule(&RESTARTS, "0m", expr, "{{ $labels.container }} in {{ $labels.pod }} restarts again and again.");
    alert.sample(&pod(metric, name, ",container=\"main\""), "0+1x60", "0x60")
}

fn out_of_memory(name: &str) -> Alert {
    let (reason, restarts) =
        ("kube_pod_container_status_last_terminated_reason", "kube_pod_container_status_restarts_total");
    let killed = ",reason=\"OOMKilled\"";
    let expr =
        format!("{} == 1 and on (pod, container) increase({}[15m]) > 0", pods(reason, killed), pods(restarts, ""));
    let summary = "{{ $labels.container }} in {{ $labels.pod }} has reached its memory limit and was killed.";
    let alert = rule(&OUT_OF_MEMORY, "0m", expr, summary);
    let container = ",container=\"main\"";
    alert.sample(&pod(reason, name, &format!("{container}{killed}")), "1x60", "0x60").sample(
        &pod(restarts, name, container),
        "0+1x60",
        "0x60",
    )
}

fn jobs(name: &str) -> Alert {
    let job = |matcher: &str| select("kube_job_failed", &format!(",{matcher},condition=\"true\""));
    let expr = format!("{} == 1", job(&format!("job_name=~\"{OWN}\"")));
    let alert = rule(&JOB_FAILED, "0m", expr, "The Job {{ $labels.job_name }} has failed.");
    alert.sample(&job(&format!("job_name=\"{name}\"")), "1x60", "0x60")
}

fn quota() -> Alert {
    let of = |kind: &str, further: &str| select("kube_resourcequota", &format!(",type=\"{kind}\"{further}"));
    let expr = format!("{} / ignoring (type) ({} > 0) > 0.9", of("used", ""), of("hard", ""));
    let summary = "The quota {{ $labels.resourcequota }} has little {{ $labels.resource }} left: {{ $value | humanizePercentage }} are in use.";
    let pods = ",resource=\"pods\",resourcequota=\"all\"";
    rule(&QUOTA, "15m", expr, summary).sample(&of("used", pods), "10x60", "1x60").sample(
        &of("hard", pods),
        "10x60",
        "10x60",
    )
}

fn volumes(name: &str) -> Alert {
    let [free, size] = ["available", "capacity"].map(|what| format!("kubelet_volume_stats_{what}_bytes"));
    let claims = |metric: &str| select(metric, &format!(",persistentvolumeclaim=~\"(data-)?{OWN}\""));
    let claim = |metric: &str| select(metric, &format!(",persistentvolumeclaim=\"data-{name}\""));
    let expr = format!("{} / {} < 0.1", claims(&free), claims(&size));
    let summary =
        "The volume {{ $labels.persistentvolumeclaim }} has {{ $value | humanizePercentage }} of its space left.";
    let alert = rule(&VOLUME, "5m", expr, summary);
    alert.sample(&claim(&free), "1x60", "90x60").sample(&claim(&size), "100x60", "100x60")
}

fn certificates() -> Alert {
    let end = select("certmanager_certificate_expiration_timestamp_seconds", "");
    let expr = format!("{end} - time() < {DAYS_TO_RENEW} * 86400");
    let summary = "The certificate {{ $labels.name }} expires in {{ $value | humanizeDuration }}.";
    rule(&CERTIFICATE, "15m", expr, summary).sample(&end, "1e6x60", "1e10x60")
}

/// cert-manager renews a certificate of 90 days when 30 days are left.
const DAYS_TO_RENEW: u32 = 14;

const NOT_READY: Runbook = Runbook {
    name: "PodNotReady",
    severity: Severity::Warning,
    meaning: "A pod of the release has not been Ready for 15 minutes.",
    steps: &[
        "`kubectl describe pod <pod> --namespace <namespace>`: the events say whether it cannot be scheduled, its image cannot be pulled, or a probe fails.",
        "Read its log: `kubectl logs <pod> --namespace <namespace> --all-containers`.",
    ],
    inhibits: &[],
};

const RESTARTS: Runbook = Runbook {
    name: "ContainerRestarts",
    severity: Severity::Warning,
    meaning: "A container has restarted more than three times in an hour.",
    steps: &[
        "Read the log of the run that ended: `kubectl logs <pod> --container <container> --previous --namespace <namespace>`.",
        "`kubectl describe pod <pod> --namespace <namespace>` shows the reason: an exit code, a failed liveness probe, or `OOMKilled`.",
    ],
    inhibits: &[],
};

const OUT_OF_MEMORY: Runbook = Runbook {
    name: "ContainerOutOfMemory",
    severity: Severity::Warning,
    meaning: "The kernel has killed a container at its memory limit.",
    steps: &[
        "Raise the memory limit of the container's component (`resources.limits.memory`). If the program needs more and more, it has a leak.",
    ],
    inhibits: &[],
};

const JOB_FAILED: Runbook = Runbook {
    name: "JobFailed",
    severity: Severity::Warning,
    meaning: "A Job of the release has failed: the provisioning of logins, or a backup.",
    steps: &[
        "Read its log: `kubectl logs job/<job_name> --namespace <namespace>`.",
        "After the cause is mended, upgrade with the same values, or start the Job of a CronJob again: `kubectl create job <name> --from=cronjob/<cronjob> --namespace <namespace>`. Delete the failed Job to end the alert.",
    ],
    inhibits: &[],
};

const QUOTA: Runbook = Runbook {
    name: "QuotaAlmostUsed",
    severity: Severity::Warning,
    meaning: "The namespace has used 90 % of a quota. Beyond it no pod can start, and so no upgrade can roll out.",
    steps: &[
        "`kubectl describe quota --namespace <namespace>`: ask the cluster's administrators for more, or lower replicas or requests.",
    ],
    inhibits: &[],
};

const VOLUME: Runbook = Runbook {
    name: "VolumeAlmostFull",
    severity: Severity::Critical,
    meaning: "Less than a tenth of a volume is free. A server whose volume is full stops.",
    steps: &[
        "Delete what is not needed: messages of a queue, rows of a database, old backups (`backup.retention`).",
        "Enlarge the volume: UPGRADING.md, “Larger volume”, and for the volume of the backups BACKUP.md, “The volume is full”.",
    ],
    inhibits: &[],
};

const CERTIFICATE: Runbook = Runbook {
    name: "CertificateExpires",
    severity: Severity::Warning,
    meaning: "A certificate of the namespace expires in less than 14 days, and cert-manager has not renewed it.",
    steps: &[
        "`kubectl describe certificate <name> --namespace <namespace>` shows why: usually the challenge does not reach the cluster, or the issuer refuses.",
    ],
    inhibits: &[],
};
