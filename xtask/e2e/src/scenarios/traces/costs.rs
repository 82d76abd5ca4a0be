//! What the parts of observability take: processor time and memory as the kubelet counts them, and the time from a container's start to Ready.
//!
//! The figures in the chart's documents are those that the scenarios `traces` and `logs` print on a small node.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::{kubectl, process};
use serde_json::{Value, json};

use super::Scene;
use super::backend::container;

/// The time from the end of a load until it is processed, and until the kubelet has counted that: it counts every ten seconds or so.
const COUNTED: Duration = Duration::from_secs(25);

/// The load on the gateway: this many traces a second, each of so many spans, for so many seconds.
const RATE: u32 = 25;
const SPANS: u32 = 8;
const SECONDS: u32 = 30;

/// The age of the Pods without the instrumentation when they are compared. The others are as old when they are counted.
const AGE: Duration = Duration::from_secs(40);

/// What a Pod of each service has taken since its start, and after how many seconds it was Ready, by the service's name.
pub(super) type Started = BTreeMap<String, (Usage, u32)>;

/// Sends traces at a rate.
const LOAD: &str = "\
import json, secrets, sys, time, urllib.request
address, service, rate, spans, seconds = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
def trace():
    now, trace_id, parent, all_spans = time.time_ns(), secrets.token_hex(16), '', []
    for number in range(spans):
        span_id = secrets.token_hex(8)
        attributes = {'url.full': f'http://shop:8000/orders/{number}?q=1', 'http.request.method': 'GET', 'client.address': '192.0.2.1',
                      'db.statement': 'SELECT id, name FROM orders WHERE customer = %s ORDER BY id LIMIT 10'}
        all_spans.append({'traceId': trace_id, 'spanId': span_id, 'parentSpanId': parent, 'name': f'operation {number}', 'kind': 2,
            'startTimeUnixNano': str(now), 'endTimeUnixNano': str(now + 5000000), 'status': {},
            'attributes': [{'key': key, 'value': {'stringValue': value}} for key, value in attributes.items()]})
        parent = span_id
    resource = {'attributes': [{'key': 'service.name', 'value': {'stringValue': service}}]}
    return {'resource': resource, 'scopeSpans': [{'spans': all_spans}]}
start = time.monotonic()
for second in range(seconds):
    time.sleep(max(0, start + second - time.monotonic()))
    body = json.dumps({'resourceSpans': [trace() for _ in range(rate)]}).encode()
    request = urllib.request.Request(address, body, {'Content-Type': 'application/json'})
    urllib.request.urlopen(request, timeout=10).read()";

/// What a Pod has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scenarios) struct Usage {
    /// Processor time since its start, in nanoseconds.
    time: u64,
    /// Memory that is in use, in bytes.
    memory: u64,
}

/// What a Pod takes under a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scenarios) struct Cost {
    milli: u64,
    mebi: u64,
    /// The memory before the load.
    idle: u64,
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}m, {} MiB before and {} MiB under the load", self.milli, self.idle, self.mebi)
    }
}

/// What the Pods of a namespace have taken, by their names.
pub(in crate::scenarios) fn usages(namespace: &str) -> anyhow::Result<BTreeMap<String, Usage>> {
    let mut found = BTreeMap::new();
    for node in kubectl::items(&["get", "nodes"])? {
        let node = node["metadata"]["name"].as_str().context("a node has no name")?;
        let summary = kubectl::run(&["get", "--raw", &format!("/api/v1/nodes/{node}/proxy/stats/summary")])?;
        found.extend(usages_in(&kubectl::parsed("the kubelet", &summary)?, namespace));
    }
    Ok(found)
}

fn usages_in(summary: &Value, namespace: &str) -> BTreeMap<String, Usage> {
    let pods = summary["pods"].as_array().into_iter().flatten();
    let usage = |pod: &Value| {
        let name = pod["podRef"]["name"].as_str()?.to_owned();
        let (time, memory) = (pod["cpu"]["usageCoreNanoSeconds"].as_u64()?, pod["memory"]["workingSetBytes"].as_u64()?);
        (pod["podRef"]["namespace"] == namespace).then_some((name, Usage { time, memory }))
    };
    pods.filter_map(usage).collect()
}

