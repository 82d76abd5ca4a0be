//! Dashboards that are broken on purpose: the step must find each fault.

use std::collections::BTreeMap;

use generator::{AlertProof, ExportedMetric, Resolved};

use super::findings::{self, Declared};
use super::read;

/// A platform with metrics of every type, a server of each kind, and a service without metrics of its own.
fn platform() -> Resolved {
    let odd = odd_platforms::ALL.iter().find(|odd| odd.name == "quoting").expect("the platform is there");
    (odd.declaration)().resolve().expect("it is valid")
}

struct Bench {
    texts: BTreeMap<String, String>,
    metrics: Vec<ExportedMetric>,
    alerts: Vec<AlertProof>,
    services: Vec<&'static str>,
}

impl Bench {
    fn new() -> Self {
        let platform = platform();
        let files = generator::generate(&platform).into_files();
        let dashboards = files.into_iter().filter(|(path, _)| path.as_str().contains("-dashboards/files/"));
        Self {
            texts: dashboards.map(|(path, text)| (path.file_stem().expect("a file").to_owned(), text)).collect(),
            metrics: generator::exported_metrics(&platform),
            alerts: generator::alerts(&platform, "namespace", "release"),
            services: platform.platform().services.iter().map(|service| service.name.as_str()).collect(),
        }
    }

    fn findings(&self, texts: &BTreeMap<String, String>) -> Vec<String> {
        let declared = Declared { metrics: &self.metrics, alerts: &self.alerts, services: &self.services };
        findings::of(&read(texts).expect("the tool runs"), &declared)
    }

    /// The findings after the first occurrence of a text in a dashboard is replaced.
    #[track_caller]
    fn broken(&self, dashboard: &str, before: &str, after: &str) -> String {
        let mut texts = self.texts.clone();
        let text = texts.get_mut(dashboard).expect("the dashboard is there");
        assert!(text.contains(before), "{dashboard} has no {before}");
        *text = text.replacen(before, after, 1);
        self.findings(&texts).join("\n")
    }
}

#[test]
fn the_dashboards_of_a_platform_have_no_fault() {
    let bench = Bench::new();
    assert_eq!(bench.texts.keys().collect::<Vec<_>>(), ["broker", "cache", "databases", "face", "overview", "worker"]);
    assert_eq!(bench.findings(&bench.texts), [""; 0]);
}

#[test]
fn what_the_types_of_grafana_do_not_accept_is_found() {
    let bench = Bench::new();
    for (before, after, expected) in [
        ("\"graphTooltip\"", "\"graphTooltips\"", "unexpected field 'graphTooltips'"),
        ("\"schemaVersion\":39", "\"schemaVersion\":\"39\"", "schemaVersion"),
        ("\"gridPos\"", "\"gridPosition\"", "unexpected field 'gridPosition'"),
        ("\"graphMode\"", "\"graph\"", "unexpected field 'graph'"),
        ("\"noValue\"", "\"withoutValue\"", "unexpected field 'withoutValue'"),
        ("\"showPoints\"", "\"points\"", "unexpected field 'points'"),
        ("\"legendFormat\"", "\"legend\"", "unexpected field 'legend'"),
        ("\"type\":\"stat\"", "\"type\":\"number\"", "the type \"number\" is unknown"),
        (
            "\"type\":\"prometheus\",\"uid\"",
            "\"type\":\"loki\",\"uid\"",
            "the variable namespace: the data source is not",
        ),
        (
            "\"query\":\"prometheus\"",
            "\"query\":\"loki\"",
            "the data source is not the Prometheus that a variable selects",
        ),
        ("\"label\":\"Release\"", "\"labels\":\"Release\"", "unexpected field 'labels'"),
        ("\"collapsed\":false", "\"collapsed\":true", "is a collapsed row"),
    ] {
        let found = bench.broken("face", before, after);
        assert!(found.contains(expected), "{before}: {found}");
    }
}

