//! The platform at work: what the declared end-to-end test sends goes in, and is shown in the end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::ensure;
use e2e_kit::process;
use e2e_kit::random;
use e2e_kit::release::Release;
use vocabulary::EndToEndTest;

use crate::roles::Roles;

/// Posts a body several times from inside the sender's pod.
const POST: &str = "\
import sys, urllib.request
for _ in range(int(sys.argv[3])):
    request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {'Content-Type': 'application/json'})
    urllib.request.urlopen(request, timeout=10).read()";

/// Prints a page.
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

/// The page on which everything is seen in the end.
pub(super) fn page(release: &Release) -> anyhow::Result<String> {
    let roles = Roles::of(release.namespace.context)?;
    let address = format!("http://127.0.0.1:{}{}", roles.test.page.endpoint.port.number, roles.test.page.path);
    release.exec(roles.page, &["python3", "-c", GET, &address])
}

/// The fixture's body goes in at the sender, and its marker is read on the page; the marker, and how long that took.
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
            Err(format!("nothing about {marker} on the page of {}:\n{}", roles.page, page.trim()))
        })
    })?;
    Ok((marker, start.elapsed()))
}

/// That the platform works, in words: what is sent is seen; on a platform without a fixture, its own end-to-end test passes. Where it declares
/// none, that every pod is Ready.
pub(super) fn works(release: &Release, limit: Duration) -> anyhow::Result<String> {
    let context = release.namespace.context;
    if Roles::of(context).is_ok() {
        let (_, took) = is_seen(release, limit)?;
        return Ok(format!("what is sent is seen after {:.1} s", took.as_secs_f32()));
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

/// Fails when the page shows something with the marker of another release.
pub(super) fn does_not_show(release: &Release, marker: &str) -> anyhow::Result<()> {
    let (name, namespace) = (&release.name, &release.namespace.name);
    ensure!(!page(release)?.contains(marker), "the page of {name} in {namespace} shows another release's {marker}");
    Ok(())
}

/// Asks a database by the socket of its server's own pod; a line for each row, with `|` between the columns.
pub(super) fn sql(release: &Release, database: &str, statement: &str) -> anyhow::Result<String> {
    let database = format!("--dbname={database}");
    let words = ["psql", "--username=postgres", &database, "--no-align", "--tuples-only", "--command", statement];
    let server = Roles::of(release.namespace.context)?.database_server;
    release.exec(server, &words)
}

/// What is stored: the key of each row, and the id of the event that it comes from.
pub(super) fn rows(release: &Release) -> anyhow::Result<BTreeSet<(String, String)>> {
    let roles = Roles::of(release.namespace.context)?;
    let text = sql(release, roles.database, roles.fixture.stored)?;
    let pair = |line: &str| line.split_once('|').map(|(row, event)| (row.to_owned(), event.to_owned()));
    Ok(text.lines().filter_map(pair).collect())
}

/// Asks the cache as its own pod's administrator, whose password no rotation changes.
pub(super) fn valkey(release: &Release, words: &[&str]) -> anyhow::Result<String> {
    let as_local =
        "REDISCLI_AUTH=$(cat /run/valkey/token) exec valkey-cli -e --no-auth-warning --json --user local \"$@\"";
    let cache = Roles::of(release.namespace.context)?.cache;
    release.exec(cache, &[&["sh", "-c", as_local, "sh"], words].concat())
}
