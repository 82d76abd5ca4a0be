//! Load during a change: events published with confirms, and a check that none was lost.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::pods::helper_pod;
use e2e_kit::release::Release;
use e2e_kit::{kubectl, process, random};
use serde_json::{Value, json};

use crate::flow;
use crate::roles::{Roles, amqp_login};

/// The load client, in a pod with a service's network identity and login.
pub(super) struct Load<'a> {
    release: &'a Release<'a>,
    pod: String,
    /// The `user_id` of its events.
    pub(super) user: String,
}

/// Rate and number of the events.
#[derive(Clone, Copy)]
pub(super) struct Amount {
    /// Events per second.
    pub(super) rate: u32,
    /// Every n-th event raises an alert.
    pub(super) alert_every: u32,
    /// Number of events; 0 means until stopped.
    pub(super) count: u32,
}

impl<'a> Load<'a> {
    /// Starts the load client and waits until the broker has confirmed an event.
    pub(super) fn start(release: &'a Release<'a>, identity: &str, amount: Amount) -> anyhow::Result<Self> {
        let context = release.namespace.context;
        let pod = format!("load-{}", random::suffix());
        let roles = Roles::of(context)?;
        let secret = release.secret_of(identity)?;
        let (user, password) = amqp_login(context.platform.platform(), identity, roles.broker)?;
        let variable = |name: &str, value: String| json!({"name": name, "value": value});
        let from =
            |name: &str, key: &str| json!({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}});
        let environment = json!([
            variable("AMQP_HOST", format!("{}-{}", release.name, roles.broker)),
            variable("AMQP_QUEUE", roles.sent_queue.to_owned()),
            from("AMQP_USER", user),
            from("AMQP_PASSWORD", password),
            variable("LOAD_USER", pod.clone()),
            variable("LOAD_RATE", amount.rate.to_string()),
            variable("LOAD_ALERT_EVERY", amount.alert_every.to_string()),
            variable("LOAD_COUNT", amount.count.to_string()),
        ]);
        let image = context.images.tool(roles.fixture.load_image)?;
        kubectl::apply(&helper_pod(release, identity, &pod, image, &json!({"env": environment})))?;
        let load = Self { release, user: pod.clone(), pod };
        process::until(Duration::from_mins(1), Duration::from_millis(500), || {
            let output = load.output()?;
            Ok(if output.contains("\"confirmed_at\": \"") {
                Ok(())
            } else {
                Err(format!("the broker confirmed no event of the load client:\n{output}"))
            })
        })?;
        Ok(load)
    }

    /// Stops the load client and returns its ledger.
    pub(super) fn stop(&self) -> anyhow::Result<Ledger> {
        let stop = ["python3", "-c", "import os, signal; os.kill(1, signal.SIGTERM)"];
        // The container may exit before `kubectl exec` returns, so a failure here is not an error.
        let told = kubectl::exec(&self.release.namespace.name, &self.pod, &stop)?;
        self.ended().with_context(|| format!("stopping the load client: {}", told.all()))
    }

    /// Waits until the load client has exited and returns its ledger.
    pub(super) fn ended(&self) -> anyhow::Result<Ledger> {
        let namespace = &self.release.namespace.name;
        kubectl::run(&[
            "wait",
            "pod",
            &self.pod,
            "--namespace",
            namespace,
            "--for=jsonpath={.status.phase}=Succeeded",
            "--timeout=50s",
        ])?;
        Ledger::read(&self.output()?)
    }

    fn output(&self) -> anyhow::Result<String> {
        let output = kubectl::try_run(&["logs", &self.pod, "--namespace", &self.release.namespace.name], "")?;
        // `kubectl logs` fails until the container runs.
        Ok(if output.success { output.out } else { output.err })
    }
}

/// The events that the broker confirmed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    confirmed: usize,
    /// IDs of the confirmed events that must raise an alert.
    alerting: BTreeSet<String>,
    /// The number of confirmed events that needed more than one attempt.
    again: usize,
    /// The load client's complaint about each failed attempt.
    complaints: Vec<String>,
}

impl Ledger {
    fn read(text: &str) -> anyhow::Result<Self> {
        let mut ledger = Self::default();
        let complaints = text.lines().filter(|line| line.starts_with("not confirmed"));
        ledger.complaints = complaints.map(str::to_owned).collect();
        for entry in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if entry["confirmed_at"].is_string() {
                ledger.confirmed += 1;
                ledger.again += usize::from(entry["tries"] != 1);
                ledger.alerting.extend(entry["correlation_id"].as_str().map(str::to_owned));
            }
        }
        ensure!(ledger.confirmed > 0, "the broker confirmed no event:\n{text}");
        Ok(ledger)
    }

    /// Fails unless the broker confirmed every event at the first attempt.
    pub(super) fn at_once(&self) -> anyhow::Result<()> {
        ensure!(
            self.again == 0,
            "the broker did not confirm {} of {} events at the first attempt:\n{}",
            self.again,
            self.confirmed,
            self.complaints.join("\n")
        );
        Ok(())
    }

    /// The confirmed events whose alert has no row.
    fn missing(&self, rows: &BTreeSet<(String, String)>) -> Vec<&str> {
        let stored: BTreeSet<_> = rows.iter().map(|(_, event)| event.as_str()).collect();
        self.alerting.iter().map(String::as_str).filter(|event| !stored.contains(event)).collect()
    }

    /// Waits until the alert of every confirmed event has a row.
    pub(super) fn is_stored(&self, release: &Release, limit: Duration) -> anyhow::Result<String> {
        process::until(limit, Duration::from_secs(1), || {
            let rows = flow::rows(release)?;
            let missing = self.missing(&rows);
            let some = missing.iter().take(3).copied().collect::<Vec<_>>().join(", ");
            let lacking = || {
                format!("{} of {} confirmed events have no alert, such as {some}", missing.len(), self.alerting.len())
            };
            Ok(if missing.is_empty() { Ok(()) } else { Err(lacking()) })
        })
        .context("lost")?;
        Ok(format!("{} events confirmed, all {} alerts stored", self.confirmed, self.alerting.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_knows_what_must_be_there() {
        let text = r#"started
not confirmed at now, retrying in a second: a reason
            {"event_id": "a", "correlation_id": "a", "confirmed_at": "now", "tries": 1}
            {"event_id": "b", "correlation_id": null, "confirmed_at": "now", "tries": 1}
            {"event_id": "c", "correlation_id": "c", "confirmed_at": null, "tries": null}
            {"event_id": "d", "correlation_id": "d", "confirmed_at": "now", "tries": 7}
            {"summary": {"published": 4}}"#;
        let ledger = Ledger::read(text).expect("it has entries");
        assert_eq!(ledger.confirmed, 3);
        assert_eq!(ledger.again, 1);
        let error = ledger.at_once().expect_err("one event needed seven attempts");
        assert!(
            error
                .to_string()
                .ends_with("1 of 3 events at the first attempt:\nnot confirmed at now, retrying in a second: a reason")
        );
        assert_eq!(ledger.missing(&BTreeSet::from([("1".into(), "a".into())])), ["d"]);
        assert!(ledger.missing(&BTreeSet::from([("1".into(), "a".into()), ("2".into(), "d".into())])).is_empty());
        assert!(Ledger::read("{}").is_err());
    }
}
