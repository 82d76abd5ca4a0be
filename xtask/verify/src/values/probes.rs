//! The step `schema`: closes the schema by a [walk](super::closed), and gives wrong values to Helm 3 and 4 to see that they apply it.

use anyhow::Context as _;
use render::Case;
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
    let helms = context.helms()?;
    let (mut objects, mut keys, mut earlier, mut wrong, mut names) = (0, 0, 0, Vec::new(), Vec::new());
    let declared: Vec<String> = context.earlier_values.iter().map(|value| value.path.join(".")).collect();
    for chart in &context.charts {
        let (schema, defaults) = schema_and_defaults(chart)?;
        let closed = closed(&schema, &defaults, if chart == context.umbrella() { &declared } else { &[] });
        objects += closed.objects;
        keys += closed.keys;
        earlier += closed.earlier;
        wrong.extend(closed.wrong);
        let case = context.cases_of(chart).next().context("the chart has no case to render")?;
        let valid = context.values(case)?;
        let probes = probes(&defaults, chart == context.umbrella())
            .or_else(|| probes_of_text(&defaults))
            .context("the chart has neither an image nor a section with a text")?;
        wrong.extend(missed_of(context, helms, case, &valid, &probes)?);
        names.extend(probes.iter().map(|probe| probe.name).filter(|name| !names.contains(name)).collect::<Vec<_>>());
    }
    let of_earlier = if earlier > 0 { format!(", {earlier} keys of earlier versions") } else { String::new() };
    let summary = format!(
        "{objects} closed objects, {keys} required keys with a default{of_earlier}; Helm 3 and 4 reject {}",
        names.join(", ")
    );
    Ok(Outcome::of(summary).with(wrong))
}

/// The probes that a Helm accepts with the default values of a chart, or rejects with another message.
fn missed_of(
    context: &VerifyContext,
    helms: &[ToolBinary],
    case: &Case,
    valid: &Value,
    probes: &[Probe],
) -> anyhow::Result<Vec<String>> {
    let tasks: Vec<(&Probe, &ToolBinary)> =
        probes.iter().flat_map(|probe| helms.iter().map(move |helm| (probe, helm))).collect();
    let ask = |(probe, helm): &(&Probe, &ToolBinary)| -> anyhow::Result<Option<String>> {
        let values = with(valid, &probe.path, probe.value.clone());
        let message = render(helm, &case.chart, &case.release, &values, &[])?.err();
        Ok(missed(probe, message.as_deref()).map(|what| format!("{} {} {what}", helm.tool.title(), helm.version)))
    };
    let missed = in_parallel(&tasks, &context.progress, ask).into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    Ok(missed.into_iter().flatten().collect())
}

/// One wrong value of each kind, in the first section with an image, or in a chart that has an image itself. The sections of the umbrella are its
/// subcharts.
fn probes(defaults: &Value, is_umbrella: bool) -> Option<Vec<Probe>> {
    let has_image = |section: &Value| section["image"]["repository"].is_string();
    let of_subchart = || defaults.as_object()?.iter().find(|(_, section)| has_image(section)).map(|(name, _)| name);
    let section: Path = if has_image(defaults) { Vec::new() } else { of_subchart().cloned().into_iter().collect() };
    if section.is_empty() && !has_image(defaults) {
        return None;
    }
    let place =
        |below: &str| section.iter().map(|name| ["/", name].concat()).chain([below.to_owned()]).collect::<String>();
    let (required, terms) = ("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms");
    let unknown = |place: &str, key: &str| format!("at '{place}': additional properties '{key}' not allowed");
    let below = |keys: &[&str]| section.iter().cloned().chain(keys.iter().map(|key| (*key).to_owned())).collect();
    let probe = |name, path: Path, value, refusal| Probe { name, path, value, refusal };
    let misspelt = section.first().map(|chart| {
        probe("a misspelt chart", vec![format!("{chart}x")], json!({}), unknown("", &format!("{chart}x")))
    });
    // Helm removes a key of the chart's own values that is null, and passes one of a subchart to the schema.
    let null = if is_umbrella && !section.is_empty() {
        format!("at '{}': got null, want object", place("/image"))
    } else {
        format!("at '{}': missing property 'image'", place(""))
    };
    let further = [
        probe("a misspelt key of a chart", below(&["imagex"]), json!({}), unknown(&place(""), "imagex")),
        probe(
            "a misspelt key in a Kubernetes type",
            below(&["affinity"]),
            json!({ "nodeAffinity": { required: { terms: [{ "matchExpression": [] }] } } }),
            unknown(&place(&format!("/affinity/nodeAffinity/{required}/{terms}/0")), "matchExpression"),
        ),
        probe(
            "a wrong type",
            below(&["image", "repository"]),
            json!(5),
            format!("at '{}': got number, want string", place("/image/repository")),
        ),
        probe("a null", below(&["image"]), Value::Null, null),
    ];
    Some(misspelt.into_iter().chain(further).collect())
}

/// The same for a chart without an image, in its first section with a text.
fn probes_of_text(defaults: &Value) -> Option<Vec<Probe>> {
    let text =
        |section: &Value| section.as_object()?.iter().find(|(_, value)| value.is_string()).map(|(key, _)| key.clone());
    let (section, key) =
        defaults.as_object()?.iter().find_map(|(name, section)| Some((name.clone(), text(section)?)))?;
    let misspelt = format!("{section}x");
    let unknown = format!("at '': additional properties '{misspelt}' not allowed");
    let wrong = format!("at '/{section}/{key}': got number, want string");
    let missing = format!("at '': missing property '{section}'");
    Some(vec![
        Probe { name: "a misspelt key of a chart", path: vec![misspelt], value: json!({}), refusal: unknown },
        Probe { name: "a wrong type", path: vec![section.clone(), key], value: json!(5), refusal: wrong },
        Probe { name: "a null", path: vec![section], value: Value::Null, refusal: missing },
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
        let probes = probes(&defaults, true).expect("a chart with an image");
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
