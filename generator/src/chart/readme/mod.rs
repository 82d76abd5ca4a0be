//! The README that the chart's users read, with tables from the access graph and the values.

mod credentials;

use askama::Template;
use vocabulary::{Health, QueueUse, Use};

use crate::access::{Access, Login, Rights};
use crate::backing::administrator;
use crate::context::Context;
use crate::files::Files;
use crate::images;
use crate::names::{END_TO_END_TEST, NETWORK_POLICY_TEST, PROVISION, RECONCILE, TEST_CONNECTION, TEST_ISOLATION};
use crate::text::{cell, code_cell};
use crate::values::{Node, Section};
use crate::yaml;

pub(super) fn files(c: &Context, access: &Access, tree: &Section, files: &mut Files) {
    let declared = c.platform.platform();
    let view = Readme {
        c,
        doc: cell(declared.doc),
        longest_release_name: declared.longest_release_name,
        charts: charts(c),
        unnamed: unnamed(c),
        tags: tags(c),
        passwords: credentials::passwords(c, access),
        secrets: credentials::secrets(c, access),
        rotated: credentials::example(c, access),
        marked: access.logins.iter().any(|login| matches!(login.rights, Rights::Sql { .. })),
        jobs: jobs(c),
        tests: tests(c),
        unprotected: unprotected(access),
        access: access_rows(c, access),
        diagram: diagram(c, access),
        api: api_rows(c),
        defaults: default_exchange_publishers(c),
        watched: watched(c),
        exposed: exposed(c),
        metrics: metrics(c),
        environments: declared
            .environments
            .iter()
            .map(|e| Row::of(&[code_cell(e.name.as_str()), cell(e.doc)]))
            .collect(),
        brokers: declared.backing.iter().any(|b| b.kind() == vocabulary::Kind::RabbitMq),
        stateful: !declared.backing.is_empty(),
        values: value_rows(tree),
    };
    files.umbrella("README.md", &view);
    files.umbrella(
        "UPGRADING.md",
        &Upgrading {
            c,
            unnamed: images::unnamed(declared).map(|(of, _)| of.name()).collect(),
            stateful: !declared.backing.is_empty(),
        },
    );
}

/// One row of a table, its cells joined.
struct Row(String);

