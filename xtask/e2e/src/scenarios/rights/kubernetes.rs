//! Rights at the Kubernetes API: exactly what a service declares, and nothing by default.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::release::Release;
use serde_json::{Value, json};
use vocabulary::Service;

/// Verb, API group, resource and optional resource name of a single right.
type Right = (String, String, String, Option<String>);

/// A `ServiceAccount` with rights that does not belong to a service.
struct Other {
    /// Its name without the release name and dash.
    name: &'static str,
    /// Its expected rights in the release.
    rights: fn(&Release) -> BTreeSet<Right>,
}

/// All such accounts. Add an entry when the chart gets another one.
const OTHERS: &[Other] = &[];

/// The declared rights of a `ServiceAccount`; `of` is its label `app.kubernetes.io/name`.
fn declared(release: &Release, of: &str, account: &str) -> BTreeSet<Right> {
    let platform = release.namespace.context.platform.platform();
    if let Some(service) = platform.services.iter().find(|service| service.name.as_str() == of) {
        return of_service(service);
    }
    let end = account.strip_prefix(&release.name).and_then(|rest| rest.strip_prefix('-'));
    let other = OTHERS.iter().find(|other| Some(other.name) == end);
    other.map(|other| (other.rights)(release)).unwrap_or_default()
}

fn of_service(service: &Service) -> BTreeSet<Right> {
    let rules = service.kubernetes.iter();
    rules.flat_map(|rule| rights(&[rule.group], rule.resources, rule.verbs, rule.names)).collect()
}

fn rights(groups: &[&str], resources: &[&str], verbs: &[&str], names: &[&str]) -> BTreeSet<Right> {
    let names: Vec<_> =
        if names.is_empty() { vec![None] } else { names.iter().map(|&name| Some(name.to_owned())).collect() };
    let mut all = BTreeSet::new();
    for (group, resource, verb) in groups.iter().flat_map(|group| {
        resources.iter().flat_map(move |resource| verbs.iter().map(move |verb| (group, resource, verb)))
    }) {
        let right =
            |name: &Option<String>| ((*verb).to_owned(), (*group).to_owned(), (*resource).to_owned(), name.clone());
        all.extend(names.iter().map(right));
    }
    all
}

/// Compares the rights of every ServiceAccount in the namespace with the declaration.
pub(super) fn accounts(release: &Release) -> anyhow::Result<String> {
    let namespace = &release.namespace.name;
    let unbound = "rights-unbound";
    kubectl::apply(&json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": unbound, "namespace": namespace},
    }))?;
    // The rights that every ServiceAccount has.
    let common = of_account(namespace, unbound)?;
    let mut accounts = kubectl::items(&["get", "serviceaccounts", "--namespace", namespace])?;
    accounts.retain(|account| account["metadata"]["name"] != unbound);
    let (mut deviations, mut count) = (elsewhere(namespace)?, 0);
    for account in &accounts {
        let name = account["metadata"]["name"].as_str().context("a ServiceAccount has no name")?;
        // The namespace's `default` account has no label and no declared rights.
        let of = account["metadata"]["labels"]["app.kubernetes.io/name"].as_str().unwrap_or_default();
        let declared = declared(release, of, name);
        deviations.extend(differences(name, &declared, &of_account(namespace, name)?, &common));
        count += declared.len();
    }
    ensure!(deviations.is_empty(), "{}", deviations.join("\n"));
    Ok(format!(
        "{} ServiceAccounts, {count} declared rights besides the {} that every account has",
        accounts.len(),
        common.len()
    ))
}

/// The role bindings of other namespaces with a ServiceAccount of this namespace.
fn elsewhere(namespace: &str) -> anyhow::Result<Vec<String>> {
    let bindings = kubectl::items(&["get", "rolebindings", "--all-namespaces"])?;
    Ok(bindings.iter().filter_map(|binding| foreign_binding(binding, namespace)).collect())
}