#[test]
fn a_query_that_is_wrong_is_found() {
    let bench = Bench::new();
    for (before, after, expected) in [
        ("\"sum(up{", "\"sum((up{", "parse error"),
        (
            "app_kubernetes_io_instance=\\\"$release\\\"",
            "app_kubernetes_io_instance=\\\"$name\\\"",
            "the variable $name is unknown",
        ),
        ("app_kubernetes_io_instance=\\\"$release\\\",", "", "`up` of other releases is selected, too"),
        ("rate(face_requests_total{", "rate(face_request_total{", "nothing exports `face_request_total` of `face`"),
        ("rate(face_requests_total{", "irate(face_requests_total{", "`face_requests_total` only grows"),
        ("[$__rate_interval]", "[5m]", "only grows, and is not shown by its rate in $__rate_interval"),
        ("\"face_sessions{", "\"rate(face_sessions{", "parse error"),
        (
            "sum by (method) (",
            "sum by (verb) (",
            "groups by the label `verb`, which `face_requests_total` does not have",
        ),
        ("{{status}}", "{{state}}", "the legend has the label `state`, which the result does not have"),
        ("{{kind}}", "{{sort}}", "the legend has the label `sort`, which `face_sessions` does not have"),
        ("sum by (le)", "sum by (lower)", "groups by the label `lower`"),
        ("component=\\\"face\\\"", "component=\\\"faces\\\"", "no alert has these labels"),
        ("alertname=\\\"Watchdog\\\"", "alertname=\\\"Dog\\\"", "no alert has these labels"),
        ("label_values(up{", "label_values(ups{", "asks for a series or a label that nothing exports"),
        ("label_values(up{", "label_names(up{", "the query is not label_values(<series>, <label>)"),
    ] {
        let found = bench.broken("face", before, after);
        assert!(found.contains(expected), "{before}: {found}");
    }
    let of_exporter = bench.broken("databases", "backup_size_bytes{", "backup_bytes{");
    assert!(of_exporter.contains("nothing exports `backup_bytes` of `databases`"), "{of_exporter}");
    let of_client = bench.broken("cache", "sum by (cmd)", "sum by (command)");
    assert!(of_client.contains("groups by the label `command`"), "{of_client}");
}

#[test]
fn pages_that_do_not_fit_together_are_found() {
    let bench = Bench::new();
    let uid = "\"uid\":\"quoting_face\"";
    for (before, after, expected) in [
        (uid, "\"uid\":\"quoting_broker\"", "have the uid `quoting_broker`"),
        (uid, "\"uid\":\"quoting.face\"", "is not 1 to 40 of"),
        ("/ face\"", "/ broker\"", "have the title"),
        ("/ face\"", "/ case\"", "face has no dashboard"),
        ("\"/d/quoting\"", "\"/d/quote\"", "the link /d/quote leads to no dashboard of the chart"),
        ("face_sessions{", "face_sessions_{", "nothing exports `face_sessions_`"),
        ("\"x\":6", "\"x\":5", "overlaps"),
        ("\"x\":16,", "\"x\":20,", "stands outside the grid of 24 columns"),
        ("\"id\":3,", "\"id\":2,", "have the number 2"),
        ("\"description\":\"Targets of", "\"title\":\"Targets of", "has no title, no description or no query"),
    ] {
        let found = bench.broken("face", before, after);
        assert!(found.contains(expected), "{before}: {found}");
    }
    let mut texts = bench.texts.clone();
    let text = texts.get_mut("broker").expect("the dashboard is there");
    *text = text.replace("rabbitmq_queue_messages_unacked{", "rabbitmq_queue_messages_ready{");
    let expected = "the dashboard of broker does not show `rabbitmq_queue_messages_unacked`";
    assert_eq!(bench.findings(&texts), [expected]);
    texts.remove("worker");
    assert!(bench.findings(&texts).join("\n").contains("leads to no dashboard of the chart"));
}
