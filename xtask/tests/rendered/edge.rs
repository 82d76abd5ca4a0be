//! The way of users into the cluster: values that are refused, and the objects of each way.

use serde_json::{Value, json};
use tools::{Object, Tool};

use crate::accepted::{HOST, VIA, Values, accepted, refused};
use crate::refusals::render;

const CONTROLLER: &str = "global.network.edgeController";
const EXPOSURE: &str = "event-audit-dashboard.exposure";

fn at(key: &str) -> String {
    format!("{EXPOSURE}.{key}")
}

fn controller(name: &str) -> (&'static str, Value) {
    (CONTROLLER, json!(name))
}

fn via(way: &str) -> (&'static str, Value) {
    (VIA, json!(way))
}

#[test]
fn a_controller_has_a_namespace_and_labels() {
    let custom = |key: &str| {
        format!(
            "global.network.{key} is not set, but {EXPOSURE}.via: Ingress requires it with global.network.edgeController: Custom."
        )
    };
    let (namespace, labels) = (custom("edgeNamespace"), custom("edgePodLabels"));
    let own = ("global.network.edgePodLabels", json!({ "app": "edge" }));
    let unused = "global.network.edgePodLabels is set, but it has no effect with global.network.edgeController";
    let gateway = at("httpRoute.gateway");
    let long = (gateway.as_str(), json!("g".repeat(64)));
    let wrong: &[(Values, &str)] = &[
        (&[via("Ingress")], &namespace),
        (&[via("Ingress"), ("global.network.edgeNamespace", json!("ingress"))], &labels),
        (&[via("Ingress"), own.clone()], &namespace),
        (&[via("Ingress"), controller("HostNetwork"), own.clone()], &format!("{unused}: HostNetwork")),
        (&[via("Ingress"), controller("Cilium"), own], &format!("{unused}: Cilium")),
        (
            &[via("Ingress"), controller("EnvoyGateway")],
            "exposure.via: Ingress needs an ingress controller, but global.network.edgeController: EnvoyGateway serves HTTPRoutes only. Set via to HTTPRoute.",
        ),
        (
            &[via("HTTPRoute"), controller("HAProxy")],
            "exposure.via: HTTPRoute needs a gateway, but global.network.edgeController: HAProxy serves Ingresses only. Set via to Ingress.",
        ),
        (&[via("Ingress"), controller("Nginx")], "at '/global/network/edgeController'"),
        (
            &[via("Ingress"), ("global.network.edgePodLabels", json!({ "a": "b c" }))],
            "at '/global/network/edgePodLabels",
        ),
        (
            &[via("HTTPRoute"), controller("Istio"), long],
            "httpRoute.gateway has more than 63 characters, so no label of the Gateway's pods can have its name. Set global.network.edgePodLabels.",
        ),
    ];
    refused(wrong);
    accepted(&[
        &[via("Ingress"), controller("HostNetwork")],
        &[
            via("Ingress"),
            ("global.network.edgeNamespace", json!("ingress")),
            ("global.network.edgePodLabels", json!({ "app.kubernetes.io/name": "ingress-nginx" })),
        ],
        // What the cluster has, in an environment without a way for users.
        &[controller("EnvoyGateway")],
    ]);
}

#[test]
fn a_certificate_has_a_host_an_issuer_and_somewhere_to_be() {
    let [secret, mode, issuer, kind] =
        ["tls.secretName", "tls.certManager.mode", "tls.certManager.issuerName", "tls.certManager.issuerKind"].map(at);
    let [own, class, annotations] =
        ["httpRoute.ownGateway.enabled", "httpRoute.ownGateway.className", "ingress.annotations"].map(at);
    let traefik = || controller("Traefik");
    let host = || (HOST, json!("a.example.org"));
    let other = "it has no effect with the Gateway of others, which has its own certificate";
    let wrong: &[(Values, &str)] = &[
        (
            &[via("Ingress"), traefik(), (&secret, json!("x"))],
            "exposure.host is not set, but tls.secretName requires it. Set it to the host name of the certificate.",
        ),
        (
            &[via("Ingress"), traefik(), (&mode, json!("Annotation")), (&issuer, json!("x"))],
            "exposure.host is not set, but tls.certManager.mode: Annotation requires it.",
        ),
        (
            &[via("Ingress"), traefik(), host(), (&mode, json!("Certificate")), (&kind, json!("Issuer"))],
            "tls.certManager.issuerName is not set, but tls.certManager.mode: Certificate requires it. Set it to the name of the Issuer.",
        ),
        (
            &[
                via("Ingress"),
                traefik(),
                host(),
                (&mode, json!("Annotation")),
                (&issuer, json!("x")),
                (&annotations, json!({ "cert-manager.io/issuer": "y" })),
            ],
            "exposure.ingress.annotations has the key cert-manager.io/issuer, which tls.certManager sets. Remove it.",
        ),
        (
            &[via("Ingress"), traefik(), (&issuer, json!("x"))],
            "tls.certManager.issuerName is set, but it has no effect with exposure.tls.certManager.mode: None. Set the mode to Annotation or Certificate, or set the value to \"\".",
        ),
        (
            &[via("HTTPRoute"), traefik(), (&secret, json!("x"))],
            &format!("tls.secretName is set, but {other}. Set {own} to true"),
        ),
        (
            &[via("HTTPRoute"), traefik(), (&mode, json!("Certificate"))],
            &format!("tls.certManager.mode is set, but {other}"),
        ),
        (
            &[via("HTTPRoute"), traefik(), (&own, json!(true)), (&class, json!("x"))],
            "exposure.tls has no certificate, but httpRoute.ownGateway requires one.",
        ),
        (
            &[via("HTTPRoute"), traefik(), (&own, json!(true)), (&class, json!("x")), (&secret, json!("x"))],
            "exposure.host is not set, but tls.secretName requires it.",
        ),
    ];
    refused(wrong);
}