fn foreign_binding(binding: &Value, namespace: &str) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (name, of) = (text(&binding["metadata"]["name"]), text(&binding["metadata"]["namespace"]));
    let subject =
        binding["subjects"].as_array()?.iter().find(|one| one["namespace"] == namespace && of != namespace)?;
    let account = text(&subject["name"]);
    Some(format!("{account} has undeclared rights in the namespace {of} by the RoleBinding {name}"))
}

fn of_account(namespace: &str, account: &str) -> anyhow::Result<BTreeSet<Right>> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace},
    });
    let user = format!("--as=system:serviceaccount:{namespace}:{account}");
    let own = format!("--as-group=system:serviceaccounts:{namespace}");
    let groups = ["--as-group=system:serviceaccounts", own.as_str(), "--as-group=system:authenticated"];
    let arguments =
        [&["create", "--validate=false", "--filename=-", "--output=json", user.as_str()], groups.as_slice()].concat();
    let output =
        kubectl::try_run(&arguments, &review.to_string())?.ok(&format!("reviewing the rights of {account}"))?;
    of_review(&kubectl::parsed("a review of rights", &output)?)
}

fn of_review(review: &Value) -> anyhow::Result<BTreeSet<Right>> {
    let status = &review["status"];
    // An incomplete list proves nothing.
    ensure!(
        status["incomplete"] == false,
        "the API server returned an incomplete list of rights: {}",
        status["evaluationError"]
    );
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    let mut all = BTreeSet::new();
    for rule in status["resourceRules"].as_array().into_iter().flatten() {
        let [groups, resources, verbs, names] =
            ["apiGroups", "resources", "verbs", "resourceNames"].map(|key| texts(&rule[key]));
        let [groups, resources, verbs, names] =
            [&groups, &resources, &verbs, &names].map(|all| all.iter().map(String::as_str).collect::<Vec<_>>());
        all.extend(rights(&groups, &resources, &verbs, &names));
    }
    for rule in status["nonResourceRules"].as_array().into_iter().flatten() {
        let [urls, verbs] = ["nonResourceURLs", "verbs"].map(|key| texts(&rule[key]));
        for verb in &verbs {
            all.extend(urls.iter().map(|url| (verb.clone(), String::new(), url.clone(), None)));
        }
    }
    Ok(all)
}

fn differences(
    account: &str,
    declared: &BTreeSet<Right>,
    seen: &BTreeSet<Right>,
    common: &BTreeSet<Right>,
) -> Vec<String> {
    let words = |(verb, group, resource, name): &Right| {
        let group = if group.is_empty() { String::new() } else { format!(" of {group}") };
        let name = name.as_ref().map(|name| format!(" called {name}")).unwrap_or_default();
        format!("{verb} {resource}{group}{name}")
    };
    let more = seen.difference(declared).filter(|right| !common.contains(right));
    let more = more.map(|right| {
        format!("the ServiceAccount {account} may {} at the API server, which nothing declares", words(right))
    });
    let less = declared.difference(seen).map(|right| {
        format!("the ServiceAccount {account} may not {} at the API server, which its service declares", words(right))
    });
    more.chain(less).collect()
}

/// Searches every container of a release for an API token; only services with declared API rights may have one.
pub(super) fn tokens(release: &Release) -> anyhow::Result<String> {
    let namespace = &release.namespace.name;
    let selector = format!("app.kubernetes.io/instance={}", release.name);
    let pods = kubectl::items(&["get", "pods", "--namespace", namespace, "--selector", &selector])?;
    let (mut deviations, mut looked_into) = (Vec::new(), 0);
    for pod in &pods {
        let name = pod["metadata"]["name"].as_str().context("a pod has no name")?;
        let of = pod["metadata"]["labels"]["app.kubernetes.io/name"].as_str().unwrap_or_default();
        let account = pod["spec"]["serviceAccountName"].as_str().unwrap_or_default();
        let wanted = !declared(release, of, account).is_empty();
        if has_token_volume(pod) != wanted {
            deviations.push(verdict(name, "its volumes", wanted));
        }
        // A container that has terminated cannot be searched.
        if pod["status"]["phase"] != "Running" {
            continue;
        }
        for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
            let container = container["name"].as_str().context("a container has no name")?;
            if has_token(namespace, name, container)? != wanted {
                deviations.push(verdict(name, &format!("its container {container}"), wanted));
            }
            looked_into += 1;
        }
    }
    ensure!(deviations.is_empty(), "{}", deviations.join("\n"));
    ensure!(looked_into > 0, "no pod runs");
    Ok(format!("{looked_into} containers searched"))
}

