//! Install, use, upgrade without changes, and uninstall, under Pod Security `restricted`.

mod store;

use std::collections::BTreeSet;
use std::slice::from_ref;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::ensure;
use camino::Utf8PathBuf;
use e2e_kit::context::E2eContext;
use e2e_kit::kubectl;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use tools::ToolBinary;
use vocabulary::{Certificate, Change, Monitoring, SecretSource};

use super::edge::Front;
use crate::flow;
use crate::load::{Amount, Load};
use crate::roles::{Roles, callers, services};
use e2e_kit::lane::{Lane, Work, all, side_by_side};
use e2e_kit::namespace::TestNamespace;

use store::Store;

/// Time limit for an alert. It usually takes one or two seconds, but other installations run on the same node.
const ALERT: Duration = Duration::from_secs(45);

/// The name of a release.
const RELEASE: &str = "afp";

/// The name of the second release in the namespace.
const SECOND: &str = "other";

/// The markers of events sent to releases in other namespaces.
type Elsewhere = Mutex<Vec<String>>;

/// Runs three releases in parallel. Helm 3 installs the defaults and one environment.
///
/// That environment is installed with one Helm after the other, because only one release can use its node port.
pub(super) fn run(lane: &Lane) -> Outcome {
    let context = lane.context;
    lane.step("find Helm 3 and Helm 4", || Ok(format!("{}, {}", context.helm4()?.version, context.helm3()?.version)))?;
    let (helm4, helm3) = (context.helm4().map_err(|_| Reported)?, context.helm3().map_err(|_| Reported)?);
    let elsewhere = &Elsewhere::default();
    let mut work = vec![Work::new("defaults", move |lane| defaults(lane, helm4, elsewhere))];
    let [has_external_secrets, has_operator] = ["external-secrets.io", "monitoring.coreos.com"].map(has_kinds_of);
    for (number, (name, values)) in context.environments.iter().rev().enumerate() {
        let lacking = changes(context, name).find_map(|change| match change {
            Change::ExternalSecrets(_) if !has_external_secrets => Some("External Secrets"),
            Change::Monitored(Monitoring::Operator | Monitoring::KubePrometheusStack(_)) if !has_operator => {
                Some("definitions of the Prometheus operator")
            }
            _ => None,
        });
        if let Some(lacking) = lacking {
            lane.not_run(&format!("environment {name}"), &format!("the cluster has no {lacking}"));
            continue;
        }
        let in_turn = if number == 0 { vec![helm4, helm3] } else { vec![helm4] };
        // If the first installation fails, its node port is not free for the second.
        let each = move |lane: &Lane| {
            let store = Store::as_step(lane, source(context, name), RELEASE)?;
            in_turn.iter().try_for_each(|helm| installed(lane, helm, Some((name, values)), store.as_ref(), elsewhere))
        };
        work.push(Work::new(format!("environment {name}"), each));
    }
    work.push(Work::new("defaults again", move |lane| installed(lane, helm3, None, None, elsewhere)));
    side_by_side(context, 3, work)
}

/// Installs the defaults, uses them, upgrades without changes, adds a second release, and uninstalls.
fn defaults(lane: &Lane, helm: &ToolBinary, elsewhere: &Elsewhere) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "install")?;
    let release = Release::new(&namespace, helm, RELEASE);
    lane.step("helm 4 install --wait: all Ready, no restart, no warning", || {
        release.install(&[], &[])?;
        Ok(String::new())
    })?;
    let works = lane.step("the platform works", || flow::works(&release, ALERT));
    let idle = lane.step("an upgrade without changes rolls nothing", || nothing_rolls(&release));
    let second = beside(lane, &release);
    let isolated = lane.step("the page shows no events of releases in other namespaces", || {
        let markers = elsewhere.lock().map(|markers| markers.clone()).unwrap_or_default();
        markers.iter().try_for_each(|marker| flow::does_not_show(&release, marker))?;
        Ok(format!("{} markers checked", markers.len()))
    });
    let gone = lane.step("uninstall leaves only the PersistentVolumeClaims", || leaves_claims(&release, None));
    all([works, idle, second, isolated, gone])
}

