//! Values that fit the schema and that the chart's checks refuse: without effect in the chosen mode, ambiguous, or reserved.

use serde_json::json;

use crate::accepted::{VIA, Values, accepted, refused};

#[test]
fn values_without_an_effect_are_refused() {
    let remote = "notification-service.credentials.rabbitmq.remoteRef";
    let exposure = "event-audit-dashboard.exposure";
    let unused = |path: &str, with: &str| format!("{path} is set, but it has no effect with {with}");
    let unused_alone = [
        ("redis.existingSecret".to_owned(), json!("x"), "global.secrets.mode: inline"),
        ("notification-service.existingSecret".to_owned(), json!("x"), "global.secrets.mode: inline"),
        (format!("{remote}.key"), json!("x"), "global.secrets.mode: inline"),
        (format!("{remote}.property"), json!("x"), "global.secrets.mode: inline"),
        (format!("{exposure}.host"), json!("a.example.org"), "exposure.via: None"),
        (format!("{exposure}.nodePort"), json!(30001), "exposure.via: None"),
        (format!("{exposure}.ingress.className"), json!("x"), "exposure.via: None"),
        (format!("{exposure}.ingress.annotations"), json!({ "a": "b" }), "exposure.via: None"),
        (format!("{exposure}.loadBalancer.annotations"), json!({ "a": "b" }), "exposure.via: None"),
        (format!("{exposure}.loadBalancer.sourceRanges"), json!(["192.0.2.0/24"]), "exposure.via: None"),
        (format!("{exposure}.tls.secretName"), json!("x"), "exposure.via: None"),
        (format!("{exposure}.tls.certManager.issuerKind"), json!("Issuer"), "exposure.via: None"),
        (format!("{exposure}.tls.certManager.issuerName"), json!("x"), "exposure.via: None"),
        (format!("{exposure}.httpRoute.gateway"), json!("x"), "exposure.via: None"),
        (format!("{exposure}.httpRoute.gatewayNamespace"), json!("x"), "exposure.via: None"),
        (format!("{exposure}.httpRoute.sectionName"), json!("x"), "exposure.via: None"),
        (format!("{exposure}.httpRoute.redirectSectionName"), json!(""), "exposure.via: None"),
        (format!("{exposure}.httpRoute.redirectPort"), json!(8443), "exposure.via: None"),
        (format!("{exposure}.httpRoute.verifyGateway"), json!(false), "exposure.via: None"),
        (format!("{exposure}.httpRoute.ownGateway.enabled"), json!(true), "exposure.via: None"),
        (format!("{exposure}.httpRoute.ownGateway.className"), json!("x"), "exposure.via: None"),
        (format!("{exposure}.httpRoute.ownGateway.httpPort"), json!(81), "exposure.via: None"),
    ]
    .map(|(path, value, with)| (unused(&path, with), path, value));
    let unused_alone = unused_alone.each_ref().map(|(says, path, value)| (says, [(path.as_str(), value.clone())]));
    let unused_alone = unused_alone.each_ref().map(|(says, values)| (&values[..], says.as_str()));
    refused(&unused_alone);
    let port = format!("{exposure}.nodePort");
    let host = format!("{exposure}.host");
    let class = format!("{exposure}.ingress.className");
    let annotations = format!("{exposure}.ingress.annotations");
    let annotation = json!({ "kubernetes.io/ingress.class": "traefik" });
    let wrong: &[(Values, &str)] = &[
        (
            &[(VIA, json!("Ingress")), (&class, json!("nginx")), (&annotations, annotation)],
            "exposure.ingress has a className and the annotation kubernetes.io/ingress.class. Remove the annotation.",
        ),
        (&[(VIA, json!("Ingress")), (&port, json!(30001))], &unused(&port, "exposure.via: Ingress")),
        (&[(VIA, json!("NodePort")), (&host, json!("a.example.org"))], &unused(&host, "exposure.via: NodePort")),
        (
            &[("global.secrets.mode", json!("existing"))],
            "redis.credentials.administrator.password is set, but it has no effect with global.secrets.mode: existing",
        ),
    ];
    refused(wrong);
}

