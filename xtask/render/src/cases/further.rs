//! The cases of the charts beside the umbrella.

use camino::Utf8Path;
use generator::Chart;

use super::Case;

/// A case of a chart beside the umbrella: its name behind the chart's, and its arguments.
type Further = (&'static str, &'static [&'static str]);

/// The cases of each chart beside the umbrella, besides the one with its default values.
const FURTHER: &[(&str, &[Further])] = &[("logs", LOGS), ("traces", TRACES)];

/// A rule that admits the addresses of [`TRACE_STORE`].
const EGRESS: &str =
    r#"--set-json=network.egress=[{"to":[{"ipBlock":{"cidr":"192.0.2.0/24"}}],"ports":[{"port":443}]}]"#;

/// A backend for traces.
const TRACE_STORE: &str = "--set=outputs.otlp.endpoint=https://traces.example.org/v1/traces";

const LOGS: &[Further] = &[
    (
        "pod-labels",
        &["--set=podLabels={team,app.kubernetes.io/version}", "--set=network.apiServerCidrs={192.0.2.1/32}"],
    ),
    (
        "secured",
        &[
            "--set=outputs.otlp.existingSecret=log-store",
            "--set=outputs.otlp.caConfigMap=log-store-ca",
            "--set=outputs.otlp.headers.X-Scope-OrgID=production",
            "--set=imagePullSecrets[0].name=pull",
        ],
    ),
    (
        "other-outputs",
        &[
            "--set=outputs.otlp.endpoint=",
            "--set=outputs.elasticsearch.endpoint=https://elasticsearch.example.org:9200",
            "--set=outputs.elasticsearch.index=logs",
            "--set=outputs.elasticsearch.existingSecret=elasticsearch",
            "--set=outputs.elasticsearch.caConfigMap=elasticsearch-ca",
            "--set=outputs.splunkHec.endpoint=https://splunk.example.org:8088/services/collector",
            "--set=outputs.splunkHec.index=main",
            "--set=outputs.splunkHec.existingSecret=splunk",
            "--set=outputs.splunkHec.caConfigMap=splunk-ca",
        ],
    ),
    ("unlimited", &["--set=resources.limits.memory=null"]),
    ("private", &[r#"--set-json=privacy.replace=[{"pattern":"user '([^']*)'","with":"user '…'"}]"#]),
];

const TRACES: &[Further] = &[
    (
        "badger",
        &[
            "--set=jaeger.storage=Badger",
            "--set=jaeger.persistence.storageClassName=fast",
            r#"--set-json=jaeger.network.ingress=[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"monitoring"}}}]"#,
        ],
    ),
    ("outside", &["--set=jaeger.enabled=false", TRACE_STORE, EGRESS]),
    (
        "secured",
        &[
            TRACE_STORE,
            EGRESS,
            "--set=outputs.otlp.existingSecret=trace-store",
            "--set=outputs.otlp.caConfigMap=trace-store-ca",
            "--set=outputs.otlp.headers.X-Scope-OrgID=production",
            "--set=imagePullSecrets[0].name=pull",
        ],
    ),
    ("unlimited", &["--set=gateway.resources.limits.memory=null", "--set=jaeger.resources.limits.memory=null"]),
    ("private", &["--set-json=privacy.removeAttributes=[]", "--set=privacy.hashAttributes={user.id,user.name}"]),
    ("public", &["--set-json=privacy.removeAttributes=[]", "--set=privacy.removeUrlQueries=false"]),
    // Of a fraction in `--set`, Helm makes a text.
    ("all-or-nothing", &["--set=sampling.ratio=0.0", "--set=sampling.maxTraces=1000000"]),
];

/// The name of the release that these charts belong to, and their own.
pub(super) fn cases(release: &str, chart: &Chart, folder: &Utf8Path) -> Vec<Case> {
    let of_chart = |further: &generator::FurtherChart| {
        let case = |(name, arguments): Further| Case {
            name: [further.name, name].join(if name.is_empty() { "" } else { "-" }),
            chart: folder.join(&further.folder),
            release: format!("{release}-{}", further.name),
            environment: None,
            values: vec![folder.join(&further.ci_values)],
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        };
        let own = FURTHER.iter().filter(|(name, _)| *name == further.name).flat_map(|(_, cases)| cases.iter().copied());
        // The overlay of an environment and the name of the release are all that an installer gives.
        let environments = further.environments.iter().map(|(environment, overlay)| Case {
            name: format!("{}-{environment}", further.name),
            values: vec![folder.join(overlay)],
            arguments: vec!["--set=release.name=shop,release.namespace=production".to_owned()],
            ..case(("", &[]))
        });
        std::iter::once(("", &[][..])).chain(own).map(case).chain(environments).collect::<Vec<_>>()
    };
    chart.paths().further.iter().flat_map(of_chart).collect()
}
