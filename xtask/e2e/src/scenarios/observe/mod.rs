//! Metrics and alerts, with a real Prometheus and Alertmanager that are connected as ALERTS.md says.

mod exporters;
mod monitoring;

use std::collections::BTreeSet;
use std::slice::from_ref;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use e2e_kit::{kubectl, process};
use generator::AlertProof;
use serde_json::Value;

use self::monitoring::Monitoring;
use crate::flow;
use crate::roles::Roles;

/// The longest `for` of the alerts that a fault raises, with the time until Prometheus notices and Alertmanager is told.
const RAISED: Duration = Duration::from_mins(8);

/// The time until an alert ends after its cause is mended: a service that never reconnects is restarted first.
const ENDED: Duration = Duration::from_mins(4);

pub(super) fn run(lane: &Lane) -> Outcome {
    let roles = Roles::of_lane(lane)?;
    let work = vec![
        Work::new("consumer", move |lane: &Lane| {
            let queue = ("queue", roles.stored_queue);
            let fault = Fault {
                workload: format!("deployment/afp-{}", roles.keeper),
                fills: Some(roles.stored_queue),
                delivered: vec![("QueueFull", queue), ("QueueWithoutConsumer", queue)],
                suppressed: Vec::new(),
            };
            with_faults(lane, roles.keeper, &[fault])
        }),
        Work::new("servers", move |lane: &Lane| {
            let away = |server, alert, label| Fault {
                workload: format!("statefulset/afp-{server}"),
                fills: None,
                delivered: vec![(alert, ("component", server))],
                suppressed: label,
            };
            let broker = away(roles.broker, "NotScraped", vec![("Disconnected", ("server", roles.broker))]);
            let database = away(roles.database_server, "ServerDown", Vec::new());
            with_faults(lane, "servers", &[broker, database])
        }),
        Work::new("exporters", exporters::run),
    ];
    side_by_side(lane.context, 3, work)
}