/// What the Pods of a namespace take under a load of so many seconds, by their names.
pub(in crate::scenarios) fn under_load(
    namespace: &str,
    seconds: u32,
    load: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<BTreeMap<String, Cost>> {
    let before = usages(namespace)?;
    load()?;
    let during = usages(namespace)?;
    process::sleep(COUNTED)?;
    let after = usages(namespace)?;
    let cost = |(name, before): (&String, &Usage)| {
        let (during, after) = (during.get(name)?, after.get(name)?);
        Some((name.clone(), of_load(*before, [*during, *after], seconds)))
    };
    Ok(before.iter().filter_map(cost).collect())
}

fn of_load(before: Usage, later: [Usage; 2], seconds: u32) -> Cost {
    let took = later[1].time.saturating_sub(before.time);
    let memory = later.iter().map(|usage| usage.memory).max().unwrap_or_default();
    // Nanoseconds in a second are millionths of a thousandth of a processor.
    Cost { milli: (took / u64::from(seconds)).div_ceil(1_000_000), mebi: memory >> 20, idle: before.memory >> 20 }
}

/// The time from the start of a Pod's first container until the Pod was Ready, in seconds. Images are pulled before.
pub(in crate::scenarios) fn ready_after(pod: &Value) -> anyhow::Result<u32> {
    let started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"].as_str();
    let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    let ready = conditions.find(|one| one["type"] == "Ready" && one["status"] == "True");
    let ready = ready.and_then(|one| one["lastTransitionTime"].as_str());
    let (started, ready) = started.zip(ready).with_context(|| format!("a Pod is not Ready: {}", pod["status"]))?;
    let [started, ready] = [started, ready].map(|time| second_of_day(time).with_context(|| format!("no time: {time}")));
    // The Pod can have become Ready after midnight.
    Ok((ready? + 86_400 - started?) % 86_400)
}

/// The second of the day of a time such as `2026-11-28T18:05:09Z`.
fn second_of_day(time: &str) -> Option<u32> {
    let clock = time.strip_suffix('Z')?.split_once('T')?.1;
    let parts: Vec<u32> = clock.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [hour, minute, second] = parts[..] else { return None };
    Some((hour * 60 + minute) * 60 + second)
}

/// The gateway and Jaeger under a load, with Jaeger's traces in memory and on a volume. All traces are kept.
pub(super) fn of_backend(scene: &Scene) -> anyhow::Result<String> {
    let (backend, release) = (scene.backend, scene.traced.release()?);
    let in_memory = of_storage(scene)?;
    backend.apply("upgrade", &release, 1, &json!({ "jaeger": { "storage": "Badger" } }))?;
    let on_volume = of_storage(scene)?;
    backend.whole()?;
    let rate = RATE * SPANS;
    Ok(format!("{rate} spans in {RATE} traces a second; in memory: {in_memory}; with a volume: {on_volume}"))
}

fn of_storage(scene: &Scene) -> anyhow::Result<String> {
    let namespace = &scene.backend.namespace.name;
    let endpoint = scene.backend.values_of_notes()?["global"]["tracing"]["endpoint"].clone();
    let address = format!("{}/v1/traces", endpoint.as_str().context("the notes show no endpoint")?);
    let numbers = [RATE, SPANS, SECONDS].map(|number| number.to_string());
    // New Pods are counted after a moment.
    process::sleep(COUNTED)?;
    let costs = under_load(namespace, SECONDS, || {
        let words = ["python3", "-I", "-c", LOAD, &address, "load", &numbers[0], &numbers[1], &numbers[2]];
        scene.traced.release()?.exec(scene.roles.sender, &words).map(drop)
    })?;
    let mut shown = Vec::new();
    for pod in scene.backend.pods()? {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        if let Some(cost) = costs.get(name) {
            let container = container(&pod);
            shown.push(format!("{container} {cost}, Ready after {} s", ready_after(&pod)?));
        }
    }
    ensure!(shown.len() == 2, "the kubelet counts {shown:?} of the gateway and Jaeger");
    Ok(shown.join(", "))
}

/// The start of the services' Pods with and without the instrumentation.
pub(super) fn of_instrumentation(scene: &Scene, traced: &Started) -> anyhow::Result<String> {
    scene.traced.apply("upgrade", &json!({ "global": { "tracing": { "enabled": false } } }), 1)?;
    process::sleep(AGE)?;
    let plain = started(scene)?;
    let mut shown = Vec::new();
    for (service, (with, ready_with)) in traced {
        let Some((without, ready_without)) = plain.get(service) else { continue };
        let more = with.time.saturating_sub(without.time) / 100_000_000;
        let (mebi, seconds) =
            (with.memory.saturating_sub(without.memory) >> 20, ready_with.saturating_sub(*ready_without));
        shown.push(format!("{service} {}.{} s, {mebi} MiB, Ready {seconds} s later", more / 10, more % 10));
    }
    ensure!(shown.len() == traced.len() && !shown.is_empty(), "the Pods of {traced:?} became those of {plain:?}");
    Ok(shown.join("; "))
}

/// What a Pod of each service has taken since its start, and after how many seconds it was Ready.
pub(super) fn started(scene: &Scene) -> anyhow::Result<Started> {
    let namespace = &scene.traced.namespace.name;
    let usages = usages(namespace)?;
    let mut found = BTreeMap::new();
    let selector = "--selector=app.kubernetes.io/component=application";
    for pod in kubectl::items(&["get", "pods", "--namespace", namespace, selector])? {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let service = pod["metadata"]["labels"]["app.kubernetes.io/name"].as_str().unwrap_or_default();
        // The Pods of the scenario have the label of a service and no name of a chart.
        if let Some(usage) = usages.get(name).filter(|_| !service.is_empty()) {
            found.entry(service.to_owned()).or_insert((*usage, ready_after(&pod)?));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_ready_passes_midnight() {
        let pod = |started: &str, ready: &str| {
            json!({ "status": {
                "containerStatuses": [{ "state": { "running": { "startedAt": started } } }],
                "conditions": [
                    { "type": "Initialized", "status": "True", "lastTransitionTime": "2026-11-28T00:00:00Z" },
                    { "type": "Ready", "status": "True", "lastTransitionTime": ready },
                ],
            } })
        };
        assert_eq!(ready_after(&pod("2026-11-28T09:59:58Z", "2026-11-28T10:00:03Z")).expect("times"), 5);
        assert_eq!(ready_after(&pod("2026-11-28T23:59:58Z", "2026-11-29T00:00:01Z")).expect("times"), 3);
        assert!(ready_after(&pod("now", "2026-11-29T00:00:01Z")).is_err());
        assert!(ready_after(&json!({ "status": {} })).is_err());
    }

    #[test]
    fn a_load_is_the_difference_of_two_counts() {
        let pod = |namespace: &str, time: u64, memory: u64| {
            json!({
                "podRef": { "name": "gateway-1", "namespace": namespace },
                "cpu": { "usageCoreNanoSeconds": time }, "memory": { "workingSetBytes": memory },
            })
        };
        let summary = json!({ "pods": [pod("other", 1, 1), pod("here", 5_000_000_000, 3 << 20), { "podRef": {} }] });
        let usage = usages_in(&summary, "here")["gateway-1"];
        assert_eq!(usage, Usage { time: 5_000_000_000, memory: 3 << 20 });
        let later = [Usage { time: 5_100_000_000, memory: 9 << 20 }, Usage { time: 5_301_000_000, memory: 8 << 20 }];
        assert_eq!(of_load(usage, later, 30), Cost { milli: 11, mebi: 9, idle: 3 });
    }
}
