//! The proxy that authenticates users: values that are refused, and who leads to whom.

use serde_json::{Value, json};

use crate::accepted::{HOST, VIA, accepted, refused};
use crate::edge::objects;

const PATH: &str = "event-audit-dashboard.exposure.authentication";
const KEY: &str = "0123456789abcdef0123456789abcdef";

type Pairs = Vec<(String, Value)>;

/// A complete configuration without the keys in `without`, and with further values.
fn with(without: &[&str], further: &[(&str, Value)]) -> Pairs {
    let own = |key: &str, value: Value| (format!("{PATH}.{key}"), value);
    let egress = json!([{ "to": [{ "ipBlock": { "cidr": "192.0.2.0/24" } }], "ports": [{ "port": 443 }] }]);
    let complete = [
        (VIA.to_owned(), json!("Ingress")),
        (HOST.to_owned(), json!("audit.example.org")),
        ("global.network.edgeController".to_owned(), json!("Traefik")),
        own("mode", json!("OAuth2Proxy")),
        own("issuerUrl", json!("https://login.example.org/realms/staff")),
        own("clientId", json!("audit")),
        own("allowed.emailDomains", json!(["example.org"])),
        own("credentials.clientSecret.value", json!("web-secret")),
        own("credentials.cookieSecret.value", json!(KEY)),
        own("network.egress", egress),
    ];
    let kept = |(path, _): &(String, Value)| {
        let is_replaced = further.iter().any(|(key, _)| path == key || *path == format!("{PATH}.{key}"));
        !is_replaced && !without.iter().any(|key| *path == format!("{PATH}.{key}"))
    };
    let named = |(key, value): &(&str, Value)| {
        let path = if key.starts_with("global.") || key.starts_with("event-") {
            (*key).to_owned()
        } else {
            format!("{PATH}.{key}")
        };
        (path, value.clone())
    };
    complete.into_iter().filter(kept).chain(further.iter().map(named)).collect()
}

fn borrowed(pairs: &Pairs) -> Vec<(&str, Value)> {
    pairs.iter().map(|(key, value)| (key.as_str(), value.clone())).collect()
}

fn all_refused(wrong: &[(Pairs, String)]) {
    let wrong: Vec<_> = wrong.iter().map(|(values, says)| (borrowed(values), says)).collect();
    refused(&wrong.iter().map(|(values, says)| (&values[..], says.as_str())).collect::<Vec<_>>());
}

fn all_accepted(right: &[Pairs]) {
    let right: Vec<_> = right.iter().map(borrowed).collect();
    accepted(&right.iter().map(|values| &values[..]).collect::<Vec<_>>());
}

#[test]
fn a_proxy_has_a_provider_users_and_credentials() {
    let lacks = |key: &str, remedy: &str| {
        format!("{PATH}.{key} is not set, but {PATH}.mode: OAuth2Proxy requires it. {remedy}.")
    };
    let missing = [
        ("issuerUrl", "Set it to the address of the provider"),
        ("clientId", "Set it to the ID that the provider issued"),
        ("credentials.clientSecret.value", "Set it to the secret that the provider issued"),
        ("credentials.cookieSecret.value", "Make one with: openssl rand -hex 16"),
    ];
    let mut wrong: Vec<(Pairs, String)> =
        missing.iter().map(|(key, remedy)| (with(&[key], &[]), lacks(key, remedy))).collect();
    let length = |bytes: usize| {
        format!(
            "{PATH}.credentials.cookieSecret.value has {bytes} bytes, but the key of session cookies has 16, 24 or 32. Make one with: openssl rand -hex 16."
        )
    };
    let key = |value: &str| with(&[], &[("credentials.cookieSecret.value", json!(value))]);
    wrong.extend([
        (
            with(&["allowed.emailDomains"], &[]),
            format!("{PATH}.allowed names no user, so nobody could log in. Set {PATH}.allowed.emailDomains to the domains of the users' addresses, or {PATH}.allowed.groups to groups of the provider."),
        ),
        (
            with(&["network.egress"], &[]),
            format!("{PATH}.network.egress is empty, so the NetworkPolicy would block the proxy from its provider. Add a rule for the address in {PATH}.issuerUrl."),
        ),
        (key("short"), length(5)),
        (key(&KEY[1..]), length(31)),
        // The output of `openssl rand -base64 32`, in an alphabet that the proxy does not decode.
        (key("q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNF+/8="), length(44)),
        (
            with(&[], &[("credentials.clientSecret.value", json!("web-secret\n"))]),
            format!("{PATH}.credentials.clientSecret.value begins or ends with a space or a line break. Remove it."),
        ),
        (with(&[], &[("allowed.emailDomains", json!(["user@example.org"]))]), "at '/event-audit-dashboard/exposure/authentication/allowed/emailDomains/0'".to_owned()),
        (with(&[], &[("issuerUrl", json!("login.example.org"))]), "at '/event-audit-dashboard/exposure/authentication/issuerUrl'".to_owned()),
        (with(&[], &[("mode", json!("Basic"))]), "at '/event-audit-dashboard/exposure/authentication/mode'".to_owned()),
        (
            with(&[], &[("network.egress", json!([{ "to": [{ "ipBlock": { "cidr": "192.0.2.1/24" } }] }]))]),
            format!("{PATH}.network.egress[0].to[0].ipBlock.cidr: 192.0.2.1/24 has host bits set"),
        ),
        (
            with(&[], &[("resources.limits.memory", json!("16Mi"))]),
            format!("{PATH}.resources"),
        ),
    ]);
    all_refused(&wrong);
    let url_alphabet = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNF-_8=";
    all_accepted(&[
        with(&[], &[]),
        with(&["allowed.emailDomains"], &[("allowed.groups", json!(["cn=on-call,ou=security"]))]),
        with(&[], &[("allowed.emailDomains", json!(["*", "*.example.org"]))]),
        key(&KEY[..16]),
        key(&KEY[..24]),
        key(url_alphabet),
    ]);
}

