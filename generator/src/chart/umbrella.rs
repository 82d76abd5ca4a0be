//! The umbrella chart: what belongs to no single service.

use askama::Template;
use vocabulary::{DefaultTag, Scaling};

use crate::access::{Access, End};
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
            source: declared.location.file(),
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
    let credentials = credentials(c, access);
    files.umbrella(
        "templates/checks.yaml",
        &Checks {
            c,
            longest_release_name: declared.longest_release_name,
            images: images(c),
            calls: calls(access),
            routes: routes(c),
            autoscaled: autoscaled(c),
            credentials: &credentials,
        },
    );
    if !credentials.is_empty() {
        files.umbrella("templates/credentials.yaml", &Source { c, credentials: &credentials });
    }
    if !declared.backing.is_empty() {
        files.text("files/common.sh", COMMON_SCRIPT.to_owned());
    }
    let exposed_ports = declared.services.iter().filter_map(|service| {
        let name = service.name.as_str();
        let port = service.exposure?.port.number;
        Some(ExposedPort {
            service: name,
            enabled: value(&[name, "enabled"]),
            via: value(&[name, "exposure", "via"]),
            port,
        })
    });
    files.umbrella("templates/NOTES.txt", &Notes { c, exposed_ports: exposed_ports.collect() });
}

fn images(c: &Context) -> Vec<Image> {
    let view = |of: crate::images::ImageOf| Image {
        name: of.name(),
        enabled: of.enabled(),
        tag: value(&of.path("tag")),
        digest: value(&of.path("digest")),
        default: match of.image.tag {
            DefaultTag::Fixed(tag) => format!("Leave the tag out for the default, {tag}, or name another"),
            DefaultTag::Absent(why) => format!("There is no default ({}). Name one", in_go_string(why)),
        },
    };
    crate::images::all(c.platform.platform()).map(view).collect()
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

fn credentials(c: &Context, access: &Access) -> Vec<Credential> {
    let view = |one: &crate::credentials::Credential| {
        let (at, section) = (one.at, one.at.section());
        Credential {
            path: at.text().join("."),
            whose: at.owner.to_owned(),
            key: format!("{}.{}.r{{{{ int {}.revision }}}}", at.owner, at.key, value(&section)),
            remote_key: value(&[section.as_slice(), &["remoteRef", "key"]].concat()),
            remote_path: format!("{}.remoteRef.key", section.join(".")),
            enabled: one.enabled(),
            value: value(&at.text()),
            doc: in_go_string(one.doc),
        }
    };
    crate::credentials::all(c, access).iter().map(view).collect()
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
    images: Vec<Image>,
    calls: Vec<Call>,
    routes: Vec<Route>,
    autoscaled: Vec<Scaled>,
    credentials: &'a [Credential],
}

struct Image {
    /// Where it lies in the values.
    name: String,
    /// Whether its chart is installed; none when it always is.
    enabled: Option<String>,
    tag: String,
    digest: String,
    /// What there is of a default, and what to do about it.
    default: String,
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
    whose: String,
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
    credentials: &'a [Credential],
}

#[derive(Template)]
#[template(path = "umbrella/templates/NOTES.txt")]
struct Notes<'a> {
    c: &'a Context<'a>,
    exposed_ports: Vec<ExposedPort>,
}

struct ExposedPort {
    service: &'static str,
    enabled: String,
    via: String,
    port: u16,
}
