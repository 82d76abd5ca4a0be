//! Users log in at an OpenID Connect provider before they reach the page.

use std::slice::from_ref;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e_kit::lane::{Lane, all};
use e2e_kit::report::Outcome;
use e2e_kit::{kubectl, process};
use serde_json::json;

use super::{CONNECT, Edge, HTTPS, INGRESS_HOST, SERVED, ran, texts, title};

/// The provider of the cluster: its namespace, its Deployment, and the port of its pods.
const PROVIDER: [&str; 2] = ["oidc", "oidc"];
const ISSUER: &str = "http://oidc.oidc:9998";

/// Its client, and a user of the domain that the proxy admits and one of another domain. The password of each is `<user>-password`.
const CLIENT: [&str; 2] = ["web", "web-secret"];
const DOMAIN: &str = "example.test";
const ADMITTED: &str = "alice";
const REFUSED: &str = "mallory";

/// Keys of session cookies.
const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

/// The Middleware of Traefik and its Secret: the user `reader` with the password `pass`, as a line of htpasswd and as a header of a request.
const MIDDLEWARE: &str = "readers";
const USERS: &str = "reader:{SHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ=";
const AUTHORIZATION: &str = "Basic cmVhZGVyOnBhc3M=";

/// Python program of a browser that opens a page over TLS, follows redirects, keeps cookies, and fills in the form of a provider: address of the
/// controller, host, path, trusted certificates, user and password. It prints the status, the address and the body of the last answer.
const LOGIN: &str = "\
import html.parser, http.cookiejar, socket, ssl, sys, urllib.error, urllib.parse, urllib.request
address, host, path, trusted, user, password = sys.argv[1:]
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda name, *rest, **more: resolve(address if name == host else name, *rest, **more)

class Form(html.parser.HTMLParser):
    action, fields = None, {}
    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == 'form':
            self.action = attributes.get('action', '')
        if tag == 'input' and attributes.get('name'):
            self.fields[attributes['name']] = attributes.get('value', '')

context = ssl.create_default_context(cadata=trusted)
browser = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

def open(url, data=None):
    try:
        answer = browser.open(url, data, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.url, answer.read().decode()

status, url, body = open(f'https://{host}{path}')
form = Form()
form.feed(body)
if form.action is None or {'username', 'password'} - set(form.fields):
    sys.exit(f'no form of a provider at {url}: {status} {body}')
fields = {**form.fields, 'username': user, 'password': password}
print(*open(urllib.parse.urljoin(url, form.action), urllib.parse.urlencode(fields).encode()))";

/// The steps, if the cluster has the provider.
pub(super) fn run(lane: &Lane, edge: &Edge, authority: &str) -> Outcome {
    let mut is_there = false;
    lane.step("find an OpenID Connect provider, and let it accept the page's address", || {
        is_there = prepare()?;
        Ok(if is_there { ISSUER.to_owned() } else { "none".to_owned() })
    })?;
    if !is_there {
        lane.not_run("authentication", "the cluster has no provider: no Deployment `oidc` in the namespace `oidc`");
        return Ok(());
    }
    lane.step("helm upgrade to a proxy that authenticates the users of an Ingress", || {
        edge.upgrade(&values(edge, KEY))?;
        Ok(String::new())
    })?;
    all([
        lane.step("an anonymous request is redirected to the provider, and gets no page", || {
            edge.is_refused(authority)
        }),
        lane.step("a user of the admitted domain logs in and gets the page", || edge.logs_in(authority)),
        lane.step("a user of another domain gets 403", || {
            let answer = edge.login(authority, REFUSED)?;
            let title = edge.title()?;
            ensure!(answer.starts_with("403 ") && !answer.contains(&title), "{answer}");
            Ok(REFUSED.to_owned())
        }),
        lane.step("foreign pods reach neither the page nor the proxy", || {
            edge.refuses_others()?;
            let own = &edge.release.namespace.name;
            let proxy = format!("{}-{}-proxy.{own}", edge.release.name, edge.roles.page);
            let port = edge.roles.test.page.endpoint.port.number.to_string();
            let found = ran(&edge.outside.name, "client", &[CONNECT, &proxy, &port])?;
            ensure!(found.trim() == "closed", "a pod of another namespace connects to the proxy");
            Ok(String::new())
        }),
        lane.step("helm test finds the proxy closed to clients without a login", || {
            let tests = edge.release.test(&["network-policy-test"])?;
            let said = tests.all();
            ensure!(tests.success && said.contains("without a login: ok"), "{said}");
            Ok(String::new())
        }),
        lane.step("another key of the cookies under the same revision is refused, and works under a new one", || {
            edge.replaces_the_key(authority)
        }),
    ])
}

/// Basic authentication by Traefik itself, without a proxy.
pub(super) fn by_traefik(lane: &Lane, edge: &Edge, authority: &str) -> Outcome {
    lane.step("helm upgrade to an Ingress with a Middleware of Traefik that asks for a password", || {
        let namespace = &edge.release.namespace.name;
        kubectl::apply(&json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": MIDDLEWARE, "namespace": namespace },
            "stringData": { "users": USERS },
        }))?;
        kubectl::apply(&json!({
            "apiVersion": "traefik.io/v1alpha1", "kind": "Middleware",
            "metadata": { "name": MIDDLEWARE, "namespace": namespace },
            "spec": { "basicAuth": { "secret": MIDDLEWARE } },
        }))?;
        let mut sets = edge.ingress_values();
        let annotation = r"ingress.annotations.traefik\.ingress\.kubernetes\.io/router\.middlewares";
        sets.push(edge.set(annotation, &format!("{namespace}-{MIDDLEWARE}@kubernetescrd")));
        edge.upgrade(&sets)?;
        Ok(String::new())
    })?;
    lane.step("Traefik refuses a request without the password, and serves the page with it", || {
        process::until(SERVED, Duration::from_secs(1), || {
            let answer = edge.https(INGRESS_HOST, authority).unwrap_or_else(|error| format!("{error:#}"));
            Ok(if answer.starts_with("401 ") { Ok(()) } else { Err(answer) })
        })?;
        let path = edge.roles.test.page.path.to_string();
        let answer =
            edge.client(&[HTTPS, &edge.controller.address(), "443", INGRESS_HOST, &path, authority, AUTHORIZATION])?;
        ensure!(answer.starts_with("200 ") && answer.contains(&edge.title()?), "{answer}");
        Ok(String::new())
    })
}