#[test]
fn users_return_to_the_address_that_they_opened() {
    let at = |url: &str| ("url", json!(url));
    let node_port = (VIA, json!("NodePort"));
    let no_host = (HOST, json!(""));
    all_refused(&[
        (
            with(&[], &[node_port.clone(), no_host.clone()]),
            format!(
                "{PATH}.url is not set, but {VIA}: NodePort requires it. Set it to the address at which users open the service, such as http://node.example.org:30080."
            ),
        ),
        (
            with(&[], &[at("https://www.example.org:8443")]),
            format!(
                "{PATH}.url is https://www.example.org:8443, but {HOST} is audit.example.org, so users would return from the provider to another host. Set both to the same host."
            ),
        ),
        (
            with(&[], &[at("https://audit.example.org/")]),
            "at '/event-audit-dashboard/exposure/authentication/url'".to_owned(),
        ),
    ]);
    all_accepted(&[
        with(&[], &[at("https://Audit.example.org:8443")]),
        with(&[], &[at("https://www.example.org"), (HOST, json!("*.example.org"))]),
        with(&[], &[at("http://192.0.2.1:30080"), node_port, no_host]),
    ]);
}

#[test]
fn values_without_a_proxy_and_in_other_modes_are_refused() {
    let unused = |key: &str, with: &str| format!("{PATH}.{key} is set, but it has no effect with {with}");
    let off = |key: &str, value: Value| {
        let exposed = [(VIA.to_owned(), json!("NodePort")), (format!("{PATH}.{key}"), value)];
        (exposed.to_vec(), unused(key, "exposure.authentication.mode: None. Set the mode to OAuth2Proxy"))
    };
    let mut wrong = vec![
        off("issuerUrl", json!("https://login.example.org")),
        off("clientId", json!("audit")),
        off("url", json!("https://audit.example.org")),
        off("scope", json!("openid")),
        off("allowed.emailDomains", json!(["example.org"])),
        off("allowed.groups", json!(["staff"])),
        off("sessionHours", json!(1)),
        off("existingSecret", json!("x")),
        off("caConfigMap", json!("x")),
        off("replicas", json!(2)),
        off("network.egress", json!([{}])),
    ];
    let secret = "credentials.clientSecret";
    wrong.extend([
        (
            vec![(format!("{PATH}.{secret}.value"), json!("x"))],
            unused(&format!("{secret}.value"), &format!("{PATH}.mode: None. Set the mode to OAuth2Proxy")),
        ),
        (with(&[], &[(VIA, json!("None")), (HOST, json!(""))]), unused("mode", "exposure.via: None")),
        (with(&[], &[("existingSecret", json!("x"))]), unused("existingSecret", "global.secrets.mode: inline")),
        (
            with(&[], &[("credentials.clientSecret.remoteRef.key", json!("x"))]),
            unused(&format!("{secret}.remoteRef.key"), "global.secrets.mode: inline"),
        ),
        (
            with(&[], &[("global.secrets.mode", json!("existing"))]),
            unused(&format!("{secret}.value"), "global.secrets.mode: existing, and Helm stores it in the release"),
        ),
    ]);
    all_refused(&wrong);
}

