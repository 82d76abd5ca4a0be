//! What `helm test` runs against a release: what each service declares tried as that service, what it may not reach tried as well, what
//! nobody may reach, and the one thing that goes through all of it.

use askama::Template;
use vocabulary::{
    Backing, EndToEndTest, Endpoint, Exposure, HttpPath, Platform, Port, Protocol, Service, ServiceName, Use,
    VariableName,
};

use super::policies::by_peer;
use super::service::{Variable, environment, named};
use crate::access::Access;
use crate::backing;
use crate::context::Context;
use crate::files::Files;
use crate::pods::{container_security, helper_resources, pod_security};
use crate::text::{bare, go_string, inert, scalar, value};
use crate::yaml::template_block;

/// What the test pods run, by name; all of it lies in one folder there.
const SCRIPTS: &[(&str, &str)] = &[
    ("tests.py", include_str!("../../templates/umbrella/files/tests/tests.py")),
    ("access.py", include_str!("../../templates/umbrella/files/tests/access.py")),
    ("isolation.py", include_str!("../../templates/umbrella/files/tests/isolation.py")),
    ("journey.py", include_str!("../../templates/umbrella/files/tests/journey.py")),
    ("sessions.py", include_str!("../../templates/umbrella/files/tests/sessions.py")),
    ("support.py", include_str!("../../templates/umbrella/files/tests/support.py")),
];
const CONNECTIONS_SCRIPT: &str = include_str!("../../templates/umbrella/files/connections.py");

/// The user and group of the test pods, whose image may have none of that number: nothing is written.
const USER: u32 = 10001;

pub(super) fn files(c: &Context, access: &Access, files: &mut Files) {
    let declared = c.platform.platform();
    files.text("files/connections.py", CONNECTIONS_SCRIPT.to_owned());
    files.umbrella("templates/connections.yaml", &Connections { c });
    for (name, script) in SCRIPTS {
        files.text(format!("files/tests/{name}"), (*script).to_owned());
    }
    files.umbrella(
        "templates/tests/_helpers.tpl",
        &Helpers {
            c,
            pod_security: pod_security(USER, false),
            container_security: container_security(),
            helper_resources: helper_resources(),
        },
    );
    let end_to_end = declared.tests.end_to_end.map(|end_to_end| instructions(declared, &end_to_end, access));
    files.umbrella(
        "templates/tests/scripts.yaml",
        &Scripts { c, files: SCRIPTS.iter().map(|(name, _)| *name).collect(), targets: targets(declared), end_to_end },
    );
    files.umbrella("templates/tests/test-network-policies.yaml", &NetworkPolicyJob { c });
    if let Some(end_to_end) = declared.tests.end_to_end {
        files.umbrella("templates/tests/test-end-to-end.yaml", &end_to_end_job(c, &end_to_end, access));
    }
    for service in &declared.services {
        let name = service.name.as_str();
        let source = service.location.file();
        let checks: Vec<_> = service.uses.iter().flat_map(|one| checks(service, one, access)).collect();
        if !checks.is_empty() {
            let arguments = [vec!["access".to_owned()], checks.clone()].concat();
            let view = ConnectionJob {
                c,
                source,
                name,
                arguments: template_block(&arguments),
                keys: service.uses.iter().flat_map(|one| keys(service, one, access)).collect(),
                env: named(&checks, &environment(c, service)),
            };
            files.subchart(name, "templates/tests/test-connection.yaml", &view);
        }
        let may = access.from(service.name).map(|path| (path.to.name(), path.port)).collect();
        let view = IsolationJob { c, source, name, api: !service.kubernetes.is_empty(), may };
        files.subchart(name, "templates/tests/test-isolation.yaml", &view);
    }
}

/// The arguments that try what one use of a service declares.
fn checks(service: &Service, one: &Use, access: &Access) -> Vec<String> {
    backing::checks(one, &login(service, one, access).iter().map(|variable| variable.as_str()).collect::<Vec<_>>())
}

/// The variables of a client's name and password, if it logs in.
fn login(service: &Service, one: &Use, access: &Access) -> Vec<VariableName> {
    let login = one.client().and_then(|client| access.login(service.name, client.backing.as_str()));
    login.and_then(|login| login.variables).map_or_else(Vec::new, |v| vec![v.user, v.password.name])
}

