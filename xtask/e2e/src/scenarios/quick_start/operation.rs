//! Passages of the README about a running release: opening the exposed services, access to the Kubernetes API server, and a new credential.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::lane::{self, Lane};
use e2e_kit::release::Release;
use e2e_kit::report::Outcome;
use e2e_kit::{process, random};
use serde_json::{Value, json};

use crate::documents::{Document, Reader};
use crate::flow;
use crate::roles::Roles;
use crate::scenarios::loaded::RECOVERY;

/// The file with the passwords that the README makes.
pub(super) const PASSWORDS: &str = "passwords.plaintext.yaml";

/// All passages that concern the platform. `run_after` runs commands before each block below a heading.
pub(super) fn all(
    lane: &Lane,
    release: &Release,
    (readme, reader): (&Document, &Reader),
    run_after: &dyn Fn(&str, &str) -> anyhow::Result<()>,
) -> Outcome {
    let platform = &lane.context.platform;
    let mut outcomes = Vec::new();
    if !generator::traffic(platform).exposed_ports.is_empty() {
        outcomes.push(lane.step("Open the exposed services", || opened(readme, reader)));
    }
    if !generator::credential_paths(platform).is_empty() {
        let upgrade = || run_after("", "Upgrade");
        outcomes.push(lane.step("Replace a credential", || replaced(release, readme, reader, upgrade)));
    }
    if Roles::of(lane.context).is_ok() {
        let upgrade = |values: &str| run_after(&format!("IMAGES=$IMAGES,{values}\n"), "Upgrade");
        outcomes.push(lane.step("The Kubernetes API server", || reaches_api(release, readme, reader, upgrade)));
    }
    lane::all(outcomes)
}

/// The page of each forwarded port answers at the address that the README names.
fn opened(readme: &Document, reader: &Reader) -> anyhow::Result<String> {
    let blocks = readme.commands("Open the exposed services")?;
    for command in blocks.iter().map(|block| block.trim_end()) {
        let (_, port) = command.rsplit_once(' ').with_context(|| format!("no port at the end of `{command}`"))?;
        let page = reader.run(&format!(
            "{command} &\ntrap 'kill $!' EXIT\n\
             for _ in $(seq 50); do curl --fail --silent 'http://localhost:{port}' && exit; sleep 0.2; done\nexit 1\n"
        ))?;
        ensure!(page.contains("Handling connection"), "not answered through `{command}`:\n{page}");
    }
    Ok(format!("{} pages", blocks.len()))
}

/// The new password and revision replace the login of one service, and roll nothing else. `upgrade` runs the commands of the README.
fn replaced(
    release: &Release,
    readme: &Document,
    reader: &Reader,
    upgrade: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let block = readme.values("Replace a credential")?.concat();
    let password = format!("replaced-{}-{}", random::number(), random::suffix());
    ensure!(block.contains(NEW_PASSWORD), "the block has no `{NEW_PASSWORD}`:\n{block}");
    let change: Value = serde_yaml::from_str(&block.replace(NEW_PASSWORD, &password))?;
    let service = change.as_object().and_then(|charts| charts.keys().next()).context("the block names no chart")?;
    let file = reader.path(PASSWORDS);
    let mut passwords: Value = serde_yaml::from_str(&fs::read_to_string(&file)?)?;
    merge(&mut passwords, &change);
    fs::write(&file, serde_yaml::to_string(&passwords)?)?;
    let (before, secret) = (release.uids()?, release.secret_of(service)?);
    upgrade()?;
    let rolled = release.rolled_since(&before)?;
    ensure!(rolled == [service.as_str()], "rolled: {}", rolled.join(", "));
    let new = release.secret_of(service)?;
    ensure!(new != secret, "{service} still uses {secret}");
    let variables = release.exec(service, &["env"])?;
    ensure!(variables.contains(&password), "{service} does not have the new password");
    Ok(format!("{service} uses {new}; {}", flow::works(release, RECOVERY)?))
}

/// What the block has in place of a password.
const NEW_PASSWORD: &str = "<the new password>";

