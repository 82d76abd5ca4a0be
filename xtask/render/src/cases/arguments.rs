//! The arguments of the cases.

pub(super) const BACKUP: &[&str] = &["backup.enabled=true"];

pub(super) const EXPORTER: &[&str] = &["exporter.enabled=true"];

/// Encrypted backups in an object store outside the cluster.
pub(super) const BACKUP_S3: &[&str] = &[
    "backup.storage=S3",
    "backup.s3.endpoint=https://s3.example.org",
    "backup.s3.bucket=backups",
    "backup.s3.existingSecret=backup-store",
    "backup.s3.caConfigMap=store-ca",
    "backup.s3.egress[0].to[0].ipBlock.cidr=192.0.2.0/24",
    "backup.s3.egress[0].ports[0].port=443",
    "backup.encryption.existingSecret=backup-encryption",
    "backup.serviceAccount.annotations.example\\.org/role=backup",
];

/// Traces that go to a gateway outside the cluster.
pub(super) const TRACING: &[&str] = &[
    "--set=global.tracing.enabled=true",
    "--set=global.tracing.endpoint=https://traces.example.org",
    "--set=global.tracing.egress[0].to[0].ipBlock.cidr=192.0.2.0/24",
    "--set=global.tracing.egress[0].ports[0].port=443",
    "--set=global.tracing.samplingRatio=0.1",
];

pub(super) const OPERATOR: &[&str] =
    &["--set=global.tracing.instrumentation=Operator", "--api-versions=opentelemetry.io/v1alpha1/Instrumentation"];

pub(super) const INGRESS: &[&str] = &[
    "exposure.via=Ingress",
    "exposure.ingress.className=traefik",
    "exposure.tls.secretName=alerts-tls",
    "exposure.ingress.annotations.owner=security",
];

/// An Ingress whose certificate is a `Certificate` of the chart.
pub(super) const CERTIFICATE: &[&str] = &[
    "exposure.via=Ingress",
    "exposure.tls.certManager.mode=Certificate",
    "exposure.tls.certManager.issuerName=letsencrypt",
];

pub(super) const ROUTE: &[&str] = &[
    "exposure.via=HTTPRoute",
    "exposure.httpRoute.gateway=public",
    "exposure.httpRoute.gatewayNamespace=gateways",
    "exposure.httpRoute.sectionName=secure",
];

/// A Gateway of the chart, for which cert-manager makes the certificate.
pub(super) const OWN_GATEWAY: &[&str] = &[
    "exposure.via=HTTPRoute",
    "exposure.tls.certManager.mode=Annotation",
    "exposure.tls.certManager.issuerKind=Issuer",
    "exposure.tls.certManager.issuerName=internal",
    "exposure.httpRoute.ownGateway.enabled=true",
    "exposure.httpRoute.ownGateway.className=public",
    "exposure.httpRoute.ownGateway.annotations.owner=security",
    "exposure.httpRoute.redirectPort=8443",
];

pub(super) const LOAD_BALANCER: &[&str] = &[
    "exposure.via=LoadBalancer",
    "exposure.loadBalancer.annotations.owner=security",
    "exposure.loadBalancer.sourceRanges[0]=198.51.100.0/24",
];

/// A proxy with its provider outside the cluster, in front of each exposed service.
pub(super) const AUTHENTICATION: &[&str] = &[
    "exposure.authentication.issuerUrl=https://login.example.org/realms/staff",
    "exposure.authentication.clientId=alerts$web",
    "exposure.authentication.allowed.emailDomains={example.org,*.example.net}",
    "exposure.authentication.network.egress[0].to[0].ipBlock.cidr=192.0.2.0/24",
    "exposure.authentication.network.egress[0].ports[0].port=443",
    "exposure.authentication.mode=OAuth2Proxy",
];

/// Its credentials, for modes in which the values contain passwords.
pub(super) const PROXY_CREDENTIALS: &[&str] = &[
    r"exposure.authentication.credentials.clientSecret.value=p4Kd-81s\,x",
    "exposure.authentication.credentials.cookieSecret.value=0123456789abcdef0123456789abcdef",
];

/// A proxy without TLS that admits groups, with the certificate of its provider.
pub(super) const AUTHENTICATED_NODE_PORT: &[&str] = &[
    "exposure.via=NodePort",
    "exposure.authentication.url=http://node.example.org:30080",
    "exposure.authentication.scope=openid email groups",
    r"exposure.authentication.allowed.groups[0]=cn=on-call\,ou=security",
    "exposure.authentication.caConfigMap=provider-ca",
    "exposure.authentication.network.extraIngress[0].from[0].ipBlock.cidr=198.51.100.0/24",
];

