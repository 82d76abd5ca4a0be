//! Checks of the metrics of services. The rules for names are those of `promtool check metrics`.

#[cfg(test)]
mod tests;

use crate::diagnostic::{codes, repeated};
use crate::{Diagnostic, Metric, MetricKind, Platform, Protocol, Service};

codes! {
    /// Metrics of a service that has no port for them.
    MetricsWithoutPort,
    /// Several metrics of one name in a service.
    DuplicateMetric,
    /// A metric that two services declare with another type or other labels.
    MetricDiffers,
    /// A counter without the suffix `_total`, a metric of another type with it, or a histogram with the suffix of one of its series.
    MetricSuffix,
    /// A label that a metric lists several times, or that a scrape sets.
    MetricLabel,
    /// A label that is declared as personal, and that the metric does not have.
    PersonalLabel,
    /// A meaning that the metric's type cannot have.
    MetricMeaning,
    /// A metric about a server that its service does not use.
    MetricOfUnusedServer,
}

/// Labels that Prometheus or the chart's scrape configuration sets on every series, and that histograms and summaries use.
const RESERVED_LABELS: &[&str] = &[
    "app_kubernetes_io_instance",
    "app_kubernetes_io_name",
    "container",
    "endpoint",
    "instance",
    "job",
    "le",
    "namespace",
    "pod",
    "quantile",
    "service",
];

/// The suffixes of the series of a histogram.
const SERIES_OF_HISTOGRAMS: &[&str] = &["_bucket", "_sum", "_count"];

pub(super) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
    for service in &platform.services {
        of_service(service, diagnostics);
    }
    let all = platform.services.iter().flat_map(|service| service.metrics.iter().map(move |metric| (service, metric)));
    for (name, declared) in repeated(all.map(|(service, metric)| (metric.name, (service, metric)))) {
        let shape = |(_, metric): &(&Service, &Metric)| (metric.kind, metric.labels);
        let services_differ = declared.iter().any(|(service, _)| service.name != declared[0].0.name);
        if services_differ && declared.iter().any(|one| shape(one) != shape(&declared[0])) {
            diagnostics.push(
                Diagnostic::new(
                    Code::MetricDiffers,
                    format!("metric `{name}` has another type or other labels in several services"),
                )
                .at_each(declared.iter().map(|(service, metric)| (service.name.as_str(), metric.location)))
                .help("a name has one type and one list of labels in a platform: rename all but one of the metrics"),
            );
        }
    }
}

fn of_service(service: &Service, diagnostics: &mut Vec<Diagnostic>) {
    let name = service.name;
    let has_port = service.ports.iter().any(|port| port.protocol == Protocol::Metrics);
    if let Some(first) = service.metrics.first().filter(|_| !has_port) {
        diagnostics.push(
            Diagnostic::new(Code::MetricsWithoutPort, format!("{name} has metrics, but no port for them"))
                .at("the first metric", first.location)
                .help(format!("add a `Port::metrics` to the `ports` of {name}, or remove its metrics")),
        );
    }
    for (metric, declared) in repeated(service.metrics.iter().map(|metric| (metric.name, metric))) {
        diagnostics.push(
            Diagnostic::new(Code::DuplicateMetric, format!("several metrics of {name} are named `{metric}`"))
                .at_each(declared.iter().map(|metric| ("declared", metric.location)))
                .help("the name of a metric is unique within its service: declare it once"),
        );
    }
    for metric in service.metrics {
        of_metric(service, metric, diagnostics);
    }
}

fn of_metric(service: &Service, metric: &Metric, diagnostics: &mut Vec<Diagnostic>) {
    let what = format!("metric `{}` of {}", metric.name, service.name);
    let mut report = |code, summary: String, help: String| {
        diagnostics.push(Diagnostic::new(code, summary).at("declared", metric.location).help(help));
    };
    let is_total = metric.name.as_str().ends_with("_total");
    match metric.kind {
        MetricKind::Counter if !is_total => report(
            Code::MetricSuffix,
            format!("{what} is a counter, but its name does not end with `_total`"),
            "write the name as the program serves it, with `_total`, or declare a gauge".to_owned(),
        ),
        MetricKind::Gauge | MetricKind::Histogram if is_total => report(
            Code::MetricSuffix,
            format!("{what} is a {}, but its name ends with `_total`", metric.kind.as_str()),
            "declare a counter, or another name".to_owned(),
        ),
        MetricKind::Histogram => {
            if let Some(suffix) = SERIES_OF_HISTOGRAMS.iter().find(|suffix| metric.name.as_str().ends_with(*suffix)) {
                report(
                    Code::MetricSuffix,
                    format!("{what} is a histogram, but its name ends with `{suffix}`"),
                    format!("write the name without `{suffix}`, which only the series of the histogram have"),
                );
            }
        }
        MetricKind::Counter | MetricKind::Gauge => {}
    }
    for (label, _) in repeated(metric.labels.iter().map(|label| (*label, ()))) {
        report(
            Code::MetricLabel,
            format!("{what} has the label `{label}` more than once"),
            "list each label once".to_owned(),
        );
    }
    for label in metric.labels.iter().filter(|label| RESERVED_LABELS.contains(&label.as_str())) {
        report(
            Code::MetricLabel,
            format!("{what} has the label `{label}`, which a scrape sets"),
            "rename the label in the program".to_owned(),
        );
    }
    for label in metric.personal.iter().filter(|label| !metric.labels.contains(label)) {
        report(
            Code::PersonalLabel,
            format!("{what} declares the label `{label}` as personal, but does not have it"),
            format!("add `{label}` to the `labels` of the metric, or remove it from `personal`"),
        );
    }
    if let Some(kind) = metric.meaning.kind().filter(|kind| *kind != metric.kind) {
        let kind = kind.as_str();
        report(
            Code::MetricMeaning,
            format!("{what} has a meaning that only a {kind} can have"),
            format!("declare a {kind}, or remove the meaning"),
        );
    }
    if let Some(server) = metric.meaning.server() {
        let uses = |used: &crate::Use| used.client().is_some_and(|client| client.backing == server);
        if !service.uses.iter().any(uses) {
            report(
                Code::MetricOfUnusedServer,
                format!("{what} is about {server}, which {} does not use", service.name),
                format!("declare the use of {server}, or name the server that the metric is about"),
            );
        }
    }
}
