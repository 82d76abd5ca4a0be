//! Wrong values: Helm 3 and 4 reject them, with a message that names the value and the remedy.

use camino::{Utf8Path, Utf8PathBuf};
use tools::{Template, Tool, ToolBinary};

use crate::{Snapshots, chart, folder, rendered};

/// A wrong installation: its name, the release's name, whether to set passwords, and further arguments.
type Wrong = (&'static str, &'static str, bool, &'static [&'static str]);

const WRONG: &[Wrong] = &[
    ("no-passwords", "afp", false, &[]),
    ("one-password-empty", "afp", true, &["--set=notification-service.credentials.postgresql.password="]),
    ("one-password-null", "afp", true, &["--set=notification-service.credentials.postgresql.password=null"]),
    ("password-is-a-number", "afp", true, &["--set=notification-service.credentials.postgresql.password=12345"]),
    (
        "password-with-a-line-break",
        "afp",
        true,
        &["--set-json=notification-service.credentials.rabbitmq.password=\"a\\nb\""],
    ),
    ("password-that-is-a-placeholder", "afp", true, &["--set=redis.credentials.administrator.password=ChangeMe"]),
    ("password-that-was-published", "afp", true, &["--set=redis.credentials.administrator.password=jdevlab"]),
    (
        "password-that-is-common",
        "afp",
        true,
        &["--set-string=redis.credentials.administrator.password=1234567890123456"],
    ),
    ("password-that-is-short", "afp", true, &["--set=redis.credentials.administrator.password=x7Kq0ZpLm2Vt9Rb"]),
    (
        "password-that-is-a-name",
        "afp",
        true,
        &["--set=redis.credentials.administrator.password=Redis-redis_redis.redis"],
    ),
    (
        "one-password-for-two-credentials",
        "afp",
        true,
        &[
            "--set=redis.credentials.administrator.password=x7Kq0ZpLm2Vt9RbW",
            "--set=audit-log-analysis.credentials.rabbitmq.password=x7Kq0ZpLm2Vt9RbW",
        ],
    ),
    (
        "authentication-of-nobody",
        "afp",
        true,
        &[
            "--set=event-audit-dashboard.exposure.via=Ingress,global.network.edgeController=Traefik",
            "--set=event-audit-dashboard.exposure.authentication.mode=OAuth2Proxy",
        ],
    ),
    ("external-without-the-kind", "afp", true, &["--set=global.secrets.mode=external"]),
    (
        "external-without-a-password-of-its-own-source",
        "afp",
        false,
        &["--set=global.secrets.mode=external", "--api-versions=external-secrets.io/v1/ExternalSecret"],
    ),
    (
        "cluster-store-without-a-name",
        "afp",
        true,
        &[
            "--set=global.secrets.mode=external",
            "--set=global.secrets.store.kind=ClusterSecretStore",
            "--api-versions=external-secrets.io/v1/ExternalSecret",
        ],
    ),
    ("revision-below-one", "afp", true, &["--set=redis.credentials.administrator.revision=0"]),
    ("revision-with-a-fraction", "afp", true, &["--set-json=redis.credentials.administrator.revision=1.5"]),
    ("misspelt-in-a-credential", "afp", true, &["--set=redis.credentials.administrator.pasword=x"]),
    (
        "misspelt-in-a-rule",
        "afp",
        true,
        &[
            "--set-json=notification-service.rbac.extraRules=[{\"apiGroup\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"get\"]}]",
        ],
    ),
    (
        "misspelt-in-a-traffic-rule",
        "afp",
        true,
        &["--set=notification-service.network.extraIngress[0].from[0].ipBlok.cidr=192.0.2.0/24"],
    ),
    ("a-store-that-nobody-reads", "afp", true, &["--set=global.secrets.store.name=vault"]),
    (
        "a-remote-key-in-no-store",
        "afp",
        true,
        &[
            "--set=global.secrets.mode=external",
            "--set=redis.credentials.administrator.remoteRef.key=x",
            "--api-versions=external-secrets.io/v1/ExternalSecret",
        ],
    ),
    ("a-secret-s-name-that-is-none", "afp", true, &["--set=redis.existingSecret=a b"]),
    ("release-name-too-long", "a-release-with-a-long-name", true, &[]),
    ("release-name-with-a-dot", "a.b", true, &[]),
    ("release-name-that-is-a-boolean", "on", true, &[]),
    ("release-name-begins-with-a-digit", "1afp", true, &[]),
    (
        "autoscaling-upside-down",
        "afp",
        true,
        &[
            "--set=notification-service.autoscaling.enabled=true",
            "--set=notification-service.autoscaling.minReplicas=9",
        ],
    ),
    (
        "autoscaling-without-a-measure",
        "afp",
        true,
        &[
            "--set=notification-service.autoscaling.enabled=true",
            "--set=notification-service.resources.requests.cpu=null",
        ],
    ),
    ("no-tag-in-spite-of-a-default", "afp", true, &["--set=notification-service.image.tag="]),
    ("no-tag-and-no-default", "afp", true, &["--set=audit-event-generator.image.tag="]),
    ("no-tag-of-several", "afp", true, &["--set=audit-event-generator.image.tag=", "--set=global.rabbitmq.image.tag="]),
    ("tag-null", "afp", true, &["--set=audit-event-generator.image.tag=null"]),
    ("tag-with-a-space", "afp", true, &["--set=notification-service.image.tag=a b"]),
    ("older-major-version", "afp", true, &["--set-string=global.postgresql.image.tag=17"]),
    ("newer-major-version", "afp", true, &["--set-string=global.postgresql.image.tag=19.1-trixie"]),
    ("image-on-alpine", "afp", true, &["--set-string=global.postgresql.image.tag=18-alpine"]),
    ("older-minor-version", "afp", true, &["--set-string=global.rabbitmq.image.tag=4.2-management"]),
    ("major-version-of-another-product", "afp", true, &["--set-string=global.redis.image.tag=7.4"]),
    ("no-dns-namespace", "afp", true, &["--set=global.network.dnsNamespace="]),
    ("host-that-is-none", "afp", true, &["--set=event-audit-dashboard.exposure.host=https://Audit.example.org"]),
    ("callee-switched-off", "afp", true, &["--set=notification-service.enabled=false"]),
    ("several-at-once", "a-release-with-a-long-name", false, &["--set=notification-service.enabled=false"]),
    ("httproute-without-the-kind", "afp", true, &["--set=event-audit-dashboard.exposure.via=HTTPRoute"]),
    (
        "ingress-with-tls-without-a-host",
        "afp",
        true,
        &["--set=event-audit-dashboard.exposure.via=Ingress", "--set=event-audit-dashboard.exposure.tls.secretName=x"],
    ),
    ("unknown-service", "afp", true, &["--set=notification-servic.enabled=false"]),
    ("misspelt-in-a-service", "afp", true, &["--set=notification-service.replica=2"]),
    (
        "misspelt-in-a-disabled-service",
        "afp",
        true,
        &["--set=audit-event-generator.enabled=false", "--set=audit-event-generator.replica=2"],
    ),
    ("misspelt-two-deep", "afp", true, &["--set=rabbitmq.persistence.sise=2Gi"]),
    ("misspelt-resource", "afp", true, &["--set=rabbitmq.resources.limit.cpu=1"]),
    ("misspelt-in-a-toleration", "afp", true, &["--set=redis.tolerations[0].keey=x"]),
    (
        "misspelt-deep-in-an-affinity",
        "afp",
        true,
        &[
            "--set=redis.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpression[0].key=x",
        ],
    ),
    ("wrong-type", "afp", true, &["--set=notification-service.replicas=many"]),
    ("wrong-quantity", "afp", true, &["--set=rabbitmq.resources.limits.memory=1 gigabyte"]),
    ("setting-out-of-range", "afp", true, &["--set=audit-event-generator.settings.eventGenerationIntervalSeconds=0"]),
    ("setting-not-a-choice", "afp", true, &["--set=notification-service.settings.logLevel=LOUD"]),
    ("unknown-secret-mode", "afp", true, &["--set=global.secrets.mode=vault"]),
    ("unknown-backing-mode", "afp", true, &["--set=global.rabbitmq.mode=cloud"]),
    ("unknown-exposure", "afp", true, &["--set=event-audit-dashboard.exposure.via=Route53"]),
    (
        "values-of-an-earlier-version",
        "afp",
        true,
        &[
            "--set=audit-event-generator.replicaCount=2",
            "--set=notification-service.env[0].name=log_level",
            "--set=event-audit-dashboard.env.NOTIFICATION_SERVICE_PORT=8000",
            "--set=event-audit-dashboard.image.imagePullPolicy=Always",
            "--set=event-audit-dashboard.ports.type=NodePort",
            "--set=event-audit-dashboard.ports.nodePort=30090",
            "--set=event-audit-dashboard.imagePullSecrets=null",
            "--set=postgresql.auth.password=x",
            "--set=redis.master.persistence.enabled=false",
        ],
    ),
    ("misspelt-in-a-section-of-an-earlier-version", "afp", true, &["--set=postgresql.primary.persistence.sise=5Gi"]),
    ("default-taken-away", "afp", true, &["--set=notification-service.image=null"]),
];

