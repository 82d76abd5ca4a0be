//! The tests that the chart's users run: they pass where all is right, in each mode and with both Helms, and leave nothing behind; and where
//! something is broken, the right one fails with words that say what.

use std::collections::BTreeSet;
use std::slice::from_ref;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::process;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use serde_json::{Value, json};

use super::secrets::sources;
use crate::flow::{self, ALERTS, ANALYSIS, BROKER, CACHE, DASHBOARD, DATABASE, GENERATOR, NOTIFICATION};
use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::namespace::TestNamespace;

/// Two releases at once: one that is right, one that is broken.
pub(super) fn run(lane: &Lane) -> Outcome {
    side_by_side(lane.context, 2, vec![Work::new("right", right), Work::new("broken", broken)])
}

/// Each mode, both Helms, with ports opened by values, and with all tests switched off.
fn right(lane: &Lane) -> Outcome {
    let context = lane.context;
    let namespace = TestNamespace::as_step(lane, "helm-test")?;
    let (helm4, helm3) = (context.helm4().map_err(|_| Reported)?, context.helm3().map_err(|_| Reported)?);
    let release = Release::new(&namespace, helm4, "afp");
    let with_helm3 = Release::new(&namespace, helm3, "afp");
    lane.step("helm install --wait", || {
        release.install(from_ref(&context.small), &[])?;
        Ok(String::new())
    })?;
    let passes =
        |what: &str, release: &Release| lane.step(format!("{what}: all pass, and nothing is left"), || passes(release));
    let upgrade = |what: &str, sets: &[&str]| {
        lane.step(format!("helm upgrade: {what}"), || {
            release.apply(&release.arguments("upgrade", from_ref(&context.small), sets), true)?;
            Ok(String::new())
        })
    };
    let mut outcomes = vec![passes("inline, Helm 4", &release), passes("inline, Helm 3", &with_helm3)];
    upgrade("secrets by External Secrets", &[sources::EXTERNAL])?;
    outcomes.push(passes("external", &release));
    lane.step("helm upgrade: Secrets of one's own", || {
        let sets = sources::bring(&release)?;
        let sets: Vec<_> = sets.iter().map(String::as_str).collect();
        let values = [context.overlay.clone(), context.small.clone()];
        release.apply(&release.arguments_of("upgrade", &context.chart, &values, &sets), true)?;
        Ok(String::new())
    })?;
    outcomes.push(passes("existing", &release));
    let namespace = format!("global.metrics.namespace={}", namespace.name);
    let exposed_port = format!("{DASHBOARD}.exposure.via=LoadBalancer");
    let extra = format!("{ANALYSIS}.network.extraIngress[0].ports[0].port=5001");
    upgrade("ports that values open to all", &["global.metrics.enabled=true", &namespace, &exposed_port, &extra])?;
    outcomes.push(lane.step("what values open is not tried, and named with the value", || {
        let output = passed(&release)?;
        for (port, by) in [
            (format!("{GENERATOR}:8000"), "global.metrics"),
            (format!("{BROKER}:15692"), "global.metrics"),
            (format!("{DASHBOARD}:8080"), "exposure.via"),
            (format!("{ANALYSIS}:5001"), "network.extraIngress"),
        ] {
            let named =
                output.lines().any(|line| line.contains("not tried") && line.contains(&port) && line.contains(by));
            ensure!(named, "no line says that {port} was not tried because of {by}:\n{output}");
        }
        Ok(String::new())
    }));
    let off: Vec<_> = [GENERATOR, ANALYSIS, NOTIFICATION, DASHBOARD]
        .iter()
        .flat_map(|service| [format!("{service}.tests.connection=false"), format!("{service}.tests.isolation=false")])
        .chain(["global.tests.isolation=false".to_owned(), "global.tests.endToEnd=false".to_owned()])
        .collect();
    upgrade("all tests off", &off.iter().map(String::as_str).collect::<Vec<_>>())?;
    outcomes.push(lane.step("helm test runs no Job", || {
        let output = release.test(&[])?;
        let ran = suites(&output.all());
        ensure!(output.success, "{}", output.all());
        ensure!(release.tests().iter().all(|job| !ran.contains(job)), "ran: {ran:?}");
        Ok(String::new())
    }));
    all(outcomes)
}

