//! The umbrella chart: what belongs to no single service.

use askama::Template;
use vocabulary::Scaling;

use crate::access::{Access, End};
use crate::backing::administrator;
use crate::context::Context;
use crate::files::Files;
use crate::text::{scalar, value};

/// What the scripts of all kinds of servers have in common.
const COMMON_SCRIPT: &str = include_str!("../../templates/umbrella/files/common.sh");

pub(super) fn files(c: &Context, access: &Access, files: &mut Files) {
    let declared = c.platform.platform();
    let services = declared.services.iter().map(|s| ChartRef { name: s.name.to_string(), is_service: true });
    let backing = declared.backing.iter().map(|b| ChartRef { name: b.name().to_string(), is_service: false });
    files.umbrella(
        "Chart.yaml",
        &ChartYaml {
            c,
            source: declared.place.file(),
            doc: scalar(declared.doc),
            version: declared.version.as_str(),
            home: scalar(declared.home),
            charts: services.chain(backing).collect(),
        },
    );
    files.umbrella(".helmignore", &HelmIgnore);
    files.umbrella(
        "templates/_helpers.tpl",
        &Helpers {
            c,
            backing: declared.backing.iter().map(|b| b.name().as_str()).collect(),
            libpq: access.logins.iter().any(|login| login.variables.is_some_and(|v| v.password.libpq_value)),
        },
    );
    files.umbrella(
        "templates/checks.yaml",
        &Checks {
            c,
            longest_release_name: declared.longest_release_name,
            calls: calls(access),
            routes: routes(c),
            autoscaled: autoscaled(c),
            credentials: credentials(c, access),
        },
    );
    let all = credentials(c, access);
    if !all.is_empty() {
        files.umbrella("templates/credentials.yaml", &Source { c, credentials: all });
    }
    if !declared.backing.is_empty() {
        files.text("files/common.sh", COMMON_SCRIPT.to_owned());
    }
    let doors = declared.services.iter().filter_map(|service| {
        let name = service.name.as_str();
        let port = service.exposure?.port.number;
        Some(Door { service: name, enabled: value(&[name, "enabled"]), via: value(&[name, "exposure", "via"]), port })
    });
    files.umbrella("templates/NOTES.txt", &Notes { c, doors: doors.collect() });
}

fn calls(access: &Access) -> Vec<Call> {
    let call = |from: &'static str, to: &'static str| Call {
        caller: from,
        callee: to,
        caller_enabled: value(&[from, "enabled"]),
        callee_enabled: value(&[to, "enabled"]),
    };
    let paths = access.paths.iter().filter_map(|path| match path.to {
        End::Service(to) => Some(call(path.from.as_str(), to.as_str())),
        End::Backing(_) => None,
    });
    paths.collect()
}

fn routes(c: &Context) -> Vec<Route> {
    let exposed = c.platform.platform().services.iter().filter(|service| service.exposure.is_some());
    let route = exposed.map(|service| {
        let name = service.name.as_str();
        Route {
            service: name,
            enabled: value(&[name, "enabled"]),
            via: value(&[name, "exposure", "via"]),
            host: value(&[name, "exposure", "host"]),
            gateway: value(&[name, "exposure", "httpRoute", "gateway"]),
            tls: value(&[name, "exposure", "ingress", "tlsSecretName"]),
        }
    });
    route.collect()
}

fn autoscaled(c: &Context) -> Vec<Scaled> {
    let scaled = c.platform.platform().services.iter().filter(|service| service.scaling != Scaling::Fixed);
    scaled.map(|service| Scaled { service: service.name.as_str(), values: value(&[service.name.as_str()]) }).collect()
}

/// Every credential, of a service that may be switched off or of a server.
fn credentials(c: &Context, access: &Access) -> Vec<Credential> {
    let declared = c.platform.platform();
    let of_services = declared.services.iter().flat_map(|service| {
        let (name, enabled) = (service.name.as_str(), value(&[service.name.as_str(), "enabled"]));
        access.credentials_of(service.name).map(move |credential| {
            let path: Vec<_> = [name].into_iter().chain(credential.path()).collect();
            Credential {
                path: path.join("."),
                whose: name,
                key: key(name, &credential.key, &value(&credential.section())),
                remote_key: remote_key(&credential.section()),
                remote_path: format!("{}.remoteRef.key", credential.section().join(".")),
                enabled: Some(enabled.clone()),
                value: value(&path),
                doc: in_go_string(&credential.doc),
            }
        })
    });
    let of_backing = declared.backing.iter().map(|one| {
        let (name, administrator) = (one.name().as_str(), administrator(one.kind()));
        let path = administrator.path(name);
        Credential {
            path: path.join("."),
            whose: name,
            key: key(name, administrator.key, &value(&administrator.section(name))),
            remote_key: remote_key(&administrator.section(name)),
            remote_path: format!("{}.remoteRef.key", administrator.section(name).join(".")),
            enabled: None,
            value: value(&path),
            doc: in_go_string(administrator.doc),
        }
    });
    of_services.chain(of_backing).collect()
}

fn remote_key(section: &[&str]) -> String {
    value(&[section, &["remoteRef", "key"]].concat())
}

/// Its key in the Secret that External Secrets reads, where that is the chart's own.
fn key(chart: &str, credential: &str, section: &str) -> String {
    format!("{chart}.{credential}.r{{{{ int {section}.revision }}}}")
}

/// Text for the inside of a string literal of a template.
fn in_go_string(text: &str) -> String {
    let literal = crate::text::go_string(text);
    literal.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
}

#[derive(Template)]
#[template(path = "umbrella/Chart.yaml")]
struct ChartYaml<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    doc: String,
    version: &'a str,
    home: String,
    charts: Vec<ChartRef>,
}

struct ChartRef {
    name: String,
    is_service: bool,
}

#[derive(Template)]
#[template(path = "umbrella/helmignore.txt")]
struct HelmIgnore;

#[derive(Template)]
#[template(path = "umbrella/templates/_helpers.tpl")]
struct Helpers<'a> {
    c: &'a Context<'a>,
    backing: Vec<&'static str>,
    libpq: bool,
}

#[derive(Template)]
#[template(path = "umbrella/templates/checks.yaml")]
struct Checks<'a> {
    c: &'a Context<'a>,
    longest_release_name: u8,
    calls: Vec<Call>,
    routes: Vec<Route>,
    autoscaled: Vec<Scaled>,
    credentials: Vec<Credential>,
}

struct Scaled {
    service: &'static str,
    values: String,
}

struct Call {
    caller: &'static str,
    callee: &'static str,
    caller_enabled: String,
    callee_enabled: String,
}

struct Route {
    service: &'static str,
    enabled: String,
    via: String,
    host: String,
    gateway: String,
    tls: String,
}

struct Credential {
    path: String,
    /// The chart that has it.
    whose: &'static str,
    key: String,
    /// Where it lies in a store, and the path of that value.
    remote_key: String,
    remote_path: String,
    /// Whether that is installed; none when it always is.
    enabled: Option<String>,
    value: String,
    doc: String,
}

/// What External Secrets reads, where the chart is its own source.
#[derive(Template)]
#[template(path = "umbrella/templates/credentials.yaml")]
struct Source<'a> {
    c: &'a Context<'a>,
    credentials: Vec<Credential>,
}

#[derive(Template)]
#[template(path = "umbrella/templates/NOTES.txt")]
struct Notes<'a> {
    c: &'a Context<'a>,
    doors: Vec<Door>,
}

struct Door {
    service: &'static str,
    enabled: String,
    via: String,
    port: u16,
}