#[test]
fn a_route_has_a_gateway_and_a_listener_of_its_own() {
    let [gateway, section, redirect, own, class, secret] = [
        "httpRoute.gateway",
        "httpRoute.sectionName",
        "httpRoute.redirectSectionName",
        "httpRoute.ownGateway.enabled",
        "httpRoute.ownGateway.className",
        "tls.secretName",
    ]
    .map(at);
    let route = || [via("HTTPRoute"), controller("Traefik")];
    let with = |more: &[(&str, Value)]| -> Vec<(String, Value)> {
        route().iter().chain(more).map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    };
    let owned = [(own.as_str(), json!(true)), (&secret, json!("x")), (HOST, json!("a.example.org"))];
    let owned = |more: &[(&str, Value)]| with(&[&owned[..], more].concat());
    let wrong: Vec<(Vec<(String, Value)>, String)> = [
        (with(&[]), format!("{gateway} is not set, but `via: HTTPRoute` requires it. Set it to the name of the Gateway, or set {own} to true.")),
        (
            with(&[(&gateway, json!("x")), (&section, json!(""))]),
            format!("{redirect} is http, but sectionName is empty, so the route also answers there. Set sectionName to the listener for HTTPS, or redirectSectionName to \"\"."),
        ),
        (
            with(&[(&gateway, json!("x")), (&section, json!("http"))]),
            format!("{redirect} is http, but sectionName names the same listener."),
        ),
        (with(&[(&gateway, json!("x")), (&class, json!("x"))]), format!("{class} is set, but it has no effect with exposure.httpRoute.ownGateway.enabled: false. Set it to true")),
        (owned(&[(&class, json!("x")), (&gateway, json!("x"))]), format!("{gateway} is set, but it has no effect with exposure.httpRoute.ownGateway.enabled: true. Set it to false")),
        (owned(&[]), format!("{class} is not set, but ownGateway requires it. Set it.")),
        (owned(&[(&class, json!("x")), (&section, json!(""))]), format!("{section} is not set, but ownGateway requires it. Set it.")),
    ]
    .into();
    let wrong: Vec<(Vec<(&str, Value)>, &str)> = wrong
        .iter()
        .map(|(values, says)| {
            (values.iter().map(|(key, value)| (key.as_str(), value.clone())).collect(), says.as_str())
        })
        .collect();
    refused(&wrong.iter().map(|(values, says)| (&values[..], *says)).collect::<Vec<_>>());
}

#[test]
fn a_kind_that_the_edge_needs_is_named() {
    let lacks = |because: &str, kind: &str, remedy: &str| {
        format!("{because}, but this cluster does not have the kind {kind}. Install {remedy}")
    };
    let [mode, own] = ["tls.certManager.mode", "httpRoute.ownGateway.enabled"].map(at);
    let gateway_api = "the custom resource definitions of the Gateway API";
    refused(&[
        (
            &[via("HTTPRoute")],
            &lacks(&format!("{VIA} is HTTPRoute"), "gateway.networking.k8s.io/v1/HTTPRoute", gateway_api),
        ),
        (
            &[via("HTTPRoute"), (&own, json!(true))],
            &lacks(&format!("{own} is true"), "gateway.networking.k8s.io/v1/Gateway", gateway_api),
        ),
        (
            &[via("Ingress"), (&mode, json!("Annotation"))],
            &lacks(&format!("{mode} is Annotation"), "cert-manager.io/v1/Certificate", "cert-manager"),
        ),
        (
            &[via("Ingress"), controller("Cilium")],
            &lacks(
                "global.network.edgeController is Cilium, for event-audit-dashboard",
                "cilium.io/v2/CiliumNetworkPolicy",
                "Cilium",
            ),
        ),
    ]);
}

#[test]
fn a_load_balancer_accepts_blocks_of_addresses() {
    let ranges = at("loadBalancer.sourceRanges");
    let annotations = at("loadBalancer.annotations");
    refused(&[
        (
            &[via("LoadBalancer"), (&ranges, json!(["192.0.2.1"]))],
            "at '/event-audit-dashboard/exposure/loadBalancer/sourceRanges/0'",
        ),
        (&[via("LoadBalancer"), (&ranges, json!(["192.0.2.1/33"]))], &format!("{ranges}[0]: 192.0.2.1/33 ")),
        (
            &[via("LoadBalancer"), (&annotations, json!({ "helm.sh/hook": "x" }))],
            &format!(
                "{annotations} has the key helm.sh/hook, by which Helm would manage the object apart from the release."
            ),
        ),
    ]);
    accepted(&[&[via("LoadBalancer"), (&ranges, json!(["192.0.2.0/24", "2001:db8::/64"]))]]);
}

