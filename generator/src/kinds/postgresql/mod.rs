//! PostgreSQL: a StatefulSet whose server is given roles and databases at its first boot, and by Jobs from then on.

use askama::Template;
use vocabulary::{Kind, LoginEnv, Use};

use super::{Administrator, ClientFacts, KindGrants, Profile, ServerKind, script_variables};
use crate::addons::provisioning::{AdministratorView, LoginView, ServerPod, administrator_view, basics, login_views};
use crate::expr::{Scope, enabled_service, login_name, password_key};
use crate::files::Files;
use crate::graph::{Check, Component, EnvBinding, EnvValue, Graph, Login, LoginName, Port, Purpose};
use crate::workloads::parts::exec;

const SCRIPT: &str = include_str!("../../../templates/umbrella/charts/postgresql/files/provisioning.sh");

pub(super) const KIND: PostgreSql = PostgreSql;

/// The kind.
pub(super) struct PostgreSql;

/// What a role may do: everything in one database, and nothing in any other.
pub(crate) struct Grants {
    /// The database that it owns.
    database: &'static str,
}

impl KindGrants for Grants {
    fn owned_database(&self) -> Option<&'static str> {
        Some(self.database)
    }
}

const SQL: Port = Port { name: "postgresql", number: Kind::PostgreSql.port(), purpose: Purpose::Clients };

impl ServerKind for PostgreSql {
    fn profile(&self) -> &'static Profile {
        &Profile {
            doc: "PostgreSQL, with a database and a role of its own for each service that stores.",
            administrator: Administrator {
                key: "superuser",
                login: "postgres",
                doc: "The password of the superuser `postgres`, whom no service is.",
            },
            ports: &[SQL],
            run_as_user: 999,
        }
    }

    fn client(&self, used: &Use) -> ClientFacts {
        let Use::PostgreSql(client) = used else { unreachable!("a use of this kind has a client of this kind") };
        let (declared, owned) = (client.env, client.database);
        let (address, name) = ([declared.host, declared.port], owned.database.name.as_str());
        let libpq = declared.password.libpq_value;
        let mut variables = script_variables(address, Some((declared.user, declared.password)));
        variables.push(owned.variable.as_str());
        ClientFacts {
            port: SQL.number,
            env: vec![
                EnvBinding::new(declared.host, EnvValue::HostOf(client.client.backing.as_str())),
                EnvBinding::new(declared.port, EnvValue::Port(SQL.number)),
                EnvBinding::new(owned.variable, EnvValue::Text(name)),
                EnvBinding::new(declared.user, EnvValue::UserName),
                EnvBinding::new(declared.password.name, EnvValue::Password),
            ],
            login: Login {
                name: LoginName::SqlIdentifier,
                variables: Some(LoginEnv { user: declared.user, password: declared.password }),
                grants: Grants { database: name }.into(),
            },
            checks: vec![Check { verb: if libpq { "database+libpq" } else { "database" }, variables, path: None }],
            protocol: if libpq { "postgresql+libpq" } else { "postgresql" },
            address,
            login_variables: vec![declared.user, declared.password.name, owned.variable],
            rights_text: format!("own database `{name}`, and enter no other"),
        }
    }

    fn files(&self, graph: &Graph, server: &Component, files: &mut Files) {
        embedded(graph, server, files);
    }
}

fn embedded(graph: &Graph, server: &Component, files: &mut Files) {
    let name = server.name;
    basics(graph, server, SCRIPT, files);
    files.subchart(name, "templates/service.yaml", &Services { c: graph, port: SQL.number });
    // On the network address: while the first boot prepares the data, the server listens on its socket alone.
    let asked = ["pg_isready", "--quiet", "--host=127.0.0.1", "--username=postgres", "--timeout=4"];
    // Ten minutes: after a crash the server replays its log before it lets anybody in.
    let pod = ServerPod::probed(server, &exec(asked.map(str::to_owned).to_vec()), 120, 5);
    files.subchart(name, "templates/statefulset.yaml", &StatefulSet { c: graph, port: SQL.number, pod: &pod });
    let owners = graph.logins_at(name).filter_map(|(edge, login)| {
        let &Grants { database } = (&login.grants).try_into().ok()?;
        Some(Owner {
            service: edge.client,
            enabled: enabled_service(edge.client),
            key: password_key(edge),
            login: login_name(graph, edge, Scope::Umbrella),
            role: format!("{database}_owner"),
            database,
        })
    });
    let view = Provisioning {
        c: graph,
        name,
        port: SQL.number,
        pod: &pod,
        admin: administrator_view(server),
        logins: login_views(graph, name),
        owners: owners.collect(),
    };
    files.umbrella(format!("templates/{name}-provisioning.yaml"), &view);
}

#[derive(Template)]
#[template(path = "umbrella/charts/postgresql/templates/service.yaml")]
struct Services<'a> {
    c: &'a Graph,
    port: u16,
}

#[derive(Template)]
#[template(path = "umbrella/charts/postgresql/templates/statefulset.yaml")]
struct StatefulSet<'a> {
    c: &'a Graph,
    port: u16,
    pod: &'a ServerPod,
}

#[derive(Template)]
#[template(path = "umbrella/templates/postgresql-provisioning.yaml")]
struct Provisioning<'a> {
    c: &'a Graph,
    name: &'a str,
    port: u16,
    pod: &'a ServerPod,
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
