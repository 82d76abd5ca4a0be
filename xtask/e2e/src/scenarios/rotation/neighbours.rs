//! Foreign logins and a second release on the same servers, which provisioning must not change.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::lane::Lane;
use e2e_kit::report::{Outcome, Reported};
use serde_json::Value;
use tools::Template;

use super::change::Site;
use super::common_steps::{beside_load, install};
use super::credential_set::CredentialSet;
use super::{login_in_use, state};
use crate::flow;
use crate::roles::{Roles, callers, logins_at};
use crate::scenarios::loaded::{RECOVERY, recovers};
use e2e_kit::namespace::TestNamespace;

/// The name of the second release, provisioned on the first release's broker.
const SECOND: &str = "other";
/// A role that is marked as the first release's and owns nothing.
const IDLE_OWNER: &str = "idle_owner";

type Logins = BTreeSet<(String, String)>;

pub(super) fn run(lane: &Lane) -> Outcome {
    let namespace = TestNamespace::as_step(lane, "rotation")?;
    let (site, first) = install(lane, &namespace, true)?;
    let mut now = first;
    let Roles { sender, keeper, database_server, .. } = Roles::of_lane(lane)?;
    beside_load(&site, sender, || {
        lane.step("provisioning twice changes nothing", || twice(&site, &now))?;
        lane.step("create foreign logins on all three servers", || foreign_logins(&site))?;
        lane.step("provision a second release on the same broker", || provision_second(&site))?;
        others_are_left_alone(&site, &mut now)?;
        lane.step("disable a service of the second release: only its login is deleted", || disable_in_second(&site))?;
        switched_off_and_on(&site, &now)?;
        let database = now.credential(&format!("{keeper}.{database_server}")).map_err(|_| Reported)?;
        login_in_use::in_use(&site, &mut now, &database)
    })
}

fn twice(site: &Site, now: &CredentialSet) -> anyhow::Result<String> {
    let (before, pods) = (state::everything(&site.release)?, site.release.uids()?);
    site.upgrade(now, &[])?;
    state::same(&before, &state::everything(&site.release)?)?;
    let rolled = site.release.rolled_since(&pods)?;
    ensure!(rolled.is_empty(), "these rolled: {}", rolled.join(", "));
    Ok(format!("{} definitions unchanged", before.len()))
}

/// Creates foreign logins, some with names and comments that resemble the release's own.
fn foreign_logins(site: &Site) -> anyhow::Result<String> {
    let release = &site.release;
    let broker = Roles::of(site.lane.context)?.broker;
    let own = format!("{}.{}", release.namespace.name, release.name);
    let names = ["someone-else".to_owned(), format!("elsewhere.{}.x.r1", release.name), format!("{own}-2.x.r1")];
    let before = state::logins(release)?;
    for name in &names {
        release.exec(broker, &["rabbitmqctl", "--quiet", "add_user", name, "a password"])?;
        flow::valkey(release, &["ACL", "SETUSER", name, "on", ">password", "+ping"])?;
    }
    flow::valkey(release, &["ACL", "SAVE"])?;
    let role = |name: &str, may: &str, comment: &str| -> anyhow::Result<String> {
        state::sql(release, &format!("CREATE ROLE \"{name}\" {may}"))?;
        state::sql(release, &format!("COMMENT ON ROLE \"{name}\" IS '{comment}'"))
    };
    role("someone-else", "LOGIN", "")?;
    role("elsewhere_r1", "LOGIN", &format!("login of release elsewhere.{}", release.name))?;
    role("second_r1", "LOGIN", &format!("login of release {own}-2"))?;
    role("second_owner", "NOLOGIN", &format!("owner of release {own}-2"))?;
    role(IDLE_OWNER, "NOLOGIN", &format!("owner of release {own}"))?;
    let after = state::logins(release)?;
    Ok(after.difference(&before).map(|(server, user)| format!("{user} at {server}")).collect::<Vec<_>>().join(", "))
}

