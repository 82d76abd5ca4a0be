//! Temporary namespaces of the scenarios.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::context::E2eContext;
use super::lane::Lane;
use super::report::Reported;
use super::{kubectl, process, random};

/// A namespace that enforces and warns about Pod Security `restricted`.
///
/// Dropping it deletes the namespace, except with `--keep`.
pub struct TestNamespace<'a> {
    /// The context of the run.
    pub context: &'a E2eContext,
    /// Its name, with a random suffix.
    pub name: String,
}

impl<'a> TestNamespace<'a> {
    /// Creates the namespace. `lane` prints its state after a failure.
    pub fn new(lane: &Lane<'a>, purpose: &str) -> anyhow::Result<Self> {
        let name = format!("e2e-{purpose}-{}", random::suffix());
        let level = "restricted";
        kubectl::apply(&json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {
                SCENARIO_LABEL: purpose.split('-').next().unwrap_or(purpose),
                "pod-security.kubernetes.io/enforce": level,
                "pod-security.kubernetes.io/warn": level,
            }},
        }))?;
        lane.watch(&name);
        let namespace = Self { context: lane.context, name };
        // The API server refuses pods until the default ServiceAccount exists.
        process::until(Duration::from_secs(20), Duration::from_millis(200), || {
            let found = kubectl::try_run(&["get", "serviceaccount", "default", "--namespace", &namespace.name], "")?;
            Ok(if found.success { Ok(()) } else { Err(found.all()) })
        })?;
        Ok(namespace)
    }

    /// Creates the namespace as a step of the lane.
    pub fn as_step(lane: &Lane<'a>, purpose: &str) -> Result<Self, Reported> {
        let mut namespace = None;
        lane.step("create a namespace that enforces `restricted`", || {
            namespace = Some(Self::new(lane, purpose)?);
            Ok(namespace.as_ref().map(|namespace| namespace.name.clone()).unwrap_or_default())
        })?;
        namespace.ok_or(Reported)
    }

    /// All objects in the namespace as `kind/name`, except those that the cluster creates by itself, such as events and endpoints.
    pub fn inventory(&self) -> anyhow::Result<BTreeSet<String>> {
        let kinds = kubectl::run(&["api-resources", "--namespaced", "--verbs=list", "--output=name"])?;
        let passing =
            ["events", "endpoints", "endpointslices.", "leases.", "pods.metrics", "localsubjectaccessreviews"];
        let kinds: Vec<_> =
            kinds.lines().filter(|kind| !passing.iter().any(|prefix| kind.starts_with(prefix))).collect();
        let names =
            kubectl::run(&["get", &kinds.join(","), "--namespace", &self.name, "--output=name", "--ignore-not-found"])?;
        let own = ["configmap/kube-root-ca.crt", "serviceaccount/default"];
        Ok(names.lines().filter(|name| !own.contains(name)).map(str::to_owned).collect())
    }
}

/// The label of all scenario namespaces, to find namespaces that were kept.
const SCENARIO_LABEL: &str = "auditflow-e2e/scenario";

impl Drop for TestNamespace<'_> {
    fn drop(&mut self) {
        if self.context.keep {
            self.context.reporter.line(format_args!("   kept   namespace {}", self.name));
        } else if let Err(error) = kubectl::tidy(&["delete", "namespace", &self.name, "--wait=false"]) {
            self.context.reporter.line(format_args!("   cannot delete namespace {}: {error}", self.name));
        }
    }
}