/// The object of this kind and name with these values.
fn object(kind: &str, name: &str, values: &Pairs) -> Value {
    let found = objects(&[kind], &borrowed(values)).into_iter().find(|one| one["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

#[test]
fn users_reach_the_proxy_and_only_the_proxy_reaches_the_service() {
    const PROXY: &str = "afp-event-audit-dashboard-proxy";
    const SERVICE: &str = "afp-event-audit-dashboard";
    let ingress = with(&[], &[]);
    let backend = &object("Ingress", SERVICE, &ingress)["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"];
    let service = object("Service", PROXY, &ingress);
    assert_eq!(backend["name"], PROXY);
    assert_eq!(backend["port"]["name"], service["spec"]["ports"][0]["name"]);
    let deployment = object("Deployment", PROXY, &ingress);
    let pod = &deployment["spec"]["template"];
    let selector = service["spec"]["selector"].as_object().expect("a selector");
    assert!(selector.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value));
    // The Service of the service itself does not lead to the proxy, which would then forward to itself.
    let own = object("Service", SERVICE, &ingress);
    assert_ne!(
        own["spec"]["selector"]["app.kubernetes.io/component"],
        pod["metadata"]["labels"]["app.kubernetes.io/component"]
    );

    let admitted = |name: &str, values: &Pairs| object("NetworkPolicy", name, values)["spec"]["ingress"].clone();
    let from = |rules: &Value| rules[0]["from"][0]["podSelector"]["matchLabels"].clone();
    let of_service = admitted(SERVICE, &ingress);
    assert_eq!(of_service.as_array().map(Vec::len), Some(1), "{of_service}");
    assert_eq!(from(&of_service)["auditflow-platform/identity"], "event-audit-dashboard-proxy");
    assert_eq!(from(&admitted(PROXY, &ingress))["app.kubernetes.io/name"], "traefik");
    let outside =
        |via: &str| with(&[], &[(VIA, json!(via)), (HOST, json!("")), ("url", json!("http://192.0.2.1:30080"))]);
    for via in ["NodePort", "LoadBalancer"] {
        let values = outside(via);
        assert_eq!(admitted(PROXY, &values), json!([{ "ports": [{ "port": 4180 }] }]));
        assert_eq!(admitted(SERVICE, &values), of_service);
        let external = object("Service", "afp-event-audit-dashboard-external", &values);
        assert_eq!(external["spec"]["selector"]["app.kubernetes.io/component"], "proxy");
    }
    // An empty list would admit every client.
    let beside = with(&[], &[("global.network.edgeController", json!("HostNetwork"))]);
    assert_eq!(admitted(PROXY, &beside), Value::Null);
}

/// The arguments of the proxy.
fn arguments(values: &Pairs) -> Vec<String> {
    let deployment = object("Deployment", "afp-event-audit-dashboard-proxy", values);
    let arguments =
        deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_array().expect("arguments").clone();
    arguments.iter().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn the_arguments_follow_from_the_way_of_the_users() {
    let has = |values: &Pairs, expected: &[&str]| {
        let found = arguments(values);
        for one in expected {
            assert!(found.iter().any(|argument| argument == one), "{one}: {found:#?}");
        }
        found
    };
    let found = has(
        &with(&[], &[("clientId", json!("a$(b)")), ("scope", json!("openid email"))]),
        &[
            "--client-id=a$$(b)",
            "--scope=openid email",
            "--upstream=http://afp-event-audit-dashboard:8080/",
            "--email-domain=example.org",
            "--reverse-proxy=true",
            "--cookie-secure=true",
            "--cookie-name=__Host-event-audit-dashboard",
            "--cookie-expire=8h",
        ],
    );
    assert!(
        !found.iter().any(|one| one.starts_with("--redirect-url") || one.starts_with("--allowed-group")),
        "{found:#?}"
    );
    let url = ("url", json!("http://192.0.2.1:30080"));
    has(
        &with(
            &["allowed.emailDomains"],
            &[(VIA, json!("NodePort")), (HOST, json!("")), url, ("allowed.groups", json!(["a,b"]))],
        ),
        &[
            // Only the group decides.
            "--email-domain=*",
            r#"--allowed-group="a,b""#,
            "--redirect-url=http://192.0.2.1:30080/oauth2/callback",
            // The headers of a client that no controller has replaced.
            "--reverse-proxy=false",
            "--cookie-secure=false",
            "--cookie-name=event-audit-dashboard",
        ],
    );
}

#[test]
fn a_new_revision_is_another_secret_and_other_pods() {
    let secret = |values: &Pairs| {
        let deployment = object("Deployment", "afp-event-audit-dashboard-proxy", values);
        let env = &deployment["spec"]["template"]["spec"]["containers"][0]["env"];
        assert_eq!(env[0]["valueFrom"]["secretKeyRef"]["name"], env[1]["valueFrom"]["secretKeyRef"]["name"]);
        env[0]["valueFrom"]["secretKeyRef"]["name"].as_str().expect("a name").to_owned()
    };
    let first = with(&[], &[]);
    assert_eq!(secret(&first), "afp-event-audit-dashboard-proxy-inline-r1.1");
    let data = object("Secret", &secret(&first), &first)["stringData"].clone();
    assert_eq!(data, json!({ "OAUTH2_PROXY_CLIENT_SECRET": "web-secret", "OAUTH2_PROXY_COOKIE_SECRET": KEY }));
    let second = with(&[], &[("credentials.cookieSecret.revision", json!(2))]);
    assert_eq!(secret(&second), "afp-event-audit-dashboard-proxy-inline-r1.2");
    object("Secret", &secret(&second), &second);
}
