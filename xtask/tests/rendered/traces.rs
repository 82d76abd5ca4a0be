//! The chart for traces refuses wrong values with the key and the remedy, and passes the others on as they are.

use std::fs;

use camino::Utf8Path;
use serde_json::json;
use serde_yaml::Value;
use tools::{Template, Tool, objects};

use crate::accepted::Values;
use crate::{chart, folder, further, rendered};

fn render(tool: Tool, values: Values<'_>) -> Result<String, String> {
    further::render("traces", tool, values)
}

#[test]
fn wrong_values_are_refused_with_their_key_and_a_remedy() {
    let endpoint = ("outputs.otlp.endpoint", json!("https://traces.example.org/v1/traces"));
    let egress = |cidr: &str| json!([{ "to": [{ "ipBlock": { "cidr": cidr } }], "ports": [{ "port": 443 }] }]);
    let ports = json!([{ "ports": [{ "port": 443, "endPort": 80 }] }]);
    let peer = |cidr: &str| json!([{ "ipBlock": { "cidr": cidr, "except": ["203.0.113.0/24"] } }]);
    let wrong: &[(Values<'_>, &str)] = &[
        (
            &[("release.name", json!(""))],
            "release.name is not set. Set it to the name of the auditflow-platform release whose services send traces",
        ),
        (&[("release.namespace", json!(""))], "release.namespace is not set. Set it to the namespace of"),
        (
            &[("sampling.ratio", json!(10))],
            "sampling.ratio is 10, but it is a share from 0 to 1. Set it to 0.1 to keep a tenth of the traces, or to 1",
        ),
        (&[("sampling.ratio", json!("1.5"))], "sampling.ratio is 1.5, but it is a share from 0 to 1. Set it to"),
        (&[("sampling.ratio", json!(-0.1))], "at '/sampling/ratio'"),
        (&[("sampling.ratio", json!("a tenth"))], "at '/sampling/ratio'"),
        (&[("sampling.slowMilliseconds", json!(0))], "at '/sampling/slowMilliseconds'"),
        (
            &[("jaeger.enabled", json!(false))],
            "jaeger.enabled is false and outputs.otlp.endpoint is empty, so traces would go nowhere. Set jaeger.enabled to true, or",
        ),
        (
            std::slice::from_ref(&endpoint),
            "network.egress is empty, so the NetworkPolicy would block outputs.otlp.endpoint. Set it to rules",
        ),
        (
            &[("network.egress", egress("192.0.2.0/24"))],
            "network.egress is set, but it has no effect without outputs.otlp.endpoint. Set the endpoint, or remove",
        ),
        (
            &[endpoint.clone(), ("network.egress", egress("192.0.2.1/24"))],
            "network.egress[0].to[0].ipBlock.cidr: 192.0.2.1/24 has host bits set",
        ),
        (
            &[endpoint.clone(), ("network.egress", ports)],
            "network.egress[0].ports[0].endPort is less than port. Raise endPort, or remove it.",
        ),
        (
            &[("jaeger.network.ingress", peer("198.51.100.0/24"))],
            "jaeger.network.ingress[0].ipBlock.except[0]: 203.0.113.0/24 is not inside the block 198.51.100.0/24",
        ),
        (&[("jaeger.network.ingress", json!([{}]))], "at '/jaeger/network/ingress/0'"),
        (
            &[("outputs.otlp.endpoint", json!("http://tempo:4318/")), ("network.egress", egress("192.0.2.0/24"))],
            "outputs.otlp.endpoint has no path. Set it to the full address for traces, which is usually http://tempo:4318/v1/traces.",
        ),
        (&[("outputs.otlp.endpoint", json!("tempo:4318"))], "at '/outputs/otlp/endpoint'"),
        (
            &[("outputs.otlp.existingSecret", json!("tempo"))],
            "outputs.otlp.existingSecret is set, but outputs.otlp.endpoint is not. Set the endpoint to the address of the output",
        ),
        (
            &[("outputs.otlp.headers", json!({ "Authorization": "Basic x" }))],
            "outputs.otlp.headers.Authorization is visible to all who may read ConfigMaps. Put its value under the key",
        ),
        (
            &[("queue.maxMebibytes", json!(64))],
            "queue.maxMebibytes is 64, so full queues would take about 192 MiB, more than half of gateway.resources.limits.memory, which is 256Mi. Lower the queue, or raise the limit to at least 384Mi.",
        ),
        (
            &[endpoint.clone(), ("network.egress", egress("192.0.2.0/24")), ("queue.maxMebibytes", json!(32))],
            "queue.maxMebibytes is 32, so full queues would take about 192 MiB",
        ),
        (&[("queue.maxMebibytes", json!(0))], "at '/queue/maxMebibytes'"),
        (&[("jaeger.storage", json!("Cassandra"))], "at '/jaeger/storage'"),
        (
            &[("jaeger.storage", json!("Badger")), ("jaeger.persistence.size", json!(10))],
            "jaeger.persistence.size is 10, a number of bytes. Write it with a unit, such as 5Gi.",
        ),
        (
            &[("jaeger.storage", json!("Badger")), ("jaeger.persistence.size", json!("10m"))],
            "jaeger.persistence.size is 10m, less than 1Mi. Write a size",
        ),
        (
            &[("gateway.image.tag", json!(""))],
            "gateway.image.tag is not set, and neither is gateway.image.digest, so the image",
        ),
        (&[("jaeger.image.tag", json!(""))], "jaeger.image.tag is not set, and neither is jaeger.image.digest"),
        (
            &[("jaeger.resources.requests.memory", json!("1Gi"))],
            "jaeger.resources.requests.memory is 1Gi, more than limits.memory, which is 384Mi. Lower the request",
        ),
        (
            &[("gateway.podAnnotations", json!({ "auditflow-platform-traces/configuration": "x" }))],
            "gateway.podAnnotations has the key auditflow-platform-traces/configuration, which the chart reserves. Remove it",
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
fn attributes_that_cannot_be_removed_are_refused() {
    let wrong: &[(Values<'_>, &str)] = &[
        (
            &[("privacy.hashAttributes", json!(["service.name"]))],
            "privacy.hashAttributes lists service.name, by which Jaeger and other backends find the traces of a service. Remove it",
        ),
        (
            &[("privacy.removeAttributes", json!(["a", "service.name"]))],
            "privacy.removeAttributes lists service.name, by which",
        ),
        (
            &[("privacy.hashAttributes", json!(["user.id"]))],
            "privacy.hashAttributes and privacy.removeAttributes both list user.id. Remove it from one of them.",
        ),
        (&[("privacy.hashAttributes", json!(["user id"]))], "at '/privacy/hashAttributes/0'"),
    ];
    for tool in [Tool::Helm3, Tool::Helm4] {
        for (values, says) in wrong {
            let message = render(tool, values).expect_err("it is refused");
            assert!(message.contains(says), "{values:?} without `{says}`: {message}");
        }
    }
}

#[test]
fn a_value_of_jaeger_without_effect_is_refused() {
    let outside = [
        ("jaeger.enabled", json!(false)),
        ("outputs.otlp.endpoint", json!("https://traces.example.org/v1/traces")),
        ("network.egress", json!([{ "ports": [{ "port": 443 }] }])),
    ];
    let badger = [("jaeger.storage", json!("Badger"))];
    let peers = json!([{ "podSelector": {} }]);
    let cases: &[(Values<'_>, &str, serde_json::Value, &str)] = &[
        (
            &outside,
            "storage",
            json!("Badger"),
            "jaeger.enabled: false. Set jaeger.enabled to true, or set the value to \"Memory\".",
        ),
        (
            &outside,
            "retention.hours",
            json!(24),
            "jaeger.enabled: false. Set jaeger.enabled to true, or set the value to 48.",
        ),
        (&outside, "persistence.size", json!("20Gi"), "jaeger.enabled: false."),
        (
            &outside,
            "network.ingress",
            peers,
            "jaeger.enabled: false. Set jaeger.enabled to true, or set the value to [].",
        ),
        (&outside, "image.repository", json!("registry.example.org/jaeger"), "jaeger.enabled: false."),
        (&outside, "resources.limits", json!({ "memory": "1Gi" }), "jaeger.enabled: false."),
        (&outside, "nodeSelector", json!({ "pool": "traces" }), "jaeger.enabled: false."),
        (
            &[],
            "retention.hours",
            json!(24),
            "jaeger.storage: Memory. Set jaeger.storage to Badger, or set the value to 48.",
        ),
        (&[], "persistence.size", json!("20Gi"), "jaeger.storage: Memory. Set jaeger.storage to Badger, or"),
        (&[], "persistence.storageClassName", json!("fast"), "jaeger.storage: Memory."),
        (
            &badger,
            "retention.maxTraces",
            json!(9),
            "jaeger.storage: Badger. Set jaeger.storage to Memory, or set the value to 5000.",
        ),
    ];
    for tool in [Tool::Helm3, Tool::Helm4] {
        assert_eq!(render(tool, &outside).err(), None);
        for (given, key, value, says) in cases {
            let path = format!("jaeger.{key}");
            let values: Vec<_> = given.iter().cloned().chain([(path.as_str(), value.clone())]).collect();
            let message = render(tool, &values).expect_err("it is refused");
            let line = message.lines().find(|line| line.contains(&path)).unwrap_or_default();
            assert!(
                line.contains("has no effect with") && line.contains(says),
                "{values:?} without `{says}`: {message}"
            );
        }
    }
}

/// A value within the configuration of the gateway or of Jaeger.
fn configured(values: Values<'_>, config_map: &str, path: &[&str]) -> Value {
    let manifest = render(Tool::Helm4, values).expect("it is accepted");
    let objects = objects(&manifest).expect("Helm renders YAML");
    let name = format!("afp-traces-{config_map}");
    let object =
        objects.iter().find(|object| object.kind == "ConfigMap" && object.name == name).expect("the ConfigMap");
    let object: Value = serde_yaml::from_str(&object.text).expect("an object is YAML");
    let text = object["data"]["config.yaml"].as_str().expect("its text");
    let configuration: Value = serde_yaml::from_str(text).expect("the configuration is YAML");
    path.iter().fold(configuration, |value, key| value[*key].clone())
}

#[test]
fn a_ratio_is_the_percentage_of_the_sampler() {
    let path = ["processors", "tail_sampling", "policies"];
    for (ratio, percentage) in
        [(json!(0.07), 7.0), (json!("0.07"), 7.0), (json!(0), 0.0), (json!(1), 100.0), (json!(1e-7), 1e-5)]
    {
        let policies = configured(&[("sampling.ratio", ratio.clone())], "gateway", &path);
        assert_eq!(policies[2]["probabilistic"]["sampling_percentage"].as_f64(), Some(percentage), "{ratio}");
    }
}

#[test]
fn a_text_of_the_values_reaches_the_gateway_as_it_is() {
    let header = "${env:HOME} \"'\\ {{ .x }} : #";
    let values = [
        ("outputs.otlp.endpoint", json!("https://traces.example.org/v1/traces")),
        ("outputs.otlp.headers", json!({ "X-Scope-OrgID": header })),
        ("network.egress", json!([{ "ports": [{ "port": 443 }] }])),
    ];
    let path = ["exporters", "otlp_http/output", "headers", "X-Scope-OrgID"];
    // The Collector replaces `${…}` and reads `$$` as one.
    assert_eq!(configured(&values, "gateway", &path).as_str(), Some(header.replace('$', "$$").as_str()));
}

#[test]
fn the_retention_is_that_of_the_storage() {
    let kept = |storage, retention| {
        let values = [("jaeger.storage", json!(storage)), ("jaeger.retention", retention)];
        configured(&values, "jaeger", &["extensions", "jaeger_storage", "backends", "traces"])
    };
    let [in_memory, on_volume] =
        [kept("Memory", json!({ "maxTraces": 1_234_567 })), kept("Badger", json!({ "hours": 87_600 }))];
    assert_eq!(in_memory["memory"]["max_traces"].as_u64(), Some(1_234_567));
    assert_eq!(on_volume["badger"]["ttl"]["spans"].as_str(), Some("87600h"));
}

/// The values for the umbrella that NOTES print for a release in this namespace, and the manifest.
fn printed(namespace: &str) -> (String, String) {
    let helm = Tool::Helm4.ensure().expect("Helm is there or can be built");
    let chart = rendered().paths().further.iter().find(|chart| chart.name == "traces").expect("the chart").clone();
    let mut command = helm.command();
    command.args(["install", "tracks", folder().join(&chart.folder).as_str(), "--dry-run=client"]);
    command.args(["--namespace", namespace, "--values", folder().join(&chart.ci_values).as_str()]);
    let output = command.output().expect("Helm runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let (manifest, notes) = text.split_once("\nNOTES:\n").expect("NOTES");
    let manifest = manifest.split_once("\nMANIFEST:\n").expect("the manifest").1.to_owned();
    let (_, values) = notes.split_once("send traces:\n\n").expect("a paragraph with values");
    (values.split("\n\n").next().expect("the paragraph").to_owned(), manifest)
}

#[test]
fn the_values_in_the_notes_lead_to_the_gateway() {
    // A namespace that YAML would take for a number.
    for namespace in ["tracing", "1234"] {
        let (text, manifest) = printed(namespace);
        let values: Value = serde_yaml::from_str(&text).expect("the paragraph is YAML");
        let tracing = &values["global"]["tracing"];
        let objects = objects(&manifest).expect("Helm renders YAML");
        let object = |kind: &str| {
            let object =
                objects.iter().find(|one| one.kind == kind && one.name == "tracks-gateway").expect("an object");
            serde_yaml::from_str::<Value>(&object.text).expect("an object is YAML")
        };
        let port = object("Service")["spec"]["ports"][0]["port"].clone();
        let port_text = port.as_u64().expect("a number");
        let endpoint = format!("http://tracks-gateway.{namespace}:{port_text}");
        assert_eq!(tracing["endpoint"].as_str(), Some(endpoint.as_str()));
        let rule = &tracing["egress"][0];
        let namespaces = &rule["to"][0]["namespaceSelector"]["matchLabels"];
        assert_eq!(namespaces["kubernetes.io/metadata.name"].as_str(), Some(namespace));
        let labels = &object("Deployment")["spec"]["template"]["metadata"]["labels"];
        assert_eq!(&rule["to"][0]["podSelector"]["matchLabels"], labels);
        assert_eq!(rule["ports"][0]["port"], port);

        // The umbrella accepts them.
        let file = tempfile::NamedTempFile::with_suffix(".yaml").expect("a file");
        fs::write(file.path(), &text).expect("it can be written");
        let file = Utf8Path::from_path(file.path()).expect("UTF-8");
        let ci_values = folder().join(&rendered().paths().ci_values);
        let template = Template { chart: chart(), release: "shop", values: &[&ci_values, file], arguments: &[] };
        let helm = Tool::Helm4.ensure().expect("Helm is there or can be built");
        let manifest = helm.template(&template).expect("Helm runs").expect("the umbrella accepts the values");
        assert!(manifest.contains(&endpoint), "{manifest}");
    }
}
