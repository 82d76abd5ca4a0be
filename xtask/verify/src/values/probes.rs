//! The step `schema`: closes the schema by a [walk](super::closed), and gives wrong values to Helm 3 and 4 to see that they apply it.

use anyhow::Context as _;
use serde_json::{Value, json};
use tools::ToolBinary;

use super::closed::closed;
use super::{Path, render, schema_and_defaults, with};
use crate::context::{VerifyContext, in_parallel};
use crate::report::Outcome;

/// A wrong value that Helm must reject.
struct Probe {
    /// What is wrong with the value.
    name: &'static str,
    path: Path,
    value: Value,
    /// The expected part of Helm's message, which names the path.
    refusal: String,
}

/// The step `schema`.
pub(in super::super) fn schema(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let (schema, defaults) = schema_and_defaults(context)?;
    let closed = closed(&schema, &defaults);
    let defaults_case = context.cases.first().context("the chart has no case to render")?;
    let valid = context.values(defaults_case)?;
    let probes = probes(&defaults).context("the chart has no subchart with an image")?;
    let helms = context.helms()?;
    let tasks: Vec<(&Probe, &ToolBinary)> =
        probes.iter().flat_map(|probe| helms.iter().map(move |helm| (probe, helm))).collect();
    let ask = |(probe, helm): &(&Probe, &ToolBinary)| -> anyhow::Result<Option<String>> {
        let values = with(&valid, &probe.path, probe.value.clone());
        let message = render(helm, &context.chart, &defaults_case.release, &values, &[])?.err();
        Ok(missed(probe, message.as_deref()).map(|what| format!("{} {} {what}", helm.tool.title(), helm.version)))
    };
    let missed: Vec<Option<String>> =
        in_parallel(&tasks, &context.progress, ask).into_iter().collect::<Result<_, _>>()?;
    let names: Vec<_> = probes.iter().map(|probe| probe.name).collect();
    let summary = format!(
        "{} closed objects, {} required keys with a default; Helm 3 and 4 reject {}",
        closed.objects,
        closed.keys,
        names.join(", ")
    );
    Ok(Outcome::of(summary).with(closed.wrong.into_iter().chain(missed.into_iter().flatten()).collect()))
}

/// One wrong value of each kind, in the first subchart with an image.
fn probes(defaults: &Value) -> Option<[Probe; 5]> {
    let has_image = |section: &Value| section["image"]["repository"].is_string();
    let (chart, _) = defaults.as_object()?.iter().find(|(_, section)| has_image(section))?;
    let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Path>();
    let unknown = |place: &str, key: &str| format!("at '{place}': additional properties '{key}' not allowed");
    let (required, terms) = ("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms");
    let probe = |name, keys: &[&str], value, refusal| Probe { name, path: path(keys), value, refusal };
    Some([
        probe("a misspelt chart", &[&format!("{chart}x")], json!({}), unknown("", &format!("{chart}x"))),
        probe("a misspelt key of a chart", &[chart, "imagex"], json!({}), unknown(&format!("/{chart}"), "imagex")),
        probe(
            "a misspelt key in a Kubernetes type",
            &[chart, "affinity"],
            json!({ "nodeAffinity": { required: { terms: [{ "matchExpression": [] }] } } }),
            unknown(&format!("/{chart}/affinity/nodeAffinity/{required}/{terms}/0"), "matchExpression"),
        ),
        probe(
            "a wrong type",
            &[chart, "image", "repository"],
            json!(5),
            format!("at '/{chart}/image/repository': got number, want string"),
        ),
        probe("a null", &[chart, "image"], Value::Null, format!("at '/{chart}/image': got null, want object")),
    ])
}

/// The failure of a probe, or `None`. `message` is Helm's error message, or `None` if Helm accepted the value.
fn missed(probe: &Probe, message: Option<&str>) -> Option<String> {
    match message {
        None => Some(format!("accepts {} at {}", probe.name, probe.path.join("."))),
        Some(message) if message.contains(&probe.refusal) => None,
        Some(message) => Some(format!("rejects {}, but its message lacks `{}`: {message}", probe.name, probe.refusal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_is_taken_or_refused_without_its_place_is_missed() {
        let defaults = json!({ "global": {}, "shop": { "image": { "repository": "a/b" } } });
        let probes = probes(&defaults).expect("a chart with an image");
        assert_eq!(missed(&probes[1], None).as_deref(), Some("accepts a misspelt key of a chart at shop.imagex"));
        let message = "- at '/shop': additional properties 'imagex' not allowed";
        assert_eq!(missed(&probes[1], Some(message)), None);
        let elsewhere = "- at '/page': additional properties 'imagex' not allowed";
        let expected = format!(
            "rejects a misspelt key of a chart, but its message lacks `at '/shop': additional properties 'imagex' not allowed`: {elsewhere}"
        );
        assert_eq!(missed(&probes[1], Some(elsewhere)), Some(expected));
    }
}