/// An alert: its name, and one of its labels.
type Expected = (&'static str, (&'static str, &'static str));

/// A workload that is stopped, and what follows.
struct Fault {
    workload: String,
    /// The queue that is filled meanwhile.
    fills: Option<&'static str>,
    /// The alerts that are delivered, the first to fire before the others, which may wait for the next message of their group.
    delivered: Vec<Expected>,
    /// Those that follow from them, and do not reach it.
    suppressed: Vec<Expected>,
}

/// The messages that fill a queue.
const QUEUE_LENGTH: u32 = 150;

/// Installs a release beside a Prometheus, and stops and starts workloads one after the other.
fn with_faults(lane: &Lane, name: &str, faults: &[Fault]) -> Outcome {
    let helm = lane.context.helm4().map_err(|_| Reported)?;
    let roles = Roles::of_lane(lane)?;
    let namespace = TestNamespace::as_step(lane, "observe")?;
    let release = Release::new(&namespace, helm, "afp");
    let monitoring = Monitoring::as_step(lane)?;
    let alerts = generator::alerts(&lane.context.platform, &namespace.name, &release.name);
    lane.step("helm install --wait with metrics, exporters, backups and alerts", || {
        let mut values = exporters::values(lane.context, &roles);
        values.extend(monitoring.values().into_iter().map(str::to_owned));
        values.push(format!("{}.limits.queueLength={QUEUE_LENGTH}", roles.broker));
        release.install(from_ref(&lane.context.small), &values.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(String::new())
    })?;
    lane.step("Prometheus with the job and the rules of ALERTS.md", || monitoring.start(&release))?;
    lane.step("every port with metrics is scraped through the policies", || scraped(&monitoring, &alerts))?;
    lane.step("every series that an alert reads exists", || {
        flow::works(&release, Duration::from_mins(1))?;
        exist(&monitoring, &alerts)
    })?;
    lane.step("a healthy release raises the watchdog alone, which reaches its receiver", || {
        process::sleep(Duration::from_secs(20))?;
        let prometheus = monitoring.pending_or_firing()?;
        ensure!(prometheus == BTreeSet::from(["Watchdog".to_owned()]), "{prometheus:?}");
        received(&monitoring, "watchdog", |message| named(message, "Watchdog"))?;
        Ok(String::new())
    })?;
    for fault in faults {
        let delivered = matching(&alerts, &fault.delivered);
        let suppressed = matching(&alerts, &fault.suppressed);
        let scaled = |replicas: &str| {
            let replicas = format!("--replicas={replicas}");
            kubectl::run(&["scale", &fault.workload, &replicas, "--namespace", &namespace.name]).map(drop)
        };
        let title =
            format!("{} stopped: the right alerts reach their receiver, and no consequence does", fault.workload);
        let broken = lane.step(title, || {
            ensure!(delivered.len() == fault.delivered.len(), "not every alert is declared");
            let began = Instant::now();
            scaled("0")?;
            if let Some(queue) = fault.fills {
                fill(&release, &roles, queue)?;
            }
            raised(&monitoring, &delivered, &suppressed)?;
            Ok(format!("{name}: after {} s", began.elapsed().as_secs()))
        });
        let mended = lane.step(format!("{} started again: the alerts end", fault.workload), || {
            scaled("1")?;
            let began = Instant::now();
            let all = [&delivered[..], &suppressed].concat();
            monitoring.delivered(ENDED, |now| !all.iter().any(|alert| now.iter().any(|one| is(one, alert))))?;
            Ok(format!("after {} s", began.elapsed().as_secs()))
        });
        all([broken, mended])?;
    }
    Ok(())
}

/// Publishes messages to a queue until the broker refuses more.
fn fill(release: &Release, roles: &Roles, queue: &str) -> anyhow::Result<()> {
    let publish = format!(
        "RABBITMQADMIN_PASSWORD=$(cat /etc/credentials/administrator) && export RABBITMQADMIN_PASSWORD
         for i in $(seq {QUEUE_LENGTH}); do
           rabbitmqadmin --username administrator publish message --routing-key {queue} --payload '{{}}' >/dev/null || exit 0
         done"
    );
    let pod = format!("{}-{}-0", release.name, roles.broker);
    let of =
        ["exec", &pod, "--container=administrator", "--namespace", &release.namespace.name, "--", "sh", "-c", &publish];
    kubectl::run(&of).map(drop).map_err(Into::into)
}

/// Waits until these alerts are active and the first was delivered, and checks that each has a link and a summary, and that no consequence was delivered.
fn raised(monitoring: &Monitoring, delivered: &[&AlertProof], suppressed: &[&AlertProof]) -> anyhow::Result<()> {
    let expected = [delivered, suppressed].concat();
    let active =
        monitoring.delivered(RAISED, |all| expected.iter().all(|alert| all.iter().any(|one| is(one, alert))))?;
    for alert in &active {
        let name = alert["labels"]["alertname"].as_str().unwrap_or_default().to_lowercase();
        ensure!(alert["annotations"]["runbook_url"] == format!("{}#{name}", monitoring::RUNBOOKS), "{alert}");
        let summary = alert["annotations"]["summary"].as_str().unwrap_or_default();
        ensure!(!summary.is_empty() && !summary.contains("{{"), "{alert}");
    }
    for alert in delivered {
        let found = active.iter().find(|one| is(one, alert)).context("it was there")?;
        ensure!(found["status"]["state"] == "active", "{found}");
    }
    if let Some(alert) = delivered.first() {
        let severity = alert.labels.iter().find(|(label, _)| *label == "severity");
        received(monitoring, severity.map_or("", |(_, severity)| severity.as_str()), |message| has(message, alert))?;
    }
    if suppressed.is_empty() {
        return Ok(());
    }
    for consequence in suppressed {
        let found = active.iter().find(|one| is(one, consequence)).context("it was there")?;
        ensure!(found["status"]["state"] == "suppressed", "{found}");
    }
    // Longer than Alertmanager waits for further alerts of a group.
    process::sleep(Duration::from_secs(45))?;
    for receiver in ["critical", "warning"] {
        let messages = monitoring.received(receiver)?;
        for consequence in suppressed {
            let is_delivered = messages.iter().any(|message| has(message, consequence));
            ensure!(!is_delivered, "{} was delivered", consequence.name);
        }
    }
    Ok(())
}

/// Waits until a receiver has got such a message.
fn received(monitoring: &Monitoring, receiver: &str, is_it: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
    process::until(Duration::from_mins(2), Duration::from_secs(3), || {
        let messages = monitoring.received(receiver)?;
        let is_there = messages.iter().any(&is_it);
        Ok(if is_there { Ok(()) } else { Err(format!("{receiver} has not got the message in {messages:?}")) })
    })
}

/// Whether a message of Alertmanager has an alert of this name.
fn named(message: &Value, name: &str) -> bool {
    message["alerts"].as_array().into_iter().flatten().any(|one| one["labels"]["alertname"] == name)
}

/// Whether a message of Alertmanager has this alert.
fn has(message: &Value, alert: &AlertProof) -> bool {
    message["alerts"].as_array().into_iter().flatten().any(|one| is(one, alert))
}

/// The declared alerts with these names and labels, in this order.
fn matching<'a>(alerts: &'a [AlertProof], expected: &[Expected]) -> Vec<&'a AlertProof> {
    let has = |alert: &AlertProof, label: (&str, &str)| {
        alert.labels.iter().any(|(name, value)| (*name, value.as_str()) == label)
    };
    let found = |(name, label): &Expected| alerts.iter().find(|alert| alert.name == *name && has(alert, *label));
    expected.iter().filter_map(found).collect()
}