#[test]
fn an_object_store_has_what_it_needs_or_is_not_set() {
    let on = || ("postgresql.backup.enabled", json!(true));
    let storage = || ("postgresql.backup.storage", json!("S3"));
    let egress = || json!([{ "ports": [{ "port": 443 }] }]);
    let unused = "is set, but it has no effect with postgresql.backup.storage: Volume. Set the storage to S3, or set the value to";
    let lacks =
        |key: &str| format!("postgresql.backup.{key} is not set, but postgresql.backup.storage: S3 requires it");
    let keys = ["s3.endpoint", "s3.bucket", "s3.egress", "s3.existingSecret"].map(lacks);
    let wrong: &[(Values, &str)] = &[
        (&[on(), storage()], &keys[0]),
        (&[on(), storage()], &keys[1]),
        (&[on(), storage()], &keys[2]),
        (&[on(), storage()], &keys[3]),
        (
            &[on(), ("postgresql.backup.s3.bucket", json!("backups"))],
            &format!("postgresql.backup.s3.bucket {unused} \"\""),
        ),
        (&[on(), ("postgresql.backup.s3.egress", egress())], &format!("postgresql.backup.s3.egress {unused} []")),
        (
            &[on(), ("postgresql.backup.encryption.existingSecret", json!("x"))],
            &format!("postgresql.backup.encryption.existingSecret {unused}"),
        ),
        (&[("postgresql.backup.s3.endpoint", json!("s3.example.org"))], "at '/postgresql/backup/s3/endpoint'"),
        (&[("postgresql.backup.s3.bucket", json!("A bucket"))], "at '/postgresql/backup/s3/bucket'"),
        (&[("postgresql.backup.schedule", json!("every day"))], "at '/postgresql/backup/schedule'"),
        (&[("postgresql.backup.schedule", json!("60 3 * * *"))], "at '/postgresql/backup/schedule'"),
        (
            &[("postgresql.backup.verification.schedule", json!("@daily"))],
            "at '/postgresql/backup/verification/schedule'",
        ),
        (&[("postgresql.backup.retention.count", json!(0))], "at '/postgresql/backup/retention/count'"),
        (&[("postgresql.backup.retention.days", json!(0))], "at '/postgresql/backup/retention/days'"),
        (
            &[("postgresql.backup.beforeUpgrade.onFailure", json!("Ignore"))],
            "at '/postgresql/backup/beforeUpgrade/onFailure'",
        ),
    ];
    refused(wrong);
    let store = |identity: (&'static str, serde_json::Value)| {
        let bucket = ("postgresql.backup.s3.bucket", json!("backups"));
        let endpoint = ("postgresql.backup.s3.endpoint", json!("https://s3.example.org"));
        [on(), storage(), bucket, endpoint, ("postgresql.backup.s3.egress", egress()), identity]
    };
    accepted(&[
        &store(("postgresql.backup.s3.existingSecret", json!("x"))),
        &store(("postgresql.backup.serviceAccount.annotations", json!({ "example.org/role": "x" }))),
    ]);
}