/// Rotates a credential of the first release; everything else on the servers must stay unchanged.
fn others_are_left_alone(site: &Site, now: &mut CredentialSet) -> Outcome {
    let (lane, release) = (site.lane, &site.release);
    let Roles { keeper, broker, database_server, .. } = Roles::of_lane(lane)?;
    let credential = now.credential(&format!("{keeper}.{broker}")).map_err(|_| Reported)?;
    let next = now.with_replaced(&credential);
    let [old, new] = [&*now, &next].map(|set| credential.user(release, set.revision(&credential)));
    let mut before = (Logins::new(), BTreeSet::new());
    lane.step("read the servers' logins and definitions", || {
        before = (state::logins(release)?, state::everything(release)?);
        Ok(format!("{} logins and roles", before.0.len()))
    })?;
    site.change(&format!("replace {}", credential.path.name), (now, &next), || site.upgrade(&next, &[]))?;
    *now = next;
    lane.step("foreign logins are unchanged; the role that owns nothing is deleted", || {
        let gone = [(broker, old.as_str()), (database_server, IDLE_OWNER)];
        differ(&before.0, &state::logins(release)?, &gone, &[(broker, &new)])?;
        let after = state::everything(release)?;
        let ours = |line: &&String| [old.as_str(), &new, IDLE_OWNER].iter().any(|name| line.contains(name));
        let but_ours = |all: &BTreeSet<String>| all.iter().filter(|line| !ours(line)).cloned().collect();
        state::same(&but_ours(&before.1), &but_ours(&after))?;
        Ok(String::new())
    })
}

/// Fails unless exactly these logins were deleted and created.
fn differ(before: &Logins, after: &Logins, gone: &[(&str, &str)], came: &[(&str, &str)]) -> anyhow::Result<()> {
    let owned = |some: &[(&str, &str)]| -> Logins {
        some.iter().map(|(server, user)| ((*server).to_owned(), (*user).to_owned())).collect()
    };
    let (went, arrived): (Logins, Logins) =
        (before.difference(after).cloned().collect(), after.difference(before).cloned().collect());
    ensure!(went == owned(gone), "deleted: {went:?}, expected: {gone:?}");
    ensure!(arrived == owned(came), "created: {arrived:?}, expected: {came:?}");
    Ok(())
}

/// Provisions a second release at the first release's broker with its own Job.
fn provision_second(site: &Site) -> anyhow::Result<String> {
    let before = state::logins(&site.release)?;
    run_second(site, &[], "-provision-")?;
    let after = state::logins(&site.release)?;
    let came: Vec<_> = after.difference(&before).map(|(_, user)| user.clone()).collect();
    let prefix = format!("{}.{SECOND}.", site.release.namespace.name);
    let context = site.lane.context;
    let expected = logins_at(context.platform.platform(), Roles::of(context)?.broker);
    ensure!(
        came.len() == expected && came.iter().all(|user| user.starts_with(&prefix)),
        "unexpected new logins: {came:?}"
    );
    ensure!(after.is_superset(&before), "the second release deleted some of {before:?}");
    Ok(came.join(", "))
}

/// Runs the reconcile Job of the second release with one service disabled.
fn disable_in_second(site: &Site) -> anyhow::Result<String> {
    let before = state::logins(&site.release)?;
    let Roles { sender, broker, .. } = Roles::of(site.lane.context)?;
    run_second(site, &[&format!("--set={sender}.enabled=false")], "-reconcile")?;
    let gone = format!("{}.{SECOND}.{sender}.r1", site.release.namespace.name);
    differ(&before, &state::logins(&site.release)?, &[(broker, &gone)], &[])?;
    Ok(gone)
}

