//! PostgreSQL: a StatefulSet. The first boot creates the roles and databases; later, Jobs do.

mod dashboard;
mod embedded;
mod exporter;

use askama::Template;
use vocabulary::{DatabaseName, EarlierServer, Kind, LoginEnv, Scaling, Use, limits};

use super::{
    AddOnLogin, Administrator, ClientFacts, Exporter, KindGrants, Profile, ScriptFile, ScriptSet, ServerKind,
    SnapshotHook,
};
use crate::alert::Alerts;
use crate::dashboard::ServerDashboards;
use crate::files::{Files, render};
use crate::graph::{
    Component, Edge, EnvBinding, EnvValue, Graph, Login, LoginName, LoginScripts, Port, Purpose, Runner, Script, Server,
};
use crate::log_format::{LogFormat, Severity};
use crate::workloads::server::EmbeddedServer;

pub(super) const KIND: PostgreSql = PostgreSql;

/// The kind.
pub(super) struct PostgreSql;

/// Rights of a role: everything in one database, and nothing in any other.
pub(crate) struct Grants {
    /// The database that it owns.
    database: &'static str,
}

impl KindGrants for Grants {
    fn owned_database(&self) -> Option<&'static str> {
        Some(self.database)
    }
}

/// Maximum length of a PostgreSQL identifier in bytes. PostgreSQL truncates longer ones.
const IDENTIFIER: usize = 63;

const _: () = {
    assert!(
        DatabaseName::LONGEST + "_owner".len() <= IDENTIFIER,
        "the role that owns a database can be named after it"
    );
    assert!(limits::NAME + "_r4294967295_01234567".len() <= IDENTIFIER, "a login can be named after its service");
};

/// Script that runs with a client's login, in the image of the server.
const SCRIPT: ScriptFile = ScriptFile {
    set: ScriptSet::Connections,
    name: "postgresql.sh",
    text: include_str!("../../../templates/kinds/postgresql/postgresql.sh"),
};

/// The login of the backups, which reads every database.
const BACKUP: AddOnLogin = AddOnLogin {
    section: "backup",
    doc: "Password of the login that makes backups. It reads every database, and writes only the results of the backups.",
};

const SQL: Port = Port { name: "postgresql", number: Kind::PostgreSql.port(), purpose: Purpose::Clients };

