//! What a cluster needs besides the chart: controllers and operators, with pinned charts and the values that fit the platform's chart.

use crate::addons::instrumentation;
use crate::graph::Graph;

/// A controller or an operator that has a chart.
pub(super) struct Owner {
    /// Its name: its release's, and the last part of its values file's.
    pub(super) name: &'static str,
    /// Its project's name.
    pub(super) title: &'static str,
    /// Its project's page.
    pub(super) home: &'static str,
    /// Its chart; none if it is not installed by a chart, or is part of the cluster.
    pub(super) chart: Option<PinnedChart>,
    /// How its definitions come into the cluster, change, and go.
    pub(super) definitions: Definitions,
}

/// A chart of another project in a pinned version.
pub(super) struct PinnedChart {
    pub(super) name: &'static str,
    pub(super) repository: &'static str,
    pub(super) version: &'static str,
    /// The version of the program that it installs.
    pub(super) program: &'static str,
    /// Where chart and program were found together.
    pub(super) confirmed: &'static str,
    pub(super) namespace: &'static str,
    /// The level of Pod Security that its namespace can enforce.
    pub(super) pod_security: &'static str,
    /// The values, as the text of their file.
    pub(super) values: &'static str,
    /// The owners that must be there before it.
    pub(super) after: &'static [&'static str],
}

/// How definitions come into the cluster, change, and go.
pub(super) struct Definitions {
    /// Where they are.
    pub(super) place: &'static str,
    /// What upgrades them.
    pub(super) upgrade: &'static str,
    /// What removes them.
    pub(super) removal: &'static str,
    /// The command that applies those of the pinned version, if a command does it.
    pub(super) command: Option<&'static str>,
}

/// The controller of Ingress and of the Gateway API.
pub(super) const TRAEFIK: Owner = Owner {
    name: "traefik",
    title: "Traefik",
    home: "https://doc.traefik.io/traefik/",
    chart: Some(PinnedChart {
        name: "traefik",
        repository: "https://traefik.github.io/charts",
        version: "41.6.1",
        program: "v3.7.13",
        confirmed: "public output of `helm show chart`",
        namespace: "traefik",
        pod_security: "restricted",
        values: include_str!("../../../templates/addons/prerequisites/values/traefik.yaml"),
        after: &["gateway-api"],
    }),
    definitions: Definitions {
        place: "`crds/` of its chart: kinds of its own, of which the platform's chart uses none",
        upgrade: "the command below",
        removal: "Helm leaves them; delete them by hand",
        command: Some(
            "helm show crds traefik --repo https://traefik.github.io/charts --version 41.6.1 | kubectl apply --server-side --force-conflicts --filename -",
        ),
    },
};

/// The kinds of the Gateway API.
pub(super) const GATEWAY_API: Owner = Owner {
    name: "gateway-api",
    title: "Gateway API",
    home: "https://gateway-api.sigs.k8s.io",
    chart: None,
    definitions: Definitions {
        place: "a manifest of its project, standard channel, v1.6.3; some managed clusters bring and upgrade their own",
        upgrade: "the command below",
        removal: "delete them by hand",
        command: Some(GATEWAY_API_COMMAND),
    },
};

/// The command that installs and upgrades the kinds of the Gateway API. Client-side apply would exceed the size of its annotation.
pub(super) const GATEWAY_API_COMMAND: &str = "kubectl apply --server-side --filename https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.3/standard-install.yaml";

/// Certificates.
pub(super) const CERT_MANAGER: Owner = Owner {
    name: "cert-manager",
    title: "cert-manager",
    home: "https://cert-manager.io",
    chart: Some(PinnedChart {
        name: "cert-manager",
        repository: "https://charts.jetstack.io",
        version: "v1.21.2",
        program: "v1.21.2",
        confirmed: "the project's release, whose chart has the same version; rendered by `verify`",
        namespace: "cert-manager",
        pod_security: "restricted",
        values: include_str!("../../../templates/addons/prerequisites/values/cert-manager.yaml"),
        after: &["gateway-api"],
    }),
    definitions: Definitions {
        place: "templates of its chart (`crds.enabled`)",
        upgrade: "`helm upgrade` of its release",
        removal: "`crds.keep` leaves them after `helm uninstall`; delete them by hand",
        command: None,
    },
};

/// Secrets of other stores.
pub(super) const EXTERNAL_SECRETS: Owner = Owner {
    name: "external-secrets",
    title: "External Secrets",
    home: "https://external-secrets.io",
    chart: Some(PinnedChart {
        name: "external-secrets",
        repository: "https://charts.external-secrets.io",
        version: "1.3.1",
        program: "v1.3.1",
        confirmed: "`Chart.yaml` in the project's sources; rendered by `verify`",
        namespace: "external-secrets",
        pod_security: "restricted",
        values: include_str!("../../../templates/addons/prerequisites/values/external-secrets.yaml"),
        after: &[],
    }),
    definitions: Definitions {
        place: "templates of its chart (`installCRDs`)",
        upgrade: "`helm upgrade` of its release",
        removal: "**`helm uninstall`, unless its values have the annotation `helm.sh/resource-policy: keep`**, as those here have",
        command: None,
    },
};

