//! A configuration of Jaeger 2, which is a Collector with components that `xtask/tools/collector` cannot have.

use serde_json::Value;

/// The extension with Jaeger's stores.
const STORAGE: &str = "jaeger_storage";

/// Whether the configuration is one of Jaeger.
pub(super) fn is_of_jaeger(configuration: &Value) -> bool {
    !configuration["extensions"][STORAGE].is_null()
}

/// Components and stores that the configuration uses and does not configure, and those that it configures and does not use.
pub(super) fn findings(configuration: &Value) -> Vec<String> {
    let keys = |value: &Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let names = |value: &Value| {
        value.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let service = &configuration["service"];
    let mut found = compare("extension", &names(&service["extensions"]), &keys(&configuration["extensions"]));
    let pipelines: Vec<&Value> =
        service["pipelines"].as_object().into_iter().flat_map(serde_json::Map::values).collect();
    for (kind, section) in [("receiver", "receivers"), ("processor", "processors"), ("exporter", "exporters")] {
        let used: Vec<String> = pipelines.iter().flat_map(|pipeline| names(&pipeline[section])).collect();
        found.extend(compare(kind, &used, &keys(&configuration[section])));
    }
    let stores = [
        &configuration["extensions"]["jaeger_query"]["storage"]["traces"],
        &configuration["exporters"]["jaeger_storage_exporter"]["trace_storage"],
    ];
    let used: Vec<String> = stores.iter().map(|store| store.as_str().unwrap_or_default().to_owned()).collect();
    let backends = &configuration["extensions"][STORAGE]["backends"];
    found.extend(compare("store", &used, &keys(backends)));
    for (name, backend) in backends.as_object().into_iter().flatten() {
        if !matches!(keys(backend).as_slice(), [kind] if ["memory", "badger"].contains(&kind.as_str())) {
            found.push(format!("the store {name} is neither of the kind memory nor of the kind badger"));
        }
    }
    found
}

fn compare(kind: &str, used: &[String], configured: &[String]) -> Vec<String> {
    let missing = used.iter().filter(|name| !configured.contains(name));
    let missing = missing.map(|name| format!("the {kind} `{name}` is used, but not configured"));
    let idle = configured.iter().filter(|name| !used.contains(name));
    missing.chain(idle.map(|name| format!("the {kind} `{name}` is configured, but not used"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "
extensions:
  jaeger_storage:
    backends: { kept: { badger: { ephemeral: false } } }
  jaeger_query:
    storage: { traces: kept }
receivers:
  otlp: {}
exporters:
  jaeger_storage_exporter: { trace_storage: kept }
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [jaeger_storage_exporter]
";

    #[test]
    fn a_name_without_a_configuration_is_found() {
        let of = |text: &str| findings(&serde_yaml::from_str(text).expect("YAML"));
        assert!(of(VALID).is_empty(), "{:?}", of(VALID));
        for (part, broken, expected) in [
            ("traces: kept", "traces: lost", "the store `lost` is used, but not configured"),
            ("trace_storage: kept", "trace_store: kept", "the store `` is used, but not configured"),
            ("receivers: [otlp]", "receivers: [otlps]", "the receiver `otlps` is used, but not configured"),
            (
                "jaeger_storage, jaeger_query]",
                "jaeger_storage]",
                "the extension `jaeger_query` is configured, but not used",
            ),
            ("{ badger:", "{ badgers:", "the store kept is neither of the kind memory nor of the kind badger"),
        ] {
            let found = of(&VALID.replace(part, broken));
            assert!(found.iter().any(|text| text == expected), "{broken}: {found:?}");
        }
    }
}
