//! Rights at the servers and at the API server: every login and every ServiceAccount has exactly the declared rights.

mod amqp;
mod kubernetes;
mod passive;
mod plan;
mod sql;
mod trial;
mod valkey;

use std::slice::from_ref;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use e2e_kit::{kubectl, process};
use serde_json::{Value, json};
use vocabulary::Kind;

use e2e_kit::lane::{Lane, all};
use e2e_kit::pods::helper_pod;

use plan::Plan;

/// The label of the probe pods, in addition to their service's identity.
const PROBE: &str = "auditflow-e2e/probe";

pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    let (mut namespace, mut helm) = (None, None);
    lane.step("create a namespace", || {
        namespace = Some(TestNamespace::new(lane, "rights")?);
        helm = Some(context.helm4()?);
        Ok(String::new())
    })?;
    let (Some(namespace), Some(helm)) = (&namespace, helm) else { return Err(Reported) };
    let release = Release::new(namespace, helm, "afp");
    lane.step("helm install --wait", || release.install(from_ref(&context.small), &[]).map(|()| String::new()))?;
    let tokens = lane.step("no undeclared API token is mounted", || kubernetes::tokens(&release));
    let accounts = lane.step("ServiceAccounts have exactly the declared rights", || kubernetes::accounts(&release));
    let tried = by_all_logins(lane, &release);
    all([tokens, accounts, tried])
}

fn by_all_logins(lane: &Lane, release: &Release) -> Outcome {
    let (mut plans, mut operations) = (Vec::new(), 0);
    lane.step("read from the servers what to try", || {
        plans = Plan::all(release)?;
        operations = plans.iter().flat_map(|plan| &plan.targets).map(|target| target.trials.len()).sum::<usize>();
        Ok(format!("{operations} operations"))
    })?;
    lane.step("stop the services and start a probe with the login of each", || {
        probes(release, &plans)?;
        Ok(format!("{} probes", plans.len()))
    })?;
    let declared = lane.step("every login has exactly the declared rights", || {
        let drawn = tried(release, &plans)?;
        Ok(format!("{operations} operations, as declared\n  {}\n  ", drawn.join("\n  ")))
    });
    let Some(consumer) = passive::consumer(release) else { return declared };
    let passive = lane
        .step("a login for passive declarations consumes, and neither declares nor deletes a queue", || {
            passive::tried(release, &plans, consumer)
        });
    all([declared, passive])
}

/// Replaces each service by a probe with its identity and environment variables.
fn probes(release: &Release, plans: &[Plan]) -> anyhow::Result<()> {
    let namespace = &release.namespace.name;
    let image = release.namespace.context.images.tool("auditflow-e2e/rights")?;
    let mut objects = management_for_probes(release);
    for plan in plans {
        let selector = format!("app.kubernetes.io/instance={},app.kubernetes.io/name={}", release.name, plan.service);
        let deployments = kubectl::items(&["get", "deployments", "--namespace", namespace, "--selector", &selector])?;
        let deployment = deployments.first().with_context(|| format!("{} has no Deployment", plan.service))?;
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let variables = json!({"env": container["env"], "envFrom": container["envFrom"]});
        let mut pod = helper_pod(release, plan.service, &pod_of(plan), image, &variables);
        pod["metadata"]["labels"][PROBE] = "rights".into();
        objects.push(pod);
    }
    // The services are scaled to zero, so that none consumes the probes' messages.
    kubectl::run(&["scale", "deployments", "--all", "--replicas=0", "--namespace", namespace])?;
    kubectl::apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}))?;
    for plan in plans {
        let (pod, ready) = (pod_of(plan), "--for=condition=Ready");
        kubectl::run(&["wait", "pod", &pod, "--namespace", namespace, ready, "--timeout=50s"])?;
    }
    let services: Vec<_> =
        release.namespace.context.platform.platform().services.iter().map(|service| service.name.as_str()).collect();
    process::until(Duration::from_mins(1), Duration::from_secs(1), || {
        let mut pods = release.pods_and_leaving()?;
        pods.retain(|pod| services.contains(&pod.chart.as_str()));
        Ok(if pods.is_empty() { Ok(()) } else { Err(format!("{} pods of services still run", pods.len())) })
    })
}

fn pod_of(plan: &Plan) -> String {
    format!("rights-{}", plan.service)
}

/// NetworkPolicies that let the probes reach the brokers' management interface, which the chart closes.
///
/// The broker itself must refuse the logins there, not only the network.
fn management_for_probes(release: &Release) -> Vec<Value> {
    let platform = release.namespace.context.platform.platform();
    let brokers = platform.backing.iter().filter(|backing| backing.kind() == Kind::RabbitMq);
    let policies = brokers.flat_map(|broker| {
        let name = broker.name();
        let identity = format!("{}/identity", platform.name);
        let broker =
            json!({"matchLabels": {"app.kubernetes.io/instance": release.name, identity: name.as_str()}});
        let probes = json!({"matchLabels": {PROBE: "rights"}});
        let ports = json!([{"port": amqp::MANAGEMENT}]);
        let ingress = json!([{"from": [{"podSelector": probes}], "ports": ports}]);
        let egress = json!([{"to": [{"podSelector": broker}], "ports": ports}]);
        [
            ("in", json!({"podSelector": broker, "policyTypes": ["Ingress"], "ingress": ingress})),
            ("out", json!({"podSelector": probes, "policyTypes": ["Egress"], "egress": egress})),
        ]
        .map(|(direction, spec)| {
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": {"name": format!("rights-{name}-{direction}"), "namespace": release.namespace.name}, "spec": spec,
            })
        })
    });
    policies.collect()
}

/// Executes all plans in parallel; returns the rights of each login, or fails with the differences from the declaration.
fn tried(release: &Release, plans: &[Plan]) -> anyhow::Result<Vec<String>> {
    let seen: Vec<_> = thread::scope(|scope| {
        let trying: Vec<_> = plans.iter().map(|plan| scope.spawn(|| of_plan(release, plan))).collect();
        let ended = trying.into_iter().map(|one| one.join().unwrap_or_else(|_| bail!("a probe's thread panicked")));
        ended.collect()
    });
    let (mut differences, mut failures, mut drawn) = (Vec::new(), Vec::new(), Vec::new());
    for (plan, seen) in plans.iter().zip(seen) {
        match seen {
            Ok(found) => differences.extend(found),
            Err(error) => failures.push(format!("{error:#}")),
        }
        drawn.extend(plan.targets.iter().flat_map(trial::Target::drawn));
    }
    differences.extend(failures);
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(drawn)
}

/// Executes a plan in its probe and returns differences and undecided trials.
fn of_plan(release: &Release, plan: &Plan) -> anyhow::Result<Vec<String>> {
    let targets: Vec<_> = plan.targets.iter().map(trial::Target::request).collect();
    let pod = pod_of(plan);
    let words =
        ["exec", "--stdin", "--namespace", &release.namespace.name, &pod, "--", "python3", "/app/main.py", "try"];
    let output = kubectl::try_run(&words, &json!({"targets": targets}).to_string())?.ok(&format!("the probe {pod}"))?;
    let outcomes = kubectl::parsed("the rights probe", &output)?;
    let mut differences = Vec::new();
    for (index, target) in plan.targets.iter().enumerate() {
        match target.answers(&outcomes["targets"][index]) {
            Ok(answers) => differences.extend(target.differences(&answers)),
            // Continue, so that differences at the other servers are reported too.
            Err(undecided) => differences.push(format!("{undecided:#}")),
        }
    }
    Ok(differences)
}