#[test]
fn traces_have_a_destination_that_the_policies_allow() {
    let on = || ("global.tracing.enabled", json!(true));
    let endpoint = || ("global.tracing.endpoint", json!("https://traces.example.org"));
    let egress = || ("global.tracing.egress", json!([{ "ports": [{ "port": 443 }] }]));
    let ratio = |is: serde_json::Value| ("global.tracing.samplingRatio", is);
    let outside =
        json!([{ "to": [{ "ipBlock": { "cidr": "192.0.2.1/24" } }], "ports": [{ "port": 9, "endPort": 8 }] }]);
    refused(&[
        (
            &[on(), egress()],
            "global.tracing.endpoint is not set, so the spans have no destination. Set it to an address",
        ),
        (
            &[on(), endpoint()],
            "global.tracing.egress is empty, so the NetworkPolicies would block the spans. Add a rule",
        ),
        (&[ratio(json!(1.5))], "global.tracing.samplingRatio is 1.5, but it is the fraction of the traces"),
        (&[ratio(json!("10"))], "global.tracing.samplingRatio is 10, but it is the fraction of the traces"),
        (&[ratio(json!(-0.5))], "at '/global/tracing/samplingRatio'"),
        (&[ratio(json!("10%"))], "at '/global/tracing/samplingRatio'"),
        (&[("global.tracing.endpoint", json!("traces.example.org"))], "at '/global/tracing/endpoint'"),
        (&[("global.tracing.egress", outside.clone())], "global.tracing.egress[0].to[0].ipBlock.cidr: 192.0.2.1/24"),
        (&[("global.tracing.egress", outside)], "global.tracing.egress[0].ports[0].endPort is less than port"),
        (
            &[on(), endpoint(), egress(), ("global.tracing.instrumentation", json!("Operator"))],
            "global.tracing.instrumentation is Operator, but this cluster does not have the kind \
             opentelemetry.io/v1alpha1/Instrumentation. Install the OpenTelemetry operator",
        ),
        (&[on(), endpoint(), egress(), ("global.tracing.image.tag", json!(""))], "global.tracing.image.tag is not set"),
    ]);
    let accept = |is| accepted(&[&[on(), endpoint(), egress(), ratio(is)]]);
    accept(json!(0));
    accept(json!(0.25));
    accept(json!("0.25"));
}

#[test]
fn a_kind_that_the_cluster_lacks_is_named_with_what_brings_it() {
    let lacks = |because: &str, kind: &str, install: &str| {
        format!("{because}, but this cluster does not have the kind {kind}. Install {install}")
    };
    let operator = "the Prometheus operator";
    let monitor = lacks("global.metrics.discovery is PodMonitor", "monitoring.coreos.com/v1/PodMonitor", operator);
    let rule = lacks("global.alerts.format is PrometheusRule", "monitoring.coreos.com/v1/PrometheusRule", operator);
    let schedule = lacks("global.velero.enabled is true", "velero.io/v1/Schedule", "Velero");
    let metrics = || ("global.metrics.enabled", json!(true));
    refused(&[
        (&[metrics(), ("global.metrics.discovery", json!("PodMonitor"))], &monitor),
        (&[metrics(), ("global.alerts.enabled", json!(true))], &rule),
        (&[("global.velero.enabled", json!(true))], &schedule),
    ]);
}

#[test]
fn alerts_need_metrics_and_addresses_without_an_anchor() {
    let address = "global.alerts.runbookBaseUrl";
    refused(&[
        (
            &[("global.alerts.enabled", json!(true)), ("global.alerts.format", json!("ConfigMap"))],
            "global.alerts.enabled is true, but Prometheus reaches no metrics with global.metrics.enabled: false.",
        ),
        (&[(address, json!("https://example.org/ALERTS.md#watchdog"))], "at '/global/alerts/runbookBaseUrl'"),
        (&[(address, json!("example.org/ALERTS.md"))], "at '/global/alerts/runbookBaseUrl'"),
        (&[(address, json!("https://example.org/{{x}}"))], "at '/global/alerts/runbookBaseUrl'"),
        (&[("global.metrics.interval", json!("half a minute"))], "at '/global/metrics/interval'"),
        (
            &[
                ("global.metrics.enabled", json!(true)),
                ("global.alerts.enabled", json!(true)),
                ("global.alerts.format", json!("ConfigMap")),
                ("global.metrics.interval", json!("3m")),
            ],
            "global.metrics.interval is 3m, but the alerts need a scrape at least every 2 minutes.",
        ),
        (&[("global.metrics.labels.release", json!("x"))], "global.metrics.labels is set, but it has no effect with"),
        (
            &[("global.metrics.discovery", json!("Annotations"))],
            "global.metrics.discovery is set, but it has no effect",
        ),
    ]);
    accepted(&[&[
        ("global.metrics.enabled", json!(true)),
        ("global.alerts.enabled", json!(true)),
        ("global.alerts.format", json!("ConfigMap")),
        (address, json!("https://example.org/ALERTS.md?plain=1")),
        ("global.metrics.interval", json!("120s")),
    ]]);
}

