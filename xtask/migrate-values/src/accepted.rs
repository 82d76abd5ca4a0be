//! Whether the chart accepts values: Helm renders the chart with them, so its schema and its checks judge them.

use std::fs;

use anyhow::Context as _;
use camino::Utf8Path;
use generator::Resolved;
use helm_values::Redaction;
use serde_yaml::Value;
use tools::{Template, Tool};

/// The words of the chart's message before the name of a kind that it needs in the cluster.
const KIND: &str = "--api-versions ";

/// Why the chart refuses the values in a file; none if it accepts them. The values for lint complete them with passwords and tags.
pub(crate) fn refusal(platform: &Resolved, file: &Utf8Path, values: &Value) -> anyhow::Result<Option<String>> {
    let folder = tempfile::tempdir()?;
    let folder = Utf8Path::from_path(folder.path()).context("the path of the temporary folder is not UTF-8")?;
    let chart = generator::generate(platform);
    for (path, text) in chart.files() {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().context("the path of a file has no folder")?)?;
        fs::write(path, text)?;
    }
    let ci_values = folder.join(&chart.paths().ci_values);
    let helm = Tool::Helm4.ensure()?;
    let mut kinds: Vec<String> = Vec::new();
    loop {
        let arguments: Vec<&str> = kinds.iter().flat_map(|kind| ["--api-versions", kind]).collect();
        let umbrella = folder.join(&chart.paths().umbrella);
        let template = Template { chart: &umbrella, release: "r", values: &[&ci_values, file], arguments: &arguments };
        let Err(message) = helm.template(&template)? else { return Ok(None) };
        // Whether the cluster has a kind is no matter of the values.
        let missing = missing_kinds(&message, &kinds);
        if missing.is_empty() {
            return Ok(Some(Redaction::of_values(std::slice::from_ref(values)).apply(&message)));
        }
        kinds.extend(missing);
    }
}

/// The kinds that the chart misses in the cluster and has not been told of.
fn missing_kinds(message: &str, known: &[String]) -> Vec<String> {
    let named = message.split(KIND).skip(1).map(|rest| rest.split_whitespace().next().unwrap_or_default());
    let named = named.map(|kind| kind.trim_end_matches('.').to_owned());
    named.filter(|kind| kind.contains('/') && !known.contains(kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_a_message_are_passed_once() {
        let message = "  * a. Without a cluster, run `helm template` with --api-versions a.io/v1/A.\n  * b with --api-versions b.io/v1/B.\n";
        let kinds = missing_kinds(message, &[]);
        assert_eq!(kinds, ["a.io/v1/A", "b.io/v1/B"]);
        assert_eq!(missing_kinds(message, &kinds), [""; 0]);
        assert_eq!(missing_kinds("a with --api-versions <kind>", &[]), [""; 0]);
    }
}