fn nothing_rolls(release: &Release) -> anyhow::Result<String> {
    let before = release.uids()?;
    let generations = || -> anyhow::Result<BTreeSet<_>> {
        let selector = format!("app.kubernetes.io/instance={}", release.name);
        let workloads = kubectl::items(&[
            "get",
            "deployments,statefulsets",
            "--namespace",
            &release.namespace.name,
            "--selector",
            &selector,
        ])?;
        Ok(workloads
            .iter()
            .map(|w| (w["metadata"]["name"].to_string(), w["metadata"]["generation"].to_string()))
            .collect())
    };
    let workloads = generations()?;
    release.apply(&release.arguments("upgrade", &[], &[]), true)?;
    ensure!(
        workloads == generations()?,
        "the specification of a workload changed: {workloads:?} became {:?}",
        generations()?
    );
    let rolled = release.rolled_since(&before)?;
    ensure!(rolled.is_empty(), "these rolled: {}", rolled.join(", "));
    Ok(format!("{} pods unchanged", before.len()))
}

/// Installs a second release in the same namespace, with one service disabled and without its password.
///
/// The disabled service has no objects, neither release shows the other's data, and uninstalling the second does not affect the first.
fn beside(lane: &Lane, first: &Release) -> Outcome {
    let second = Release::new(first.namespace, first.helm, SECOND);
    // If this fails, the step that compares the pods fails too.
    let before = first.uids().unwrap_or_default();
    let Some(off) = dispensable(lane.context) else {
        lane.not_applicable(
            "a second release without a service",
            "every service of the platform is called by another one",
        );
        return Ok(());
    };
    let credentials = generator::credential_paths(&lane.context.platform).into_iter();
    let own = credentials.filter(|credential| credential.value.first().is_some_and(|owner| owner == off));
    let without: Vec<_> = own.map(|credential| format!("{}=", credential.value.join("."))).collect();
    let enabled = format!("{off}.enabled=false");
    let sets: Vec<_> = without.iter().chain([&enabled]).map(String::as_str).collect();
    lane.step(format!("a second release in the same namespace, without {off}"), || {
        second.install(from_ref(&lane.context.small), &sets)?;
        Ok(String::new())
    })?;
    let absent = lane.step("the disabled service has no objects", || {
        let name = format!("{SECOND}-{off}");
        let left: Vec<_> = first.namespace.inventory()?.into_iter().filter(|object| object.contains(&name)).collect();
        ensure!(left.is_empty(), "these objects exist: {}", left.join(", "));
        Ok(String::new())
    });
    let apart = apart(lane, first, &second);
    let undisturbed = lane.step("uninstalling the second release does not affect the first", || {
        second.uninstall()?;
        let rolled = first.rolled_since(&before)?;
        ensure!(rolled.is_empty(), "these rolled: {}", rolled.join(", "));
        flow::works(first, ALERT)
    });
    all([absent, apart, undisturbed])
}

/// A service that no other service calls, so that it can be disabled; the sender, if the platform has all roles.
fn dispensable(context: &E2eContext) -> Option<&'static str> {
    let platform = context.platform.platform();
    let sender = Roles::of(context).ok().map(|roles| roles.sender);
    sender.into_iter().chain(services(platform)).find(|service| callers(platform, service).is_empty())
}

/// Checks that neither of two releases in a namespace shows the other's events.
fn apart(lane: &Lane, first: &Release, second: &Release) -> Outcome {
    let what = "each release shows only its own data";
    let roles = match Roles::of(lane.context) {
        Ok(roles) => roles,
        Err(reason) => {
            lane.not_applicable(what, &format!("{reason:#}"));
            return Ok(());
        }
    };
    lane.step(what, || {
        let load = Load::start(second, roles.worker, Amount { rate: 1, alert_every: 1, count: 1 })?;
        load.ended()?.is_stored(second, ALERT)?;
        ensure!(flow::page(second)?.contains(&load.user), "the second release's page does not show its own event");
        flow::does_not_show(first, &load.user)?;
        let (marker, _) = flow::is_seen(first, ALERT)?;
        flow::does_not_show(second, &marker)?;
        Ok(String::new())
    })
}

/// Whether the cluster has a kind of this API group.
fn has_kinds_of(group: &str) -> bool {
    let kinds = kubectl::run(&["api-resources", "--no-headers", &format!("--api-group={group}")]);
    kinds.is_ok_and(|kinds| !kinds.trim().is_empty())
}

/// The store that an environment names.
fn source(context: &E2eContext, environment: &str) -> Option<SecretSource> {
    let environments = &context.platform.platform().environments;
    environments.iter().find(|one| one.name.as_str() == environment)?.secret_source()
}

/// What an environment changes.
fn changes<'a>(context: &'a E2eContext, environment: &str) -> impl Iterator<Item = &'a Change> {
    let environments = context.platform.platform().environments.iter();
    environments.filter(move |one| one.name.as_str() == environment).flat_map(|one| one.changes)
}

