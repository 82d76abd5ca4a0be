//! The ways in which credentials reach the programs, from a file that sops encrypted to logins at all servers; from one way to another by
//! an upgrade, and with passwords that every language on the way would read otherwise.

mod encrypted;
mod leaks;
mod logins;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use e2e_kit::kubectl;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Lane, Outcome, Reported};
use serde_json::{Value, json};

use super::loaded::RECOVERY;
use crate::flow::{self, ANALYSIS, GENERATOR};

use encrypted::Encrypted;

/// The keys of every Secret that a pod of the release takes something from, by the chart that the pod is of.
type Keys = BTreeMap<String, BTreeSet<String>>;

pub(super) const EXTERNAL: &str = "global.secrets.mode=external";

/// The store that the scenario makes, as somebody who has one; what is in it lies in two Secrets.
const STORE: &str = "theirs";

/// The one credential that lies elsewhere in that store than where it is looked for by itself.
const MOVED: [&str; 2] = [ANALYSIS, "rabbitmq"];

pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    let (mut spaces, mut file) = (None, None);
    lane.step("a namespace, one for a store, and External Secrets is there", || {
        kubectl::run(&["get", "crd", "externalsecrets.external-secrets.io"])
            .context("this scenario needs External Secrets in the cluster (external-secrets.io)")?;
        spaces = Some((TestNamespace::new(lane, "secrets")?, TestNamespace::new(lane, "secrets-store")?));
        Ok(String::new())
    })?;
    let Some((namespace, store)) = &spaces else { return Err(Reported) };
    let release = Release::new(namespace, context.helm4().map_err(|_| Reported)?, "afp");
    lane.step("awkward passwords in a file, encrypted by sops for an age key; `secrets check` finds nothing", || {
        let made = Encrypted::new(context)?;
        let output = made.check()?;
        file = Some(made);
        Ok(output)
    })?;
    let Some(file) = &file else { return Err(Reported) };
    let mut keys = Keys::new();
    lane.step("inline: sops exec-file with helm install --wait", || {
        file.helm(&release, "install", &[], &[])?;
        keys = secret_keys(&release)?;
        works(&release, file)
    })?;
    let changed = |what: &str, change: &dyn Fn() -> anyhow::Result<()>| {
        lane.step(what, || {
            change()?;
            let now = secret_keys(&release)?;
            ensure!(now == keys, "the keys were {keys:?}\nand are {now:?}");
            works(&release, file)
        })
    };
    changed("external, from the chart's own Secret: helm upgrade", &|| {
        file.helm(&release, "upgrade", &[], &[EXTERNAL])?;
        reader_reads_one_secret(&release)
    })?;
    lane.step("no ExternalSecret is in trouble, and each made one Secret", || externals(&release))?;
    changed("external, from a store that is there, with no password in the values: helm upgrade", &|| {
        make_store(&release, store, file)?;
        let name = format!("global.secrets.store.name={STORE}");
        let moved = MOVED.join(".credentials.");
        let (key, property) = (format!("{moved}.remoteRef.key=moved"), format!("{moved}.remoteRef.property=elsewhere"));
        release.apply(&arguments(&release, &[EXTERNAL, &name, &key, &property]), true)
    })?;
    lane.step("helm test passes with these passwords, from a store that is there", || {
        let output = release.test(&[])?;
        ensure!(output.success, "{}", output.all());
        Ok(format!("{} Jobs", release.tests().len()))
    })?;
    changed("existing, one under a name of its own, with no password in the values: helm upgrade", &|| {
        let sets = bring(&release)?;
        let sets: Vec<_> = sets.iter().map(String::as_str).collect();
        release.apply(&arguments(&release, &sets), true)
    })?;
    lane.step("External Secrets has taken away what it made", || {
        let left = kubectl::items(&["get", "externalsecrets,secretstores", "--namespace", &namespace.name])?;
        let left: Vec<_> = left.iter().filter(|one| one["metadata"]["name"] != STORE).map(name_of).collect();
        ensure!(left.is_empty(), "left: {}", left.join(", "));
        Ok(String::new())
    })?;
    changed("inline again: helm rollback", &|| release.rollback(1, true))?;
    lane.step("no password is in a ConfigMap, an annotation, an event, a log, or what Helm says", || {
        leaks::none(&release, file)
    })
}

/// Every login of the file works at its server, and an event becomes an alert.
fn works(release: &Release, file: &Encrypted) -> anyhow::Result<String> {
    let tried = logins::all_work(release, file)?;
    let (_, took) = flow::attack_is_seen(release, RECOVERY)?;
    Ok(format!("{tried} logins; an alert is seen after {:.1} s", took.as_secs_f32()))
}

/// The arguments of an upgrade without any password.
fn arguments(release: &Release, sets: &[&str]) -> Vec<String> {
    let context = release.namespace.context;
    release.arguments_of("upgrade", &context.chart, &[context.overlay.clone(), context.small.clone()], sets)
}

