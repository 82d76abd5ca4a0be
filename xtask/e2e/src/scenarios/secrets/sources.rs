//! External sources of credentials: an installer's own store and an installer's own Secrets.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use e2e_kit::kubectl;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use generator::{CredentialPath, Resolved};
use serde_json::{Value, json};

use super::encrypted::Encrypted;

pub(crate) const EXTERNAL: &str = "global.secrets.mode=external";

/// The store that the scenario creates in the installer's place; its contents are two Secrets.
pub(super) const STORE: &str = "theirs";

/// The name of the Secret in the store that holds the moved credential.
const MOVED: &str = "moved";

/// Changes the moved password in the store and makes External Secrets look at its service's `ExternalSecret`, which must keep the Secret as it was
/// created. Then puts the old password back.
pub(super) fn keeps_what_was_read(release: &Release, store: &TestNamespace) -> anyhow::Result<String> {
    let (here, there) = (&release.namespace.name, &store.name);
    let credential = moved_credential(&release.namespace.context.platform).context("no service has a credential")?;
    let service = credential.value.first().context("the credential has no service")?;
    let label = format!("--selector=app.kubernetes.io/name={service}");
    let secret = || {
        let all = kubectl::items(&["get", "externalsecrets", "--namespace", here, &label])?;
        let name = all.first().and_then(|one| one["spec"]["target"]["name"].as_str());
        let name = name.with_context(|| format!("{service} has no ExternalSecret"))?;
        Ok::<_, anyhow::Error>(kubectl::json(&["get", "secret", name, "--namespace", here])?["data"].take())
    };
    let stored = || kubectl::json(&["get", "secret", MOVED, "--namespace", there]);
    let (before, old) = (secret()?, stored()?["data"]["elsewhere"].take());
    let store_password = |encoded: &Value| {
        let patch = json!({"data": {"elsewhere": encoded}}).to_string();
        kubectl::run(&["patch", "secret", MOVED, "--namespace", there, "--patch", &patch])
    };
    // Base64 of `another password`.
    store_password(&json!("YW5vdGhlciBwYXNzd29yZA=="))?;
    // A changed annotation makes External Secrets read the store at once, except with the policy `CreatedOnce`.
    kubectl::run(&["annotate", "externalsecrets", "--namespace", here, &label, "force-sync=now"])?;
    // External Secrets reads a changed object within a second. That it does nothing has no event to wait for.
    std::thread::sleep(Duration::from_secs(10));
    let after = secret();
    store_password(&old)?;
    ensure!(after? == before, "External Secrets changed the Secret of {service}");
    Ok(service.clone())
}

/// The credential that the store keeps under another key than the default: the first credential of a service.
pub(crate) fn moved_credential(platform: &Resolved) -> Option<CredentialPath> {
    let is_service = |owner: &String| platform.platform().services.iter().any(|one| one.name.as_str() == owner);
    generator::credential_paths(platform)
        .into_iter()
        .find(|credential| credential.value.first().is_some_and(is_service))
}

/// Creates a store: the passwords in Secrets of another namespace, and a `SecretStore` that reads them.
pub(super) fn make_store(release: &Release, store: &TestNamespace, file: &Encrypted) -> anyhow::Result<()> {
    let (here, there) = (&release.namespace.name, &store.name);
    let mut stored = serde_json::Map::new();
    let elsewhere = moved_credential(&release.namespace.context.platform).map(|credential| credential.name);
    let elsewhere = elsewhere.context("the platform has no credential")?;
    let mut moved = Value::Null;
    for (name, password) in &file.passwords {
        if *name == elsewhere {
            moved = password.as_str().into();
        } else {
            stored.insert(format!("{name}.r1"), password.as_str().into());
        }
    }
    let subject = json!([{"kind": "ServiceAccount", "name": STORE, "namespace": here}]);
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": STORE});
    let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]);
    let ca = json!({"type": "ConfigMap", "name": "kube-root-ca.crt", "key": "ca.crt"});
    let provider =
        json!({"remoteNamespace": there, "server": {"caProvider": ca}, "auth": {"serviceAccount": {"name": STORE}}});
    let secret = |name: String, data: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": there}, "stringData": data});
    for object in [
        secret(format!("{}-credentials", release.name), Value::Object(stored)),
        secret(MOVED.to_owned(), json!({"elsewhere": moved})),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": STORE, "namespace": there}, "rules": rules}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": STORE, "namespace": there}, "roleRef": role, "subjects": subject}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": STORE, "namespace": here}}),
        json!({"apiVersion": "external-secrets.io/v1", "kind": "SecretStore", "metadata": {"name": STORE, "namespace": here}, "spec": {"provider": {"kubernetes": provider}}}),
    ] {
        kubectl::apply(&object)?;
    }
    Ok(())
}

/// Creates the installer's own Secrets with the keys that the README documents; returns the values that select them.
pub(crate) fn bring(release: &Release) -> anyhow::Result<Vec<String>> {
    let namespace = &release.namespace.name;
    // One Secret has another name than the default.
    let own_name = moved_credential(&release.namespace.context.platform).and_then(|c| c.value.first().cloned());
    let mut sets = vec!["global.secrets.mode=existing".to_owned()];
    for workload in kubectl::items(&["get", "deployments,statefulsets", "--namespace", namespace])? {
        let of = workload["metadata"]["labels"]["app.kubernetes.io/name"].as_str().context("no name")?.to_owned();
        for name in secrets_of(&workload) {
            let data = kubectl::json(&["get", "secret", &name, "--namespace", namespace])?["data"].take();
            let own = if own_name.as_ref() == Some(&of) {
                sets.push(format!("{of}.existingSecret=of-its-own"));
                "of-its-own".to_owned()
            } else {
                // With the chart's own source, the name of a service's Secret ends with a digest.
                let digest = |end: &&str| end.len() == 6 && end.chars().all(|c| c.is_ascii_hexdigit());
                let stem = name.rsplit_once('-').filter(|(_, end)| digest(end)).map_or(name.as_str(), |(stem, _)| stem);
                stem.replace("-external", "-existing")
            };
            if own == name {
                bail!("External Secrets did not create {name}");
            }
            kubectl::apply(&json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": own, "namespace": namespace}, "data": data,
            }))?;
        }
    }
    Ok(sets)
}

/// The names of the Secrets in `envFrom` and volumes of a workload's pods.
pub(super) fn secrets_of(workload: &Value) -> Vec<String> {
    let pod = &workload["spec"]["template"]["spec"];
    let variables = pod["containers"][0]["envFrom"].as_array().into_iter().flatten();
    let variables = variables.map(|from| &from["secretRef"]["name"]);
    let volumes = pod["volumes"].as_array().into_iter().flatten().map(|volume| &volume["secret"]["secretName"]);
    variables.chain(volumes).filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Kind and name of an object.
pub(super) fn name_of(object: &Value) -> String {
    format!("{} {}", object["kind"].as_str().unwrap_or("?"), object["metadata"]["name"].as_str().unwrap_or("?"))
}