fn leaves_claims(release: &Release, environment: Option<&str>) -> anyhow::Result<String> {
    release.uninstall()?;
    let context = release.namespace.context;
    let backing = context.platform.platform().backing.iter();
    let data = backing.map(|one| format!("persistentvolumeclaim/data-{}-{}-0", release.name, one.name().as_str()));
    let backups = environment.into_iter().flat_map(|name| changes(context, name)).filter_map(|change| match change {
        Change::BackedUp { backing } => Some(format!("persistentvolumeclaim/{}-{backing}-backup", release.name)),
        _ => None,
    });
    let claims: BTreeSet<_> = data.chain(backups).collect();
    // Ignore the scenario's own pods and the volumes of the second release.
    let other = |name: &&String| !name.starts_with("pod/load-") && !name.contains(&format!("-{SECOND}-"));
    let left: BTreeSet<_> = release.namespace.inventory()?.iter().filter(other).cloned().collect();
    ensure!(left == claims, "these objects remain: {left:?}, expected: {claims:?}");
    Ok(claims.into_iter().collect::<Vec<_>>().join(", "))
}

/// Installs an environment, or the defaults if `environment` is `None`; uses and uninstalls it. With a store, the passwords come from there.
fn installed(
    lane: &Lane,
    helm: &ToolBinary,
    environment: Option<(&str, &Utf8PathBuf)>,
    store: Option<&Store>,
    elsewhere: &Elsewhere,
) -> Outcome {
    let context = lane.context;
    let namespace = TestNamespace::as_step(lane, "install")?;
    let release = Release::new(&namespace, helm, RELEASE);
    let values: Vec<_> =
        environment.map(|(_, file)| file.clone()).into_iter().chain([lane.context.small.clone()]).collect();
    let front = front(lane, environment.map(|(name, _)| name), &namespace)?;
    let sets: Vec<&str> = front.iter().map(|(_, set)| set.as_str()).collect();
    lane.step(format!("{} install --wait: all Ready, no restart, no warning", helm.tool.title()), || {
        match store {
            None => release.install(&values, &sets)?,
            // The chart refuses passwords in the values.
            Some(store) => {
                store.offer(&namespace)?;
                let values = [context.api_server.as_slice(), &values, std::slice::from_ref(&context.overlay)].concat();
                release.apply(&release.arguments_of("install", &context.chart, &values, &sets), true)?;
                release.whole()?;
            }
        }
        Ok(String::new())
    })?;
    let works = lane.step("the platform works", || {
        if Roles::of(lane.context).is_err() {
            return flow::works(&release, ALERT);
        }
        let (marker, took) = flow::is_seen(&release, ALERT)?;
        if let Ok(mut markers) = elsewhere.lock() {
            markers.push(marker);
        }
        Ok(format!("the page shows the posted event after {:.1} s", took.as_secs_f32()))
    });
    let served = match &front {
        None => Ok(()),
        Some((front, _)) => {
            let outside = TestNamespace::as_step(lane, "install-client")?;
            lane.step("the page is served through the Ingress, with the certificate of its Secret", || {
                front.serves(&release, &outside)
            })
        }
    };
    let gone = lane.step("uninstall leaves only the PersistentVolumeClaims", || {
        if front.is_some() {
            kubectl::run(&["delete", "secret", "--namespace", &namespace.name, "--selector", Front::LABEL])?;
        }
        leaves_claims(&release, environment.map(|(name, _)| name))
    });
    all([works, served, gone])
}

/// For an environment with an Ingress: its Secret with a certificate, in the place of the installer's, and the value that lets in the controller of the
/// cluster.
fn front(
    lane: &Lane,
    environment: Option<&str>,
    namespace: &TestNamespace,
) -> Result<Option<(Front, String)>, Reported> {
    let ingress =
        environment.into_iter().flat_map(|name| changes(lane.context, name)).find_map(|change| match change {
            Change::Ingress { host, certificate: Certificate::Secret(secret), .. } => {
                Some((host.as_str(), secret.as_str()))
            }
            _ => None,
        });
    let Some((host, secret)) = ingress else { return Ok(None) };
    let mut made = None;
    lane.step(format!("find Traefik, and make a certificate for {host}"), || {
        if let Some(front) = Front::of(lane.context, host)? {
            let set = front.prepare(namespace, secret)?;
            made = Some((front, set));
        }
        Ok(if made.is_some() { String::new() } else { "there is none".to_owned() })
    })?;
    if made.is_none() {
        lane.not_run("the page through the Ingress", "the cluster has no Traefik as the scenario `edge` needs it");
    }
    Ok(made)
}
