//! Values of traces.

use k8s_openapi::api::networking::v1::NetworkPolicyEgressRule;
use schemars::JsonSchema;
use serde::Serialize;

use super::kubernetes::{ImageValues, fraction};
use super::rules::ENDPOINT;
use crate::addons::instrumentation::INSTRUMENTATION;

/// Traces of the Python services by OpenTelemetry.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tracing {
    /// Whether the Python services send spans.
    enabled: bool,
    /// Address for OTLP over HTTP without the path `/v1/traces`, such as `http://traces-gateway.traces:4318`. Required with `enabled`.
    #[schemars(regex(pattern = ENDPOINT), length(max = 512))]
    endpoint: String,
    /// NetworkPolicy rules for outgoing traffic to that address. Required with `enabled`.
    egress: Vec<NetworkPolicyEgressRule>,
    /// Fraction of the traces that the programs record, from 0 to 1. The service at which a trace begins decides for the whole trace.
    #[schemars(schema_with = "fraction")]
    sampling_ratio: u8,
    /// Who instruments the programs: an init container with `image` in each Pod, or the OpenTelemetry operator with its own image. Helm creates the
    /// operator's object after the Pods: restart the Deployments once after the switch to `Operator`.
    instrumentation: Instrumentation,
    /// Image with the instrumentation, for `InitContainer`.
    image: ImageValues,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
enum Instrumentation {
    InitContainer,
    #[expect(dead_code, reason = "not a default; an installer can select it")]
    Operator,
}

impl Tracing {
    /// The defaults.
    pub(super) fn off() -> Self {
        Self {
            enabled: false,
            endpoint: String::new(),
            egress: Vec::new(),
            sampling_ratio: 1,
            instrumentation: Instrumentation::InitContainer,
            image: ImageValues::of(INSTRUMENTATION),
        }
    }
}