/// The objects of the kinds, with these values.
pub(crate) fn objects(kinds: &[&str], values: &[(&str, Value)]) -> Vec<Value> {
    let helm = Tool::BatchHelm4.ensure().expect("Helm 4 is there or can be built");
    let apis = [
        "gateway.networking.k8s.io/v1/HTTPRoute",
        "gateway.networking.k8s.io/v1/Gateway",
        "cert-manager.io/v1/Certificate",
    ];
    let set = values.iter().map(|(path, value)| format!("--set-json={path}={value}"));
    let arguments: Vec<String> = set.chain(apis.map(|api| format!("--api-versions={api}"))).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let manifest = render(&helm, "afp", true, &arguments).unwrap_or_else(|refusal| panic!("{refusal}"));
    let objects = tools::objects(&manifest).expect("Helm renders YAML");
    let read = |one: &Object| serde_yaml::from_str(&one.text).expect("YAML");
    objects.iter().filter(|one| kinds.contains(&one.kind.as_str())).map(read).collect()
}

/// The ingress rules of the exposed service's policy.
fn admitted(values: &[(&str, Value)]) -> Value {
    let policies = objects(&["NetworkPolicy"], values);
    let own = policies.into_iter().find(|one| one["metadata"]["name"] == "afp-event-audit-dashboard");
    own.expect("the policy")["spec"]["ingress"].clone()
}

#[test]
fn only_the_controller_s_pods_are_admitted_and_none_is_no_rule() {
    let port = json!([{ "port": 8080 }]);
    assert_eq!(
        admitted(&[via("Ingress"), controller("Traefik")]),
        json!([{
            "from": [{
                "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } },
                "podSelector": { "matchLabels": { "app.kubernetes.io/name": "traefik" } },
            }],
            "ports": port,
        }])
    );
    // An empty `from` would admit every client.
    assert_eq!(admitted(&[via("Ingress"), controller("HostNetwork")]), Value::Null);
    assert_eq!(admitted(&[via("NodePort")]), json!([{ "ports": port }]));
}

#[test]
fn plain_http_is_redirected_at_the_listener_for_it_only() {
    let [gateway, redirect, own, class] = [
        "httpRoute.gateway",
        "httpRoute.redirectSectionName",
        "httpRoute.ownGateway.enabled",
        "httpRoute.ownGateway.className",
    ]
    .map(at);
    let [mode, issuer] = ["tls.certManager.mode", "tls.certManager.issuerName"].map(at);
    let route = [via("HTTPRoute"), controller("Traefik"), (HOST, json!("a.example.org"))];
    let attached = [&route[..], &[(gateway.as_str(), json!("public"))]].concat();
    let [serving, redirecting] = objects(&["HTTPRoute"], &attached).try_into().expect("two routes");
    assert_eq!(serving["spec"]["parentRefs"], json!([{ "name": "public", "sectionName": "https" }]));
    assert_eq!(redirecting["spec"]["parentRefs"], json!([{ "name": "public", "sectionName": "http" }]));
    assert_eq!(redirecting["spec"]["hostnames"], json!(["a.example.org"]));
    let filters = json!([{ "type": "RequestRedirect", "requestRedirect": { "scheme": "https", "statusCode": 301 } }]);
    assert_eq!(redirecting["spec"]["rules"], json!([{ "filters": filters }]));
    let without = [&attached[..], &[(redirect.as_str(), json!(""))]].concat();
    assert_eq!(objects(&["HTTPRoute"], &without).len(), 1);

    let owned =
        [(own.as_str(), json!(true)), (&class, json!("x")), (&mode, json!("Certificate")), (&issuer, json!("x"))];
    let owned = [&route[..], &owned].concat();
    let [certificate, gateway] =
        objects(&["Gateway", "Certificate"], &owned).try_into().expect("a Gateway, a Certificate");
    let (certificate, gateway) =
        if certificate["kind"] == "Gateway" { (gateway, certificate) } else { (certificate, gateway) };
    let listeners = gateway["spec"]["listeners"].as_array().expect("listeners");
    let names: Vec<_> = listeners.iter().map(|one| (&one["name"], &one["protocol"], &one["port"])).collect();
    assert_eq!(names, [(&json!("https"), &json!("HTTPS"), &json!(443)), (&json!("http"), &json!("HTTP"), &json!(80))]);
    assert_eq!(listeners[0]["tls"]["certificateRefs"][0]["name"], certificate["spec"]["secretName"]);
    assert_eq!(certificate["spec"]["dnsNames"], json!(["a.example.org"]));
    let routes = objects(&["HTTPRoute"], &owned);
    assert!(routes.iter().all(|one| one["spec"]["parentRefs"][0]["name"] == gateway["metadata"]["name"]), "{routes:?}");
}
