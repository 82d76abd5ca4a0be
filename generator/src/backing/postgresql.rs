//! PostgreSQL: a StatefulSet whose server is given roles and databases at its first start, and by Jobs from then on.

use askama::Template;
use vocabulary::{Kind, PostgreSql, SqlClient};

use super::{
    Administrator, AdministratorView, EnvBinding, EnvValue, LoginView, Pod, administrator_view, basics, login_views,
};
use crate::access::{Access, Rights};
use crate::context::Context;
use crate::files::Files;
use crate::pods::exec;

const SCRIPT: &str = include_str!("../../templates/umbrella/charts/postgresql/files/provisioning.sh");

pub(super) const ADMINISTRATOR: Administrator = Administrator {
    key: "superuser",
    login: "postgres",
    doc: "The password of the superuser `postgres`, whom no service is.",
};

pub(super) fn env_bindings(client: &SqlClient) -> Vec<EnvBinding> {
    let database = client.database;
    vec![
        EnvBinding { name: client.env.host.as_str(), value: EnvValue::Host },
        EnvBinding { name: client.env.port.as_str(), value: EnvValue::Port },
        EnvBinding { name: database.variable.as_str(), value: EnvValue::Text(database.database.name.as_str()) },
    ]
}

pub(super) fn checks(client: &SqlClient, server: &[&str]) -> Vec<String> {
    let encoding = if client.env.password.libpq_value { "+libpq" } else { "" };
    vec![format!("database{encoding}={},{}", server.join(","), client.database.variable)]
}

pub(super) fn files(context: &Context, server: &PostgreSql, access: &Access, files: &mut Files) {
    let name = server.name.as_str();
    let doc = "PostgreSQL, with a database and a role of its own for each service that stores.";
    let source = server.location.file();
    basics(context, name, doc, source, SCRIPT, files);
    files.subchart(name, "templates/service.yaml", &Services { c: context, port: Kind::PostgreSql.port() });
    // On the network address: while the first boot prepares the data, the server listens on its socket alone.
    let asked = ["pg_isready", "--quiet", "--host=127.0.0.1", "--username=postgres", "--timeout=4"];
    // Ten minutes: after a crash the server replays its log before it lets anybody in.
    let pod = Pod::asked(&exec(asked.map(str::to_owned).to_vec()), 120, 5);
    let port = Kind::PostgreSql.port();
    files.subchart(name, "templates/statefulset.yaml", &StatefulSet { c: context, port, pod: &pod });
    let owners = access.logins_at(server.name).filter_map(|login| match login.rights {
        Rights::Sql { database } => Some(Owner {
            service: login.service.as_str(),
            enabled: login.enabled(),
            key: login.key(),
            login: login.user_in_umbrella(context.name),
            role: format!("{database}_owner"),
            database,
        }),
        Rights::Amqp { .. } | Rights::Valkey { .. } => None,
    });
    let owners: Vec<_> = owners.collect();
    let view = Provisioning {
        c: context,
        name,
        port: Kind::PostgreSql.administration_port(),
        pod: &pod,
        admin: administrator_view(Kind::PostgreSql, name),
        logins: login_views(access, server.name),
        owners,
    };
    files.umbrella(format!("templates/{name}-provisioning.yaml"), &view);
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
    pod: &'a Pod,
}

#[derive(Template)]
#[template(path = "umbrella/templates/postgresql-provisioning.yaml")]
struct Provisioning<'a> {
    c: &'a Context<'a>,
    name: &'a str,
    port: u16,
    pod: &'a Pod,
    admin: AdministratorView,
    logins: Vec<LoginView>,
    owners: Vec<Owner>,
}

/// A service that owns a database. Names are SQL identifiers that need no quotes, by their types.
struct Owner {
    service: &'static str,
    enabled: String,
    key: String,
    login: String,
    role: String,
    database: &'static str,
}
