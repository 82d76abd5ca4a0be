//! The objects of a manifest.

use anyhow::anyhow;
use serde_json::Value;

/// One object of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its kind, such as `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The object as a value.
    pub value: Value,
    /// The object as YAML text.
    pub text: String,
}

impl Object {
    /// The pod, or the pod template, of the object.
    #[must_use]
    pub fn pod(&self) -> Option<&Value> {
        let spec = &self.value["spec"];
        match self.kind.as_str() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => Some(&spec["template"]),
            "CronJob" => Some(&spec["jobTemplate"]["spec"]["template"]),
            "Pod" => Some(&self.value),
            _ => None,
        }
    }
}

/// The objects of a manifest, in Helm's order.
///
/// # Errors
/// If the manifest is not YAML, or an object has no kind or name.
pub fn objects(manifest: &str) -> anyhow::Result<Vec<Object>> {
    let all = tools::objects(manifest).map_err(|error| anyhow!(error))?;
    let object = |o: tools::Object| {
        Ok(Object { value: serde_yaml::from_str(&o.text)?, kind: o.kind, name: o.name, text: o.text })
    };
    all.into_iter().map(object).collect()
}