/// The keys of the service's Secret with that name and password.
fn keys(service: &Service, one: &Use, access: &Access) -> Vec<String> {
    login(service, one, access).iter().map(|variable| scalar(variable.as_str())).collect()
}

/// Every declared port of the release's pods, by chart.
fn targets(declared: &Platform) -> Vec<Target> {
    let services = declared.services.iter().filter(|service| !service.ports.is_empty()).map(|service| Target {
        name: service.name.as_str(),
        enabled: Some(bare(&value(&[service.name.as_str(), "enabled"]))),
        ports: service.ports.iter().map(|port| of_service(service, *port)).collect(),
    });
    services.chain(declared.backing.iter().map(of_backing)).collect()
}

fn of_service(service: &Service, port: Port) -> TargetPort {
    let name = service.name.as_str();
    let mut opened = format!(r#"dict "root" $ "network" {}"#, value(&[name, "network"]));
    if port.protocol == Protocol::Metrics {
        opened.push_str(r#" "metrics" true"#);
    }
    if service.exposure.is_some_and(|Exposure { port: exposed_port, .. }| exposed_port.number == port.number) {
        opened += &[r#" "exposure" "#, &value(&[name, "exposure"])].concat();
    }
    TargetPort { number: port.number, opened: Some(opened) }
}

fn of_backing(one: &Backing) -> Target {
    let kind = one.kind();
    let mut ports = vec![TargetPort { number: kind.port(), opened: None }];
    if kind.administration_port() != kind.port() {
        ports.push(TargetPort { number: kind.administration_port(), opened: None });
    }
    let metrics = r#"dict "root" $ "metrics" true"#.to_owned();
    ports.extend(kind.metrics_port().map(|number| TargetPort { number, opened: Some(metrics) }));
    Target { name: one.name().as_str(), enabled: None, ports }
}

/// The service and the client that own the database in which a journey leaves something.
fn owner<'a>(end_to_end: &EndToEndTest, declared: &'a Platform) -> Option<(&'a Service, &'a Use)> {
    let database = end_to_end.leftovers?.database;
    let owns = |one: &&Use| matches!(one, Use::PostgreSql(client) if client.client.backing == database.server && client.database.database.name == database.name);
    declared.services.iter().find_map(|service| Some((service, service.uses.iter().find(owns)?)))
}

/// The paths that a journey needs, from its own identity.
pub(crate) fn end_to_end_paths(declared: &Platform) -> Vec<(&'static str, u16)> {
    let Some(end_to_end) = declared.tests.end_to_end else { return Vec::new() };
    let ends = [end_to_end.sent.endpoint, end_to_end.seen.endpoint].map(|end| (end.service.as_str(), end.port.number));
    let database =
        owner(&end_to_end, declared).and_then(|(_, one)| Some((one.client()?.backing.as_str(), one.kind()?.port())));
    let mut all: Vec<_> = ends.into_iter().chain(database).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The services that a journey needs: both ends, those in between, and whose database it leaves something in.
pub(crate) fn end_to_end_services(declared: &Platform) -> Vec<&'static str> {
    let Some(end_to_end) = declared.tests.end_to_end else { return Vec::new() };
    let ends = [end_to_end.sent.endpoint.service, end_to_end.seen.endpoint.service];
    let owner = owner(&end_to_end, declared).map(|(service, _)| service.name);
    let mut all: Vec<_> =
        end_to_end.through.iter().copied().chain(ends).chain(owner).map(ServiceName::as_str).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The services on the way, in its order.
fn way(end_to_end: &EndToEndTest) -> impl Iterator<Item = &'static str> {
    let ends = [end_to_end.sent.endpoint.service, end_to_end.seen.endpoint.service];
    let [first, last] = ends.map(ServiceName::as_str);
    std::iter::once(first).chain(end_to_end.through.iter().map(|service| service.as_str())).chain([last])
}

/// Whether the journey is to be followed, as an expression that stands alone in its action.
fn end_to_end_enabled(declared: &Platform) -> String {
    let services = end_to_end_services(declared).into_iter().map(|service| value(&[service, "enabled"]));
    let all: Vec<_> = std::iter::once(value(&["global", "tests", "endToEnd"])).chain(services).collect();
    format!("and {}", all.join(" "))
}

/// What the script is told about a journey.
fn instructions(declared: &Platform, end_to_end: &EndToEndTest, access: &Access) -> Instructions {
    let end = |endpoint: Endpoint, path: HttpPath| EndView {
        host: endpoint.service.as_str(),
        port: endpoint.port.number,
        path: go_string(path.as_str()),
    };
    let forget = owner(end_to_end, declared).zip(end_to_end.leftovers).map(|((service, one), leftovers)| {
        (go_string(&checks(service, one, access).concat()), go_string(leftovers.statement))
    });
    Instructions {
        enabled: end_to_end_enabled(declared),
        doc: go_string(end_to_end.doc),
        sent: end(end_to_end.sent.endpoint, end_to_end.sent.path),
        body: go_string(end_to_end.sent.body),
        seen: end(end_to_end.seen.endpoint, end_to_end.seen.path),
        through: way(end_to_end).map(go_string).collect::<Vec<_>>().join(" "),
        within_seconds: end_to_end.within_seconds,
        forget,
    }
}

fn end_to_end_job<'a>(c: &'a Context<'a>, end_to_end: &EndToEndTest, access: &Access) -> EndToEndJob<'a> {
    let declared = c.platform.platform();
    let leftovers = owner(end_to_end, declared).map(|(service, one)| LeftoversView {
        owner: service.name.as_str(),
        env: named(&checks(service, one, access), &environment(c, service)),
        keys: keys(service, one, access),
    });
    let ends = by_peer(end_to_end_paths(declared).into_iter());
    let (source, doc, enabled) = (end_to_end.location.file(), inert(end_to_end.doc), end_to_end_enabled(declared));
    EndToEndJob { c, source, doc, enabled, leftovers, ends }
}

#[derive(Template)]
#[template(path = "umbrella/templates/connections.yaml")]
struct Connections<'a> {
    c: &'a Context<'a>,
}

#[derive(Template)]
#[template(path = "umbrella/templates/tests/_helpers.tpl")]
struct Helpers<'a> {
    c: &'a Context<'a>,
    pod_security: String,
    container_security: String,
    helper_resources: String,
}

