//! RabbitMQ: a StatefulSet whose broker is given users, permissions and queues at its first boot, and by Jobs from then on.

use askama::Template;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use vocabulary::{AmqpClient, Kind, Queue, QueueUse, RabbitMq};

use super::{
    Administrator, AdministratorView, EnvBinding, EnvValue, LoginView, Pod, administrator_view, basics, login_views,
};
use crate::access::{Access, Rights, exactly};
use crate::context::Context;
use crate::files::Files;
use crate::pods::tcp;
use crate::text::template_scalar;

const SCRIPT: &str = include_str!("../../templates/umbrella/charts/rabbitmq/files/provisioning.sh");

const CONFIGURATION: &str = include_str!("../../templates/umbrella/charts/rabbitmq/files/rabbitmq.conf");

pub(super) const ADMINISTRATOR: Administrator = Administrator {
    key: "administrator",
    login: "administrator",
    doc: "The password of `administrator`, who alone may use the management interface.",
};

pub(super) fn env_bindings(client: &AmqpClient) -> Vec<EnvBinding> {
    let env = client.env;
    let mut all = vec![
        EnvBinding { name: env.host.as_str(), value: EnvValue::Host },
        EnvBinding { name: env.port.as_str(), value: EnvValue::Port },
    ];
    for queue_use in client.queues {
        let (QueueUse::Consumes { variable, .. } | QueueUse::Publishes { variable, .. }) = queue_use;
        if let QueueUse::Publishes { exchange: Some((exchange, variable)), .. } = queue_use {
            all.push(EnvBinding { name: variable.as_str(), value: EnvValue::Text(exchange.name.as_str()) });
        }
        let queue = queue_use.queue().name.as_str();
        all.push(EnvBinding { name: variable.as_str(), value: EnvValue::Text(queue) });
    }
    all
}

pub(super) fn checks(client: &AmqpClient, server: &[&str]) -> Vec<String> {
    let server = server.join(",");
    let check = |queue_use: &QueueUse| match queue_use {
        QueueUse::Consumes { variable, .. } => format!("consume={server},{variable}"),
        QueueUse::Publishes { variable, exchange: None, .. } => format!("publish={server},{variable}"),
        QueueUse::Publishes { variable, exchange: Some((_, exchange)), .. } => {
            format!("publish={server},{variable},{exchange}")
        }
    };
    client.queues.iter().map(check).collect()
}

pub(super) fn files(context: &Context, broker: &RabbitMq, access: &Access, files: &mut Files) {
    let name = broker.name.as_str();
    let source = broker.location.file();
    let doc = "RabbitMQ, with a user of its own for each service.";
    basics(context, name, doc, source, SCRIPT, files);
    files.subchart(name, "templates/configmap.yaml", &ConfigMap { c: context });
    files.text(format!("charts/{name}/files/rabbitmq.conf"), CONFIGURATION.to_owned());
    files.subchart(
        name,
        "templates/service.yaml",
        &Services {
            c: context,
            amqp: Kind::RabbitMq.port(),
            management: Kind::RabbitMq.administration_port(),
            metrics: Kind::RabbitMq.metrics_port().unwrap_or_default(),
        },
    );
    // The listener opens when the definitions are loaded. A probe with the broker's own tools starts an Erlang machine each time, which
    // costs more processor time than a small broker's work.
    let pod = Pod::asked(&tcp(IntOrString::String("amqp".into())), 60, 3);
    files.subchart(
        name,
        "templates/statefulset.yaml",
        &StatefulSet {
            c: context,
            amqp: Kind::RabbitMq.port(),
            management: Kind::RabbitMq.administration_port(),
            metrics: Kind::RabbitMq.metrics_port().unwrap_or_default(),
            pod: &pod,
        },
    );
    let users = access.logins_at(broker.name).filter_map(|login| match &login.rights {
        Rights::Amqp { configure, write, read, .. } => Some(User {
            enabled: login.enabled(),
            key: login.key(),
            name: login.user_in_umbrella(context.name),
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
    let queues = context.platform.queues(broker.name);
    files.umbrella(
        format!("templates/{name}-provisioning.yaml"),
        &Provisioning {
            c: context,
            name,
            port: Kind::RabbitMq.administration_port(),
            pod: &pod,
            admin: administrator_view(Kind::RabbitMq, name),
            logins: login_views(access, broker.name),
            users: users.collect(),
            queues: queues.iter().map(|queue| QueueView::of(queue.name.as_str())).collect(),
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
    pod: &'a Pod,
}

#[derive(Template)]
#[template(path = "umbrella/templates/rabbitmq-provisioning.yaml")]
struct Provisioning<'a> {
    c: &'a Context<'a>,
    name: &'a str,
    port: u16,
    pod: &'a Pod,
    admin: AdministratorView,
    logins: Vec<LoginView>,
    users: Vec<User>,
    queues: Vec<QueueView>,
    exchanges: Vec<String>,
    bindings: Vec<(String, String)>,
}

struct User {
    enabled: String,
    key: String,
    name: String,
    configure: String,
    write: String,
    read: String,
}

/// A queue, and the one that takes what is rejected for good.
struct QueueView {
    name: String,
    pattern: String,
    dead_letters: String,
    dead_letters_pattern: String,
}

impl QueueView {
    fn of(queue: &str) -> Self {
        let dead_letters = format!("{queue}{}", Queue::DEAD_LETTERS);
        Self {
            name: template_scalar(queue),
            pattern: template_scalar(&exactly(vec![queue])),
            dead_letters: template_scalar(&dead_letters),
            dead_letters_pattern: template_scalar(&exactly(vec![&dead_letters])),
        }
    }
}