/// Lets the provider accept the address to which the proxy returns. Whether the cluster has the provider.
fn prepare() -> anyhow::Result<bool> {
    let [namespace, deployment] = PROVIDER;
    let found = kubectl::try_run(&["get", "deployment", deployment, "--namespace", namespace], "")?;
    if !found.success {
        return Ok(false);
    }
    let object = format!("deployment/{deployment}");
    let uris = format!("REDIRECT_URIS=https://{INGRESS_HOST}/oauth2/callback");
    kubectl::run(&["set", "env", &object, &uris, "--namespace", namespace])?;
    kubectl::run(&["rollout", "status", &object, "--namespace", namespace, "--timeout=60s"])?;
    Ok(true)
}

/// The values of an Ingress with a proxy, whose cookies have this key.
fn values(edge: &Edge, key: &str) -> Vec<String> {
    let [id, secret] = CLIENT;
    let set = |path: &str, value: &str| edge.set(&format!("authentication.{path}"), value);
    let mut sets = edge.ingress_values();
    sets.extend([
        set("mode", "OAuth2Proxy"),
        set("issuerUrl", ISSUER),
        set("clientId", id),
        set("allowed.emailDomains[0]", DOMAIN),
        set("credentials.clientSecret.value", secret),
        set("credentials.cookieSecret.value", key),
        set(r"network.egress[0].to[0].namespaceSelector.matchLabels.kubernetes\.io/metadata\.name", PROVIDER[0]),
        set("network.egress[0].ports[0].port", "9998"),
    ]);
    sets
}

impl Edge<'_> {
    fn title(&self) -> anyhow::Result<String> {
        Ok(title(&crate::flow::page(self.release)?).to_owned())
    }

    /// Waits until Traefik leads to the proxy, which then refuses a request without a login.
    fn is_refused(&self, authority: &str) -> anyhow::Result<String> {
        let title = self.title()?;
        let redirect = format!("302 {ISSUER}/");
        let answer = process::until(SERVED, Duration::from_secs(1), || {
            let answer = self.https(INGRESS_HOST, authority).unwrap_or_else(|error| format!("{error:#}"));
            Ok(if answer.starts_with(&redirect) { Ok(answer) } else { Err(answer) })
        })?;
        ensure!(!answer.contains(&title), "the answer contains the page: {answer}");
        let back = format!("redirect_uri=https%3A%2F%2F{INGRESS_HOST}%2Foauth2%2Fcallback");
        ensure!(answer.contains(&back), "the provider would return elsewhere: {answer}");
        Ok(ISSUER.to_owned())
    }

    /// What a user gets who logs in: the status, the address and the body of the last answer.
    fn login(&self, authority: &str, user: &str) -> anyhow::Result<String> {
        let path = self.roles.test.page.path.to_string();
        let password = format!("{user}-password");
        self.client(&[LOGIN, &self.controller.address(), INGRESS_HOST, &path, authority, user, &password])
    }

    /// Waits until a login leads to the page: the policies of a new proxy take effect some seconds after its start.
    fn logs_in(&self, authority: &str) -> anyhow::Result<String> {
        let page = format!("200 https://{INGRESS_HOST}{} ", self.roles.test.page.path);
        let title = self.title()?;
        process::until(SERVED, Duration::from_secs(2), || {
            let answer = self.login(authority, ADMITTED).unwrap_or_else(|error| format!("{error:#}"));
            Ok(if answer.starts_with(&page) && answer.contains(&title) { Ok(()) } else { Err(answer) })
        })?;
        Ok(ADMITTED.to_owned())
    }

    fn replaces_the_key(&self, authority: &str) -> anyhow::Result<String> {
        let mut sets = values(self, OTHER_KEY);
        let small = &self.release.namespace.context.small;
        let arguments = self.release.arguments("upgrade", from_ref(small), &texts(&sets));
        let output = self.release.try_helm(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
        let says = "credentials.cookieSecret.value differs from the installed one";
        ensure!(!output.success && output.all().contains(says), "the message lacks `{says}`: {}", output.all());
        sets.push(self.set("authentication.credentials.cookieSecret.revision", "2"));
        self.upgrade(&sets).context("the upgrade with another revision")?;
        self.logs_in(authority)
    }
}
