//! The pods that forward users' requests to the exposed services, by the values alone.

use std::collections::BTreeMap;

use render::NAMESPACE;
use serde_json::Value;

use super::policy::{Endpoint, Namespace};
use super::world::in_namespace;

/// The pods of the ingress controller or gateway that forward users' requests to a service.
pub(super) struct Edge {
    pub(super) service: String,
    pub(super) namespace: String,
    labels: BTreeMap<String, String>,
}

impl Edge {
    /// The pods by the values of a service; none if it is reached in another way, or by a controller without pods that a policy can select.
    pub(super) fn of(service: &str, values: &Value, release: &str) -> Option<Self> {
        let (network, exposure) = (&values["global"]["network"], &values[service]["exposure"]);
        let route = &exposure["httpRoute"];
        let is_route = match exposure["via"].as_str()? {
            "Ingress" => false,
            "HTTPRoute" => true,
            _ => return None,
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let or =
            |value: &Value, default: &str| Some(text(value)).filter(|it| !it.is_empty()).unwrap_or(default.to_owned());
        let gateway = match route["ownGateway"]["enabled"].as_bool() {
            Some(true) => format!("{release}-{service}"),
            _ => text(&route["gateway"]),
        };
        let place = or(&route["gatewayNamespace"], NAMESPACE);
        let name = "app.kubernetes.io/name";
        let (namespace, labels): (&str, &[(&str, &str)]) = match network["edgeController"].as_str()? {
            "Custom" => ("", &[]),
            "Traefik" => ("kube-system", &[(name, "traefik")]),
            "HAProxy" => ("haproxy-controller", &[(name, "kubernetes-ingress")]),
            "Istio" if is_route => (&place, &[("gateway.networking.k8s.io/gateway-name", &gateway)]),
            "Istio" => ("istio-system", &[("istio", "ingressgateway")]),
            "EnvoyGateway" => (
                "envoy-gateway-system",
                &[
                    (name, "envoy"),
                    ("app.kubernetes.io/component", "proxy"),
                    ("gateway.envoyproxy.io/owning-gateway-name", &gateway),
                    ("gateway.envoyproxy.io/owning-gateway-namespace", &place),
                ],
            ),
            _ => return None,
        };
        let own = network["edgePodLabels"].as_object().filter(|labels| !labels.is_empty());
        let labels = match own {
            Some(own) => own.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
            None => labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        };
        Some(Self { service: service.to_owned(), namespace: or(&network["edgeNamespace"], namespace), labels })
    }

    /// Whether the endpoint is one of these pods.
    pub(super) fn is(&self, end: &Endpoint) -> bool {
        let is_there = end.namespace.as_ref().is_some_and(|place| place.name == self.namespace);
        is_there && self.labels.iter().all(|(key, value)| end.labels.get(key) == Some(value))
    }

    /// A pod with all its labels, and for each label a pod with all but that one.
    pub(super) fn pods(&self) -> Vec<Endpoint> {
        let pod = |what: &str, without: Option<&String>| {
            let labels = self.labels.iter().filter(|(key, _)| Some(*key) != without);
            let labels = labels.map(|(key, value)| (key.clone(), value.clone())).collect();
            let name = format!("{what} the controller in namespace {} in front of {}", self.namespace, self.service);
            in_namespace(name, Namespace::named(&self.namespace), labels)
        };
        let less = self.labels.keys().map(|key| pod(&format!("a pod without the label {key} of"), Some(key)));
        std::iter::once(pod("a pod of", None)).chain(less).collect()
    }
}