#[test]
fn wrong_values_are_rejected_with_their_path() {
    let helm = Tool::BatchHelm4.ensure().expect("Helm 4 is there or can be built");
    let older = Tool::BatchHelm3.ensure().expect("Helm 3 is there or can be built");
    let mut snapshots = Snapshots::of("refusals");
    for wrong in WRONG {
        let (name, ..) = *wrong;
        let refusal = refusal(&helm, wrong);
        let older = self::refusal(&older, wrong);
        // The first line depends on the Helm version; the listed mistakes must not.
        let items = |text: &str| {
            text.lines().filter(|l| l.starts_with("- ") || l.starts_with("  * ")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(!items(&refusal).is_empty(), "Helm 4 lists no mistake for {name}: {refusal}");
        assert_eq!(items(&older), items(&refusal), "Helm 3 and 4 list different mistakes for {name}");
        snapshots.compare(name, &without_position(&refusal));
    }
    snapshots.compare_repeated("repeated");
    snapshots.finish();
}

/// The message without the template's line and column, which change with any edit above them.
fn without_position(refusal: &str) -> String {
    const TEMPLATE: &str = "checks.yaml";
    let Some((before, after)) = refusal.split_once(TEMPLATE) else { return refusal.to_owned() };
    format!("{before}{TEMPLATE}{}", after.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit()))
}

#[test]
fn common_spellings_of_valid_values_are_accepted() {
    let right: &[&[&str]] = &[
        &["--set=rabbitmq.resources.limits.cpu=1"],
        &["--set=rabbitmq.resources.limits.cpu=0.5"],
        &["--set=rabbitmq.resources.limits.cpu=null"],
        &["--set=rabbitmq.resources.limits.memory=536870912"],
        &["--set=rabbitmq.resources.limits.hugepages-2Mi=4Mi"],
        &["--set=global.theirs.anything=goes"],
        &[
            "--set-json=notification-service.rbac.extraRules=[{\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"get\"]}]",
            "--set=global.network.apiServerCidrs={192.0.2.1/32}",
        ],
        &["--set=enabled=true"],
        &["--set=audit-event-generator.enabled=false", "--set=audit-event-generator.credentials.rabbitmq.password="],
        // A disabled service's password is neither weak nor the same as another.
        &[
            "--set=audit-event-generator.enabled=false",
            "--set=audit-event-generator.credentials.rabbitmq.password=x7Kq0ZpLm2Vt9RbW",
            "--set=redis.credentials.administrator.password=x7Kq0ZpLm2Vt9RbW",
        ],
        &[
            "--set=audit-event-generator.enabled=false",
            "--set=audit-event-generator.credentials.rabbitmq.password=short",
        ],
        &["--set=audit-event-generator.enabled=false", "--set=audit-event-generator.image.tag="],
        &[
            "--set=audit-event-generator.image.tag=",
            "--set=audit-event-generator.image.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ],
        &["--set-string=audit-event-generator.image.tag=1234567"],
        &[
            "--set-string=global.postgresql.image.tag=18.6-trixie",
            "--set-string=global.rabbitmq.image.tag=4-management",
        ],
        &["--set-string=global.postgresql.image.tag=build-3f2a9c1"],
        &["--set-string=redis.podAnnotations.note=yes"],
        &[
            "--set-json=redis.topologySpreadConstraints=[{\"maxSkew\":1,\"topologyKey\":\"zone\",\"whenUnsatisfiable\":\"ScheduleAnyway\",\"labelSelector\":{\"matchLabels\":{\"a\":\"b\"}}}]",
        ],
    ];
    for tool in [Tool::BatchHelm3, Tool::BatchHelm4] {
        let helm = tool.ensure().expect("Helm is there or can be built");
        for arguments in right {
            let rendered = render(&helm, "afp", true, arguments);
            assert!(rendered.is_ok(), "{} rejects {arguments:?}: {rendered:?}", helm.version);
        }
    }
}

fn refusal(helm: &ToolBinary, (name, release, passwords, arguments): &Wrong) -> String {
    let rendered = render(helm, release, *passwords, arguments);
    let refusal = rendered.err().unwrap_or_else(|| panic!("{} takes {name}", helm.version));
    let folder = folder();
    refusal.replace(folder.as_str(), "generated-chart").replace("\n\nUse --debug flag to render out invalid YAML", "")
}

pub(crate) fn render(helm: &ToolBinary, release: &str, passwords: bool, arguments: &[&str]) -> Result<String, String> {
    let values = rendered().paths().ci_values.clone();
    let values: Vec<Utf8PathBuf> = passwords.then(|| folder().join(values)).into_iter().collect();
    let values: Vec<&Utf8Path> = values.iter().map(Utf8PathBuf::as_path).collect();
    helm.template(&Template { chart: chart(), release, values: &values, arguments }).expect("Helm runs")
}
