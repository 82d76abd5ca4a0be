//! The metrics that the dashboards show of servers with an exporter are those of the real exporter.
//!
//! The files in `exporters/` list the counters and gauges that an exporter served beside a server of the chart with backups, each with its type and its
//! labels. To renew one after an update of an exporter or a server, install the chart on a cluster and read `/metrics`.

use std::collections::BTreeMap;

use vocabulary::{Backing, MetricKind};

const POSTGRESQL: &str = include_str!("exporters/postgres_exporter-0.19.1.txt");
const VALKEY: &str = include_str!("exporters/redis_exporter-1.86.0.txt");

/// The metrics that Prometheus makes itself for a target.
const OF_SCRAPES: [&str; 3] = ["up", "scrape_duration_seconds", "scrape_samples_scraped"];

/// The type and the labels of each metric in a list.
fn listed(text: &'static str) -> BTreeMap<&'static str, (&'static str, Vec<&'static str>)> {
    let metric = |line: &'static str| {
        let mut words = line.split(' ');
        let (name, kind) = (words.next().expect("a name"), words.next().expect("a type"));
        (name, (kind, words.collect()))
    };
    text.lines().map(metric).collect()
}

#[test]
fn the_exporters_serve_what_the_dashboards_show() {
    let platform = many_services::every_kind(6);
    let metrics = generator::exported_metrics(&platform);
    assert!(metrics.iter().any(|metric| metric.name == "backup_size_bytes"), "the database has backups");
    for (list, is_of_kind) in [
        (POSTGRESQL, (|server| matches!(server, Backing::PostgreSql(_))) as fn(&Backing) -> bool),
        (VALKEY, |server| matches!(server, Backing::Valkey(_))),
    ] {
        let list = listed(list);
        let server = platform.platform().backing.iter().find(|server| is_of_kind(server)).expect("one of each kind");
        let of_server = metrics.iter().filter(|metric| metric.component == server.name().as_str());
        let mut count = 0;
        for metric in of_server.filter(|metric| !OF_SCRAPES.contains(&metric.name)) {
            let Some((kind, labels)) = list.get(metric.name) else { panic!("{} is not served", metric.name) };
            assert_eq!(metric.kind.as_str(), *kind, "{}", metric.name);
            assert_ne!(metric.kind, MetricKind::Histogram, "{}: the list has no histograms", metric.name);
            let mut declared = metric.labels.clone();
            declared.sort_unstable();
            assert_eq!(declared, *labels, "{}", metric.name);
            count += 1;
        }
        assert!(count > 20, "only {count} metrics of {}", server.name());
    }
}
