//! AuditFlow at work: an event goes in, an alert comes out.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::bail;
use e2e_kit::process;
use e2e_kit::random;
use e2e_kit::release::Release;

pub(super) const GENERATOR: &str = "audit-event-generator";
pub(super) const ANALYSIS: &str = "audit-log-analysis";
pub(super) const NOTIFICATION: &str = "notification-service";
pub(super) const DASHBOARD: &str = "event-audit-dashboard";
pub(super) const BROKER: &str = "rabbitmq";
pub(super) const DATABASE: &str = "postgresql";
pub(super) const CACHE: &str = "redis";
/// The database with the alerts.
pub(super) const ALERTS: &str = "alerts_db";

/// Posts events from inside the generator's pod, as somebody does who is let in, and prints the last one's id.
const POST: &str = "\
import json, sys, urllib.request
for _ in range(int(sys.argv[3])):
    request = urllib.request.Request('http://127.0.0.1:' + sys.argv[1] + '/generate_event', sys.argv[2].encode(), {'Content-Type': 'application/json'})
    answer = json.load(urllib.request.urlopen(request, timeout=10))
print(answer['event_id'])";

/// Prints a page.
const GET: &str = "\
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=15).read().decode())";

/// Three failed logins of one user: the rule that needs the cache as well.
pub(super) fn post_attack(release: &Release, user: &str) -> anyhow::Result<String> {
    let event = format!(
        r#"{{"event_type": "user_login", "action_result": "FAILURE", "user_id": "{user}", "server_hostname": "e2e", "details": {{}}}}"#
    );
    Ok(release.exec(GENERATOR, &["python3", "-c", POST, "5000", &event, "3"])?.trim().to_owned())
}

/// The dashboard's first page.
pub(super) fn page(release: &Release) -> anyhow::Result<String> {
    release.exec(DASHBOARD, &["python3", "-c", GET, "http://127.0.0.1:8080/"])
}

/// An attack goes in at the generator, and is read on the dashboard's page; how long that took.
pub(super) fn attack_is_seen(release: &Release, limit: Duration) -> anyhow::Result<(String, Duration)> {
    let user = format!("e2e-{}", random::suffix());
    let start = Instant::now();
    post_attack(release, &user)?;
    process::until(limit, Duration::from_millis(700), || {
        let page = page(release)?;
        Ok(if page.contains(&user) {
            Ok(())
        } else {
            Err(format!("no alert about {user} on the dashboard's page:\n{}", page.trim()))
        })
    })?;
    Ok((user, start.elapsed()))
}

/// Fails when the dashboard shows somebody else's alert.
pub(super) fn does_not_show(release: &Release, user: &str) -> anyhow::Result<()> {
    if page(release)?.contains(user) {
        bail!(
            "the dashboard of {} in {} shows another release's alert about {user}",
            release.name,
            release.namespace.name
        );
    }
    Ok(())
}

/// Asks a database by the socket of its server's own pod; a line for each row, with `|` between the columns.
pub(super) fn sql(release: &Release, database: &str, statement: &str) -> anyhow::Result<String> {
    let database = format!("--dbname={database}");
    let words = ["psql", "--username=postgres", &database, "--no-align", "--tuples-only", "--command", statement];
    release.exec(DATABASE, &words)
}

/// The rows of the alerts table: alert and correlation id.
pub(super) fn rows(release: &Release) -> anyhow::Result<BTreeSet<(String, String)>> {
    let text = sql(release, ALERTS, "SELECT alert_id, correlation_id FROM alerts")?;
    let pair = |line: &str| line.split_once('|').map(|(alert, event)| (alert.to_owned(), event.to_owned()));
    Ok(text.lines().filter_map(pair).collect())
}

/// Asks the cache as its own pod's administrator, whose password no rotation changes.
pub(super) fn valkey(release: &Release, words: &[&str]) -> anyhow::Result<String> {
    let as_local =
        "REDISCLI_AUTH=$(cat /run/valkey/token) exec valkey-cli -e --no-auth-warning --json --user local \"$@\"";
    release.exec(CACHE, &[&["sh", "-c", as_local, "sh"], words].concat())
}
