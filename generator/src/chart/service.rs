//! A service's chart: exactly the files that the service needs.

use askama::Template;
use k8s_openapi::api::rbac::v1::PolicyRule;
use vocabulary::{Health, Reconnects, Scaling, Service, Setting, Use, VariableName, VariableSource};

use super::secret;
use crate::access::{self, Access, End};
use crate::backing::{self, EnvValue};
use crate::context::{Context, chart_yaml, service_account};
use crate::files::Files;
use crate::pods::{Probes, connection_command, container_security, pod_security, probes};
use crate::text::{inert, scalar, template_scalar, variable_value};
use crate::yaml::template_block;

pub(super) fn files(c: &Context, service: &Service, access: &Access, files: &mut Files) {
    let name = service.name.as_str();
    let source = service.location.file();
    let has_secret = access.credentials_of(service.name).next().is_some();
    files.subchart(name, "Chart.yaml", &chart_yaml(c, name, service.doc, source));
    files.subchart(name, "templates/serviceaccount.yaml", &service_account(c, source));
    files.subchart(name, "templates/deployment.yaml", &deployment(c, service, access, has_secret));
    files.subchart(name, "templates/role.yaml", &Role { c, source, name, rules: rules(service) });
    if has_secret {
        secret::files(c, service, access, files);
    }
    if !service.ports.is_empty() {
        let exposed = service.exposure.map(|e| PortView { name: scalar(e.port.name.as_str()), number: e.port.number });
        files.subchart(
            name,
            "templates/service.yaml",
            &ServiceView { c, source, name, ports: ports(service), exposed },
        );
    }
    if service.scaling != Scaling::Fixed {
        files.subchart(name, "templates/horizontalpodautoscaler.yaml", &Autoscaler { c, source, name });
        files.subchart(name, "templates/poddisruptionbudget.yaml", &Budget { c, source, name });
    }
    if let Some(exposure) = service.exposure {
        let (port, number) = (scalar(exposure.port.name.as_str()), exposure.port.number);
        files.subchart(name, "templates/ingress.yaml", &Ingress { c, source, name, port });
        files.subchart(name, "templates/httproute.yaml", &HttpRoute { c, source, name, number });
    }
}

fn deployment<'a>(c: &'a Context<'a>, service: &'a Service, access: &Access, has_secret: bool) -> Deployment<'a> {
    let by_connections = matches!(service.health, Health::Connections(_));
    let watched = connections(service, access);
    let env = environment(c, service);
    let writable = service.writable.iter().map(|folder| Folder {
        volume: scalar(&folder.volume()),
        path: folder.path.as_str(),
        size: folder.size.as_str(),
    });
    Deployment {
        c,
        source: service.location.file(),
        name: service.name.as_str(),
        autoscaled: service.scaling != Scaling::Fixed,
        has_secret,
        token: !service.kubernetes.is_empty(),
        pod_security: pod_security(service.run_as_user, !service.writable.is_empty()),
        container_security: container_security(),
        wait: by_connections.then(|| wait(service, &watched, &env)),
        by_connections,
        connections_folder: Health::CONNECTIONS_FOLDER,
        ports: ports(service),
        env,
        probes: probes(service, &watched),
        writable: writable.collect(),
    }
}

/// What waits for these connections: with those variables alone that their arguments name.
fn wait(service: &Service, connections: &[String], environment: &[Variable]) -> Wait {
    let reasons = service.uses.iter().filter_map(|one| match one.client()?.reconnects {
        Reconnects::Never(reason) => Some(Reason { server: one.client()?.backing.as_str(), text: inert(reason) }),
        Reconnects::ByItself => None,
    });
    let command = template_block(&connection_command("wait", connections));
    Wait { command, env: named(connections, environment), reasons: reasons.collect() }
}

/// Those of the variables that these arguments name.
pub(super) fn named(arguments: &[String], environment: &[Variable]) -> Vec<Variable> {
    let named: Vec<String> = arguments.iter().flat_map(|argument| argument.split(['=', ',']).map(scalar)).collect();
    environment.iter().filter(|variable| named.contains(&variable.name)).cloned().collect()
}

/// The arguments that name the service's connections to the script: those that it never opens again, and others on their ports.
fn connections(service: &Service, access: &Access) -> Vec<String> {
    let clients = || service.uses.iter().filter_map(|one| Some((one, one.client()?, one.kind()?)));
    let watched = || clients().filter(|(_, client, _)| client.reconnects != Reconnects::ByItself);
    let others = clients().filter(|(_, client, kind)| {
        client.reconnects == Reconnects::ByItself && watched().any(|(_, _, other)| other.port() == kind.port())
    });
    let address = |one: &Use| -> Vec<&'static str> {
        let env_bindings = backing::env_bindings(one).into_iter().filter(|g| !matches!(g.value, EnvValue::Text(_)));
        env_bindings.map(|env_bindings| env_bindings.name).collect()
    };
    let others = others.map(|(one, ..)| format!("other={}", address(one).join(",")));
    let argument = watched().map(|(one, client, kind)| {
        let mut names = address(one);
        let mut scheme = backing::scheme(kind).to_owned();
        let key = client.backing.as_str();
        let credential = access.credentials_of(service.name).find(|c| c.user.is_some() && c.key == key);
        if let Some(credential) = credential {
            names.extend(credential.user.map(VariableName::as_str));
            names.push(credential.variable.name.as_str());
            if credential.variable.libpq_value {
                scheme.push_str("+libpq");
            }
            if let Use::PostgreSql(sql) = one {
                names.push(sql.database.variable.as_str());
            }
        }
        format!("{scheme}={}", names.join(","))
    });
    argument.chain(others).collect()
}

/// The variables that it gets, without its credentials, as they are written in a template of its chart.
pub(super) fn environment(c: &Context, service: &Service) -> Vec<Variable> {
    let used = service.uses.iter().flat_map(|one| {
        backing::env_bindings(one).into_iter().map(move |env_bindings| Variable {
            name: scalar(env_bindings.name),
            value: match env_bindings.value {
                EnvValue::Host => match access::end(one) {
                    End::Service(service) => format!("{{{{ .Release.Name }}}}-{service}"),
                    End::Backing(backing) => format!(r#"{{{{ include "{}.{backing}.host" . }}}}"#, c.name),
                },
                EnvValue::Port => scalar(&access::port(one).to_string()),
                EnvValue::Text(text) => template_scalar(text),
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
        Some(Variable { name: scalar(variable.name.as_str()), value })
    });
    used.chain(own).collect()
}

fn rules(service: &Service) -> Vec<Rule> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let rules = service.kubernetes.iter().map(|rule| Rule {
        reason: inert(rule.reason),
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
    service.ports.iter().map(|port| PortView { name: scalar(port.name.as_str()), number: port.number }).collect()
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
    reasons: Vec<Reason>,
}

/// A variable of a container, as it is written.
#[derive(Clone)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
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
    exposed: Option<PortView>,
}

/// How it is known that a connection is never opened again.
struct Reason {
    server: &'static str,
    text: String,
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
    port: String,
}

#[derive(Template)]
#[template(path = "umbrella/charts/service/templates/httproute.yaml")]
struct HttpRoute<'a> {
    c: &'a Context<'a>,
    source: &'a str,
    name: &'a str,
    number: u16,
}
