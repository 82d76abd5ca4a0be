//! Users reach the page over TLS through a real Traefik: by an Ingress, by a route at a Gateway of others, and by a Gateway of the chart. Only
//! Traefik's pods are admitted. With a proxy in front of the page, users log in at a real provider.

mod authentication;
mod controller;
mod front;

use std::slice::from_ref;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::lane::{Lane, all};
use e2e_kit::namespace::TestNamespace;
use e2e_kit::pods::bare_pod;
use e2e_kit::release::Release;
use e2e_kit::report::{Outcome, Reported};
use e2e_kit::{kubectl, process};
use serde_json::json;

use self::controller::{Certificates, Controller};
pub(in crate::scenarios) use self::front::Front;
use crate::roles::Roles;

/// The hosts of the certificate that the scenario makes, and of that of the addon's Gateway.
const INGRESS_HOST: &str = "ingress.example.test";
const ROUTE_HOST: &str = "route.example.test";
const GATEWAY_HOST: &str = "gateway.example.test";

/// The Secret with the scenario's certificate.
const SECRET: &str = "edge-tls";

/// The time until Traefik serves a changed route.
const SERVED: Duration = Duration::from_mins(1);

/// Python program that requests a page over TLS and checks the certificate: address, port, host, path, the certificates that it trusts, and
/// optionally the header `Authorization`. It prints the status, the header `Location` and the body.
const HTTPS: &str = "\
import http.client, socket, ssl, sys
address, port, host, path, trusted, *authorization = sys.argv[1:]
context = ssl.create_default_context(cadata=trusted or None)
secure = context.wrap_socket(socket.create_connection((address, int(port)), 10), server_hostname=host)
connection = http.client.HTTPSConnection(host)
connection.sock = secure
connection.request('GET', path, headers={'Authorization': word for word in authorization})
answer = connection.getresponse()
print(answer.status, answer.headers.get('Location', '-'))
print(answer.read().decode())";

/// The same over plain HTTP.
const HTTP: &str = "\
import http.client, sys
address, port, host, path = sys.argv[1:]
connection = http.client.HTTPConnection(address, int(port), timeout=10)
connection.request('GET', path, headers={'Host': host})
answer = connection.getresponse()
print(answer.status, answer.headers.get('Location', '-'))
print(answer.read().decode())";

/// Python program that connects and prints `open` or `closed`.
const CONNECT: &str = "\
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).close()
    print('open')
except OSError:
    print('closed')";

pub(super) fn run(lane: &Lane) -> Outcome {
    let roles = Roles::of_lane(lane)?;
    let context = lane.context;
    let Some(controller) = Controller::found(lane)? else {
        lane.not_run(
            "the edge",
            "the cluster has no Traefik with an IngressClass and a Gateway of the class `traefik`",
        );
        return Ok(());
    };
    let helm = context.helm4().map_err(|_| Reported)?;
    let (namespace, outside) = (TestNamespace::as_step(lane, "edge")?, TestNamespace::as_step(lane, "edge-client")?);
    let release = Release::new(&namespace, helm, "afp");
    let edge = Edge { release: &release, roles: &roles, controller: &controller, outside: &outside };
    let mut certificates = None;
    lane.step("make a certificate, and a pod outside the release that requests the page", || {
        let made = Certificates::new(context, &[INGRESS_HOST, GATEWAY_HOST])?;
        made.store(&namespace.name, SECRET)?;
        certificates = Some(made);
        start(&outside.name, "client", &json!({}), &release)?;
        Ok(String::new())
    })?;
    let certificates = certificates.ok_or(Reported)?;
    lane.step("helm install --wait with an Ingress and TLS", || {
        release.install(from_ref(&context.small), &texts(&edge.ingress_values()))?;
        Ok(String::new())
    })?;
    let ingress = all([
        lane.step("the page is served through the Ingress, with the certificate of its Secret", || {
            edge.is_served(INGRESS_HOST, &certificates.authority)
        }),
        lane.step("a client that does not trust the certificate's authority is not served", || {
            let refused = edge.https(INGRESS_HOST, "").err().context("the certificate was not checked")?;
            ensure!(format!("{refused:#}").contains("CERTIFICATE_VERIFY_FAILED"), "{refused:#}");
            Ok(String::new())
        }),
        lane.step("foreign pods in the namespaces of Traefik and of the release are refused", || edge.refuses_others()),
        lane.step("the Ingress also answers on plain HTTP, as the README says", || {
            let answer = edge.http(INGRESS_HOST)?;
            ensure!(answer.starts_with("200 "), "{answer}");
            Ok(String::new())
        }),
    ]);
    let refusals = lane.step("a Gateway and a listener that do not exist are refused", || refusals(&edge));
    let route = route(lane, &edge);
    let gateway = own_gateway(lane, &edge, &certificates);
    let authentication = authentication::run(lane, &edge, &certificates.authority);
    let by_traefik = authentication::by_traefik(lane, &edge, &certificates.authority);
    all([ingress, refusals, route, gateway, authentication, by_traefik])
}

