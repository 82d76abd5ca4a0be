//! Helper pods of the scenarios.

use serde_json::{Value, json};

use super::release::Release;

/// A helper pod with the network identity of one of the release's charts; `rest` is merged into its container.
#[must_use]
pub fn helper_pod(release: &Release, identity: &str, name: &str, image: &str, rest: &Value) -> Value {
    let platform = release.namespace.context.platform.platform().name.as_str();
    let labels = json!({"app.kubernetes.io/instance": release.name, format!("{platform}/identity"): identity});
    bare_pod(&release.namespace.name, name, image, &labels, rest)
}

/// A helper pod that satisfies Pod Security `restricted`; `rest` is merged into its container.
#[must_use]
pub fn bare_pod(namespace: &str, name: &str, image: &str, labels: &Value, rest: &Value) -> Value {
    let mut container = json!({
        "name": "main", "image": image, "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
    });
    if let (Some(container), Some(rest)) = (container.as_object_mut(), rest.as_object()) {
        container.extend(rest.clone());
    }
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false, "terminationGracePeriodSeconds": 5,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 10001, "runAsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        },
    })
}