/// An ingress controller in the namespace of the release.
pub(super) const EDGE_BESIDE: &[&str] =
    &["--set=global.network.edgeNamespace=default", "--set=global.network.edgePodLabels.app=edge"];

pub(super) const HAS_ROUTES: &str = "--api-versions=gateway.networking.k8s.io/v1/HTTPRoute";

pub(super) const HAS_GATEWAYS: &str = "--api-versions=gateway.networking.k8s.io/v1/Gateway";

pub(super) const HAS_POD_MONITORS: &str = "--api-versions=monitoring.coreos.com/v1/PodMonitor";

pub(super) const HAS_RULES: &str = "--api-versions=monitoring.coreos.com/v1/PrometheusRule";

pub(super) const HAS_CERTIFICATES: &str = "--api-versions=cert-manager.io/v1/Certificate";

pub(super) const HAS_CILIUM: &str = "--api-versions=cilium.io/v2/CiliumNetworkPolicy";

pub(super) const HAS_EXTERNAL_SECRETS: &str = "--api-versions=external-secrets.io/v1/ExternalSecret";

pub(super) const EXTERNAL: [&str; 2] = ["--set=global.secrets.mode=external", HAS_EXTERNAL_SECRETS];

pub(super) const STORE: &[&str] = &[
    "--set=global.secrets.mode=external",
    "--set=global.secrets.store.kind=ClusterSecretStore",
    "--set=global.secrets.store.name=vault",
    HAS_EXTERNAL_SECRETS,
];

pub(super) const EXISTING: &[&str] = &["--set=global.secrets.mode=existing"];

/// An address of the API server, from the range that is reserved for documentation.
pub(super) const API_SERVER: &str = "--set=global.network.apiServerCidrs[0]=192.0.2.1/32";

pub(super) const RULES: &[&str] = &[
    "rbac.extraRules[0].apiGroups={apps}",
    "rbac.extraRules[0].resources={deployments}",
    "rbac.extraRules[0].verbs={get}",
    "rbac.extraRules[0].resourceNames={web}",
    "network.extraIngress[0].from[0].ipBlock.cidr=192.0.2.0/24",
    "network.extraIngress[0].ports[0].port=9999",
    "network.extraEgress[0].to[0].ipBlock.cidr=192.0.2.0/24",
    "network.extraEgress[0].ports[0].port=443",
];

pub(super) const DIGEST: &str = "image.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

pub(super) const PLACED: &[&str] = &[
    "nodeSelector.disk=ssd",
    "tolerations[0].key=small",
    "tolerations[0].operator=Exists",
    "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight=1",
    "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key=zone",
    "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].operator=Exists",
    "topologySpreadConstraints[0].maxSkew=1",
    "topologySpreadConstraints[0].topologyKey=zone",
    "topologySpreadConstraints[0].whenUnsatisfiable=ScheduleAnyway",
    "priorityClassName=important",
    "podAnnotations.note=moved",
];

pub(super) const POD_MONITOR: &[&str] = &[
    "--set=global.metrics.discovery=PodMonitor",
    "--set=global.metrics.interval=15s",
    "--set=global.metrics.labels.release=prometheus",
    HAS_POD_MONITORS,
];

/// A receiver of each kind for each severity.
pub(super) fn receivers() -> Vec<String> {
    let of = |severity: &str| {
        let set = |way: &str, key: &str, value: &str| {
            format!("--set=global.alerts.routing.receivers.{severity}.{way}.{key}={value}")
        };
        [
            set("pagerDuty", "existingSecret", "alerts-pagerduty"),
            set("email", "existingSecret", "alerts-email"),
            set("email", "to", "on-call@example.org"),
            set("email", "from", "alerts@example.org"),
            set("email", "smarthost", "smtp.example.org:587"),
            set("slack", "existingSecret", "alerts-slack"),
            set("slack", "channel", "#alerts"),
            set("webhook", "existingSecret", "alerts-webhook"),
        ]
    };
    ["critical", "warning", "watchdog"].into_iter().flat_map(of).collect()
}

pub(super) const ALERTMANAGER_CONFIG: &[&str] = &[
    "--set=global.alerts.routing.format=AlertmanagerConfig",
    "--set=global.alerts.routing.labels.alertmanager=main",
    "--api-versions=monitoring.coreos.com/v1alpha1/AlertmanagerConfig",
];

pub(super) const ALERTS: &[&str] = &[
    "--set=global.alerts.enabled=true",
    "--set=global.alerts.clusterMetrics.enabled=true",
    "--set=global.alerts.runbookBaseUrl=https://example.org/ALERTS.md",
    "--set=global.alerts.labels.release=prometheus",
    HAS_RULES,
];
