//! The chart with the log agent refuses wrong values with the key and the remedy.

use serde_json::json;
use tools::Tool;

use crate::accepted::Values;
use crate::further;

fn render(tool: Tool, values: Values<'_>) -> Result<String, String> {
    further::render("logs", tool, values)
}

#[test]
fn wrong_values_are_refused_with_their_key_and_a_remedy() {
    let egress = |cidr: &str| json!([{ "to": [{ "ipBlock": { "cidr": cidr } }] }]);
    let all: Vec<_> = ["audit-event-generator", "audit-log-analysis", "notification-service", "event-audit-dashboard"]
        .into_iter()
        .chain(["rabbitmq", "postgresql", "redis"])
        .collect();
    let otlp = "outputs.otlp.endpoint";
    let wrong: &[(Values<'_>, &str)] = &[
        (
            &[(otlp, json!(""))],
            "no output has an endpoint. Set outputs.otlp.endpoint, such as http://loki.logs:3100/otlp/v1/logs",
        ),
        (&[(otlp, json!("loki:3100"))], "at '/outputs/otlp/endpoint'"),
        (
            &[("outputs.elasticsearch.index", json!("x"))],
            "outputs.elasticsearch.index is set, but outputs.elasticsearch.endpoint is not. Set the endpoint to the address",
        ),
        (
            &[("outputs.splunkHec.endpoint", json!("https://splunk:8088"))],
            "outputs.splunkHec.existingSecret is not set, but the endpoint requires a token. Set it to the name of a Secret",
        ),
        (
            &[("outputs.otlp.headers", json!({ "authorization": "Basic x" }))],
            "outputs.otlp.headers.authorization is visible to all who may read ConfigMaps. Put its value under the key",
        ),
        (
            &[("release.name", json!(""))],
            "release.name is not set. Set it to the name of the auditflow-platform release",
        ),
        (&[("release.namespace", json!(""))], "release.namespace is not set. Set it to the namespace of"),
        (
            &[("network.egress", json!([]))],
            "network.egress is empty, so the NetworkPolicy would block the outputs. Set it to",
        ),
        (
            &[("network.egress", egress("10.0.0.1/8"))],
            "network.egress[0].to[0].ipBlock.cidr: 10.0.0.1/8 has host bits set",
        ),
        (
            &[("podLabels", json!(["team"]))],
            "network.apiServerCidrs is empty, but podLabels needs the Kubernetes API server",
        ),
        (
            &[("network.apiServerCidrs", json!(["192.0.2.1/32"]))],
            "network.apiServerCidrs is set, but it has no effect without podLabels. Set podLabels, or remove it",
        ),
        (
            &[("exclude", json!(["redi"]))],
            "at '/exclude/0': value must be one of 'audit-event-generator', 'audit-log-analysis'",
        ),
        (
            &[("exclude", json!(all))],
            "exclude lists all services and servers, so there is nothing to collect. Remove one",
        ),
        (&[("image.tag", json!(""))], "image.tag is not set, and neither is image.digest"),
        (&[("queue.maxMebibytes", json!(1))], "at '/queue/maxMebibytes'"),
        (&[("hostPath", json!("state"))], "at '/hostPath'"),
        (&[("hostPath", json!("/etc/kubernetes"))], "at '/hostPath'"),
        (&[("hostPath", json!("/var/lib/agent"))], "at '/hostPath'"),
        (&[("hostPath", json!("/var/lib/agent/../kubelet"))], "at '/hostPath'"),
        (
            &[("hostPath", json!("/var/lib/kubelet/pods"))],
            "hostPath is /var/lib/kubelet/pods, but /var/lib/kubelet belongs to another program of the node. Set it to a folder",
        ),
        (
            &[("hostPath", json!("/var/lib/rancher/k3s"))],
            "hostPath is /var/lib/rancher/k3s, but /var/lib/rancher belongs",
        ),
        (
            &[("resources.requests.memory", json!("1Gi"))],
            "resources.requests.memory is 1Gi, more than limits.memory, which is 160Mi. Lower the request",
        ),
        (
            &[("podAnnotations", json!({ "auditflow-platform-logs/configuration": "x" }))],
            "podAnnotations has the key auditflow-platform-logs/configuration, which the chart reserves. Remove it",
        ),
    ];
    for tool in [Tool::Helm3, Tool::Helm4] {
        for (values, says) in wrong {
            let message = render(tool, values).expect_err("it is refused");
            assert!(message.contains(says), "{values:?} without `{says}`: {message}");
        }
    }
}

#[test]
fn a_refusal_names_the_command_that_prints_the_values() {
    let message = render(Tool::Helm4, &[("release.name", json!(""))]).expect_err("it is refused");
    let says = "`helm show values ./auditflow-platform-logs` prints every value with its description.";
    assert!(message.contains(says), "{message}");
}

#[test]
fn the_agent_keeps_its_state_in_the_folder_of_the_values() {
    let manifest = render(Tool::Helm4, &[("hostPath", json!("/var/lib/agents/kubelet"))]).expect("it is accepted");
    assert!(manifest.contains("path: \"/var/lib/agents/kubelet\"\n"), "{manifest}");
}

#[test]
fn a_text_of_the_values_reaches_the_collector_as_it_is() {
    let header = json!({ "X-Scope-OrgID": "${env:HOME} \"'\\ {{ .x }} : #" });
    let manifest = render(Tool::Helm4, &[("outputs.otlp.headers", header)]).expect("it is accepted");
    // The Collector replaces `${…}` and reads `$$` as one.
    assert!(manifest.contains(r#""X-Scope-OrgID": "$${env:HOME} \"'\\ {{ .x }} : #""#), "{manifest}");
}
