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
use generator::Resolved;
use serde_json::{Value, json};
use vocabulary::{Kind, QueueUse, Use};

use super::secrets::sources;
use crate::flow;
use crate::roles::{Roles, services};
use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::namespace::TestNamespace;

/// Two releases at once: one that is right, one that is broken.
pub(super) fn run(lane: &Lane) -> Outcome {
    side_by_side(lane.context, 2, vec![Work::new("right", right), Work::new("broken", broken)])
}

/// Each mode, both Helms, with ports opened by values, and with all tests switched off.
fn right(lane: &Lane) -> Outcome {
    let (context, roles) = (lane.context, Roles::of_lane(lane)?);
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
    let Roles { page, worker, .. } = roles;
    let exposed_port = format!("{page}.exposure.via=LoadBalancer");
    let worker_port = first_port(&context.platform, worker);
    let extra = format!("{worker}.network.extraIngress[0].ports[0].port={worker_port}");
    upgrade("ports that values open to all", &["global.metrics.enabled=true", &namespace, &exposed_port, &extra])?;
    outcomes.push(lane.step("what values open is not tried, and named with the value", || {
        let output = passed(&release)?;
        let metrics = generator::traffic(&context.platform).metrics.into_iter();
        let metrics = metrics.map(|port| (format!("{}:{}", port.of, port.number), "global.metrics"));
        let opened = [
            (format!("{page}:{}", roles.test.page.endpoint.port.number), "exposure.via"),
            (format!("{worker}:{worker_port}"), "network.extraIngress"),
        ];
        for (port, by) in metrics.chain(opened) {
            let named =
                output.lines().any(|line| line.contains("not tried") && line.contains(&port) && line.contains(by));
            ensure!(named, "no line says that {port} was not tried because of {by}:\n{output}");
        }
        Ok(String::new())
    }));
    let off: Vec<_> = services(context.platform.platform())
        .into_iter()
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
    let (context, roles) = (lane.context, Roles::of_lane(lane)?);
    let Roles { keeper, page, database_server, cache, .. } = roles;
    let namespace = TestNamespace::as_step(lane, "helm-test")?;
    let release = Release::new(&namespace, context.helm4().map_err(|_| Reported)?, "afp");
    lane.step("helm install --wait", || {
        release.install(from_ref(&context.small), &[])?;
        Ok(String::new())
    })?;
    let tests = generator::traffic(&context.platform).tests;
    let step = |what: &str, job: &str, step: &dyn Fn() -> anyhow::Result<String>| {
        lane.step(format!("{what}: {job} fails and says so"), step)
    };
    let policy = |name: &str| format!("{}-{name}", release.name);
    let (stores, shows) = (format!("{keeper}-test-connection"), format!("{page}-test-connection"));
    let mut outcomes = vec![
        step("a port is closed", &stores, &|| {
            let words = [&format!("{database_server}:{}", Kind::PostgreSql.port()), "cannot connect", "NetworkPolicy"];
            without_policies(&release, &[&policy(database_server)], || fails(&release, &stores, &words))
        }),
        step("a called port is closed", &shows, &|| {
            let words = [&format!("{keeper}:{}", first_port(&context.platform, keeper)), "cannot connect"];
            without_policies(&release, &[&policy(keeper)], || fails(&release, &shows, &words))
        }),
        permissions(lane, &release, &roles),
    ];
    let peers = |of: &str| json!([{"podSelector": identity(&release, of)}]);
    let isolated = format!("{page}-test-isolation");
    outcomes.push(step("a path is opened at both ends", &isolated, &|| {
        let out = json!({"podSelector": identity(&release, page), "policyTypes": ["Egress"], "egress": [{"to": peers(database_server)}]});
        let into = json!({"podSelector": identity(&release, database_server), "ingress": [{"from": peers(page)}]});
        let words = [&format!("{page} → {database_server}:{}", Kind::PostgreSql.port()), "nothing declares"];
        with_policies(&release, &[out, into], || fails(&release, &isolated, &words))
    }));
    outcomes.push(step("a server lets everybody in", &tests.network_policy, &|| {
        let open = json!({"podSelector": identity(&release, cache), "ingress": [{}]});
        let words = [&format!("{cache}:{}", Kind::Valkey.port()), "nothing declares"];
        with_policies(&release, &[open], || fails(&release, &tests.network_policy, &words))
    }));
    outcomes.push(lane.step(
        "the way to the page is cut: the end-to-end test fails, says so, and leaves no row",
        || {
            let before = flow::rows(&release)?.len();
            let cut = [&*policy(keeper)];
            let output =
                without_policies(&release, &cut, || fails(&release, &tests.end_to_end, &["does not show it"]))?;
            let left = marked(&release)?;
            ensure!(left.is_empty(), "left of {before} rows and more: {left}");
            Ok(output)
        },
    ));
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
fn permissions(lane: &Lane, release: &Release, roles: &Roles) -> Outcome {
    let Roles { sender, worker, broker, cache, sent_queue, .. } = *roles;
    let what = format!("a right at the broker is missing: {sender}-test-connection fails and says so");
    let at_broker = lane.step(what, || {
        let user = format!("{}.{}.{sender}.r1", release.namespace.name, release.name);
        let listed = ["rabbitmqctl", "--quiet", "--formatter=json", "list_user_permissions", &user];
        let rights = kubectl::parsed("list_user_permissions", &release.exec(broker, &listed)?)?;
        let right = |name: &str| rights[0][name].as_str().context("the broker tells no rights of the sender");
        let (configure, write, read) = (right("configure")?, right("write")?, right("read")?);
        let set = |write: &str| {
            let words = ["rabbitmqctl", "--quiet", "set_permissions", "--vhost", "/", &user, configure, write, read];
            release.exec(broker, &words)
        };
        set("^$")?;
        let words = [format!("publish to {sent_queue}"), "403".to_owned(), "ACCESS_REFUSED".to_owned()];
        let words = words.each_ref().map(String::as_str);
        let output = fails(release, &format!("{sender}-test-connection"), &words);
        set(write)?;
        output
    });
    let what = format!("a right at the cache is missing: {worker}-test-connection fails and says so");
    if !roles.cache_is_anonymous {
        lane.not_applicable(&what, "the worker has a login at the cache");
        return at_broker;
    }
    let at_cache = lane.step(what, || {
        flow::valkey(release, &["ACL", "SETUSER", "default", "-ping"])?;
        let words = [format!("ping {}-{cache}:{}", release.name, Kind::Valkey.port()), "NOPERM".to_owned()];
        let words = words.each_ref().map(String::as_str);
        let output = fails(release, &format!("{worker}-test-connection"), &words);
        flow::valkey(release, &["ACL", "SETUSER", "default", "+ping"])?;
        output
    });
    at_broker.and(at_cache)
}

/// The first port of a service.
fn first_port(platform: &Resolved, service: &str) -> u16 {
    let service = platform.platform().services.iter().find(|one| one.name.as_str() == service);
    service.and_then(|service| service.ports.first()).map_or(1, |port| port.number)
}

/// What the tests say when they pass: each use that they try.
fn promised(platform: &Resolved) -> BTreeSet<String> {
    let cache = |one: &Use| if let Use::Valkey(client) = one { Some(client.client.backing) } else { None };
    let uses = || platform.platform().services.iter().flat_map(|service| service.uses);
    let tried = uses().flat_map(|one| match one {
        Use::RabbitMq(client) => client
            .queues
            .iter()
            .map(|queue| match queue {
                QueueUse::Publishes { queue, .. } => format!("publish to {}", queue.name),
                QueueUse::Consumes { queue, .. } => format!("consume {}", queue.name),
            })
            .collect(),
        Use::PostgreSql(client) => vec![format!("write and read a table in {}", client.database.database.name)],
        Use::Call(call) => call.path.iter().map(ToString::to_string).collect(),
        Use::Valkey(client) => vec![format!("-{}:{}", client.client.backing, Kind::Valkey.port())],
    });
    let closed = uses().filter_map(cache).map(|cache| format!("undeclared-client → {cache}:{}", Kind::Valkey.port()));
    let end_to_end = platform.platform().tests.end_to_end.map(|_| "shows it after".to_owned());
    tried.chain(closed).chain(end_to_end).collect()
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
    for words in promised(&release.namespace.context.platform) {
        ensure!(output.contains(&words), "nothing is said of `{words}`:\n{output}");
    }
    let after = state(release)?;
    let left: Vec<_> = after.difference(&before).map(String::as_str).collect();
    ensure!(left.is_empty(), "left: {}", left.join(", "));
    // A Job that failed before goes with the next run, and so do pods that an upgrade replaced.
    let goes = |one: &&String| one.contains("-test") || one.starts_with("pod/");
    let gone: Vec<_> = before.difference(&after).filter(|one| !goes(one)).map(String::as_str).collect();
    ensure!(gone.is_empty(), "gone: {}", gone.join(", "));
    let left = marked(release)?;
    ensure!(left.is_empty(), "rows of the end-to-end test are left: {left}");
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
    let roles = Roles::of(release.namespace.context)?;
    let tables = flow::sql(release, roles.database, "SELECT schemaname, tablename FROM pg_tables")?;
    state.extend(tables.lines().map(|table| format!("table {table}")));
    let queues = release.exec(roles.broker, &["rabbitmqctl", "--quiet", "list_queues", "name"])?;
    state.extend(queues.lines().map(|queue| format!("queue {queue}")));
    Ok(state)
}

/// Rows that the end-to-end test left.
fn marked(release: &Release) -> anyhow::Result<String> {
    let roles = Roles::of(release.namespace.context)?;
    Ok(flow::sql(release, roles.database, roles.fixture.left_by_tests)?.trim().to_owned())
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