/// Whether an alert of Alertmanager is this one.
fn is(alert: &Value, declared: &AlertProof) -> bool {
    let labels = &alert["labels"];
    labels["alertname"] == declared.name && declared.labels.iter().all(|(name, value)| labels[*name] == value.as_str())
}

/// Each component with an alert about its scraping has a target, and each target answers.
fn scraped(monitoring: &Monitoring, alerts: &[AlertProof]) -> anyhow::Result<String> {
    let of_scraping = alerts.iter().filter(|alert| alert.name == "NotScraped");
    let component = |alert: &AlertProof| {
        let label = alert.labels.iter().find(|(name, _)| *name == "component");
        label.map(|(_, value)| value.clone()).context("the alert names no component")
    };
    let expected: BTreeSet<String> = of_scraping.map(component).collect::<anyhow::Result<_>>()?;
    process::until(Duration::from_mins(2), Duration::from_secs(2), || {
        let targets = monitoring.targets()?;
        let up = targets.iter().filter(|target| target["health"] == "up");
        let found: BTreeSet<_> =
            up.filter_map(|target| Some(target["labels"]["app_kubernetes_io_name"].as_str()?.to_owned())).collect();
        let all_up = targets.iter().all(|target| target["health"] == "up");
        Ok(if found == expected && all_up {
            Ok(())
        } else {
            Err(format!("{found:?} instead of {expected:?}: {targets:?}"))
        })
    })?;
    Ok(expected.into_iter().collect::<Vec<_>>().join(", "))
}

fn exist(monitoring: &Monitoring, alerts: &[AlertProof]) -> anyhow::Result<String> {
    let series = alerts
        .iter()
        .filter(|alert| !alert.of_cluster)
        .flat_map(|alert| &alert.samples)
        .map(|sample| sample.series.as_str());
    // In a new release no backup has failed, and none was verified. The lane `exporters` sees these series.
    let later =
        |series: &&str| ["succeeded=\"false\"", "action=\"verification\""].iter().any(|word| series.contains(word));
    let series: BTreeSet<_> = series.filter(|one| !later(one)).collect();
    process::until(Duration::from_mins(1), Duration::from_secs(5), || {
        let mut missing = Vec::new();
        for one in &series {
            // A Prometheus that is not Ready for a moment is asked again.
            if monitoring.query(one).map_or(true, |found| found.is_empty()) {
                missing.push(*one);
            }
        }
        Ok(if missing.is_empty() { Ok(()) } else { Err(format!("no series {missing:#?}")) })
    })?;
    Ok(format!("{} series", series.len()))
}
