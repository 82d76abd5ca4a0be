//! PostgreSQL: a StatefulSet that makes, at each start, a role and a database for each service that owns one.

use askama::Template;
use vocabulary::{Kind, PostgreSql, SqlClient};

use super::{Administrator, Given, GivenValue};
use crate::access::{Access, Rights};
use crate::context::{Context, chart_yaml, service_account};
use crate::files::Files;
use crate::pods::{Pace, ask, container_security, exec, pod_security};
use crate::text::value;

/// The user and group of the official image.
const USER: u32 = 999;

pub(super) const ADMINISTRATOR: Administrator =
    Administrator { key: "superuser", doc: "The password of the superuser `postgres`, whom no service is." };

pub(super) fn given(client: &SqlClient) -> Vec<Given> {
    let database = client.database;
    vec![
        Given { name: client.env.host.as_str(), value: GivenValue::Host },
        Given { name: client.env.port.as_str(), value: GivenValue::Port },
        Given { name: database.variable.as_str(), value: GivenValue::Text(database.database.name.as_str()) },
    ]
}

pub(super) fn files(context: &Context, server: &PostgreSql, access: &Access, files: &mut Files) {
    let name = server.name.as_str();
    let doc = "PostgreSQL, with a database and a role of its own for each service that stores.";
    let source = server.place.file();
    files.subchart(name, "Chart.yaml", &chart_yaml(context, name, doc, source));
    files.subchart(name, "templates/serviceaccount.yaml", &service_account(context, source));
    files.subchart(name, "templates/service.yaml", &Services { c: context, port: Kind::PostgreSql.port() });
    // On the network address: while the first boot prepares the data, the server listens on its socket alone.
    let asked = || {
        let command = ["pg_isready", "--quiet", "--host=127.0.0.1", "--username=postgres", "--timeout=4"];
        exec(command.map(str::to_owned).to_vec())
    };
    files.subchart(
        name,
        "templates/statefulset.yaml",
        &StatefulSet {
            c: context,
            port: Kind::PostgreSql.port(),
            pod_security: pod_security(USER, true),
            container_security: container_security(),
            // Ten minutes: after a crash the server replays its log before it lets anybody in.
            startup: ask(asked(), Pace { every_seconds: 5, failures: 120, timeout_seconds: 5 }),
            readiness: ask(asked(), Pace { every_seconds: 10, failures: 3, timeout_seconds: 5 }),
            liveness: ask(asked(), Pace { every_seconds: 30, failures: 5, timeout_seconds: 5 }),
        },
    );
    let owners = access.logins_at(server.name).filter_map(|login| match login.rights {
        Rights::Sql { database } => Some(Owner {
            service: login.service.as_str(),
            enabled: value(&[login.service.as_str(), "enabled"]),
            password: value(&[login.service.as_str(), "credentials", name, "password"]),
            login: &login.user,
            role: format!("{database}_owner"),
            database,
        }),
        Rights::Amqp { .. } | Rights::Valkey { .. } => None,
    });
    let owners: Vec<_> = owners.collect();
    let view =
        Databases { c: context, name, admin: value(&[name, "credentials", ADMINISTRATOR.key, "password"]), owners };
    files.umbrella(format!("templates/{name}-databases.yaml"), &view);
}

#[derive(Template)]
#[template(path = "umbrella/charts/postgresql/templates/service.yaml")]
struct Services<'a> {
    c: &'a Context<'a>,
    port: u16,
}

#[derive(Template)]
#[template(path = "umbrella/charts/postgresql/templates/statefulset.yaml")]
struct StatefulSet<'a> {
    c: &'a Context<'a>,
    port: u16,
    pod_security: String,
    container_security: String,
    startup: String,
    readiness: String,
    liveness: String,
}

#[derive(Template)]
#[template(path = "umbrella/templates/postgresql-databases.yaml")]
struct Databases<'a> {
    c: &'a Context<'a>,
    name: &'a str,
    admin: String,
    owners: Vec<Owner<'a>>,
}

/// A service that owns a database. Names are SQL identifiers that need no quotes, by their types.
struct Owner<'a> {
    service: &'a str,
    enabled: String,
    password: String,
    login: &'a str,
    role: String,
    database: &'a str,
}