/// One thing at a time is broken and mended.
fn broken(lane: &Lane) -> Outcome {
    let context = lane.context;
    let namespace = TestNamespace::as_step(lane, "helm-test")?;
    let release = Release::new(&namespace, context.helm4().map_err(|_| Reported)?, "afp");
    lane.step("helm install --wait", || {
        release.install(from_ref(&context.small), &[])?;
        Ok(String::new())
    })?;
    let step = |what: &str, job: &str, step: &dyn Fn() -> anyhow::Result<String>| {
        lane.step(format!("{what}: {job} fails and says so"), step)
    };
    let policy = |name: &str| format!("{}-{name}", release.name);
    let (stores, shows) = (format!("{NOTIFICATION}-test-connection"), format!("{DASHBOARD}-test-connection"));
    let mut outcomes = vec![
        step("a port is closed", &stores, &|| {
            let words = [&format!("{DATABASE}:5432"), "cannot connect", "NetworkPolicy"];
            without_policies(&release, &[&policy(DATABASE)], || fails(&release, &stores, &words))
        }),
        step("a called port is closed", &shows, &|| {
            let words = [&format!("{NOTIFICATION}:8000"), "cannot connect"];
            without_policies(&release, &[&policy(NOTIFICATION)], || fails(&release, &shows, &words))
        }),
        permissions(lane, &release),
    ];
    let peers = |of: &str| json!([{"podSelector": identity(&release, of)}]);
    let isolated = format!("{DASHBOARD}-test-isolation");
    outcomes.push(step("a path is opened at both ends", &isolated, &|| {
        let out = json!({"podSelector": identity(&release, DASHBOARD), "policyTypes": ["Egress"], "egress": [{"to": peers(DATABASE)}]});
        let into = json!({"podSelector": identity(&release, DATABASE), "ingress": [{"from": peers(DASHBOARD)}]});
        let words = [&format!("{DASHBOARD} → {DATABASE}:5432"), "nothing declares"];
        with_policies(&release, &[out, into], || fails(&release, &isolated, &words))
    }));
    outcomes.push(step("a server lets everybody in", "network-policy-test", &|| {
        let open = json!({"podSelector": identity(&release, CACHE), "ingress": [{}]});
        let words = [&format!("{CACHE}:6379"), "nothing declares"];
        with_policies(&release, &[open], || fails(&release, "network-policy-test", &words))
    }));
    outcomes.push(lane.step("the way to the page is cut: end-to-end-test fails, says so, and leaves no row", || {
        let before = flow::rows(&release)?.len();
        let cut = [&*policy(NOTIFICATION)];
        let output = without_policies(&release, &cut, || fails(&release, "end-to-end-test", &["does not show it"]))?;
        let left = marked(&release)?;
        ensure!(left.is_empty(), "left of {before} rows and more: {left}");
        Ok(output)
    }));
    outcomes.push(lane.step("no policy is enforced: the first test fails and says so", || {
        let names = kubectl::items(&["get", "networkpolicies", "--namespace", &namespace.name])?;
        let names: Vec<_> = names.iter().filter_map(|one| one["metadata"]["name"].as_str()).collect();
        let output = without_policies(&release, &names, || {
            // What the tests themselves bring selects their own pod alone, and does not close the servers; and the plugin takes a moment.
            process::sleep(Duration::from_secs(5))?;
            release.test(&[])
        })?;
        let all = output.all();
        ensure!(!output.success, "it passed:\n{all}");
        ensure!(all.contains("this cluster does not enforce NetworkPolicies"), "{all}");
        ensure!(!all.contains("publish to"), "further tests ran:\n{all}");
        Ok(String::new())
    }));
    outcomes.push(lane.step("mended, all pass again", || passes(&release)));
    all(outcomes)
}

/// A right is taken away at the broker, and one at the cache, and given again.
fn permissions(lane: &Lane, release: &Release) -> Outcome {
    let broker =
        lane.step(format!("a right at the broker is missing: {GENERATOR}-test-connection fails and says so"), || {
            let user = format!("{}.{}.{GENERATOR}.r1", release.namespace.name, release.name);
            let set = |write: &str| {
                let words =
                    ["rabbitmqctl", "--quiet", "set_permissions", "--vhost", "/", &user, "^audit_events$", write, "^$"];
                release.exec(BROKER, &words)
            };
            set("^$")?;
            let words = ["publish to audit_events", "403", "ACCESS_REFUSED"];
            let output = fails(release, &format!("{GENERATOR}-test-connection"), &words);
            set(r"^amq\.default$")?;
            output
        });
    let cache =
        lane.step(format!("a right at the cache is missing: {ANALYSIS}-test-connection fails and says so"), || {
            flow::valkey(release, &["ACL", "SETUSER", "default", "-ping"])?;
            let output = fails(release, &format!("{ANALYSIS}-test-connection"), &["ping the cache", "NOPERM"]);
            flow::valkey(release, &["ACL", "SETUSER", "default", "+ping"])?;
            output
        });
    broker.and(cache)
}

/// All tests pass; what they say.
fn passed(release: &Release) -> anyhow::Result<String> {
    let output = release.test(&[])?;
    let all = output.all();
    ensure!(output.success, "{all}");
    let ran = suites(&all);
    let lacking: Vec<_> = release.tests().into_iter().filter(|job| !ran.contains(job)).collect();
    ensure!(lacking.is_empty(), "not run: {}\n{all}", lacking.join(", "));
    Ok(all)
}

