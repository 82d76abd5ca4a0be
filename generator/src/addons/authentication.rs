//! Authentication of the users of exposed services: OAuth2 Proxy in front of a service, with an OpenID Connect provider.
//!
//! The proxy is a Deployment with a Service at the service's port, so every controller, node port and load balancer can lead to it. The service's
//! NetworkPolicy admits the proxy instead of the controller.

use askama::Template;
use vocabulary::{Image, Resources, cpu, memory};

use super::{AddOn, helm_tests};
use crate::expr::value;
use crate::files::Files;
use crate::graph::Graph;
use crate::names::{PROXY, TEST_AUTHENTICATION};
use crate::text::scalar;
use crate::workloads::parts::{Probes, pod_security};
use crate::workloads::{Container, ContainerImage, EnvVar, FurtherOfContainer, FurtherOfPod, Pod, Scope};

/// The image of the proxy.
pub(crate) const OAUTH2_PROXY: Image = Image::new("quay.io/oauth2-proxy/oauth2-proxy", "v7.15.6");

/// What the proxy takes.
pub(crate) const RESOURCES: Resources = Resources::new(cpu("10m").up_to("250m"), memory("32Mi").up_to("128Mi"));

/// The port of the proxy's Pods.
pub(crate) const PORT: u16 = 4180;

/// The user and group that the image runs as.
const USER: u32 = 65532;

/// A path that the proxy answers without a login.
const HEALTH: &str = "/oauth2/ping";

/// The folder with the CA certificate of the provider.
const CA_FOLDER: &str = "/etc/oauth2-proxy";

/// The credentials in the proxy's environment.
const SECRET_VARIABLES: [&str; 2] = ["OAUTH2_PROXY_CLIENT_SECRET", "OAUTH2_PROXY_COOKIE_SECRET"];

/// The indentation of the Pod's `spec` in a Deployment.
const POD_INDENT: usize = 6;

/// The add-on.
pub(super) struct Authentication;

impl AddOn for Authentication {
    fn files(&self, graph: &Graph, files: &mut Files) {
        let exposed: Vec<_> = graph.exposed().map(|(service, _)| service).collect();
        if exposed.is_empty() {
            return;
        }
        let helpers = Helpers { c: graph, exposed, port: PORT, health: HEALTH, ca_folder: CA_FOLDER };
        files.umbrella("templates/authentication/_authentication.tpl", &helpers);
        let policies = NetworkPolicies { c: graph, exposed_ports: graph.exposed().collect(), proxy_port: PORT };
        files.umbrella("templates/authentication/networkpolicies.yaml", &policies);
        for (component, service) in graph.services() {
            let Some(port) = service.exposed else { continue };
            let (name, number) = (component.name, port.number);
            let pod = pod(graph, port.name, number).text(graph, POD_INDENT);
            let proxy = Proxy { c: graph, port_name: scalar(port.name), number, pod };
            files.subchart(name, "templates/authentication/proxy.yaml", &proxy);
            files.subchart(name, "templates/authentication/secret.yaml", &Secret { c: graph });
            let test = Test {
                c: graph,
                proxy: PROXY,
                number,
                proxy_port: PORT,
                command: helm_tests::login(),
                time_limit: helm_tests::test_seconds().text(),
            };
            files.subchart(name, "templates/tests/test-authentication.yaml", &test);
        }
    }
}

/// The network identity of the proxy of a service.
pub(crate) fn identity(service: &str) -> String {
    format!("{service}-{PROXY}")
}

/// The network identity of the test of the proxy of a service.
pub(crate) fn test_identity(service: &str) -> String {
    format!("{service}-{TEST_AUTHENTICATION}")
}

/// The expression of the umbrella's values that holds while a service has a proxy.
pub(crate) fn proxied(service: &str) -> String {
    format!(r#"(eq {} "OAuth2Proxy")"#, value(&[service, "exposure", "authentication", "mode"]))
}

/// The expression of the umbrella's values that holds while a service has no proxy.
pub(crate) fn direct(service: &str) -> String {
    format!(r#"(eq {} "None")"#, value(&[service, "exposure", "authentication", "mode"]))
}

/// The Pod, as text of a template of the service's chart. Its port has the name of the service's port, by which Services lead to both.
fn pod(graph: &Graph, port_name: &str, number: u16) -> Pod {
    let c = graph.name;
    let values = ".Values.exposure.authentication";
    let image = format!(r#"(dict "Values" (dict "global" .Values.global "image" {values}.image))"#);
    let secret = format!(r#"{{{{ include "{c}.proxySecret" . | quote }}}}"#);
    let container = Container {
        image: Some(ContainerImage {
            reference: format!(r#"{{{{ include "{c}.image" {image} | quote }}}}"#),
            pull_policy: format!("{{{{ {values}.image.pullPolicy }}}}"),
        }),
        args: Some(format!(r#"{{{{- include "{c}.proxyArguments" (dict "chart" . "port" {number}) | nindent 12 }}}}"#)),
        ports: vec![(scalar(port_name), PORT)],
        env: SECRET_VARIABLES.map(|variable| EnvVar::of_secret(variable, &secret, variable)).into(),
        probes: Some(Probes::of_helper(port_name, HEALTH)),
        liveness_note: Some("Neither probe asks the provider. Without it the proxy cannot start, but it goes on."),
        resources: Some(format!(
            r#"{{{{- include "{c}.resources" (dict "Values" (dict "resources" {values}.resources)) | trim | nindent 12 }}}}"#
        )),
        further: FurtherOfContainer { env: None, mounts: Some(format!(r#"include "{c}.proxyMounts" ."#)) },
        ..Container::new(PROXY)
    };
    Pod {
        scope: Scope::Own,
        service_account: format!("{{{{ .Release.Name }}}}-{{{{ .Chart.Name }}}}-{PROXY}"),
        token: "false".to_owned(),
        no_service_links: None,
        restart_policy: None,
        grace_period: None,
        security: pod_security(USER, false),
        init_containers: Vec::new(),
        containers: vec![container],
        further: FurtherOfPod { init_containers: None, volumes: Some(format!(r#"include "{c}.proxyVolumes" ."#)) },
        volumes: Vec::new(),
    }
}

#[derive(Template)]
#[template(path = "addons/authentication/_authentication.tpl")]
struct Helpers<'a> {
    c: &'a Graph,
    exposed: Vec<&'static str>,
    port: u16,
    health: &'static str,
    ca_folder: &'static str,
}

#[derive(Template)]
#[template(path = "addons/authentication/networkpolicies.yaml")]
struct NetworkPolicies<'a> {
    c: &'a Graph,
    exposed_ports: Vec<(&'static str, u16)>,
    proxy_port: u16,
}

#[derive(Template)]
#[template(path = "addons/authentication/proxy.yaml")]
struct Proxy<'a> {
    c: &'a Graph,
    /// The name and the number of the service's port.
    port_name: String,
    number: u16,
    pod: String,
}

#[derive(Template)]
#[template(path = "addons/authentication/secret.yaml")]
struct Secret<'a> {
    c: &'a Graph,
}

#[derive(Template)]
#[template(path = "addons/authentication/test-authentication.yaml")]
struct Test<'a> {
    c: &'a Graph,
    proxy: &'static str,
    number: u16,
    proxy_port: u16,
    command: String,
    time_limit: String,
}
