//! A service's chart: exactly the files that the service needs.

use askama::Template;
use k8s_openapi::api::rbac::v1::PolicyRule;
use vocabulary::{Health, Kind, Reconnects, Scaling, Service, Setting, Use, VariableSource};

use crate::access::Access;
use crate::backing::{self, GivenValue};
use crate::context::{Context, chart_yaml, service_account};
use crate::files::Files;
use crate::pods::{CONNECTIONS_FOLDER, Probes, connection_command, container_security, pod_security, probes};
use crate::text::{scalar, template_scalar, value, variable_value};
use crate::values::credential_key;
use crate::yaml::template_block;

const CONNECTIONS_SCRIPT: &str = include_str!("../../templates/umbrella/charts/service/files/connections.py");

pub(super) fn files(c: &Context, service: &Service, access: &Access, files: &mut Files) {
    let name = service.name.as_str();
    let source = c.source(service.place);
    let secret = secret_entries(c, service, access);
    files.subchart(name, "Chart.yaml", &chart_yaml(c, name, service.doc, source));
    files.subchart(name, "templates/serviceaccount.yaml", &service_account(c, source));
    files.subchart(name, "templates/deployment.yaml", &deployment(c, service, access, !secret.is_empty()));
    if !secret.is_empty() {
        files.subchart(name, "templates/secret.yaml", &Secret { c, source, name, entries: secret });
    }
    if !service.ports.is_empty() {
        let exposed = service.exposure.map(|e| e.port.name.to_string());
        files.subchart(
            name,
            "templates/service.yaml",
            &ServiceView { c, source, name, ports: ports(service), exposed },
        );
    }
    if matches!(service.health, Health::Connections(_)) {
        let reasons = service.uses.iter().filter_map(|one| match one.client()?.reconnects {
            Reconnects::Never(reason) => Some(reason),
            Reconnects::ByItself => None,
        });
        let reasons = reasons.map(crate::text::inert).collect();
        files.subchart(name, "templates/configmap.yaml", &ConfigMap { c, source, name, reasons });
        files.text(format!("charts/{name}/files/connections.py"), CONNECTIONS_SCRIPT.to_owned());
    }
    if !service.kubernetes.is_empty() {
        files.subchart(name, "templates/role.yaml", &Role { c, source, name, rules: rules(service) });
    }
    if service.scaling != Scaling::Fixed {
        files.subchart(name, "templates/horizontalpodautoscaler.yaml", &Autoscaler { c, source, name });
        files.subchart(name, "templates/poddisruptionbudget.yaml", &Budget { c, source, name });
    }
    if let Some(exposure) = service.exposure {
        let (port, number) = (exposure.port.name.as_str(), exposure.port.number);
        files.subchart(name, "templates/ingress.yaml", &Ingress { c, source, name, port });
        files.subchart(name, "templates/httproute.yaml", &HttpRoute { c, source, name, number });
    }
}

fn deployment<'a>(c: &'a Context<'a>, service: &'a Service, access: &Access, has_secret: bool) -> Deployment<'a> {
    let by_connections = matches!(service.health, Health::Connections(_));
    let watched = connections(service, access, |reconnects| matches!(reconnects, Reconnects::Never(_)));
    let writable = service.writable.iter().map(|folder| Folder {
        volume: volume(folder.path.as_str()),
        path: folder.path.as_str(),
        size: folder.size.as_str(),
    });
    Deployment {
        c,
        source: c.source(service.place),
        name: service.name.as_str(),
        autoscaled: service.scaling != Scaling::Fixed,
        has_secret,
        token: !service.kubernetes.is_empty(),
        pod_security: pod_security(service.user, !service.writable.is_empty()),
        container_security: container_security(),
        wait: by_connections.then(|| wait(&watched, environment(c, service))),
        by_connections,
        connections_folder: CONNECTIONS_FOLDER,
        ports: ports(service),
        env: environment(c, service),
        probes: probes(service, &watched),
        writable: writable.collect(),
    }
}

/// What waits for these connections: with those variables alone that their arguments name.
fn wait(connections: &[String], environment: Vec<Variable>) -> Wait {
    let named = |name: &str| connections.iter().any(|c| c.split(['=', ',']).any(|part| part == name));
    let env = environment.into_iter().filter(|variable| named(variable.name)).collect();
    Wait { command: template_block(&connection_command("wait", connections)), env }
}

/// The arguments that name the service's connections to the script.
fn connections(service: &Service, access: &Access, wanted: impl Fn(Reconnects) -> bool) -> Vec<String> {
    let clients = service.uses.iter().filter_map(|one| Some((one, one.client()?, one.kind()?)));
    let argument = clients.filter(|(_, client, _)| wanted(client.reconnects)).map(|(one, client, kind)| {
        let given = backing::given(one);
        let address = given.iter().filter(|g| !matches!(g.value, GivenValue::Text(_))).map(|g| g.name);
        let mut names: Vec<&str> = address.collect();
        let mut scheme = backing::scheme(kind).to_owned();
        let login = access.passwords_of(service.name).find(|(login, _)| login.backing == client.backing);
        if let Some((_, variables)) = login {
            names.extend([variables.user.as_str(), variables.password.name.as_str()]);
            if variables.password.libpq_value {
                scheme.push_str("+libpq");
            }
            if let Use::Sql(sql) = one {
                names.push(sql.database.variable.as_str());
            }
        }
        format!("{scheme}={}", names.join(","))
    });
    argument.collect()
}

