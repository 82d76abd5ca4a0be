//! RabbitMQ: a StatefulSet that reads users, permissions and queues from a definitions file at its boot.

use askama::Template;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use vocabulary::{AmqpClient, Kind, QueueUse, RabbitMq};

use super::{Administrator, Given, GivenValue, Pod, basics};
use crate::access::{Access, Rights};
use crate::context::Context;
use crate::files::Files;
use crate::pods::tcp;
use crate::text::{template_scalar, value};

const MANAGEMENT: u16 = 15672;

const CONFIGURATION: &str = include_str!("../../templates/umbrella/charts/rabbitmq/files/rabbitmq.conf");

pub(super) const ADMINISTRATOR: Administrator = Administrator {
    key: "administrator",
    doc: "The password of `administrator`, who alone may use the management interface.",
};

pub(super) fn given(client: &AmqpClient) -> Vec<Given> {
    let env = client.env;
    let mut all = vec![
        Given { name: env.host.as_str(), value: GivenValue::Host },
        Given { name: env.port.as_str(), value: GivenValue::Port },
    ];
    for queue_use in client.queues {
        let (QueueUse::Consumes { variable, .. } | QueueUse::Publishes { variable, .. }) = queue_use;
        if let QueueUse::Publishes { exchange: Some((exchange, variable)), .. } = queue_use {
            all.push(Given { name: variable.as_str(), value: GivenValue::Text(exchange.name.as_str()) });
        }
        let queue = queue_use.queue().name.as_str();
        all.push(Given { name: variable.as_str(), value: GivenValue::Text(queue) });
    }
    all
}

pub(super) fn files(context: &Context, broker: &RabbitMq, access: &Access, files: &mut Files) {
    let name = broker.name.as_str();
    let source = broker.place.file();
    let doc = "RabbitMQ, with a user of its own for each service.";
    basics(context, name, doc, source, files);
    files.subchart(name, "templates/configmap.yaml", &ConfigMap { c: context });
    files.text(format!("charts/{name}/files/rabbitmq.conf"), CONFIGURATION.to_owned());
    files.subchart(
        name,
        "templates/service.yaml",
        &Services {
            c: context,
            amqp: Kind::RabbitMq.port(),
            management: MANAGEMENT,
            metrics: Kind::RabbitMq.metrics_port().unwrap_or_default(),
        },
    );
    files.subchart(
        name,
        "templates/statefulset.yaml",
        &StatefulSet {
            c: context,
            amqp: Kind::RabbitMq.port(),
            management: MANAGEMENT,
            metrics: Kind::RabbitMq.metrics_port().unwrap_or_default(),
            // The listener opens when the definitions are loaded. A probe with the broker's own tools starts an Erlang machine each time, which
            // costs more processor time than a small broker's work.
            pod: Pod::asked(&tcp(IntOrString::String("amqp".into())), 60, 3),
        },
    );
    let users = access.logins_at(broker.name).filter_map(|login| match &login.rights {
        Rights::Amqp { configure, write, read, .. } => Some(User {
            enabled: login.enabled(),
            password: login.password(),
            name: template_scalar(&login.user),
            configure: template_scalar(configure),
            write: template_scalar(write),
            read: template_scalar(read),
        }),
        Rights::Sql { .. } | Rights::Valkey { .. } => None,
    });
    let exchanges = context.platform.exchanges(broker.name);
    let bindings = exchanges.iter().flat_map(|(exchange, queues)| {
        queues.iter().map(|queue| (template_scalar(exchange.name.as_str()), template_scalar(queue.name.as_str())))
    });
    files.umbrella(
        format!("templates/{name}-definitions.yaml"),
        &Definitions {
            c: context,
            name,
            admin: value(&ADMINISTRATOR.path(name)),
            users: users.collect(),
            queues: context.platform.queues(broker.name).iter().map(|q| template_scalar(q.name.as_str())).collect(),
            exchanges: exchanges.iter().map(|(e, _)| template_scalar(e.name.as_str())).collect(),
            bindings: bindings.collect(),
        },
    );
}

#[derive(Template)]
#[template(path = "umbrella/charts/rabbitmq/templates/configmap.yaml")]
struct ConfigMap<'a> {
    c: &'a Context<'a>,
}

#[derive(Template)]
#[template(path = "umbrella/charts/rabbitmq/templates/service.yaml")]
struct Services<'a> {
    c: &'a Context<'a>,
    amqp: u16,
    management: u16,
    metrics: u16,
}

#[derive(Template)]
#[template(path = "umbrella/charts/rabbitmq/templates/statefulset.yaml")]
struct StatefulSet<'a> {
    c: &'a Context<'a>,
    amqp: u16,
    management: u16,
    metrics: u16,
    pod: Pod,
}

#[derive(Template)]
#[template(path = "umbrella/templates/rabbitmq-definitions.yaml")]
struct Definitions<'a> {
    c: &'a Context<'a>,
    name: &'a str,
    admin: String,
    users: Vec<User>,
    queues: Vec<String>,
    exchanges: Vec<String>,
    bindings: Vec<(String, String)>,
}

struct User {
    enabled: String,
    password: String,
    name: String,
    configure: String,
    write: String,
    read: String,
}
