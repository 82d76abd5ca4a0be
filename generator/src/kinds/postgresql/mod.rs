//! PostgreSQL: a StatefulSet whose server is given roles and databases at its first boot, and by Jobs from then on.

mod embedded;

use askama::Template;
use vocabulary::{DatabaseName, Kind, LoginEnv, Use, limits};

use super::{Administrator, ClientFacts, KindGrants, Profile, ServerKind, script_variables};
use crate::files::{Files, render};
use crate::graph::{Check, Component, Edge, EnvBinding, EnvValue, Graph, Login, LoginName, Port, Purpose};
use crate::workloads::server::EmbeddedServer;

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

/// The longest identifier of PostgreSQL, in bytes: it truncates longer ones.
const IDENTIFIER: usize = 63;

const _: () = {
    assert!(DatabaseName::LONGEST + "_owner".len() <= IDENTIFIER, "the role that owns a database can be named after it");
    assert!(limits::NAME + "_r4294967295_01234567".len() <= IDENTIFIER, "a login can be named after its service");
};

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

    fn rights_noun(&self) -> &'static str {
        "the roles of PostgreSQL"
    }

    fn disabled_note(&self) -> Option<&'static str> {
        Some("A database role that owns something stays as well, but cannot log in.")
    }

    fn test_note(&self) -> Option<&'static str> {
        Some("A test creates its table in a transaction that it rolls back.")
    }

    fn login_commands(&self) -> Option<&'static str> {
        Some(r"`psql -U postgres -c '\du'`, `DROP ROLE`")
    }

    fn script(&self) -> &'static str {
        include_str!("../../../templates/umbrella/charts/postgresql/files/provisioning.sh")
    }

    fn embedded(&self, _graph: &Graph, server: &Component, _files: &mut Files) -> EmbeddedServer {
        embedded::server(server)
    }

    fn provisioning(&self, graph: &Graph, server: &Component) -> String {
        let client = |(edge, login): (&Edge, &Login)| {
            let &Grants { database } = (&login.grants).try_into().ok()?;
            Some(ClientView { service: edge.client, database })
        };
        let clients = graph.logins_at(server.name).filter_map(client).collect();
        render(&Provisioning { c: graph, name: server.name, clients })
    }
}

#[derive(Template)]
#[template(path = "kinds/postgresql/provisioning.tpl")]
struct Provisioning<'a> {
    c: &'a Graph,
    name: &'a str,
    clients: Vec<ClientView>,
}

/// A service and the database that it owns. Both are SQL identifiers that need no quotes, by their types.
struct ClientView {
    service: &'static str,
    database: &'static str,
}