/// Sets the values of `change` in `values`, and keeps the others.
fn merge(values: &mut Value, change: &Value) {
    match (values, change) {
        (Value::Object(values), Value::Object(change)) => {
            for (key, inner) in change {
                merge(values.entry(key.as_str()).or_insert(Value::Null), inner);
            }
        }
        (value, change) => *value = change.clone(),
    }
}

/// With rules and the addresses that the commands print, a service reaches the API server and may do what the rules say. `upgrade` runs the
/// commands of the README with a further values file.
fn reaches_api(
    release: &Release,
    readme: &Document,
    reader: &Reader,
    upgrade: impl FnOnce(&str) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let service = Roles::of(release.namespace.context)?.page;
    let commands = readme.commands("The Kubernetes API server")?;
    let mut blocks = BTreeSet::new();
    // The output of each command in turn: the API server itself, and its Service.
    for command in commands.iter().flat_map(|block| block.lines()) {
        let output = reader.run(command)?;
        let found: Vec<String> = addresses(&output).into_iter().map(block_of).collect();
        ensure!(!found.is_empty(), "no address in the output of `{command}`:\n{output}");
        blocks.extend(found);
    }
    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]);
    let values = json!({"global": {"network": {"apiServerCidrs": blocks}}, service: {"rbac": {"extraRules": rules}}});
    let file = reader.path("api-server.json");
    fs::write(&file, values.to_string())?;
    upgrade(file.as_str())?;
    // A new pod's first connection can be refused until the node has applied the policies to it.
    process::until(Duration::from_secs(30), Duration::from_secs(1), || {
        let statuses = release.exec(service, &["python3", "-c", ASK, &release.namespace.name])?;
        Ok(if statuses.split_whitespace().eq(["200", "403"]) {
            Ok(())
        } else {
            Err(format!("pods, secrets: {statuses}"))
        })
    })?;
    Ok(format!("{service} lists pods, and no Secrets, at {}", blocks.into_iter().collect::<Vec<_>>().join(", ")))
}

/// The addresses in a table of `kubectl get`, which separates them by commas.
fn addresses(table: &str) -> Vec<IpAddr> {
    table.split([' ', ',', '\n']).filter_map(|word| word.parse().ok()).collect()
}

/// The CIDR block with one address.
fn block_of(address: IpAddr) -> String {
    format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 })
}

/// Python program that lists the pods and the Secrets of a namespace with the pod's token, and prints the statuses.
const ASK: &str = "\
import os, ssl, sys, urllib.error, urllib.request
folder = '/var/run/secrets/kubernetes.io/serviceaccount/'
trust = ssl.create_default_context(cafile=folder + 'ca.crt')
# Some clusters' CA certificates lack a key usage.
trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
server = os.environ['KUBERNETES_SERVICE_HOST'] + ':' + os.environ['KUBERNETES_SERVICE_PORT']
for kind in ('pods', 'secrets'):
    request = urllib.request.Request(f'https://{server}/api/v1/namespaces/{sys.argv[1]}/{kind}')
    request.add_header('Authorization', 'Bearer ' + open(folder + 'token').read())
    try:
        print(urllib.request.urlopen(request, timeout=5, context=trust).status)
    except urllib.error.HTTPError as error:
        print(error.code)
    except OSError as error:
        print(error)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_blocks() {
        let table = "NAME         ADDRESSTYPE   PORTS   ENDPOINTS\nkubernetes   IPv4          6443    10.0.0.1,10.0.0.2\nsix  IPv6  6443  fd00::1\n";
        let blocks: Vec<String> = addresses(table).into_iter().map(block_of).collect();
        assert_eq!(blocks, ["10.0.0.1/32", "10.0.0.2/32", "fd00::1/128"]);
        assert!(addresses("kubernetes   ClusterIP   None   <none>   443/TCP   5m\n").is_empty());
    }

    #[test]
    fn a_change_keeps_the_other_values() {
        let mut values = json!({"a": {"x": 1, "y": {"z": 2}}, "b": 3});
        merge(&mut values, &json!({"a": {"y": {"z": 4, "r": 5}}, "c": 6}));
        assert_eq!(values, json!({"a": {"x": 1, "y": {"z": 4, "r": 5}}, "b": 3, "c": 6}));
    }
}
