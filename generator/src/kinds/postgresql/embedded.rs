//! PostgreSQL as the chart runs it: one server with its data on a volume.

use crate::graph::Component;
use crate::names::PROVISIONING;
use crate::workloads::parts::exec;
use crate::workloads::server::{EmbeddedServer, script, server_probes};
use crate::workloads::{Container, EnvVar, Mount, Noted, Volume};

pub(super) fn server(server: &Component) -> EmbeddedServer {
    // Asks the network address: during initialisation the server listens only on its socket.
    let is_ready = ["pg_isready", "--quiet", "--host=127.0.0.1", "--username=postgres", "--timeout=4"];
    let probe = exec(is_ready.map(str::to_owned).to_vec());
    let version = server.server().map(|server| server.version).unwrap_or_default();
    let provisioning = format!("{{{{ .Release.Name }}}}-{{{{ .Chart.Name }}}}-{PROVISIONING}");
    EmbeddedServer {
        role: "database",
        grace_period: Some(Noted { value: 60, note: "Time for the shutdown checkpoint." }),
        container: Container {
            command: Some(script("serve")),
            ports: server.ports.iter().map(|port| (port.name.to_owned(), port.number)).collect(),
            env: vec![
                EnvVar::new("PGDATA", format!("/var/lib/postgresql/{version}/docker"))
                    .note("The default of the image, made explicit: with another folder the server would start empty."),
                EnvVar::new("POSTGRES_PASSWORD_FILE", "/etc/credentials/superuser"),
                EnvVar::new("POSTGRES_INITDB_ARGS", "--auth-host=scram-sha-256"),
            ],
            // Ten minutes: after a crash the server replays its log before it accepts connections.
            probes: Some(server_probes(&probe, 120, 5)),
            mounts: vec![
                Mount::new("data", "/var/lib/postgresql").note("The data is in a subfolder named after the version."),
                Mount::new("run", "/var/run/postgresql"),
                Mount::new("tmp", "/tmp"),
                Mount::new("initialisation", "/docker-entrypoint-initdb.d")
                    .read_only()
                    .note("Creates the roles and databases on an empty volume."),
            ],
            ..Container::new("postgresql")
        },
        administrator_mounts: vec![
            Mount::new("run", "/var/run/postgresql").note("Contains the Unix socket of the server."),
        ],
        volumes: vec![
            Volume::scratch("run", "16Mi"),
            Volume::scratch("tmp", "64Mi"),
            Volume::config_map("initialisation", &provisioning, &["databases.sql"]),
        ],
    }
}