fn verdict(pod: &str, place: &str, wanted: bool) -> String {
    if wanted {
        format!("{pod} has no API token in {place}, which its service needs")
    } else {
        format!("{pod} has an undeclared API token in {place}")
    }
}

/// Whether a pod has a volume with an API token.
fn has_token_volume(pod: &Value) -> bool {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let mut sources = volumes.flat_map(|volume| volume["projected"]["sources"].as_array().into_iter().flatten());
    sources.any(|source| !source["serviceAccountToken"].is_null())
}

fn has_token(namespace: &str, pod: &str, container: &str) -> anyhow::Result<bool> {
    let folder = "/var/run/secrets/kubernetes.io/serviceaccount";
    let arguments = ["exec", "--namespace", namespace, pod, "--container", container, "--", "ls", folder];
    let output = kubectl::try_run(&arguments, "")?;
    // Only this error means that there is no token. Any other failure is an error.
    if !output.success && output.err.contains("No such file or directory") {
        return Ok(false);
    }
    output.ok(&format!("searching {container} of {pod}"))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(rules: &Value) -> BTreeSet<Right> {
        of_review(&json!({"status": {"incomplete": false, "resourceRules": rules}})).expect("it is complete")
    }

    #[test]
    fn rules_are_compared_by_what_they_allow() {
        let declared = rights(&[""], &["configmaps"], &["get", "list"], &[]);
        let apart = review(&json!([
            {"verbs": ["list"], "apiGroups": [""], "resources": ["configmaps"]},
            {"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]},
        ]));
        assert!(differences("a", &declared, &apart, &BTreeSet::new()).is_empty());
    }

    #[test]
    fn more_and_less_are_both_named() {
        let declared = rights(&["apps"], &["deployments"], &["get"], &["one"]);
        let common = review(&json!([{"verbs": ["create"], "apiGroups": ["x"], "resources": ["reviews"]}]));
        let seen = review(&json!([
            {"verbs": ["create"], "apiGroups": ["x"], "resources": ["reviews"]},
            {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["s"]},
        ]));
        assert_eq!(
            differences("a", &declared, &seen, &common),
            [
                "the ServiceAccount a may get secrets called s at the API server, which nothing declares",
                "the ServiceAccount a may not get deployments of apps called one at the API server, which its service declares",
            ]
        );
    }

    #[test]
    fn a_list_that_lacks_something_proves_nothing() {
        assert!(of_review(&json!({"status": {"incomplete": true, "evaluationError": "a webhook"}})).is_err());
        assert!(of_review(&json!({})).is_err());
    }

    #[test]
    fn a_binding_of_another_namespace_is_found() {
        let binding = json!({
            "metadata": {"name": "b", "namespace": "other"},
            "subjects": [{"kind": "ServiceAccount", "name": "s", "namespace": "own"}],
        });
        let found = foreign_binding(&binding, "own").expect("it is foreign");
        assert_eq!(found, "s has undeclared rights in the namespace other by the RoleBinding b");
        assert_eq!(foreign_binding(&binding, "other"), None);
    }

    #[test]
    fn a_token_is_found_in_whichever_volume() {
        let pod =
            |source: Value| json!({"spec": {"volumes": [{"configMap": {}}, {"projected": {"sources": [source]}}]}});
        assert!(has_token_volume(&pod(json!({"serviceAccountToken": {"path": "token"}}))));
        assert!(!has_token_volume(&pod(json!({"configMap": {}}))));
    }
}
