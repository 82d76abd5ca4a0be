//! The rules of the alerts, by values: what does not run raises no alert.

use serde_json::Value;
use tools::Tool;

use crate::refusals::render;

/// The rules with these values.
fn rules(values: &[&str]) -> Vec<Value> {
    let helm = Tool::BatchHelm4.ensure().expect("Helm is there or can be built");
    let on = ["global.metrics.enabled=true", "global.alerts.enabled=true", "global.alerts.format=ConfigMap"];
    let arguments: Vec<_> = on.iter().chain(values).map(|value| format!("--set={value}")).collect();
    let manifest = render(&helm, "afp", true, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let manifest = manifest.unwrap_or_else(|refusal| panic!("{refusal}"));
    let objects = tools::objects(&manifest).expect("YAML");
    let file = objects.iter().find(|object| object.name == "afp-alerts").expect("a ConfigMap");
    let file: Value = serde_yaml::from_str(&file.text).expect("YAML");
    let file: Value = serde_yaml::from_str(file["data"]["alerts.yaml"].as_str().expect("a text")).expect("YAML");
    let groups = file["groups"].as_array().expect("a list");
    groups.iter().flat_map(|group| group["rules"].as_array().expect("a list")).cloned().collect()
}

/// The names of the alerts with a label.
fn named(rules: &[Value], label: &str, value: &str) -> Vec<String> {
    let with = rules.iter().filter(|rule| rule["labels"][label] == value);
    with.map(|rule| rule["alert"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn a_queue_whose_consumers_do_not_run_has_no_alert_about_them() {
    let off = ["notification-service.enabled=false", "event-audit-dashboard.enabled=false"];
    for values in [&off[..], &["notification-service.replicas=0"]] {
        let rules = rules(values);
        assert_eq!(named(&rules, "queue", "audit_alerts"), ["QueueFull", "DeadLetters"], "{values:?}");
        assert_eq!(
            named(&rules, "queue", "audit_events"),
            ["QueueWithoutConsumer", "QueueGrows", "MessagesRedelivered", "QueueFull", "DeadLetters"]
        );
    }
}

#[test]
fn a_service_without_pods_has_no_alert_of_its_own() {
    let service = "audit-log-analysis";
    assert_eq!(named(&rules(&["audit-log-analysis.replicas=0"]), "component", service), [""; 0]);
    let scaled = rules(&["audit-log-analysis.replicas=0", "audit-log-analysis.autoscaling.enabled=true"]);
    assert!(named(&scaled, "component", service).contains(&"NotScraped".to_owned()));
}

#[test]
fn the_limit_of_a_queue_is_that_of_the_values() {
    for limit in ["500", "1000000000"] {
        let rules = rules(&[&format!("rabbitmq.limits.queueLength={limit}")]);
        let full: Vec<_> = rules.iter().filter(|rule| rule["alert"] == "QueueFull").collect();
        assert_eq!(full.len(), 2);
        for rule in full {
            let expr = rule["expr"].as_str().expect("a text");
            assert!(expr.ends_with(&format!(">= 0.9 * {limit}")), "{expr}");
        }
    }
}