#[derive(Template)]
#[template(path = "umbrella/templates/tests/scripts.yaml")]
struct Scripts<'a> {
    c: &'a Context<'a>,
    files: Vec<&'static str>,
    targets: Vec<Target>,
    end_to_end: Option<Instructions>,
}

/// The ports of a chart.
struct Target {
    name: &'static str,
    /// Whether it is installed; none when it always is.
    enabled: Option<String>,
    ports: Vec<TargetPort>,
}

struct TargetPort {
    number: u16,
    /// What tells whether the values let others in; none when they cannot.
    opened: Option<String>,
}

/// What the script is told about a journey; texts as string literals of a template.
struct Instructions {
    enabled: String,
    doc: String,
    sent: EndView,
    body: String,
    seen: EndView,
    through: String,
    within_seconds: u16,
    /// The argument that names server and login, and the statement.
    forget: Option<(String, String)>,
}

struct EndView {
    host: &'static str,
    port: u16,
    path: String,
}

#[derive(Template)]
#[template(path = "umbrella/templates/tests/test-network-policies.yaml")]
struct NetworkPolicyJob<'a> {
    c: &'a Context<'a>,
}

#[derive(Template)]
#[template(path = "umbrella/templates/tests/test-end-to-end.yaml")]
struct EndToEndJob<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    doc: String,
    enabled: String,
    leftovers: Option<LeftoversView>,
    ends: Vec<(&'static str, Vec<u16>)>,
}

/// As whom, and where, a journey removes what it left.
struct LeftoversView {
    owner: &'static str,
    env: Vec<Variable>,
    keys: Vec<String>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/tests/test-connection.yaml")]
struct ConnectionJob<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
    arguments: String,
    env: Vec<Variable>,
    /// The keys of its Secret that are logins; others are none of a test's business.
    keys: Vec<String>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/tests/test-isolation.yaml")]
struct IsolationJob<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
    /// Whether it may connect to the Kubernetes API server.
    api: bool,
    may: Vec<(&'static str, u16)>,
}