/// A release, and what surrounds it.
struct Edge<'a> {
    release: &'a Release<'a>,
    roles: &'a Roles,
    controller: &'a Controller,
    outside: &'a TestNamespace<'a>,
}

impl Edge<'_> {
    /// A value below the page's `exposure`.
    fn set(&self, key: &str, value: &str) -> String {
        format!("{}.exposure.{key}={value}", self.roles.page)
    }

    fn controller_values(&self) -> Vec<String> {
        vec![
            "global.network.edgeController=Traefik".to_owned(),
            format!("global.network.edgeNamespace={}", self.controller.namespace),
        ]
    }

    /// The values of an Ingress with TLS.
    fn ingress_values(&self) -> Vec<String> {
        let mut sets = self.controller_values();
        sets.extend([
            self.set("via", "Ingress"),
            self.set("host", INGRESS_HOST),
            self.set("tls.secretName", SECRET),
            self.set("ingress.className", "traefik"),
        ]);
        sets
    }

    /// The values of a route at the Gateway of others, or at another one.
    fn route_values(&self, gateway: &str, section: &str) -> Vec<String> {
        let mut sets = self.controller_values();
        sets.extend([
            self.set("via", "HTTPRoute"),
            self.set("host", ROUTE_HOST),
            self.set("httpRoute.gateway", gateway),
            self.set("httpRoute.gatewayNamespace", &self.controller.namespace),
            self.set("httpRoute.sectionName", section),
        ]);
        sets
    }

    fn upgrade(&self, sets: &[String]) -> anyhow::Result<()> {
        let small = &self.release.namespace.context.small;
        self.release.apply(&self.release.arguments("upgrade", from_ref(small), &texts(sets)), true)
    }

    /// Requests the page over TLS, from outside the release; the status, the header `Location` and the body.
    fn https(&self, host: &str, trusted: &str) -> anyhow::Result<String> {
        let path = self.roles.test.page.path.to_string();
        self.client(&[HTTPS, &self.controller.address(), "443", host, &path, trusted])
    }

    fn http(&self, host: &str) -> anyhow::Result<String> {
        let path = self.roles.test.page.path.to_string();
        self.client(&[HTTP, &self.controller.address(), "80", host, &path])
    }

    fn client(&self, program: &[&str]) -> anyhow::Result<String> {
        ran(&self.outside.name, "client", program)
    }

    /// Waits until the page is served over TLS.
    fn is_served(&self, host: &str, trusted: &str) -> anyhow::Result<String> {
        let expected = crate::flow::page(self.release)?;
        let title = title(&expected);
        process::until(SERVED, Duration::from_secs(1), || {
            let answer = self.https(host, trusted).unwrap_or_else(|error| format!("{error:#}"));
            Ok(if answer.starts_with("200 ") && answer.contains(title) { Ok(()) } else { Err(answer) })
        })?;
        Ok(format!("https://{host}/"))
    }

    /// Pods with one of the two properties that the policy requires, and not the other.
    fn refuses_others(&self) -> anyhow::Result<String> {
        let (own, theirs) = (&self.release.namespace.name, &self.controller.namespace);
        let service = format!("{}-{}.{own}", self.release.name, self.roles.page);
        let port = self.roles.test.page.endpoint.port.number.to_string();
        let labels = json!({ "app.kubernetes.io/name": "traefik" });
        let foreign = format!("foreign-{}", e2e_kit::random::suffix());
        start(own, "foreign", &labels, self.release)?;
        // Traefik's namespace is not the scenario's own: the pod is deleted again.
        let tried = start(theirs, &foreign, &json!({}), self.release)
            .and_then(|()| ran(theirs, &foreign, &[CONNECT, &service, &port]));
        let deleted =
            kubectl::tidy(&["delete", "pod", &foreign, "--namespace", theirs, "--ignore-not-found", "--wait=false"]);
        let (outside, inside) = (tried?, ran(own, "foreign", &[CONNECT, &service, &port])?);
        deleted?;
        ensure!(outside.trim() == "closed", "a pod of Traefik's namespace without its label connects to the page");
        ensure!(
            inside.trim() == "closed",
            "a pod with Traefik's label in the release's namespace connects to the page"
        );
        // Somebody listens there.
        ensure!(
            self.client(&[CONNECT, &self.controller.address(), "443"])?.trim() == "open",
            "Traefik does not listen"
        );
        Ok("neither the namespace nor the label is enough".to_owned())
    }
}

fn texts(sets: &[String]) -> Vec<&str> {
    sets.iter().map(String::as_str).collect()
}

