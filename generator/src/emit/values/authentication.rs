//! Values of the proxy that authenticates the users of an exposed service.

use k8s_openapi::api::networking::v1::{NetworkPolicyEgressRule, NetworkPolicyIngressRule};
use schemars::JsonSchema;
use serde::Serialize;

use super::credentials::RemoteRef;
use super::kubernetes::{ContainerResources, ImageValues};
use super::rules::{ENDPOINT, SUBDOMAIN_LENGTH, SUBDOMAIN_OR_EMPTY};
use crate::addons::authentication::{OAUTH2_PROXY, RESOURCES};

/// Authentication of the users. Without it, every client that reaches the service can use it; see EXPOSURE.md.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthenticationValues {
    /// What authenticates users: nothing, or OAuth2 Proxy in front of the service, with an OpenID Connect provider.
    mode: AuthenticationMode,
    /// Address of the provider, as its tokens name it (`iss`), such as `https://login.example.org/realms/staff`.
    #[schemars(regex(pattern = ENDPOINT), length(max = 512))]
    issuer_url: String,
    /// Client ID of the proxy at the provider.
    #[schemars(regex(pattern = CLIENT_ID))]
    client_id: String,
    /// Address at which users open the service, such as `https://www.example.org`. Register `<url>/oauth2/callback` at the provider. Empty takes
    /// the address of each request, and works with TLS only. Required with `NodePort` and `LoadBalancer`.
    #[schemars(regex(pattern = ORIGIN), length(max = 512))]
    url: String,
    /// Scopes that the proxy requests, separated by spaces. Empty requests `openid email profile`, and `groups` with `allowed.groups`.
    #[schemars(regex(pattern = "^([!-~]+( [!-~]+)*)?$"))]
    scope: String,
    allowed: AllowedUsers,
    /// Time in hours after which a user must log in again. The proxy does not notice earlier that an account was closed.
    #[schemars(range(min = 1, max = 720))]
    session_hours: u16,
    credentials: ProxyCredentials,
    /// Name of the Secret with the credentials, used with `global.secrets.mode: existing`: the client secret under `OAUTH2_PROXY_CLIENT_SECRET`,
    /// the key of the session cookies under `OAUTH2_PROXY_COOKIE_SECRET`. Empty selects `<release>-<service>-proxy-existing-r<revisions>`.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    existing_secret: String,
    /// Name of a ConfigMap whose key `ca.crt` holds the CA certificate of the provider. Empty uses the trust store of the image.
    #[schemars(regex(pattern = SUBDOMAIN_OR_EMPTY), length(max = SUBDOMAIN_LENGTH))]
    ca_config_map: String,
    /// Number of pods of the proxy. Sessions are in cookies, so each pod knows all of them.
    #[schemars(range(min = 1, max = 99))]
    replicas: u16,
    network: ProxyTraffic,
    image: ImageValues,
    resources: ContainerResources,
}

/// A client ID: printable ASCII characters without spaces.
const CLIENT_ID: &str = "^[!-~]{0,512}$";

/// Scheme, host and port of an address, or an empty string.
const ORIGIN: &str = r"^(https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?)?$";

/// A mail domain, with an optional wildcard as its first label, or the wildcard alone.
const MAIL_DOMAIN: &str = r"^(\*|(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$";

/// The name of a group.
const GROUP: &str = r#"^[^"\x00-\x1f\x7f]{1,512}$"#;

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum AuthenticationMode {
    None,
    #[serde(rename = "OAuth2Proxy")]
    #[expect(dead_code, reason = "not a default; an installer can select it")]
    OAuth2Proxy,
}

/// Users that the proxy admits. One of the two lists is required. With both, a user must match both.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AllowedUsers {
    /// Domains of the users' e-mail addresses, such as `example.org` or `*.example.org`. `*` admits every account of the provider.
    #[schemars(inner(regex(pattern = MAIL_DOMAIN), length(max = SUBDOMAIN_LENGTH)))]
    email_domains: Vec<String>,
    /// Groups in the claim `groups` of the users' tokens. A user needs one of them.
    #[schemars(inner(regex(pattern = GROUP)))]
    groups: Vec<String>,
}

/// Credentials of the proxy. They have no default.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ProxyCredentials {
    client_secret: ClientSecret,
    cookie_secret: CookieSecret,
}

/// The client secret that the provider issued.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ClientSecret {
    /// The secret.
    value: String,
    /// Increase by one to replace it. New pods with a new Secret replace the old ones.
    #[schemars(range(min = 1, max = 9999))]
    revision: u16,
    remote_ref: RemoteRef,
}

/// The key that encrypts session cookies: 16, 24 or 32 bytes. Make one with `openssl rand -hex 16`. A new key ends all sessions.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CookieSecret {
    /// The key.
    value: String,
    /// Increase by one to replace it. New pods with a new Secret replace the old ones.
    #[schemars(range(min = 1, max = 9999))]
    revision: u16,
    remote_ref: RemoteRef,
}

impl Default for ClientSecret {
    fn default() -> Self {
        Self { value: String::new(), revision: 1, remote_ref: RemoteRef::default() }
    }
}

impl Default for CookieSecret {
    fn default() -> Self {
        Self { value: String::new(), revision: 1, remote_ref: RemoteRef::default() }
    }
}

/// Traffic of the proxy, besides that of its users and to its service.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ProxyTraffic {
    /// Additional rules for incoming traffic, in the syntax of a NetworkPolicy.
    extra_ingress: Vec<NetworkPolicyIngressRule>,
    /// Rules for outgoing traffic to the provider, in the syntax of a NetworkPolicy. Required, since the chart does not know its address.
    egress: Vec<NetworkPolicyEgressRule>,
}

impl AuthenticationValues {
    /// No authentication.
    pub(super) fn none() -> Self {
        Self {
            mode: AuthenticationMode::None,
            issuer_url: String::new(),
            client_id: String::new(),
            url: String::new(),
            scope: String::new(),
            allowed: AllowedUsers::default(),
            session_hours: 8,
            credentials: ProxyCredentials::default(),
            existing_secret: String::new(),
            ca_config_map: String::new(),
            replicas: 1,
            network: ProxyTraffic::default(),
            image: ImageValues::of(OAUTH2_PROXY),
            resources: ContainerResources::of(RESOURCES, std::iter::empty()),
        }
    }
}