impl Row {
    fn of<const N: usize>(cells: &[String; N]) -> Self {
        Self(format!("| {} |", cells.join(" | ")))
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn charts(c: &Context) -> Vec<Row> {
    let declared = c.platform.platform();
    let services = declared.services.iter().map(|service| {
        let ports: Vec<_> =
            service.ports.iter().map(|port| format!("{} {}", port.number, cell(port.name.as_str()))).collect();
        Row::of(&[code_cell(service.name.as_str()), cell(service.doc), ports.join(", "), "Deployment".into()])
    });
    let backing = declared.backing.iter().map(|one| {
        let port = one.kind().port().to_string();
        let doc = format!("{}, used by the services.", one.kind().product());
        Row::of(&[code_cell(one.name().as_str()), doc, port, "StatefulSet, one pod, one volume".into()])
    });
    services.chain(backing).collect()
}

/// The images of which whoever installs has to name a build.
fn unnamed(c: &Context) -> Vec<Row> {
    let all = images::unnamed(c.platform.platform());
    let row = |(of, why): (images::ImageOf, &str)| {
        Row::of(&[code_cell(&of.name()), code_cell(of.image.repository.as_str()), cell(why)])
    };
    all.map(row).collect()
}

/// How a command names a build of each of them.
fn tags(c: &Context) -> String {
    let all = images::unnamed(c.platform.platform());
    all.map(|(of, _)| format!(" --set-string {}.image.tag=<tag>", of.name())).collect::<Vec<_>>().concat()
}

fn access_rows(c: &Context, access: &Access) -> Vec<Row> {
    let mut rows = Vec::new();
    for service in &c.platform.platform().services {
        if service.uses.is_empty() {
            rows.push(Row::of(&[
                code_cell(service.name.as_str()),
                "–".into(),
                "–".into(),
                "–".into(),
                "nothing".into(),
            ]));
        }
        for (one, path) in service.uses.iter().zip(access.from(service.name)) {
            let to = format!("`{}:{}`", path.to.name(), path.port);
            let name = code_cell(service.name.as_str());
            rows.push(match (one, access.login(service.name, path.to.name())) {
                (Use::Call(_), _) | (_, None) => Row::of(&[name, to, "–".into(), "–".into(), "call it".into()]),
                (_, Some(login)) => {
                    let variable = login.variables.map_or("–".into(), |v| code_cell(v.password.name.as_str()));
                    Row::of(&[name, to, code_cell(&login.user_in_words()), variable, rights(login)])
                }
            });
        }
    }
    rows
}

fn rights(login: &Login) -> String {
    match &login.rights {
        Rights::Amqp { words, .. } => words.replace('|', r"\|"),
        Rights::Sql { database } => format!("own database `{database}`, and enter no other"),
        Rights::Valkey { pattern, commands } => {
            format!(
                "on keys {}: {}",
                code_cell(pattern),
                commands.iter().map(|c| code_cell(c)).collect::<Vec<_>>().join(" ")
            )
        }
    }
}

/// A Mermaid flow chart of the same graph.
fn diagram(c: &Context, access: &Access) -> Vec<String> {
    let declared = c.platform.platform();
    let id = |name: &str| name.replace('-', "_");
    let services = declared.services.iter().map(|s| format!("n_{}[\"{}\"]", id(s.name.as_str()), s.name));
    let backing = declared.backing.iter().map(|b| format!("n_{}[(\"{}\")]", id(b.name().as_str()), b.name()));
    let paths = access
        .paths
        .iter()
        .map(|path| format!("n_{} -->|{}| n_{}", id(path.from.as_str()), path.port, id(path.to.name())));
    let users = declared.services.iter().filter_map(|s| {
        s.exposure.map(|e| format!("users((users)) -.->|{}| n_{}", e.port.number, id(s.name.as_str())))
    });
    services.chain(backing).chain(users).chain(paths).collect()
}

fn api_rows(c: &Context) -> Vec<Row> {
    let rules = c.platform.platform().services.iter().flat_map(|service| {
        service.kubernetes.iter().map(move |rule| {
            let kinds = rule.resources.iter().map(|kind| code_cell(kind)).collect::<Vec<_>>().join(" ");
            let names =
                if rule.names.is_empty() { "all of the namespace".into() } else { code_cell(&rule.names.join(" ")) };
            Row::of(&[code_cell(service.name.as_str()), rule.verbs.join(", "), kinds, names, cell(rule.reason)])
        })
    });
    rules.collect()
}

/// The services that the broker cannot hold to their queue, and why this is said.
fn default_exchange_publishers(c: &Context) -> Vec<&'static str> {
    let through_default = |one: &&Use| {
        matches!(one, Use::RabbitMq(client) if client.queues.iter().any(|u| {
            matches!(u, QueueUse::Publishes { exchange: None, .. })
        }))
    };
    let services = c.platform.platform().services.iter();
    services.filter(|s| s.uses.iter().any(|u| through_default(&u))).map(|s| s.name.as_str()).collect()
}

fn watched(c: &Context) -> Vec<&'static str> {
    let services = c.platform.platform().services.iter();
    services.filter(|s| matches!(s.health, Health::Connections(_))).map(|s| s.name.as_str()).collect()
}

fn exposed(c: &Context) -> Vec<&'static str> {
    let services = c.platform.platform().services.iter();
    services.filter(|s| s.exposure.is_some()).map(|s| s.name.as_str()).collect()
}

fn metrics(c: &Context) -> Vec<Row> {
    let scraped = crate::access::scraped(c.platform.platform());
    scraped.map(|(name, port)| Row::of(&[code_cell(name), port.to_string()])).collect()
}

