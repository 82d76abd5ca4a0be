//! What the Jobs give a broker: users with their permissions, queues with their policies, exchanges with their bindings.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use vocabulary::Queue;

use super::rights::{AmqpPermissions, Grants};
use crate::expr::{go_string, in_go_string, template_scalar};
use crate::files::render;
use crate::graph::{Component, Graph};

pub(super) fn templates(graph: &Graph, server: &Component) -> String {
    let granted: Vec<(&str, &Grants)> = graph
        .logins_at(server.name)
        .filter_map(|(edge, login)| Some((edge.client, (&login.grants).try_into().ok()?)))
        .collect();
    let client = |(service, grants): &(&'static str, &Grants)| {
        let AmqpPermissions { configure, write, read } = (*grants).into();
        let [configure, write, read] = [configure, write, read].map(|pattern| template_scalar(&pattern));
        Client { service, configure, write, read }
    };
    let queues: BTreeSet<&str> = granted.iter().flat_map(|(_, grants)| grants.queues.iter().copied()).collect();
    let mut exchanges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (exchange, queue) in granted.iter().flat_map(|(_, grants)| &grants.bindings) {
        exchanges.entry(exchange).or_default().insert(queue);
    }
    let bindings = exchanges
        .iter()
        .flat_map(|(exchange, queues)| queues.iter().map(|queue| (template_scalar(exchange), template_scalar(queue))));
    render(&Templates {
        c: graph,
        name: server.name,
        clients: granted.iter().map(client).collect(),
        queues: queues.iter().map(|queue| go_string(queue)).collect(),
        dead_letters: Queue::DEAD_LETTERS,
        dead_letters_pattern: in_go_string(&Queue::DEAD_LETTERS.replace('.', r"\.")),
        exchanges: exchanges.keys().map(|exchange| go_string(exchange)).collect(),
        bindings: bindings.collect(),
    })
}

#[derive(Template)]
#[template(path = "kinds/rabbitmq/provisioning.tpl")]
struct Templates<'a> {
    c: &'a Graph,
    name: &'a str,
    clients: Vec<Client>,
    queues: Vec<String>,
    /// What the name of a queue for dead letters ends with, and the same as part of a pattern.
    dead_letters: &'static str,
    dead_letters_pattern: String,
    exchanges: Vec<String>,
    bindings: Vec<(String, String)>,
}

struct Client {
    service: &'static str,
    configure: String,
    write: String,
    read: String,
}
