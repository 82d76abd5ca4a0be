//! Values of the chart that receives and stores traces.

use k8s_openapi::api::core::v1::LocalObjectReference;
use k8s_openapi::api::networking::v1::{NetworkPolicyEgressRule, NetworkPolicyPeer};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::json;
use vocabulary::{Image, Quantity, Resources, cpu, memory};

use super::backing::Persistence;
use super::further::{ObservedRelease, OtlpRequest, SinglePod};
use super::kubernetes::{ContainerResources, ImageValues, fraction};
use super::rules::{ENDPOINT, LABEL};

/// All values of the chart.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TracesValues {
    /// The release whose services may send traces.
    release: ObservedRelease,
    sampling: Sampling,
    privacy: Privacy,
    outputs: Outputs,
    queue: Queue,
    network: Network,
    gateway: Gateway,
    jaeger: Jaeger,
    /// Secrets with the credentials of private registries.
    image_pull_secrets: Vec<LocalObjectReference>,
}

/// Which traces are kept. A trace with an error is always kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Sampling {
    /// Share of the other traces that is kept, from 0 to 1.
    #[schemars(schema_with = "fraction")]
    ratio: f64,
    /// Duration from which a trace counts as slow and is always kept, in milliseconds.
    #[schemars(range(min = 1, max = 3_600_000))]
    slow_milliseconds: u32,
    /// Time that the gateway waits for the spans of a trace before it decides, in seconds. A span that comes later follows the decision.
    #[schemars(range(min = 1, max = 600))]
    decision_wait_seconds: u16,
    /// Maximum number of traces that wait for their decision. More traces push out the oldest undecided ones. Set it to at least the new
    /// traces per second times `decisionWaitSeconds`.
    #[schemars(range(min = 100, max = 1_000_000))]
    max_traces: u32,
}

/// Personal data that the gateway takes out of the traces that it keeps, before it sends them to Jaeger and to `outputs`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Privacy {
    /// Names of the attributes that the gateway removes from spans, from their events and from their resources. `service.name` is not allowed.
    #[schemars(schema_with = "attributes")]
    remove_attributes: Vec<String>,
    /// Names of the attributes whose values the gateway replaces by their SHA-256 digests. Equal values keep equal digests, so that traces of
    /// one user can be found. Whoever guesses a value can recognize its digest.
    #[schemars(schema_with = "attributes")]
    hash_attributes: Vec<String>,
    /// Whether the gateway removes queries, fragments and user names from URLs: in the attributes `url.full`, `http.url` and `http.target`. It
    /// also removes the attributes `url.query` and `url.fragment`.
    remove_url_queries: bool,
}

/// Names of attributes.
fn attributes(_: &mut SchemaGenerator) -> Schema {
    let name = json!({ "type": "string", "pattern": ATTRIBUTE });
    json_schema!({ "type": "array", "items": name, "uniqueItems": true })
}

/// The name of an attribute. OpenTelemetry's are words joined by dots; programs can choose others.
const ATTRIBUTE: &str = "^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,199}$";

/// The attributes of OpenTelemetry's semantic conventions, of the current and of earlier versions, that name a user, a client's address or its program,
/// or that hold a secret of a client.
const PERSONAL: [&str; 19] = [
    "client.address",
    "enduser.id",
    "enduser.pseudo.id",
    "http.client_ip",
    "http.request.header.authorization",
    "http.request.header.cookie",
    "http.response.header.set-cookie",
    "http.response.header.set_cookie",
    "http.user_agent",
    "net.peer.ip",
    "net.sock.peer.addr",
    "network.peer.address",
    "source.address",
    "user.email",
    "user.full_name",
    "user.hash",
    "user.id",
    "user.name",
    "user_agent.original",
];

/// Where traces go besides Jaeger. Required with `jaeger.enabled: false`.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
struct Outputs {
    otlp: Otlp,
}

/// OTLP over HTTP: an existing Jaeger, Tempo, Grafana Cloud and others.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Otlp {
    /// Full address for traces, such as `http://tempo.tracing:4318/v1/traces`. Empty switches the output off.
    #[schemars(regex(pattern = ENDPOINT), length(max = 512))]
    endpoint: String,
    #[serde(flatten)]
    request: OtlpRequest,
}