/// What the Jobs that make logins may connect to.
fn jobs(c: &Context) -> Vec<Row> {
    let row = |backing: &vocabulary::Backing| {
        let (name, port) = (backing.name(), backing.kind().administration_port());
        let jobs = format!("`<release>-{name}-{PROVISION}-<digest>`, `<release>-{name}-{RECONCILE}`");
        Row::of(&[jobs, format!("`{name}:{port}`"), code_cell(administrator(backing.kind()).login)])
    };
    c.platform.platform().backing.iter().map(row).collect()
}

/// The Jobs of `helm test`, in their order.
fn tests(c: &Context) -> Vec<Row> {
    let declared = c.platform.platform();
    let row = |job: &str, whom: &str, tries: String, off: &str| {
        Row::of(&[code_cell(job), whom.to_owned(), tries, code_cell(&format!("{off}: false"))])
    };
    let every_port = "every declared port of the release, which none may let in".to_owned();
    let mut rows =
        vec![row(&format!("<release>-{NETWORK_POLICY_TEST}"), "nobody", every_port, "global.tests.isolation")];
    if declared.services.iter().any(|service| !service.uses.is_empty()) {
        let uses = "with its own login, what the table under [Access](#access) says".to_owned();
        rows.push(row(
            &format!("<release>-<service>-{TEST_CONNECTION}"),
            "each service",
            uses,
            "<service>.tests.connection",
        ));
    }
    let rest = "with its labels, every declared port that the table does not name".to_owned();
    rows.push(row(&format!("<release>-<service>-{TEST_ISOLATION}"), "each service", rest, "<service>.tests.isolation"));
    if let Some(end_to_end) = declared.tests.end_to_end {
        let doc = format!("the whole way, end to end: {}", cell(end_to_end.doc));
        rows.push(row(&format!("<release>-{END_TO_END_TEST}"), "a user", doc, "global.tests.endToEnd"));
    }
    rows
}

/// The servers that let somebody in without a password.
fn unprotected(access: &Access) -> Vec<&'static str> {
    let anonymous = access.logins.iter().filter(|login| login.variables.is_none());
    anonymous.map(|login| login.backing.as_str()).collect()
}

/// One row for each value, in the order of the file.
fn value_rows(tree: &Section) -> Vec<Group> {
    let group = tree.0.iter().map(|entry| {
        let mut rows = Vec::new();
        if let Node::Section(section) = &entry.node {
            collect(&mut rows, &entry.key, section);
        }
        Group { key: entry.key.clone(), doc: cell(&entry.doc), rows }
    });
    group.collect()
}

/// The values of one chart, or those that all share.
struct Group {
    key: String,
    doc: String,
    rows: Vec<Row>,
}

fn collect(rows: &mut Vec<Row>, path: &str, section: &Section) {
    for entry in &section.0 {
        let path = format!("{path}.{}", entry.key);
        match &entry.node {
            Node::Section(inner) => collect(rows, &path, inner),
            Node::Leaf { default, .. } => {
                rows.push(Row::of(&[code_cell(&path), code_cell(&yaml::leaf(default)), cell(&entry.doc)]));
            }
        }
    }
}

#[derive(Template)]
#[template(path = "umbrella/README.md")]
struct Readme<'a> {
    c: &'a Context<'a>,
    doc: String,
    longest_release_name: u8,
    charts: Vec<Row>,
    unnamed: Vec<Row>,
    tags: String,
    passwords: String,
    access: Vec<Row>,
    diagram: Vec<String>,
    api: Vec<Row>,
    defaults: Vec<&'static str>,
    watched: Vec<&'static str>,
    exposed: Vec<&'static str>,
    metrics: Vec<Row>,
    environments: Vec<Row>,
    brokers: bool,
    secrets: Vec<Row>,
    rotated: Option<credentials::Example>,
    marked: bool,
    jobs: Vec<Row>,
    tests: Vec<Row>,
    unprotected: Vec<&'static str>,
    stateful: bool,
    values: Vec<Group>,
}

#[derive(Template)]
#[template(path = "umbrella/UPGRADING.md")]
struct Upgrading<'a> {
    c: &'a Context<'a>,
    /// The charts whose images have neither tag nor digest by default.
    unnamed: Vec<String>,
    stateful: bool,
}
