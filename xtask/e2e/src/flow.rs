//! The platform's end-to-end flow: a body posted to the sender appears on the page.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::ensure;
use e2e_kit::process;
use e2e_kit::random;
use e2e_kit::release::Release;
use vocabulary::EndToEndTest;

use crate::roles::Roles;

/// Python program that posts a body several times from inside the sender's pod.
const POST: &str = "\
import sys, urllib.request
for _ in range(int(sys.argv[3])):
    request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {'Content-Type': 'application/json'})
    urllib.request.urlopen(request, timeout=10).read()";

/// Python program that prints a page.
const GET: &str = "\
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=15).read().decode())";

/// Posts the fixture's body with this marker to the sender.
fn send(release: &Release, roles: &Roles, marker: &str) -> anyhow::Result<()> {
    let address = format!("http://127.0.0.1:{}{}", roles.test.request.endpoint.port.number, roles.test.request.path);
    let body = roles.fixture.body.replace(EndToEndTest::MARKER, marker);
    release.exec(roles.sender, &["python3", "-c", POST, &address, &body, &roles.fixture.times.to_string()])?;
    Ok(())
}

/// The page that shows the result of the flow.
pub(super) fn page(release: &Release) -> anyhow::Result<String> {
    let roles = Roles::of(release.namespace.context)?;
    let address = format!("http://127.0.0.1:{}{}", roles.test.page.endpoint.port.number, roles.test.page.path);
    release.exec(roles.page, &["python3", "-c", GET, &address])
}

/// Posts the fixture's body and waits until the page shows its marker; returns the marker and the elapsed time.
pub(super) fn is_seen(release: &Release, limit: Duration) -> anyhow::Result<(String, Duration)> {
    let roles = Roles::of(release.namespace.context)?;
    let marker = format!("e2e-{}", random::suffix());
    let start = Instant::now();
    send(release, &roles, &marker)?;
    process::until(limit, Duration::from_millis(700), || {
        let page = page(release)?;
        Ok(if page.contains(&marker) {
            Ok(())
        } else {
            Err(format!("the page of {} does not show {marker}:\n{}", roles.page, page.trim()))
        })
    })?;
    Ok((marker, start.elapsed()))
}

/// Checks that the platform works; returns a summary.
///
/// With a fixture, a posted body must appear on the page. Without one, the chart's own end-to-end test must pass. Without a declared
/// end-to-end test, every pod must be Ready.
pub(super) fn works(release: &Release, limit: Duration) -> anyhow::Result<String> {
    let context = release.namespace.context;
    if Roles::of(context).is_ok() {
        let (_, took) = is_seen(release, limit)?;
        return Ok(format!("the page shows the posted event after {:.1} s", took.as_secs_f32()));
    }
    if context.platform.platform().tests.end_to_end.is_none() {
        release.wait_ready(limit)?;
        return Ok("every pod is Ready; the platform declares no end-to-end test".to_owned());
    }
    let test = generator::traffic(&context.platform).tests.end_to_end;
    let output = release.test(&[&test])?;
    ensure!(output.success, "{}", output.all());
    Ok(format!("the chart's own {test} passes"))
}

/// Fails if the page shows the marker of another release.
pub(super) fn does_not_show(release: &Release, marker: &str) -> anyhow::Result<()> {
    let (name, namespace) = (&release.name, &release.namespace.name);
    ensure!(!page(release)?.contains(marker), "the page of {name} in {namespace} shows another release's {marker}");
    Ok(())
}

/// Runs SQL in a database server's pod over its socket; returns one line per row, with `|` between the columns.
pub(super) fn sql(release: &Release, database: &str, statement: &str) -> anyhow::Result<String> {
    let database = format!("--dbname={database}");
    let words = ["psql", "--username=postgres", &database, "--no-align", "--tuples-only", "--command", statement];
    let server = Roles::of(release.namespace.context)?.database_server;
    release.exec(server, &words)
}

/// The stored rows: the row's key and the ID of its event.
pub(super) fn rows(release: &Release) -> anyhow::Result<BTreeSet<(String, String)>> {
    let roles = Roles::of(release.namespace.context)?;
    let text = sql(release, roles.database, roles.fixture.stored)?;
    let pair = |line: &str| line.split_once('|').map(|(row, event)| (row.to_owned(), event.to_owned()));
    Ok(text.lines().filter_map(pair).collect())
}

/// Runs a Valkey command as the pod-local administrator, whose password no rotation changes.
pub(super) fn valkey(release: &Release, words: &[&str]) -> anyhow::Result<String> {
    let as_local =
        "REDISCLI_AUTH=$(cat /run/valkey/token) exec valkey-cli -e --no-auth-warning --json --user local \"$@\"";
    let cache = Roles::of(release.namespace.context)?.cache;
    release.exec(cache, &[&["sh", "-c", as_local, "sh"], words].concat())
}