impl ServerKind for PostgreSql {
    fn profile(&self) -> &'static Profile {
        &Profile {
            doc: "PostgreSQL, with a separate database and role for each service that stores data.",
            administrator: Administrator {
                key: "superuser",
                login: "postgres",
                doc: "Password of the superuser `postgres`. No service uses it.",
            },
            ports: &[SQL],
            run_as_user: 999,
            image_variant: None,
        }
    }

    fn exporter(&self) -> Option<&'static Exporter> {
        Some(&exporter::EXPORTER)
    }

    fn alerts(&self, _graph: &Graph, server: &Component) -> Alerts {
        exporter::alerts(server)
    }

    fn dashboards(&self) -> Option<&'static dyn ServerDashboards> {
        Some(&dashboard::Dashboards)
    }

    fn snapshot_hook(&self) -> Option<SnapshotHook> {
        Some(SnapshotHook {
            note: "PostgreSQL recovers from a copy as after a power failure. With a checkpoint before it, that takes a moment only.",
            container: "postgresql",
            command: "[psql, --no-psqlrc, --username=postgres, --command=CHECKPOINT]",
        })
    }

    fn log_format(&self) -> Option<LogFormat> {
        Some(LogFormat {
            // With the default of `log_line_prefix`, `%m [%p] `.
            record: r"^\S+ \S+ \S+ \[\d+\] (?P<level>[A-Z]+)\d?:  ",
            levels: &[
                (Severity::Debug, &["DEBUG"]),
                (Severity::Info, &["INFO", "LOG", "NOTICE"]),
                (Severity::Warn, &["WARNING"]),
                (Severity::Error, &["ERROR"]),
                (Severity::Fatal, &["FATAL", "PANIC"]),
            ],
            continuation: Some(r"^\S+ \S+ \S+ \[\d+\] (DETAIL|HINT|QUERY|CONTEXT|LOCATION|BACKTRACE|STATEMENT):  "),
            personal: Some(
                "A statement that fails is logged with its text, which can contain values of rows, and the detail of the error names the values of a key. \
                 `ALTER SYSTEM SET log_min_error_statement = 'panic'` and `ALTER SYSTEM SET log_error_verbosity = 'terse'` leave both out.",
            ),
        })
    }

    fn client(&self, used: &Use) -> ClientFacts {
        let Use::PostgreSql(client) = used else { unreachable!("a use of this kind has a client of this kind") };
        let (declared, owned) = (client.env, client.database);
        let (address, name) = ([declared.host, declared.port], owned.database.name.as_str());
        let backing = client.client.backing.as_str();
        let password = if declared.password.libpq_value { "LIBPQ_PASSWORD" } else { "PGPASSWORD" };
        let login = [
            ("PGHOST", EnvValue::HostOf(backing)),
            ("PGPORT", EnvValue::Port(SQL.number)),
            ("PGDATABASE", EnvValue::Text(name)),
            ("PGUSER", EnvValue::SecretKey(declared.user.as_str())),
            (password, EnvValue::SecretKey(declared.password.name.as_str())),
        ];
        let script = |verb| Script { runner: Runner::ServerImage, file: SCRIPT.name, arguments: vec![verb] };
        ClientFacts {
            port: SQL.number,
            env: vec![
                EnvBinding::new(declared.host, EnvValue::HostOf(backing)),
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
            scripts: LoginScripts {
                env: login.map(|(variable, value)| EnvBinding { variable, value }).into(),
                wait: script("wait"),
                test: script("test"),
                clean_up: Some(script("clean-up")),
            },
            address,
            rights_text: format!("owner of database `{name}`; no access to other databases"),
        }
    }

    fn add_on_logins(&self, clients: &[&Edge]) -> Vec<AddOnLogin> {
        let owns = |edge: &&&Edge| edge.login.as_ref().is_some_and(|login| login.grants.owned_database().is_some());
        let has_databases = clients.iter().filter(owns).count() > 0;
        has_databases.then_some(BACKUP).into_iter().chain([exporter::LOGIN]).collect()
    }

    fn rights_noun(&self) -> &'static str {
        "the roles of PostgreSQL"
    }

    fn disabled_note(&self) -> Option<&'static str> {
        Some("A database role that owns objects also stays, but cannot log in.")
    }

    fn test_note(&self) -> Option<&'static str> {
        Some("A test creates its table in a transaction that it rolls back.")
    }

    fn login_commands(&self) -> Option<&'static str> {
        Some(r"`psql -U postgres -c '\du'`, `DROP ROLE`")
    }

    fn readable_data(&self, server: &Server) -> String {
        format!("of version {}", server.version)
    }

    fn version_steps(&self, graph: &Graph, server: &Component) -> String {
        let owner = |(edge, login): (&Edge, &Login)| {
            let service = graph.component(edge.client).service()?;
            let &Grants { database } = (&login.grants).try_into().ok()?;
            Some(OwnerView { service: edge.client, database, autoscaled: service.scaling != Scaling::Fixed })
        };
        let clients: Vec<_> = graph.logins_at(server.name).filter_map(owner).collect();
        let autoscaled = clients.iter().any(|client| client.autoscaled);
        render(&VersionSteps { c: graph, server: server.name, clients, autoscaled })
    }

    fn moved(&self, graph: &Graph, server: &Component, earlier: &EarlierServer) -> Option<[Vec<String>; 2]> {
        let (user, password) = earlier.login?;
        let databases = graph.logins_at(server.name).filter_map(|(_, login)| login.grants.owned_database());
        let (mut dump, mut restore) = (Vec::new(), Vec::new());
        for database in databases {
            // As the backups do: a dump, and a description of the contents, which `restore.sh` compares.
            let client = |command: &str| {
                format!(
                    "kubectl exec \"$RELEASE-{}-0\" --namespace \"$NAMESPACE\" --stdin -- sh -c 'PGPASSWORD=\"${password}\" {command}' \\",
                    earlier.stateful_set
                )
            };
            let options = format!("--host=127.0.0.1 --username={user}");
            let psql = "psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1";
            dump.extend([
                client(&format!("pg_dump {options} --format=custom {database}")),
                format!("  >moved/{database}.dump"),
                client(&format!("{psql} {options} {database}")),
                format!("  <./{}/charts/{}/files/contents.sql >moved/{database}.contents", graph.name, server.name),
            ]);
            restore.push(format!(
                "sh ./{}/restore.sh \"$RELEASE\" \"$NAMESPACE\" restore {database} moved/{database}.dump",
                graph.name
            ));
        }
        (!dump.is_empty()).then_some([dump, restore])
    }

    fn script(&self) -> &'static str {
        include_str!("../../../templates/kinds/postgresql/provisioning.sh")
    }

    fn client_scripts(&self) -> &'static [ScriptFile] {
        &[SCRIPT]
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
        let has_backup = server.server().is_some_and(Server::has_backups);
        render(&Provisioning { c: graph, name: server.name, clients, has_backup })
    }
}

#[derive(Template)]
#[template(path = "kinds/postgresql/version.md")]
struct VersionSteps<'a> {
    c: &'a Graph,
    server: &'a str,
    clients: Vec<OwnerView>,
    autoscaled: bool,
}

/// A service that owns a database.
struct OwnerView {
    service: &'static str,
    database: &'static str,
    /// Whether it can scale by load.
    autoscaled: bool,
}

#[derive(Template)]
#[template(path = "kinds/postgresql/provisioning.tpl")]
struct Provisioning<'a> {
    c: &'a Graph,
    name: &'a str,
    clients: Vec<ClientView>,
    /// Whether backups have a login.
    has_backup: bool,
}

/// A service and the database that it owns. Both are SQL identifiers that need no quotes, by their types.
struct ClientView {
    service: &'static str,
    database: &'static str,
}
