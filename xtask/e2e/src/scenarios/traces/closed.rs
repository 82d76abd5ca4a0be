//! Who reaches the gateway and Jaeger: Pods of the services reach the gateway's port for spans, and no Pod reaches anything else.

use anyhow::ensure;
use e2e_kit::kubectl;
use e2e_kit::lane::Lane;
use e2e_kit::matrix::Target;
use e2e_kit::pods::bare_pod;
use e2e_kit::report::Outcome;
use serde_json::json;

use super::Scene;
use super::backend::BackendPort;
use crate::scenarios::reach::{Probe, compared};

const SERVICE: &str = "a Pod of a service";

/// Tries each port of the gateway and of Jaeger from each kind of Pod.
pub(super) fn tried(lane: &Lane, scene: &Scene) -> Outcome {
    let (mut probes, mut targets) = (Vec::new(), Vec::new());
    lane.step("start Pods that try to reach the gateway and Jaeger", || {
        probes = started(scene)?;
        let target = |port: BackendPort| Target {
            name: port.name,
            address: port.address,
            open_for: port.takes_spans.then(|| SERVICE.to_owned()).into_iter().collect(),
            is_metrics: false,
        };
        targets = scene.backend.ports()?.into_iter().map(target).collect();
        ensure!(targets.iter().any(|target| !target.open_for.is_empty()), "no port takes spans");
        Ok(format!("{} Pods, {} ports", probes.len(), targets.len()))
    })?;
    compared(lane, "only Pods of services reach the gateway, and no Pod reaches Jaeger", &probes, &targets)
}

fn started(scene: &Scene) -> anyhow::Result<Vec<Probe>> {
    let context = scene.traced.namespace.context;
    let release = scene.traced.release()?;
    let (inside, outside) = (&scene.traced.namespace.name, &scene.backend.namespace.name);
    let identity = generator::traffic(&context.platform).identity_label;
    let labels = |component: &str, of: &str| json!({ "app.kubernetes.io/instance": release.name, "app.kubernetes.io/component": component, identity.as_str(): of });
    let (service, server) = (labels("application", scene.roles.sender), labels("server", scene.roles.broker));
    let image = context.images.tool("auditflow-e2e/reach")?;
    // It listens on a port that nobody tries.
    let listens = json!({ "args": ["listen", "9999"] });
    let probe = |source: &str, namespace: &str, pod: &str, labels| -> anyhow::Result<Probe> {
        kubectl::apply(&bare_pod(namespace, pod, image, &labels, &listens))?;
        Ok(Probe { source: source.to_owned(), namespace: namespace.to_owned(), pod: pod.to_owned() })
    };
    let probes = vec![
        probe(SERVICE, inside, "as-service", service.clone())?,
        probe("a Pod of a server", inside, "as-server", server)?,
        probe("a foreign Pod beside the services", inside, "foreign", json!({}))?,
        probe("a foreign Pod beside Jaeger", outside, "foreign", json!({}))?,
        probe("a Pod there with the labels of a service", outside, "as-service", service)?,
    ];
    for probe in &probes {
        let of = ["--for=condition=Ready", "--timeout=50s", "--namespace", &probe.namespace];
        kubectl::run(&[&["wait", "pod", &probe.pod], &of[..]].concat())?;
    }
    Ok(probes)
}
