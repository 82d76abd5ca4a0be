//! What the gateway keeps of the traces that it gets.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use e2e_kit::{process, random};
use serde_json::{Value, json};

use super::{ARRIVES, QUIET, Scene};

/// The number of ordinary traces. With a share of 0 none of them may arrive.
const ORDINARY: usize = 20;

/// Longer than a trace that is not slow.
const SLOW: Duration = Duration::from_secs(30);

/// The time until a service reaches a new gateway.
const CONNECTED: Duration = Duration::from_secs(30);

/// In what the gateway must remove.
const SECRET: &str = "secret-of-a-client";

/// A trace of one span, in OTLP as JSON. The span and its event name a client.
fn trace(service: &str, marker: &str, took: Duration, is_error: bool) -> anyhow::Result<Value> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let id = || format!("{:016x}", random::number());
    let attribute = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let address = format!("https://{SECRET}@shop.example.org/{marker}?q={SECRET}");
    let span = json!({
        "traceId": id() + &id(), "spanId": id(), "name": marker, "kind": 1,
        "startTimeUnixNano": now.saturating_sub(took).as_nanos().to_string(), "endTimeUnixNano": now.as_nanos().to_string(),
        "status": if is_error { json!({ "code": 2 }) } else { json!({}) },
        "attributes": [attribute("client.address", SECRET), attribute("url.full", &address)],
        "events": [{ "timeUnixNano": now.as_nanos().to_string(), "name": "login", "attributes": [attribute("user.name", SECRET)] }],
    });
    let resource = json!({ "attributes": [attribute("service.name", service), attribute("enduser.id", SECRET)] });
    Ok(json!({ "resource": resource, "scopeSpans": [{ "spans": [span] }] }))
}

/// The gateway is upgraded to keep a share of 0, with the default values for personal data, and gets ordinary traces, one with an error and a slow one.
pub(super) fn tried(scene: &Scene) -> anyhow::Result<String> {
    let (backend, release) = (scene.backend, scene.traced.release()?);
    backend.apply("upgrade", &release, 0, &json!({}))?;
    let endpoint = backend.values_of_notes()?["global"]["tracing"]["endpoint"].clone();
    let address = format!("{}/v1/traces", endpoint.as_str().context("the notes show no endpoint")?);
    let service = format!("s{}", random::suffix());
    let mut traces = vec![trace(&service, "error", Duration::ZERO, true)?, trace(&service, "slow", SLOW, false)?];
    for _ in 0..ORDINARY {
        traces.push(trace(&service, "ordinary", Duration::ZERO, false)?);
    }
    let body = json!({ "resourceSpans": traces }).to_string();
    // The gateway's Pod is a new one, so that the first name or connection can fail. Then nothing was sent.
    process::until(CONNECTED, Duration::from_secs(2), || {
        Ok(scene.traced.post(&address, &body, 1).map_err(|error| format!("{error:#}")))
    })?;
    let kept = || -> anyhow::Result<Vec<String>> {
        let traces = backend.traces(&service)?;
        let mut names: Vec<_> =
            traces.iter().flat_map(|trace| &trace.spans).map(|span| span.operation.clone()).collect();
        names.sort();
        Ok(names)
    };
    process::until(ARRIVES, Duration::from_secs(2), || {
        let names = kept()?;
        Ok(if names == ["error", "slow"] { Ok(()) } else { Err(format!("the gateway kept {names:?}")) })
    })?;
    process::sleep(QUIET)?;
    let names = kept()?;
    ensure!(names == ["error", "slow"], "the gateway kept {names:?}");
    for trace in backend.traces(&service)? {
        ensure!(!trace.contains(SECRET), "the gateway did not remove {SECRET}: {trace:#?}");
        let address = format!("https://shop.example.org/{}", trace.spans[0].operation);
        ensure!(trace.contains(&address), "the gateway removed {address}: {trace:#?}");
    }
    Ok(format!("{ORDINARY} dropped"))
}
