//! The step `collector`: the OpenTelemetry Collector validates every configuration that Helm renders for it. Jaeger's configurations, which have
//! components of Jaeger's own, are compared with themselves: each component that they name has a configuration.

mod jaeger;

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context as _;
use camino::Utf8Path;
use serde_json::Value;
use tools::{Tool, ToolBinary};

use super::context::{Rendered, VerifyContext, check};
use super::report::Outcome;

/// Exporters of the official image that are missing in the program that `xtask/tools/collector` builds: their modules cannot be had for its version.
const MISSING: [&str; 2] = ["elasticsearch", "splunk_hec"];

pub(super) fn collector(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let tool = Tool::Collector.ensure()?;
    let mut wrong = Vec::new();
    let mut validated: BTreeSet<String> = BTreeSet::new();
    let mut left_out: Vec<&str> = Vec::new();
    let mut of_jaeger: BTreeSet<&str> = BTreeSet::new();
    for one in context.manifests()? {
        for configuration in configurations(one) {
            let parsed: Value = serde_yaml::from_str(configuration)
                .with_context(|| format!("the configuration of the Collector in {} is not YAML", one.case.name))?;
            if jaeger::is_of_jaeger(&parsed) {
                of_jaeger.insert(configuration);
                wrong.extend(jaeger::findings(&parsed).into_iter().map(|found| format!("{}: {found}", one.case.name)));
            } else if MISSING.iter().any(|exporter| parsed["exporters"].get(exporter).is_some()) {
                left_out.push(&one.case.name);
            } else if validated.insert(configuration.to_owned())
                && let Err(message) = validate(&tool, configuration, &parsed, &variables(one))?
            {
                wrong.push(format!("{}: {message}", one.case.name));
            }
        }
    }
    if validated.is_empty() {
        wrong.push(
            "no case has a configuration of the Collector, although every platform has the chart with the log agent"
                .to_owned(),
        );
    }
    let of_jaeger = match of_jaeger.len() {
        0 => String::new(),
        count => format!("; the components that {count} of Jaeger name are configured"),
    };
    let left_out = match left_out.as_slice() {
        [] => String::new(),
        names => format!("; {} not, because of the exporters {}", names.join(", "), MISSING.join(" and ")),
    };
    Ok(Outcome::of(format!(
        "{} {} validates {} configurations{of_jaeger}{left_out}",
        tool.tool.title(),
        tool.version,
        validated.len()
    ))
    .with(wrong))
}

/// The configurations of the Collector and of Jaeger in a case.
fn configurations(one: &Rendered) -> impl Iterator<Item = &str> {
    let texts = ["logs", "traces"].into_iter().flat_map(|chart| one.texts(chart)).map(|(_, text)| text);
    texts.filter(|text| text.contains("\nreceivers:\n") && text.contains("\nexporters:\n"))
}

/// The variables of all containers of a case; one from a Secret or a field has any value.
fn variables(one: &Rendered) -> Vec<(&str, &str)> {
    let pods = one.objects.iter().filter_map(render::Object::pod);
    let containers = pods.filter_map(|pod| pod["spec"]["containers"].as_array()).flatten();
    let variables = containers.filter_map(|container| container["env"].as_array()).flatten();
    variables
        .filter_map(|variable| Some((variable["name"].as_str()?, variable["value"].as_str().unwrap_or("x"))))
        .collect()
}

/// Validates a configuration, or returns the Collector's message. The Collector wants the folders and files that the configuration names.
fn validate(
    tool: &ToolBinary,
    text: &str,
    parsed: &Value,
    variables: &[(&str, &str)],
) -> anyhow::Result<Result<(), String>> {
    let temporary = tempfile::tempdir()?;
    let root = Utf8Path::from_path(temporary.path()).context("the temporary folder is not UTF-8")?;
    let mut text = text.to_owned();
    if let Some(folder) = parsed["extensions"]["file_storage"]["directory"].as_str() {
        text = text.replace(folder, root.as_str());
    }
    let file = root.join("config.yaml");
    fs::write(&file, text)?;
    let mut command = tool.command();
    command.args(["validate", "--config", file.as_str()]);
    // As in a Pod.
    command.envs(variables.iter().copied());
    command.envs([("KUBERNETES_SERVICE_HOST", "192.0.2.1"), ("KUBERNETES_SERVICE_PORT", "443")]);
    check(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "
extensions:
  file_storage:
    directory: /nowhere
receivers:
  file_log:
    include: [/var/log/pods/*/*/*.log]
    operators:
      - type: regex_parser
        regex: ^(?P<level>[A-Z]+)
exporters:
  otlp_http:
    logs_endpoint: http://example.org/v1/logs
    sending_queue:
      storage: file_storage
service:
  extensions: [file_storage]
  pipelines:
    logs:
      receivers: [file_log]
      exporters: [otlp_http]
";

    #[test]
    fn a_broken_configuration_is_refused() {
        let tool = Tool::Collector.ensure().expect("the Collector");
        let message = |text: &str| {
            let parsed = serde_yaml::from_str(text).expect("YAML");
            validate(&tool, text, &parsed, &[]).expect("it runs").err()
        };
        assert_eq!(message(VALID), None);
        for (part, broken, expected) in [
            ("sending_queue", "sending_queues", "invalid keys: sending_queues"),
            ("[A-Z]+)", "[A-Z]+", "missing closing )"),
            ("exporters: [otlp_http]", "exporters: [otlp]", "references exporter \"otlp\" which is not configured"),
            ("type: regex_parser", "type: regex_parsers", "unsupported type 'regex_parsers'"),
        ] {
            let message = message(&VALID.replace(part, broken)).unwrap_or_default();
            assert!(message.contains(expected), "{broken}: {message}");
        }
    }
}
