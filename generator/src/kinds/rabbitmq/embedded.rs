//! RabbitMQ as the chart runs it: one broker with its data on a volume.

use askama::Template;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::files::Files;
use crate::graph::{Component, Graph};
use crate::names::CONFIGURATION as CONFIGURATION_SUFFIX;
use crate::text::digest;
use crate::workloads::parts::tcp;
use crate::workloads::server::{EmbeddedServer, script, server_probes};
use crate::workloads::{Container, Mount, Noted, Volume};

const CONFIGURATION: &str = include_str!("../../../templates/kinds/rabbitmq/rabbitmq.conf");

pub(super) fn server(graph: &Graph, server: &Component, files: &mut Files) -> EmbeddedServer {
    files.subchart(server.name, "templates/configmap.yaml", &ConfigMap { c: graph, digest: digest([CONFIGURATION]) });
    files.text(format!("charts/{}/files/rabbitmq.conf", server.name), CONFIGURATION.to_owned());
    EmbeddedServer {
        role: "broker",
        grace_period: Some(Noted { value: 60, note: "Time to write messages from memory to the volume." }),
        container: Container {
            command: Some(script("serve")),
            ports: server.ports.iter().map(|port| (port.name.to_owned(), port.number)).collect(),
            // The listener opens after the definitions are loaded. A probe with the broker's own tools would start an Erlang VM each time,
            // which takes more CPU time than a small broker's work.
            probes: Some(server_probes(&tcp(IntOrString::String("amqp".into())), 60, 3)),
            mounts: vec![
                Mount::new("home", "/var/lib/rabbitmq").note(
                    "Each start creates a new Erlang cookie. On the volume, `fsGroup` changes file modes, and the broker would refuse the cookie.",
                ),
                Mount::new("data", "/var/lib/rabbitmq/mnesia"),
                Mount::new("tmp", "/tmp"),
                Mount::new("config", &format!("/etc/rabbitmq/conf.d/90-{}.conf", graph.name))
                    .sub_path("rabbitmq.conf")
                    .read_only(),
                Mount::new("definitions", "/run/definitions"),
            ],
            ..Container::new("rabbitmq")
        },
        administrator_mounts: vec![
            Mount::new("home", "/var/lib/rabbitmq").read_only().note("Contains the Erlang cookie."),
            Mount::new("secret-tmp", "/tmp"),
        ],
        volumes: vec![
            Volume::scratch("home", "64Mi"),
            Volume::scratch("tmp", "64Mi"),
            Volume::config_map("config", &config_map(), &[]),
            Volume::memory("definitions", "4Mi").note("Contains passwords, so it stays in memory."),
            Volume::memory("secret-tmp", "4Mi"),
        ],
    }
}

/// The name of the ConfigMap with the configuration, as text of the server's own chart. It ends with a digest of the configuration, so that a changed
/// one restarts the server.
fn config_map() -> String {
    format!("{{{{ .Release.Name }}}}-{{{{ .Chart.Name }}}}-{CONFIGURATION_SUFFIX}-{}", digest([CONFIGURATION]))
}

#[derive(Template)]
#[template(path = "kinds/rabbitmq/configmap.yaml")]
struct ConfigMap<'a> {
    c: &'a Graph,
    digest: String,
}
