//! Metrics and alerts, with a real Prometheus and Alertmanager that are connected as ALERTS.md says.

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
            let keeper = format!("deployment/afp-{}", roles.keeper);
            let raised = [("QueueWithoutConsumer", "queue", roles.stored_queue)];
            with_fault(lane, &format!("stop {}", roles.keeper), &keeper, &raised)
        }),
        Work::new("broker", move |lane: &Lane| {
            let broker = format!("statefulset/afp-{}", roles.broker);
            let raised = [("NotScraped", "component", roles.broker), ("Disconnected", "server", roles.broker)];
            with_fault(lane, &format!("stop {}", roles.broker), &broker, &raised)
        }),
    ];
    side_by_side(lane.context, 2, work)
}

/// Installs a release beside a Prometheus, stops a workload and starts it again. `raised` are the alerts that this raises, by their name and one label: the
/// first one is delivered, and the others follow from it.
fn with_fault(lane: &Lane, fault: &str, workload: &str, raised: &[(&str, &str, &str)]) -> Outcome {
    let helm = lane.context.helm4().map_err(|_| Reported)?;
    let namespace = TestNamespace::as_step(lane, "observe")?;
    let release = Release::new(&namespace, helm, "afp");
    let monitoring = Monitoring::as_step(lane)?;
    let alerts = generator::alerts(&lane.context.platform, &namespace.name, &release.name);
    lane.step("helm install --wait with metrics and alerts", || {
        release.install(from_ref(&lane.context.small), &monitoring.values())?;
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
        received(&monitoring, "watchdog", "Watchdog")?;
        Ok(String::new())
    })?;
    let scaled = |replicas: &str| {
        let replicas = format!("--replicas={replicas}");
        kubectl::run(&["scale", workload, &replicas, "--namespace", &namespace.name]).map(drop)
    };
    let expected = matching(&alerts, raised);
    let broken =
        lane.step(format!("{fault}: the right alerts reach Alertmanager, and their cause its receiver"), || {
            ensure!(!expected.is_empty(), "no alert is declared for {raised:?}");
            let began = Instant::now();
            scaled("0")?;
            monitoring.delivered(RAISED, |all| expected.iter().all(|alert| all.iter().any(|one| is(one, alert))))?;
            let all = monitoring.delivered(RAISED, |_| true)?;
            for alert in &all {
                let link = format!(
                    "{}#{}",
                    monitoring::RUNBOOKS,
                    alert["labels"]["alertname"].as_str().unwrap_or_default().to_lowercase()
                );
                ensure!(alert["annotations"]["runbook_url"] == link, "{alert}");
                let summary = alert["annotations"]["summary"].as_str().unwrap_or_default();
                ensure!(!summary.is_empty() && !summary.contains("{{"), "{alert}");
            }
            received(&monitoring, "critical", raised[0].0)?;
            let consequences: Vec<_> = expected.iter().filter(|alert| alert.name != raised[0].0).collect();
            for consequence in &consequences {
                let found = all.iter().find(|one| is(one, consequence)).context("it was there")?;
                ensure!(found["status"]["state"] == "suppressed", "{found}");
            }
            if !consequences.is_empty() {
                // Longer than Alertmanager waits for further alerts of a group.
                process::sleep(Duration::from_secs(45))?;
            }
            let messages = monitoring.received("critical")?;
            for consequence in consequences {
                let is_delivered = messages.iter().any(|message| has(message, consequence.name));
                ensure!(!is_delivered, "{} was delivered", consequence.name);
            }
            let names: BTreeSet<_> = all.iter().filter_map(|alert| alert["labels"]["alertname"].as_str()).collect();
            Ok(format!("{} after {} s", names.into_iter().collect::<Vec<_>>().join(", "), began.elapsed().as_secs()))
        });
    let mended = lane.step("started again: the alerts end", || {
        scaled("1")?;
        let began = Instant::now();
        monitoring.delivered(ENDED, |all| !expected.iter().any(|alert| all.iter().any(|one| is(one, alert))))?;
        Ok(format!("after {} s", began.elapsed().as_secs()))
    });
    all([broken, mended])
}

/// Waits until a receiver has got a message with this alert.
fn received(monitoring: &Monitoring, receiver: &str, alert: &str) -> anyhow::Result<()> {
    process::until(Duration::from_mins(2), Duration::from_secs(3), || {
        let messages = monitoring.received(receiver)?;
        let is_there = messages.iter().any(|message| has(message, alert));
        Ok(if is_there { Ok(()) } else { Err(format!("{receiver} has got no {alert} in {messages:?}")) })
    })
}

/// Whether a message of Alertmanager has an alert of this name.
fn has(message: &serde_json::Value, alert: &str) -> bool {
    message["alerts"].as_array().into_iter().flatten().any(|one| one["labels"]["alertname"] == alert)
}

/// The declared alerts with one of these names and labels.
fn matching<'a>(alerts: &'a [AlertProof], raised: &[(&str, &str, &str)]) -> Vec<&'a AlertProof> {
    let has = |alert: &AlertProof, name: &str, value: &str| {
        alert.labels.iter().any(|(label, text)| *label == name && text == value)
    };
    let is_raised =
        |alert: &&AlertProof| raised.iter().any(|(name, label, value)| alert.name == *name && has(alert, label, value));
    alerts.iter().filter(is_raised).collect()
}

/// Whether an alert of Alertmanager is this one.
fn is(alert: &serde_json::Value, declared: &AlertProof) -> bool {
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
    let series: BTreeSet<_> =
        alerts.iter().flat_map(|alert| &alert.samples).map(|sample| sample.series.as_str()).collect();
    process::until(Duration::from_mins(1), Duration::from_secs(5), || {
        let mut missing = Vec::new();
        for one in &series {
            if monitoring.query(one)?.is_empty() {
                missing.push(*one);
            }
        }
        Ok(if missing.is_empty() { Ok(()) } else { Err(format!("no series {missing:#?}")) })
    })?;
    Ok(format!("{} series", series.len()))
}
