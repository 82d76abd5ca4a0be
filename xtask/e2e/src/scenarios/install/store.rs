//! The store of an environment, in the place of the installer's: a namespace with the passwords, which External Secrets reads by its provider
//! `kubernetes`.

use anyhow::{Context as _, ensure};
use e2e_kit::context::E2eContext;
use e2e_kit::kubectl;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::report::Reported;
use serde_json::{Value, json};
use vocabulary::SecretSource;

/// The name of the ServiceAccount that reads the passwords, and of its rights.
const READER: &str = "store-reader";

/// The label of all namespaces of this scenario, by which a cluster's store admits them.
const LABEL: (&str, &str) = ("auditflow-e2e/scenario", "install");

/// A store that an environment names.
pub(super) struct Store<'a> {
    name: &'static str,
    is_of_cluster: bool,
    /// The namespace with the passwords.
    passwords: TestNamespace<'a>,
}

impl<'a> Store<'a> {
    /// Creates the namespace with the passwords of the release, if the environment names a store.
    pub(super) fn as_step(
        lane: &Lane<'a>,
        source: Option<SecretSource>,
        release: &str,
    ) -> Result<Option<Self>, Reported> {
        let (name, is_of_cluster) = match source {
            Some(SecretSource::Store(name)) => (name.as_str(), false),
            Some(SecretSource::ClusterStore(name)) => (name.as_str(), true),
            Some(SecretSource::Values) | None => return Ok(None),
        };
        let mut store = None;
        lane.step(format!("create a namespace with the passwords for the store {name}"), || {
            ensure!(
                !is_of_cluster || is_ours(name)?,
                "the cluster has a ClusterSecretStore {name} that this scenario did not create: use another cluster, or delete it"
            );
            let passwords = TestNamespace::new(lane, "install-store")?;
            let namespace = passwords.name.clone();
            let created = store.insert(Self { name, is_of_cluster, passwords });
            created.fill(release)?;
            Ok(namespace)
        })?;
        store.map(Some).ok_or(Reported)
    }

    /// Stores the passwords under the keys that the chart reads by default, and lets the reader read them.
    fn fill(&self, release: &str) -> anyhow::Result<()> {
        let namespace = &self.passwords.name;
        let stored = passwords(self.passwords.context)?;
        let rules = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] }]);
        for object in [
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": format!("{release}-credentials"), "namespace": namespace }, "stringData": stored }),
            json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": READER, "namespace": namespace }, "rules": rules }),
        ] {
            kubectl::apply(&object)?;
        }
        Ok(())
    }

    /// Creates the store, so that the release in this namespace can read it, and waits until External Secrets has validated it.
    pub(super) fn offer(&self, to: &TestNamespace) -> anyhow::Result<()> {
        let stored = &self.passwords.name;
        let reads_from = if self.is_of_cluster { stored } else { &to.name };
        let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": READER });
        let subject = json!([{ "kind": "ServiceAccount", "name": READER, "namespace": reads_from }]);
        for object in [
            json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": READER, "namespace": reads_from } }),
            json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": READER, "namespace": stored }, "roleRef": role, "subjects": subject }),
            self.object(reads_from),
        ] {
            kubectl::apply(&object)?;
        }
        let (kind, place) = if self.is_of_cluster {
            ("clustersecretstore", Vec::new())
        } else {
            ("secretstore", vec!["--namespace", to.name.as_str()])
        };
        let wait = ["wait", kind, self.name, "--for=condition=Ready", "--timeout=50s"];
        kubectl::run(&[&wait[..], &place].concat())?;
        Ok(())
    }

    fn object(&self, reads_from: &str) -> Value {
        let mut authority = json!({ "type": "ConfigMap", "name": "kube-root-ca.crt", "key": "ca.crt" });
        let mut reader = json!({ "name": READER });
        let mut metadata = json!({ "name": self.name });
        let mut spec = json!({});
        if self.is_of_cluster {
            authority["namespace"] = reads_from.into();
            reader["namespace"] = reads_from.into();
            metadata["labels"] = json!({ LABEL.0: LABEL.1 });
            spec["conditions"] = json!([{ "namespaceSelector": { "matchLabels": { LABEL.0: LABEL.1 } } }]);
        } else {
            metadata["namespace"] = reads_from.into();
        }
        spec["provider"]["kubernetes"] = json!({
            "remoteNamespace": self.passwords.name,
            "server": { "caProvider": authority },
            "auth": { "serviceAccount": reader },
        });
        let kind = if self.is_of_cluster { "ClusterSecretStore" } else { "SecretStore" };
        json!({ "apiVersion": "external-secrets.io/v1", "kind": kind, "metadata": metadata, "spec": spec })
    }
}

impl Drop for Store<'_> {
    fn drop(&mut self) {
        let context = self.passwords.context;
        if !self.is_of_cluster {
            return;
        }
        if context.keep {
            context.reporter.line(format_args!("   kept   ClusterSecretStore {}", self.name));
        } else if let Err(error) = kubectl::tidy(&["delete", "clustersecretstore", self.name, "--wait=false"]) {
            context.reporter.line(format_args!("   cannot delete ClusterSecretStore {}: {error}", self.name));
        }
    }
}

/// Whether the cluster has no store of this name, or one that an earlier run left behind.
fn is_ours(name: &str) -> anyhow::Result<bool> {
    let label = format!("--selector={}={}", LABEL.0, LABEL.1);
    let named = |arguments: &[&str]| -> anyhow::Result<bool> {
        let stores = kubectl::items(&[&["get", "clustersecretstores"], arguments].concat())?;
        Ok(stores.iter().any(|store| store["metadata"]["name"] == name))
    };
    Ok(!named(&[])? || named(&[&label])?)
}

/// The passwords of the chart's CI values, by the properties that the chart reads for the first revisions.
fn passwords(context: &E2eContext) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(&context.passwords).with_context(|| context.passwords.to_string())?;
    let values: Value = serde_yaml::from_str(&text).with_context(|| context.passwords.to_string())?;
    let mut stored = serde_json::Map::new();
    for credential in generator::credential_paths(&context.platform) {
        let password = credential.value.iter().try_fold(&values, |values, key| values.get(key));
        let password = password.and_then(Value::as_str);
        let password = password.with_context(|| format!("{} has no password in the CI values", credential.name))?;
        stored.insert(format!("{}.r1", credential.name), password.into());
    }
    Ok(Value::Object(stored))
}