/// All tests pass, say what they tried, and leave everything as it was.
fn passes(release: &Release) -> anyhow::Result<String> {
    let before = state(release)?;
    let output = passed(release)?;
    for words in [
        "publish to audit_events",
        "consume audit_events",
        "consume audit_alerts",
        "alerts_db",
        "/alerts",
        "nobody → redis:6379",
        "shows it after",
    ] {
        ensure!(output.contains(words), "nothing is said of `{words}`:\n{output}");
    }
    let after = state(release)?;
    let left: Vec<_> = after.difference(&before).map(String::as_str).collect();
    ensure!(left.is_empty(), "left: {}", left.join(", "));
    // A Job that failed before goes with the next run, and so do pods that an upgrade replaced.
    let goes = |one: &&String| one.contains("-test") || one.starts_with("pod/");
    let gone: Vec<_> = before.difference(&after).filter(|one| !goes(one)).map(String::as_str).collect();
    ensure!(gone.is_empty(), "gone: {}", gone.join(", "));
    let left = marked(release)?;
    ensure!(left.is_empty(), "rows of the journey are left: {left}");
    Ok(format!("{} Jobs", release.tests().len()))
}

/// One test alone fails, says why in one line with these words, and leaves its Job and nothing else.
fn fails(release: &Release, job: &str, words: &[&str]) -> anyhow::Result<String> {
    let before = release.namespace.inventory()?;
    let output = release.test(&[job])?;
    let all = output.all();
    ensure!(!output.success, "it passed:\n{all}");
    let why = |line: &&str| {
        ["FAILED", "OPEN"].iter().any(|word| line.contains(word)) && words.iter().all(|word| line.contains(word))
    };
    let line = all.lines().find(why).with_context(|| format!("no line says {}:\n{all}", words.join(", ")))?;
    let after = release.namespace.inventory()?;
    let its_own = |one: &&String| ["job", "pod"].iter().any(|kind| one.starts_with(kind)) && one.contains(job);
    let left: Vec<_> = after.difference(&before).filter(|one| !its_own(one)).map(String::as_str).collect();
    ensure!(left.is_empty(), "left: {}", left.join(", "));
    Ok(line.trim().to_owned())
}

/// The Jobs and other hooks that Helm says it ran, without the release's name.
fn suites(output: &str) -> BTreeSet<String> {
    let names = output.lines().filter_map(|line| line.strip_prefix("TEST SUITE:")).map(str::trim);
    names.filter_map(|name| name.split_once('-').map(|(_, rest)| rest.to_owned())).collect()
}

/// The objects in the namespace, the tables, and what is on the broker.
fn state(release: &Release) -> anyhow::Result<BTreeSet<String>> {
    let mut state = release.namespace.inventory()?;
    let tables = flow::sql(release, ALERTS, "SELECT schemaname, tablename FROM pg_tables")?;
    state.extend(tables.lines().map(|table| format!("table {table}")));
    let queues = release.exec(BROKER, &["rabbitmqctl", "--quiet", "list_queues", "name"])?;
    state.extend(queues.lines().map(|queue| format!("queue {queue}")));
    Ok(state)
}

/// Rows that a journey left.
fn marked(release: &Release) -> anyhow::Result<String> {
    let query =
        "SELECT alert_id, raw_event_data->>'user_id' FROM alerts WHERE raw_event_data::text LIKE '%helm-test-%'";
    Ok(flow::sql(release, ALERTS, query)?.trim().to_owned())
}

/// Does this while the policies of these names are away.
fn without_policies<T>(
    release: &Release,
    names: &[&str],
    act: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let namespace = &release.namespace.name;
    let mut kept = Vec::new();
    for name in names {
        let mut policy = kubectl::json(&["get", "networkpolicy", name, "--namespace", namespace])?;
        let metadata = policy["metadata"].as_object_mut().context("a policy without metadata")?;
        metadata.retain(|key, _| ["name", "namespace", "labels", "annotations"].contains(&key.as_str()));
        kept.push(policy);
        kubectl::run(&["delete", "networkpolicy", name, "--namespace", namespace])?;
    }
    let output = act();
    for policy in &kept {
        kubectl::apply(policy)?;
    }
    output
}

/// Does this while there are further policies, of these specifications.
fn with_policies<T>(
    release: &Release,
    specifications: &[Value],
    act: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let namespace = &release.namespace.name;
    let names: Vec<_> = (1..=specifications.len()).map(|number| format!("added-{number}")).collect();
    for (name, specification) in names.iter().zip(specifications) {
        kubectl::apply(&json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": namespace}, "spec": specification,
        }))?;
    }
    let output = act();
    for name in &names {
        kubectl::run(&["delete", "networkpolicy", name, "--namespace", namespace])?;
    }
    output
}

fn identity(release: &Release, of: &str) -> Value {
    let label = generator::traffic(&release.namespace.context.platform).identity_label;
    json!({"matchLabels": {label: of, "app.kubernetes.io/instance": release.name}})
}