/// The sampled spans in the gateway's memory that a backend has not taken yet.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Queue {
    /// Maximum size in MiB for each backend, counted as the spans are sent, uncompressed. In memory they take about three times as much.
    /// When the queue is full, further spans are dropped.
    #[schemars(range(min = 1, max = 4096))]
    max_mebibytes: u16,
}

/// Traffic of the gateway. All other traffic is blocked, except from the services of the release and to Jaeger.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Network {
    /// Rules for outgoing traffic to `outputs.otlp.endpoint`, in the syntax of a NetworkPolicy. Required with an endpoint, since the chart
    /// does not know its address.
    egress: Vec<NetworkPolicyEgressRule>,
    /// Namespace of the cluster DNS.
    #[schemars(regex(pattern = LABEL))]
    dns_namespace: String,
}

/// The gateway: an OpenTelemetry Collector that receives all spans, decides which traces are kept, and sends them on. It has one Pod,
/// because all spans of a trace must come to the same one.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Gateway {
    image: ImageValues,
    resources: ContainerResources,
    #[serde(flatten)]
    scheduling: SinglePod,
}

/// Jaeger: stores traces and shows them. It has one Pod, and its user interface has no authentication.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Jaeger {
    /// Whether the chart deploys Jaeger.
    enabled: bool,
    /// Where Jaeger stores traces: in its memory, which a restart empties, or with the database Badger on a volume.
    storage: Storage,
    retention: Retention,
    /// The volume, with the storage `Badger`. It outlives the release and a change of `storage`.
    persistence: Persistence,
    network: JaegerNetwork,
    image: ImageValues,
    resources: ContainerResources,
    #[serde(flatten)]
    scheduling: SinglePod,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum Storage {
    Memory,
    #[expect(dead_code, reason = "not a default; an installer can select it")]
    Badger,
}

/// The traces that Jaeger keeps.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Retention {
    /// Maximum number of traces, with the storage `Memory`. A new trace replaces the oldest one.
    #[schemars(range(min = 1, max = 10_000_000))]
    max_traces: u32,
    /// Time in hours after which Jaeger deletes a span, with the storage `Badger`.
    #[schemars(range(min = 1, max = 87_600))]
    hours: u32,
}

/// Jaeger's traffic. Only the gateway may send traces to it, and it opens no connection itself.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
struct JaegerNetwork {
    /// Sources that may open the user interface and its API, port 16686, as `from` of a NetworkPolicy lists them. Empty admits nobody;
    /// `kubectl port-forward` works in any case.
    ingress: Vec<NetworkPolicyPeer>,
}

/// Resources of the gateway.
const GATEWAY: Resources = Resources::new(cpu("25m").up_to("500m"), memory("96Mi").up_to("256Mi"));

/// Resources of Jaeger.
const JAEGER: Resources = Resources::new(cpu("50m").up_to("1"), memory("128Mi").up_to("384Mi"));

/// Size of the volume.
const VOLUME: Quantity = Quantity::new("5Gi");

impl TracesValues {
    /// The defaults.
    pub(crate) fn of(gateway: Image, jaeger: Image) -> Self {
        Self {
            release: ObservedRelease::default(),
            sampling: Sampling { ratio: 0.1, slow_milliseconds: 1000, decision_wait_seconds: 10, max_traces: 5000 },
            privacy: Privacy {
                remove_attributes: PERSONAL.map(str::to_owned).into(),
                hash_attributes: Vec::new(),
                remove_url_queries: true,
            },
            outputs: Outputs::default(),
            queue: Queue { max_mebibytes: 16 },
            network: Network { egress: Vec::new(), dns_namespace: "kube-system".into() },
            gateway: Gateway {
                image: ImageValues::of(gateway),
                resources: ContainerResources::of(GATEWAY, std::iter::empty()),
                scheduling: SinglePod::default(),
            },
            jaeger: Jaeger {
                enabled: true,
                storage: Storage::Memory,
                retention: Retention { max_traces: 5000, hours: 48 },
                persistence: Persistence::of(VOLUME),
                network: JaegerNetwork::default(),
                image: ImageValues::of(jaeger),
                resources: ContainerResources::of(JAEGER, std::iter::empty()),
                scheduling: SinglePod::default(),
            },
            image_pull_secrets: Vec::new(),
        }
    }
}
