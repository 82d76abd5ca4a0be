//! Diagnostics for a failed step: object states, events, and the logs of unhealthy pods.

use serde_json::Value;

use super::kubectl;

const LINES: &str = "--tail=25";

/// The workloads and events of a namespace, with description and logs of each unhealthy pod.
#[must_use]
pub fn namespace(namespace: &str) -> String {
    let mut parts = vec![
        part(&[
            "get",
            "pods,statefulsets,deployments,pvc,services,networkpolicies",
            "--output=wide",
            "--namespace",
            namespace,
        ]),
        part(&["get", "events", "--sort-by=.lastTimestamp", "--namespace", namespace, "--field-selector=type!=Normal"]),
    ];
    for pod in kubectl::items(&["get", "pods", "--namespace", namespace]).unwrap_or_default() {
        let Some(name) = pod["metadata"]["name"].as_str().filter(|_| !is_healthy(&pod)) else { continue };
        parts.push(last_lines(&part(&["describe", "pod", name, "--namespace", namespace]), 40));
        let containers =
            ["initContainers", "containers"].iter().flat_map(|kind| pod["spec"][kind].as_array().into_iter().flatten());
        for container in containers.filter_map(|container| container["name"].as_str()) {
            parts.push(part(&["logs", name, "--container", container, LINES, "--namespace", namespace]));
            parts.push(part(&["logs", name, "--container", container, LINES, "--previous", "--namespace", namespace]));
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// Whether a pod succeeded, or has all containers ready without a restart.
fn is_healthy(pod: &Value) -> bool {
    let statuses = pod["status"]["containerStatuses"].as_array();
    pod["status"]["phase"] == "Succeeded"
        || statuses.is_some_and(|all| all.iter().all(|status| status["ready"] == true && status["restartCount"] == 0))
}

fn part(arguments: &[&str]) -> String {
    match kubectl::try_run(arguments, "") {
        // kubectl fails or prints nothing if the pod has no previous container or the namespace no events.
        Ok(output) if output.success && !output.out.trim().is_empty() => {
            format!("$ kubectl {}\n{}", arguments.join(" "), output.out.trim_end())
        }
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