/// The Secrets that the pods take variables and files from.
fn secret_keys(release: &Release) -> anyhow::Result<Keys> {
    let mut keys = Keys::new();
    let workloads = ["get", "deployments,statefulsets", "--namespace", &release.namespace.name];
    for workload in kubectl::items(&workloads)? {
        let of = workload["metadata"]["labels"]["app.kubernetes.io/name"].as_str().unwrap_or_default().to_owned();
        for secret in secrets_of(&workload) {
            let data =
                kubectl::json(&["get", "secret", &secret, "--namespace", &release.namespace.name])?["data"].take();
            let names = data.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
            keys.insert(of.clone(), names);
        }
    }
    ensure!(keys.contains_key(GENERATOR), "no workload takes anything from a Secret: {keys:?}");
    Ok(keys)
}

fn secrets_of(workload: &Value) -> Vec<String> {
    let pod = &workload["spec"]["template"]["spec"];
    let variables = pod["containers"][0]["envFrom"].as_array().into_iter().flatten();
    let variables = variables.map(|from| &from["secretRef"]["name"]);
    let volumes = pod["volumes"].as_array().into_iter().flatten().map(|volume| &volume["secret"]["secretName"]);
    variables.chain(volumes).filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn name_of(object: &Value) -> String {
    format!("{} {}", object["kind"].as_str().unwrap_or("?"), object["metadata"]["name"].as_str().unwrap_or("?"))
}

/// The ServiceAccount of the chart's own store may get that one Secret, and not list, change or get another.
fn reader_reads_one_secret(release: &Release) -> anyhow::Result<()> {
    let namespace = &release.namespace.name;
    let reader = format!("--as=system:serviceaccount:{namespace}:{}-credentials-reader", release.name);
    let one = format!("secret/{}-credentials", release.name);
    let may = |verb: &str, what: &str| -> anyhow::Result<bool> {
        let output = kubectl::try_run(&["auth", "can-i", verb, what, &reader, "--namespace", namespace], "")?;
        Ok(output.out.trim() == "yes")
    };
    ensure!(may("get", &one)?, "the reader may not get {one}");
    for (verb, what) in [("list", "secrets"), ("watch", "secrets"), ("get", "secret/other"), ("update", &one)] {
        ensure!(!may(verb, what)?, "the reader may {verb} {what}");
    }
    Ok(())
}

/// Every `ExternalSecret` is Ready, and has made the Secret of its own name.
fn externals(release: &Release) -> anyhow::Result<String> {
    let all = kubectl::items(&["get", "externalsecrets", "--namespace", &release.namespace.name])?;
    ensure!(!all.is_empty(), "there is none");
    for one in &all {
        let conditions = one["status"]["conditions"].as_array().into_iter().flatten();
        let ready = conditions.clone().any(|c| c["type"] == "Ready" && c["status"] == "True");
        ensure!(ready, "{} is not Ready: {}", name_of(one), json!(conditions.collect::<Vec<_>>()));
        ensure!(one["spec"]["target"]["name"] == one["metadata"]["name"], "{} makes another Secret", name_of(one));
    }
    Ok(format!("{} of them", all.len()))
}

/// What somebody has who has a store: the passwords in Secrets of another namespace, and a `SecretStore` that reads them.
fn make_store(release: &Release, store: &TestNamespace, file: &Encrypted) -> anyhow::Result<()> {
    let (here, there) = (&release.namespace.name, &store.name);
    let mut held = serde_json::Map::new();
    let mut moved = Value::Null;
    for (name, password) in &file.passwords {
        if *name == MOVED.join(".") {
            moved = password.as_str().into();
        } else {
            held.insert(format!("{name}.r1"), password.as_str().into());
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
        secret(format!("{}-credentials", release.name), Value::Object(held)),
        secret("moved".to_owned(), json!({"elsewhere": moved})),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": STORE, "namespace": there}, "rules": rules}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": STORE, "namespace": there}, "roleRef": role, "subjects": subject}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": STORE, "namespace": here}}),
        json!({"apiVersion": "external-secrets.io/v1", "kind": "SecretStore", "metadata": {"name": STORE, "namespace": here}, "spec": {"provider": {"kubernetes": provider}}}),
    ] {
        kubectl::apply(&object)?;
    }
    Ok(())
}

/// Secrets of somebody's own, with what the README says that must be in them; gives the values that name them.
pub(super) fn bring(release: &Release) -> anyhow::Result<Vec<String>> {
    let namespace = &release.namespace.name;
    let mut sets = vec!["global.secrets.mode=existing".to_owned()];
    for workload in kubectl::items(&["get", "deployments,statefulsets", "--namespace", namespace])? {
        let of = workload["metadata"]["labels"]["app.kubernetes.io/name"].as_str().context("no name")?.to_owned();
        for name in secrets_of(&workload) {
            let data = kubectl::json(&["get", "secret", &name, "--namespace", namespace])?["data"].take();
            let own = if of == ANALYSIS {
                sets.push(format!("{of}.existingSecret=of-the-analysis"));
                "of-the-analysis".to_owned()
            } else {
                // Of the chart's own source a service's Secret has a digest behind its name.
                let digest = |end: &&str| end.len() == 6 && end.chars().all(|c| c.is_ascii_hexdigit());
                let stem = name.rsplit_once('-').filter(|(_, end)| digest(end)).map_or(name.as_str(), |(stem, _)| stem);
                stem.replace("-external", "-existing")
            };
            if own == name {
                bail!("{name} is not one of External Secrets");
            }
            kubectl::apply(&json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": own, "namespace": namespace}, "data": data,
            }))?;
        }
    }
    Ok(sets)
}