fn environment(c: &Context, service: &Service) -> Vec<Variable> {
    let used = service.uses.iter().flat_map(|one| {
        backing::given(one).into_iter().map(move |given| Variable {
            name: given.name,
            value: match (given.value, one) {
                (GivenValue::Host, Use::Call(call)) => format!("{{{{ .Release.Name }}}}-{}", call.endpoint.service),
                (GivenValue::Host, _) => {
                    let backing = one.client().map(|client| client.backing.as_str()).unwrap_or_default();
                    format!(r#"{{{{ include "{}.{backing}.host" . }}}}"#, c.name)
                }
                (GivenValue::Port, Use::Call(call)) => scalar(&call.endpoint.port.number.to_string()),
                (GivenValue::Port, _) => {
                    let port = one.kind().map(Kind::port).unwrap_or_default();
                    scalar(&port.to_string())
                }
                (GivenValue::Text(text), _) => template_scalar(text),
            },
        })
    });
    let own = service.environment.iter().filter_map(|variable| {
        let key = variable.name.camel_case();
        let value = match variable.source {
            VariableSource::Fixed(text) => template_scalar(&variable_value(text)),
            VariableSource::Port(port) => scalar(&port.number.to_string()),
            VariableSource::Setting(Setting::Integer { .. }) => {
                format!("{{{{ .Values.settings.{key} | int64 | quote }}}}")
            }
            // The kubelet would replace `$(NAME)`: a doubled dollar sign arrives as one.
            VariableSource::Setting(Setting::Text { .. } | Setting::Choice { .. }) => {
                format!(r#"{{{{ .Values.settings.{key} | replace "$" "$$" | quote }}}}"#)
            }
            VariableSource::Secret(_) => return None,
        };
        Some(Variable { name: variable.name.as_str(), value })
    });
    used.chain(own).collect()
}

/// What the service's Secret holds: its logins and its own secrets.
fn secret_entries(c: &Context, service: &Service, access: &Access) -> Vec<Variable> {
    let logins = access.passwords_of(service.name).flat_map(|(login, variables)| {
        let password = value(&["credentials", login.backing.as_str(), "password"]);
        let password = if variables.password.libpq_value {
            format!(r#"{{{{ include "{}.libpqValue" {password} | quote }}}}"#, c.name)
        } else {
            format!("{{{{ {password} | quote }}}}")
        };
        [
            Variable { name: variables.user.as_str(), value: template_scalar(&login.user) },
            Variable { name: variables.password.name.as_str(), value: password },
        ]
    });
    let own = service.environment.iter().filter_map(|variable| match variable.source {
        VariableSource::Secret(_) => {
            let secret = value(&["credentials", &credential_key(variable.name), "value"]);
            Some(Variable { name: variable.name.as_str(), value: format!("{{{{ {secret} | quote }}}}") })
        }
        VariableSource::Fixed(_) | VariableSource::Port(_) | VariableSource::Setting(_) => None,
    });
    logins.chain(own).collect()
}

fn rules(service: &Service) -> Vec<Rule> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let rules = service.kubernetes.iter().map(|rule| Rule {
        reason: crate::text::inert(rule.reason),
        rule: template_block(&PolicyRule {
            api_groups: Some(vec![rule.group.to_owned()]),
            resources: Some(owned(rule.resources)),
            verbs: owned(rule.verbs),
            resource_names: (!rule.names.is_empty()).then(|| owned(rule.names)),
            non_resource_urls: None,
        }),
    });
    rules.collect()
}

fn ports(service: &Service) -> Vec<PortView> {
    service.ports.iter().map(|port| PortView { name: port.name.to_string(), number: port.number }).collect()
}

/// The name of the volume of a writable folder: a DNS label made of its path.
fn volume(path: &str) -> String {
    let words: String =
        path.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    words.trim_matches('-').to_owned()
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/deployment.yaml")]
struct Deployment<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
    autoscaled: bool,
    has_secret: bool,
    token: bool,
    pod_security: String,
    container_security: String,
    wait: Option<Wait>,
    by_connections: bool,
    connections_folder: &'a str,
    ports: Vec<PortView>,
    env: Vec<Variable>,
    probes: Probes,
    writable: Vec<Folder<'a>>,
}

/// The init container that waits for logins.
struct Wait {
    command: String,
    env: Vec<Variable>,
}

struct Variable {
    name: &'static str,
    value: String,
}

struct PortView {
    name: String,
    number: u16,
}

struct Folder<'a> {
    volume: String,
    path: &'a str,
    size: &'a str,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/service.yaml")]
struct ServiceView<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
    ports: Vec<PortView>,
    exposed: Option<String>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/secret.yaml")]
struct Secret<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
    entries: Vec<Variable>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/configmap.yaml")]
struct ConfigMap<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
    reasons: Vec<String>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/role.yaml")]
struct Role<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
    rules: Vec<Rule>,
}

struct Rule {
    reason: String,
    rule: String,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/horizontalpodautoscaler.yaml")]
struct Autoscaler<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/poddisruptionbudget.yaml")]
struct Budget<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/ingress.yaml")]
struct Ingress<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
    port: &'a str,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/httproute.yaml")]
struct HttpRoute<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
    number: u16,
}
