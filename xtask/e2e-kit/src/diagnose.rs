//! What explains a failure: states, events, and logs of what is not well.

use serde_json::Value;

use super::kubectl;

const LINES: &str = "--tail=25";

/// The pods of a namespace, its events, and description and logs of each pod that is not well.
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
        let Some(name) = pod["metadata"]["name"].as_str().filter(|_| !well(&pod)) else { continue };
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

/// Whether a pod runs, all of it, and never ended.
fn well(pod: &Value) -> bool {
    let statuses = pod["status"]["containerStatuses"].as_array();
    pod["status"]["phase"] == "Succeeded"
        || statuses.is_some_and(|all| all.iter().all(|status| status["ready"] == true && status["restartCount"] == 0))
}

fn part(arguments: &[&str]) -> String {
    match kubectl::try_run(arguments, "") {
        // No previous container, no events: nothing to show.
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
