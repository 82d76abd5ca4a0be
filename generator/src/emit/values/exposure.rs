//! Values that open a service to users outside the cluster.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use vocabulary::limits::NODE_PORTS;

use super::authentication::AuthenticationValues;
use super::kubernetes;
use super::rules::{LABEL_OR_EMPTY, SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};

/// How users outside the cluster reach this service.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exposure {
    /// How users reach the service; see the README. `NodePort` and `LoadBalancer` let every address in, without TLS.
    pub(crate) via: Via,
    /// Host name of the Ingress or HTTPRoute, such as `www.example.org` or `*.example.org`. Required with TLS. Empty matches every host.
    #[schemars(regex(pattern = HOST), length(max = SUBDOMAIN_LENGTH))]
    pub(crate) host: String,
    /// Port on every node, used with `via: NodePort`: 30000 to 32767. With 0, the cluster selects a port.
    #[schemars(schema_with = "node_port")]
    pub(crate) node_port: u32,
    load_balancer: LoadBalancerValues,
    pub(crate) tls: TlsValues,
    pub(crate) ingress: IngressValues,
    http_route: HttpRouteValues,
    authentication: AuthenticationValues,
}

/// A DNS subdomain with an optional wildcard as its first label. The last alternative also accepts every other printable word, so that the
/// template `_edge.tpl` can report the remedy; it rejects IP addresses, too. The others remain for the scenario `values`, which makes samples of the pattern.
const HOST: &str = "^((\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*|[!-~]+)?$";

fn node_port(_: &mut SchemaGenerator) -> Schema {
    let (least, most) = (NODE_PORTS.start(), NODE_PORTS.end());
    json_schema!({ "anyOf": [{ "type": "integer", "minimum": least, "maximum": most }, { "enum": [0] }] })
}

/// How users outside the cluster reach a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "not in a default or environment; an installer can select them")]
pub(crate) enum Via {
    None,
    NodePort,
    LoadBalancer,
    Ingress,
    #[serde(rename = "HTTPRoute")]
    HttpRoute,
}

/// Settings of the Service with a load balancer, used with `via: LoadBalancer`.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LoadBalancerValues {
    /// Annotations for the controller that creates the load balancer.
    #[schemars(schema_with = "kubernetes::annotations")]
    annotations: IndexMap<String, String>,
    /// CIDR blocks from which the load balancer accepts clients. Empty accepts all. Not every load balancer supports it, and the port that the
    /// Service has on every node stays open.
    #[schemars(schema_with = "kubernetes::cidrs")]
    source_ranges: Vec<String>,
}

/// TLS certificate for `host`, used by an Ingress and by the chart's own Gateway. The Gateways of others have their own certificates.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TlsValues {
    /// Name of the Secret with the certificate. Empty serves plain HTTP; with cert-manager, it selects `<release>-<service>-tls`.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    pub(crate) secret_name: String,
    pub(crate) cert_manager: CertManagerValues,
}

/// A certificate that cert-manager makes and renews.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CertManagerValues {
    /// Who asks cert-manager for the certificate: an annotation of the Ingress or Gateway, a `Certificate` of this chart, or nobody.
    pub(crate) mode: CertManagerMode,
    /// Kind of the issuer.
    pub(crate) issuer_kind: IssuerKind,
    /// Name of the issuer.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    pub(crate) issuer_name: String,
}

impl Default for CertManagerValues {
    fn default() -> Self {
        Self { mode: CertManagerMode::None, issuer_kind: IssuerKind::ClusterIssuer, issuer_name: String::new() }
    }
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "not in a default or environment; an installer can select them")]
pub(crate) enum CertManagerMode {
    None,
    Annotation,
    Certificate,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) enum IssuerKind {
    ClusterIssuer,
    Issuer,
}

/// Settings of the Ingress, used with `via: Ingress`.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IngressValues {
    /// Ingress class. Empty selects the cluster's default.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    pub(crate) class_name: String,
    /// Annotations for the ingress controller.
    #[schemars(schema_with = "kubernetes::annotations")]
    pub(crate) annotations: IndexMap<String, String>,
}

/// Settings of the Gateway API HTTPRoute, used with `via: HTTPRoute`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct HttpRouteValues {
    /// Name of the Gateway that the route attaches to. Required unless the chart has its own.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    gateway: String,
    /// Namespace of the Gateway. Empty selects the release's namespace.
    #[schemars(regex(pattern = LABEL_OR_EMPTY))]
    gateway_namespace: String,
    /// Listener of the Gateway that serves HTTPS. Empty attaches the route to all listeners, also to those with plain HTTP.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    section_name: String,
    /// Listener of the Gateway that serves plain HTTP, and that a second route redirects to HTTPS. Empty makes no redirect.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    redirect_section_name: String,
    /// Port of HTTPS to which clients are redirected. It differs from the listener's if a load balancer maps it.
    #[schemars(range(min = 1))]
    redirect_port: u16,
    /// Whether Helm checks that the Gateway and its listeners exist, for which it must be able to read Gateways there.
    verify_gateway: bool,
    own_gateway: OwnGatewayValues,
}

impl Default for HttpRouteValues {
    fn default() -> Self {
        Self {
            gateway: String::new(),
            gateway_namespace: String::new(),
            section_name: "https".to_owned(),
            redirect_section_name: "http".to_owned(),
            redirect_port: 443,
            verify_gateway: true,
            own_gateway: OwnGatewayValues { http_port: 80, https_port: 443, ..OwnGatewayValues::default() },
        }
    }
}

/// A Gateway of this chart, for this service alone. Its listeners have the names `sectionName` and `redirectSectionName`.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OwnGatewayValues {
    /// Whether to create the Gateway `<release>-<service>`. It needs a certificate in `tls`.
    enabled: bool,
    /// Class of the Gateway. Required.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    class_name: String,
    /// Annotations for the gateway controller.
    #[schemars(schema_with = "kubernetes::annotations")]
    annotations: BTreeMap<String, String>,
    /// Port of the listener for plain HTTP. Traefik needs the port of its entry point, such as 8000.
    #[schemars(range(min = 1))]
    http_port: u16,
    /// Port of the listener for HTTPS.
    #[schemars(range(min = 1))]
    https_port: u16,
}

impl Exposure {
    /// No access from outside the cluster.
    pub(super) fn none() -> Self {
        Self {
            via: Via::None,
            host: String::new(),
            node_port: 0,
            load_balancer: LoadBalancerValues::default(),
            tls: TlsValues::default(),
            ingress: IngressValues::default(),
            http_route: HttpRouteValues::default(),
            authentication: AuthenticationValues::none(),
        }
    }
}