/// Runs a Job of the second release at the first release's broker, as if both used an external broker.
///
/// Both have the same administrator password, and the Job's pod gets the first release's network identity.
fn run_second(site: &Site, sets: &[&str], job: &str) -> anyhow::Result<()> {
    let (context, release, namespace) = (site.lane.context, &site.release, &site.release.namespace.name);
    let broker = Roles::of(context)?.broker;
    let values = context.values(&[]);
    let values: Vec<_> = values.iter().map(camino::Utf8PathBuf::as_path).collect();
    let in_namespace = format!("--namespace={namespace}");
    let arguments = [&[in_namespace.as_str()], sets].concat();
    let template = Template { chart: &context.chart, release: SECOND, values: &values, arguments: &arguments };
    let manifest = context.helm4()?.template(&template)?.map_err(anyhow::Error::msg)?;
    let mut started = None;
    for object in tools::objects(&manifest).map_err(anyhow::Error::msg)? {
        let (kind, name) = (object.kind.as_str(), object.name.as_str());
        let is_the_job = kind == "Job" && name.contains(job);
        let beside = matches!(kind, "ConfigMap" | "ServiceAccount" | "Secret");
        if !name.starts_with(&format!("{SECOND}-{broker}")) || !(is_the_job || beside) {
            continue;
        }
        let mut value: Value = serde_yaml::from_str(&object.text)?;
        value["metadata"]["namespace"] = namespace.as_str().into();
        if is_the_job {
            let template = &mut value["spec"]["template"];
            template["metadata"]["labels"]["app.kubernetes.io/instance"] = release.name.as_str().into();
            let variables = template["spec"]["containers"][0]["env"].as_array_mut().context("a Job without env")?;
            let host = variables.iter_mut().find(|one| one["name"] == "SERVER_HOST").context("no SERVER_HOST")?;
            host["value"] = format!("{}-{broker}", release.name).into();
            started = Some(name.to_owned());
        }
        kubectl::apply(&value)?;
    }
    let started = started.with_context(|| format!("the chart has no Job {SECOND}-{broker}{job}"))?;
    let job = format!("job/{started}");
    let ended = kubectl::run(&["wait", &job, "--namespace", namespace, "--for=condition=Complete", "--timeout=55s"]);
    let log = kubectl::run(&["logs", &job, "--namespace", namespace]).unwrap_or_default();
    ended.map(|_| ()).with_context(|| format!("{job} did not complete; its log:\n{log}"))
}

/// Disables a service: its logins are deleted, and the role that owns its data stays. Enables it again: it owns its data as before.
fn switched_off_and_on(site: &Site, now: &CredentialSet) -> Outcome {
    let (lane, release) = (site.lane, &site.release);
    let mut before = (Logins::new(), BTreeSet::new());
    let Roles { keeper, database, .. } = Roles::of_lane(lane)?;
    let callers = callers(lane.context.platform.platform(), keeper).into_iter();
    let off: Vec<_> = callers.chain([keeper]).map(|service| format!("{service}.enabled=false")).collect();
    let off: Vec<_> = off.iter().map(String::as_str).collect();
    lane.step(format!("disable {keeper}: its logins are deleted, its role and its data stay"), || {
        before = (state::logins(release)?, flow::rows(release)?);
        ensure!(!before.1.is_empty(), "the database has no row");
        site.upgrade(now, &off)?;
        release.wait_ready(RECOVERY)?;
        let users = logins_of(site, now)?;
        let gone: Vec<_> = users.iter().map(|(server, user)| (server.as_str(), user.as_str())).collect();
        differ(&before.0, &state::logins(release)?, &gone, &[])?;
        let query = format!("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{database}'");
        let owner = state::sql(release, &query)?;
        ensure!(owner.trim() == format!("{database}_owner"), "{database} belongs to {owner}");
        ensure!(flow::rows(release)?.is_superset(&before.1), "stored rows are lost");
        Ok(format!("{} logins deleted, {} rows kept", gone.len(), before.1.len()))
    })?;
    lane.step(format!("enable {keeper} again: it has its data and the events that arrived meanwhile"), || {
        site.upgrade(now, &[])?;
        recovers(release, RECOVERY)?;
        differ(&before.0, &state::logins(release)?, &[], &[])?;
        ensure!(flow::rows(release)?.is_superset(&before.1), "stored rows are lost");
        Ok(String::new())
    })
}

/// The logins of the disabled service, with their servers.
fn logins_of(site: &Site, now: &CredentialSet) -> anyhow::Result<Vec<(String, String)>> {
    let Roles { keeper, database_server, cache, .. } = Roles::of(site.lane.context)?;
    let own = now.credentials(false).into_iter().filter(|one| one.owner == keeper);
    let own: Vec<_> = own.map(|one| (one.server.clone(), one.user(&site.release, now.revision(&one)))).collect();
    ensure!(own.iter().any(|(server, _)| server == database_server), "{keeper} has no login at {database_server}");
    ensure!(own.iter().all(|(server, _)| server != cache), "{keeper} has a login at {cache}");
    Ok(own)
}
