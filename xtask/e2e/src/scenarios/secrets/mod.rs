//! The secret modes, with passwords full of special characters: from a sops-encrypted file to every login, and from one mode to another by
//! upgrades.

mod encrypted;
mod leaks;
mod logins;
pub(super) mod sources;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::lane::Lane;
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use serde_json::json;

use super::loaded::RECOVERY;
use crate::flow;

use encrypted::Encrypted;
use sources::{EXTERNAL, STORE, bring, keeps_what_was_read, make_store, moved_credential, name_of, secrets_of};

/// The keys of the Secrets that the pods of each chart use.
type Keys = BTreeMap<String, BTreeSet<String>>;

pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    let (mut namespaces, mut file) = (None, None);
    lane.step("find External Secrets, create a namespace and one for a store", || {
        kubectl::run(&["get", "crd", "externalsecrets.external-secrets.io"])
            .context("this scenario needs External Secrets in the cluster (external-secrets.io)")?;
        namespaces = Some((TestNamespace::new(lane, "secrets")?, TestNamespace::new(lane, "secrets-store")?));
        Ok(String::new())
    })?;
    let Some((namespace, store)) = &namespaces else { return Err(Reported) };
    let release = Release::new(namespace, context.helm4().map_err(|_| Reported)?, "afp");
    lane.step(
        "encrypt a file of passwords with special characters by sops for an age key; `secrets check` accepts it",
        || {
            let made = Encrypted::new(context)?;
            let output = made.check()?;
            file = Some(made);
            Ok(output)
        },
    )?;
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
            ensure!(now == keys, "the keys of the Secrets changed from {keys:?}\nto {now:?}");
            works(&release, file)
        })
    };
    changed("external, from the chart's own Secret: helm upgrade", &|| {
        file.helm(&release, "upgrade", &[], &[EXTERNAL])?;
        reader_reads_one_secret(&release)
    })?;
    lane.step("every ExternalSecret is Ready and created one Secret", || externals(&release))?;
    changed("external, from an existing store, without passwords in the values: helm upgrade", &|| {
        make_store(&release, store, file)?;
        let name = format!("global.secrets.store.name={STORE}");
        let moved = moved_credential(&context.platform).context("no service has a credential")?.value;
        let moved = moved[..moved.len().saturating_sub(1)].join(".");
        let (key, property) = (format!("{moved}.remoteRef.key=moved"), format!("{moved}.remoteRef.property=elsewhere"));
        release.apply(&arguments(&release, &[EXTERNAL, &name, &key, &property]), true)
    })?;
    lane.step("a password that changes in the store changes no Secret: CreatedOnce", || {
        keeps_what_was_read(&release, store)
    })?;
    lane.step("helm test passes with these passwords from an existing store", || {
        let output = release.test(&[])?;
        ensure!(output.success, "{}", output.all());
        Ok(format!("{} Jobs", release.tests().len()))
    })?;
    changed("existing, one Secret with another name, without passwords in the values: helm upgrade", &|| {
        let sets = bring(&release)?;
        let sets: Vec<_> = sets.iter().map(String::as_str).collect();
        release.apply(&arguments(&release, &sets), true)
    })?;
    lane.step("External Secrets has deleted its objects", || {
        let left = kubectl::items(&["get", "externalsecrets,secretstores", "--namespace", &namespace.name])?;
        let left: Vec<_> = left.iter().filter(|one| one["metadata"]["name"] != STORE).map(name_of).collect();
        ensure!(left.is_empty(), "these objects remain: {}", left.join(", "));
        Ok(String::new())
    })?;
    changed("inline again: helm rollback", &|| release.rollback(1, true))?;
    lane.step("no ConfigMap, annotation, event, log or output of Helm contains a password", || {
        leaks::none(&release, file)
    })
}

/// Checks that every login of the file works and that the platform works.
fn works(release: &Release, file: &Encrypted) -> anyhow::Result<String> {
    let tried = logins::all_work(release, file)?;
    Ok(format!("{tried} logins; {}", flow::works(release, RECOVERY)?))
}

/// The arguments of an upgrade without passwords.
fn arguments(release: &Release, sets: &[&str]) -> Vec<String> {
    let context = release.namespace.context;
    release.arguments_of("upgrade", &context.chart, &[context.overlay.clone(), context.small.clone()], sets)
}

/// The keys of the Secrets that the workloads use.
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
    ensure!(!keys.is_empty(), "no workload uses a Secret");
    Ok(keys)
}

/// Checks that the ServiceAccount of the chart's own store may get its one Secret, and may not list, update or get others.
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

/// Checks that every `ExternalSecret` is Ready and targets the Secret of the same name.
fn externals(release: &Release) -> anyhow::Result<String> {
    let all = kubectl::items(&["get", "externalsecrets", "--namespace", &release.namespace.name])?;
    ensure!(!all.is_empty(), "the namespace has no ExternalSecret");
    for one in &all {
        let conditions = one["status"]["conditions"].as_array().into_iter().flatten();
        let ready = conditions.clone().any(|c| c["type"] == "Ready" && c["status"] == "True");
        ensure!(ready, "{} is not Ready: {}", name_of(one), json!(conditions.collect::<Vec<_>>()));
        ensure!(
            one["spec"]["target"]["name"] == one["metadata"]["name"],
            "{} targets a Secret with another name",
            name_of(one)
        );
    }
    Ok(format!("{} ExternalSecrets", all.len()))
}