/// Metrics, alerts and dashboards.
pub(super) const PROMETHEUS: Owner = Owner {
    name: "kube-prometheus-stack",
    title: "Prometheus operator",
    home: "https://prometheus-operator.dev",
    chart: Some(PinnedChart {
        name: "kube-prometheus-stack",
        repository: "https://prometheus-community.github.io/helm-charts",
        version: "91.4.1",
        program: "v0.94.0",
        confirmed: "public output of `helm show chart`",
        namespace: "monitoring",
        pod_security: "restricted",
        values: include_str!("../../../templates/addons/prerequisites/values/kube-prometheus-stack.yaml"),
        after: &[],
    }),
    definitions: Definitions {
        place: "`crds/` of a subchart",
        upgrade: "the command below",
        removal: "Helm leaves them; delete them by hand",
        command: Some(
            "helm show crds kube-prometheus-stack --repo https://prometheus-community.github.io/helm-charts --version 91.4.1 | kubectl apply --server-side --force-conflicts --filename -",
        ),
    },
};

/// The instrumentation by the operator.
pub(super) const OPENTELEMETRY: Owner = Owner {
    name: "opentelemetry-operator",
    title: "OpenTelemetry operator",
    home: "https://opentelemetry.io/docs/platforms/kubernetes/operator/",
    chart: Some(PinnedChart {
        name: "opentelemetry-operator",
        repository: "https://open-telemetry.github.io/opentelemetry-helm-charts",
        version: "0.115.0",
        program: "0.153.0",
        confirmed: "`Chart.yaml` in the chart's repository",
        namespace: "opentelemetry-operator",
        pod_security: "restricted",
        values: include_str!("../../../templates/addons/prerequisites/values/opentelemetry-operator.yaml"),
        after: &["cert-manager"],
    }),
    definitions: Definitions {
        place: "templates of its chart (`crds.create`)",
        upgrade: "`helm upgrade` of its release",
        removal: "assume `helm uninstall`. The `Instrumentation` holds no data: the next `helm upgrade` of the platform restores it",
        command: None,
    },
};

/// Copies of objects and volumes.
pub(super) const VELERO: Owner = Owner {
    name: "velero",
    title: "Velero",
    home: "https://velero.io",
    chart: Some(PinnedChart {
        name: "velero",
        repository: "https://vmware-tanzu.github.io/helm-charts",
        version: "12.1.0",
        program: "1.18.1",
        confirmed: "a public decision record that pins both",
        namespace: "velero",
        pod_security: "privileged",
        values: include_str!("../../../templates/addons/prerequisites/values/velero.yaml"),
        after: &[],
    }),
    definitions: Definitions {
        place: "`crds/` of its chart",
        upgrade: "the command below; the values switch off the chart's own Job for it",
        removal: "Helm leaves them; delete them by hand. `cleanUpCRDs` stays false",
        command: Some(
            "helm show crds velero --repo https://vmware-tanzu.github.io/helm-charts --version 12.1.0 | kubectl apply --server-side --force-conflicts --filename -",
        ),
    },
};

/// Usage of CPU and memory for autoscalers.
pub(super) const METRICS_SERVER: Owner = Owner {
    name: "metrics-server",
    title: "metrics-server",
    home: "https://kubernetes-sigs.github.io/metrics-server/",
    chart: Some(PinnedChart {
        name: "metrics-server",
        repository: "https://kubernetes-sigs.github.io/metrics-server/",
        version: "3.13.1",
        program: "0.8.1",
        confirmed: "`Chart.yaml` in the project's sources; rendered by `verify`",
        namespace: "kube-system",
        pod_security: "restricted",
        values: include_str!("../../../templates/addons/prerequisites/values/metrics-server.yaml"),
        after: &[],
    }),
    definitions: Definitions { place: "", upgrade: "", removal: "", command: None },
};

/// The network plugin whose proxy is no Pod.
pub(super) const CILIUM: Owner = Owner {
    name: "cilium",
    title: "Cilium",
    home: "https://cilium.io",
    chart: None,
    definitions: Definitions {
        place: "the program itself: Cilium's operator creates them when it starts",
        upgrade: "the upgrade of Cilium",
        removal: "delete them by hand",
        command: None,
    },
};

/// All owners, in the order of their installation.
pub(super) const ALL: [&Owner; 9] = [
    &GATEWAY_API,
    &TRAEFIK,
    &CERT_MANAGER,
    &EXTERNAL_SECRETS,
    &PROMETHEUS,
    &OPENTELEMETRY,
    &VELERO,
    &METRICS_SERVER,
    &CILIUM,
];

/// The owners that the chart of a platform can use, in the order of their installation.
pub(super) fn owners(graph: &Graph) -> Vec<&'static Owner> {
    let is_exposed = graph.exposed().next().is_some();
    let is_traced = instrumentation::has_traces(graph);
    let is_used = |owner: &&Owner| match owner.name {
        "traefik" | "cilium" => is_exposed,
        // The OpenTelemetry operator has its certificates from cert-manager, whose values need the Gateway API.
        "gateway-api" | "cert-manager" => is_exposed || is_traced,
        "external-secrets" => graph.has_secrets(),
        "kube-prometheus-stack" => graph.has_metrics(),
        "opentelemetry-operator" => is_traced,
        "velero" => graph.servers().next().is_some(),
        "metrics-server" => graph.autoscales(),
        other => unreachable!("{other} has no condition"),
    };
    ALL.into_iter().filter(is_used).collect()
}
