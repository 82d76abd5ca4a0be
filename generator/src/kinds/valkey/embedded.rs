//! Valkey as the chart runs it: one server with its data on a volume.

use crate::graph::Component;
use crate::workloads::parts::exec;
use crate::workloads::server::{EmbeddedServer, script, server_probes};
use crate::workloads::{Container, Mount, Volume};

/// The server's arguments, a block of YAML.
const ARGUMENTS: &str = r#"- valkey-server
- --aclfile
- /data/users.acl
# The ACL file decides all rights. Protected mode would refuse clients without a password.
- --protected-mode
- "no"
# Writes survive a restart, except those of the last second.
- --appendonly
- "yes""#;

pub(super) fn server(server: &Component) -> EmbeddedServer {
    // Logs in as a user that may only ping. The server answers with an error while it loads its data.
    let ping = ["valkey-cli", "-e", "--no-auth-warning", "--user", "probe", "--pass", "any", "ping"];
    let probe = exec(ping.map(str::to_owned).to_vec());
    EmbeddedServer {
        role: "cache",
        grace_period: None,
        container: Container {
            command: Some(script("serve")),
            args: Some(ARGUMENTS.to_owned()),
            ports: server.ports.iter().map(|port| (port.name.to_owned(), port.number)).collect(),
            probes: Some(server_probes(&probe, 60, 5)),
            mounts: vec![Mount::new("data", "/data"), Mount::new("run", "/run/valkey")],
            ..Container::new("valkey")
        },
        administrator_mounts: vec![Mount::new("run", "/run/valkey").read_only()],
        volumes: vec![Volume::memory("run", "1Mi").note("Contains passwords, so it stays in memory.")],
    }
}