#[test]
fn a_receiver_of_alerts_has_its_secret_and_is_used() {
    let format = "global.alerts.routing.format";
    let on = || {
        [
            ("global.metrics.enabled", json!(true)),
            ("global.alerts.enabled", json!(true)),
            ("global.alerts.format", json!("ConfigMap")),
            (format, json!("ConfigMap")),
        ]
    };
    let with = |more: &[(&'static str, serde_json::Value)]| [&on()[..], more].concat();
    let pager = ("global.alerts.routing.receivers.critical.pagerDuty.existingSecret", json!("x"));
    let channel = ("global.alerts.routing.receivers.warning.slack.channel", json!("#x"));
    let email = ("global.alerts.routing.receivers.warning.email.existingSecret", json!("x"));
    refused(&[
        (&with(&[]), "global.alerts.routing.format: ConfigMap needs a receiver. Set"),
        (
            &with(&[pager.clone(), channel.clone()]),
            "receivers.warning.slack.channel is set, but global.alerts.routing.receivers.warning.slack.existingSecret is not. Create a Secret",
        ),
        (
            &with(std::slice::from_ref(&email)),
            "global.alerts.routing.receivers.warning.email.smarthost is not set, but",
        ),
        (&with(&[email]), "global.alerts.routing.receivers.warning.email.to is not set, but"),
        (
            std::slice::from_ref(&pager),
            "receivers.critical.pagerDuty.existingSecret is set, but it has no effect with global.alerts.routing.format: None",
        ),
        (
            &[(format, json!("ConfigMap")), pager.clone()],
            "global.alerts.routing.format is set, but it has no effect with global.alerts.enabled: false",
        ),
        (
            &with(&[(format, json!("AlertmanagerConfig")), pager.clone()]),
            "does not have the kind monitoring.coreos.com/v1alpha1/AlertmanagerConfig. Install the Prometheus operator",
        ),
        (&[("global.alerts.routing.receivers.warning.email.to", json!("nobody"))], "/warning/email/to'"),
        (&[("global.alerts.routing.secretsFolder", json!("secrets"))], "at '/global/alerts/routing/secretsFolder'"),
    ]);
    accepted(&[&with(&[pager])]);
}

#[test]
fn names_of_images() {
    let wrong: &[(Values, &str)] = &[
        (
            &[("global.rabbitmq.image.tag", json!("4.3"))],
            "global.rabbitmq.image.tag is 4.3, but this chart needs the image variant management. Use a tag such as 4.3-management.",
        ),
        (&[("global.imageRegistry", json!("https://r.example.org/"))], "has a scheme. Write it as r.example.org."),
        (&[("global.imageRegistry", json!("http://"))], "Write it as a registry such as registry.example.org."),
        (
            &[
                ("global.imageRegistry", json!("docker.io/mirror")),
                ("notification-service.image.repository", json!("docker.io/x")),
            ],
            "notification-service.image.repository begins with the registry docker.io, but global.imageRegistry is set",
        ),
        (
            &[("global.postgresql.image.tag", json!("19beta1"))],
            "global.postgresql.image.tag is 19beta1, but this chart supports",
        ),
        (&[("global.imageRegistry", json!("r.example.org/"))], "ends with a slash. Write it as r.example.org."),
        (&[("global.imageRegistry", json!("r example"))], "at '/global/imageRegistry'"),
        (
            &[("global.rabbitmq.image.repository", json!("rabbitmq:4"))],
            "Write it without `:4`, and set global.rabbitmq.image.tag to \"4\"",
        ),
        (
            &[("notification-service.image.repository", json!("r.example.org:5000/x:1.2"))],
            "notification-service.image.repository has a tag. Write it without `:1.2`",
        ),
        (
            &[
                ("global.imageRegistry", json!("mirror.example.org")),
                ("notification-service.image.repository", json!("r.example.org:5000/x")),
            ],
            "notification-service.image.repository begins with the registry r.example.org:5000, but global.imageRegistry is set",
        ),
        (&[("notification-service.image.repository", json!("a//b"))], "at '/notification-service/image/repository'"),
    ];
    refused(wrong);
    let right: &[Values] = &[
        &[("global.imageRegistry", json!("localhost:5000/a/b"))],
        &[
            ("global.imageRegistry", json!("mirror.example.org:5000")),
            ("notification-service.image.repository", json!("quay.io/a/b")),
        ],
    ];
    accepted(right);
    // Not beside an image registry.
    accepted(&[&[("notification-service.image.repository", json!("r.example.org:5000/a/b__c"))]]);
}

#[test]
fn annotations_and_secrets() {
    let annotations = "event-audit-dashboard.exposure.ingress.annotations";
    let wrong: &[(Values, &str)] = &[
        (
            &[("redis.podAnnotations", json!({ "auditflow-platform/x": "c" }))],
            "redis.podAnnotations has the key auditflow-platform/x",
        ),
        (
            &[("global.tests.podAnnotations", json!({ "auditflow-platform/x": "c" }))],
            "global.tests.podAnnotations has the key",
        ),
        (
            &[("rabbitmq.podAnnotations", json!({ "auditflow-platform/credential-revisions": "c" }))],
            "rabbitmq.podAnnotations has the key",
        ),
        (
            &[
                ("global.secrets.mode", json!("existing")),
                ("audit-event-generator.existingSecret", json!("a")),
                ("audit-log-analysis.existingSecret", json!("a")),
            ],
            "audit-log-analysis.existingSecret is a, which audit-event-generator also uses",
        ),
        (
            &[
                ("global.secrets.mode", json!("existing")),
                ("redis.existingSecret", json!("a")),
                ("rabbitmq.existingSecret", json!("a")),
            ],
            "existingSecret is a, which ",
        ),
        (&[("redis.podAnnotations", json!({ "helm.sh/hook": "x" }))], "redis.podAnnotations has the key helm.sh/hook"),
        (
            &[(VIA, json!("Ingress")), (annotations, json!({ "helm.sh/hook": "pre-install" }))],
            "exposure.ingress.annotations has the key helm.sh/hook",
        ),
        (
            // Linux limits an argument to 128 KiB.
            &[
                ("redis.podAnnotations.a", json!("b".repeat(100_000))),
                ("redis.podAnnotations.c", json!("d".repeat(100_000))),
            ],
            "redis.podAnnotations has more than 200000 bytes",
        ),
        (
            &[("notification-service.settings.environment", json!("a\0b"))],
            "at '/notification-service/settings/environment'",
        ),
        (
            &[("notification-service.settings.environment", json!("a\u{9f}b"))],
            "at '/notification-service/settings/environment'",
        ),
        (
            // Linux limits a variable to 128 KiB, and a character has up to four bytes.
            &[("notification-service.settings.environment", json!("漢".repeat(32_001)))],
            "at '/notification-service/settings/environment'",
        ),
        (
            &[("notification-service.podAnnotations", json!({ "a": "\u{fffe}" }))],
            "at '/notification-service/podAnnotations/a'",
        ),
    ];
    refused(wrong);
    accepted(&[
        &[("redis.podAnnotations", json!({ "example.org/checksum": "c" }))],
        &[("notification-service.settings.environment", json!("\ta\r\n\u{a0}漢\u{fffd}🙂"))],
    ]);
}