/// The first words of a page that tell it from others: its title, or all of it.
fn title(page: &str) -> &str {
    let title = page.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    title.map_or(page.trim(), |(title, _)| title)
}

/// Starts a pod that waits for programs.
fn start(namespace: &str, name: &str, labels: &serde_json::Value, release: &Release) -> anyhow::Result<()> {
    let image = release.namespace.context.images.tool("auditflow-e2e/reach")?;
    let waits = json!({ "command": ["python3", "-c", "import time; time.sleep(3600)"] });
    kubectl::apply(&bare_pod(namespace, name, image, labels, &waits))?;
    kubectl::run(&["wait", "pod", name, "--namespace", namespace, "--for=condition=Ready", "--timeout=50s"])?;
    Ok(())
}

/// The output of a Python program in a pod: the program, and its arguments.
fn ran(namespace: &str, pod: &str, program: &[&str]) -> anyhow::Result<String> {
    let words: Vec<&str> = ["python3", "-c"].into_iter().chain(program.iter().copied()).collect();
    Ok(kubectl::exec(namespace, pod, &words)?.ok("python3")?)
}

/// Helm's messages for a Gateway and a listener that do not exist.
fn refusals(edge: &Edge) -> anyhow::Result<String> {
    let gateway = edge.controller.gateway.as_str();
    let cases = [
        (edge.route_values("nobody", "https"), "httpRoute.gateway is nobody, but namespace", "has no such Gateway"),
        (
            edge.route_values(gateway, "nothing"),
            "httpRoute.sectionName is nothing, but the Gateway",
            "has no such listener",
        ),
    ];
    for (sets, what, why) in &cases {
        let small = &edge.release.namespace.context.small;
        let arguments = edge.release.arguments("upgrade", from_ref(small), &texts(sets));
        let output = edge.release.try_helm(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
        ensure!(!output.success, "Helm accepts {sets:?}");
        let said = output.all();
        ensure!(said.contains(what) && said.contains(why), "the message lacks `{what}` or `{why}`: {said}");
    }
    // Without the check, the release can be installed before its Gateway.
    let mut sets = edge.route_values("nobody", "https");
    sets.push(edge.set("httpRoute.verifyGateway", "false"));
    edge.upgrade(&sets)?;
    Ok(format!("{} refused", cases.len()))
}

/// A route at a Gateway of others.
fn route(lane: &Lane, edge: &Edge) -> Outcome {
    lane.step("helm upgrade to a route at the Gateway of the cluster", || {
        edge.upgrade(&edge.route_values(&edge.controller.gateway, "https"))?;
        Ok(edge.controller.gateway.clone())
    })?;
    all([
        lane.step("the page is served through the Gateway, with its certificate", || {
            edge.is_served(ROUTE_HOST, &edge.controller.certificate)
        }),
        lane.step("the Gateway redirects plain HTTP", || redirects(edge, ROUTE_HOST)),
        lane.step("foreign pods are still refused", || edge.refuses_others()),
    ])
}

fn redirects(edge: &Edge, host: &str) -> anyhow::Result<String> {
    process::until(SERVED, Duration::from_secs(1), || {
        let answer = edge.http(host).unwrap_or_else(|error| format!("{error:#}"));
        let to = format!("https://{host}{}", edge.roles.test.page.path);
        let is_redirect =
            answer.starts_with(&format!("301 {to}")) || answer.starts_with(&format!("301 https://{host}:443/"));
        Ok(if is_redirect { Ok(()) } else { Err(answer) })
    })?;
    Ok(String::new())
}

/// A Gateway of the chart, with the scenario's certificate.
fn own_gateway(lane: &Lane, edge: &Edge, certificates: &Certificates) -> Outcome {
    lane.step("helm upgrade to a Gateway of the chart", || {
        let mut sets = edge.controller_values();
        sets.extend([
            edge.set("via", "HTTPRoute"),
            edge.set("host", GATEWAY_HOST),
            edge.set("tls.secretName", SECRET),
            edge.set("httpRoute.ownGateway.enabled", "true"),
            edge.set("httpRoute.ownGateway.className", "traefik"),
            edge.set("httpRoute.ownGateway.httpPort", &edge.controller.ports[0].to_string()),
            edge.set("httpRoute.ownGateway.httpsPort", &edge.controller.ports[1].to_string()),
        ]);
        edge.upgrade(&sets)?;
        Ok(String::new())
    })?;
    all([
        lane.step("the page is served through the chart's own Gateway, with the certificate of its Secret", || {
            edge.is_served(GATEWAY_HOST, &certificates.authority)
        }),
        lane.step("the chart's own Gateway redirects plain HTTP", || redirects(edge, GATEWAY_HOST)),
    ])
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn a_page_is_known_by_its_title_or_by_all_of_it() {
        assert_eq!(title("<head><title>Alerts</title></head>"), "Alerts");
        assert_eq!(title(" plain\n"), "plain");
    }
}
