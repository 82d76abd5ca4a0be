//! A misspelt twin of every key, and a value of the wrong type at every place, are refused by both Helms, with the place.
//!
//! Helm reports every violation at once, so many mutations go into one file.

use std::collections::BTreeSet;

use anyhow::Context as _;
use serde_json::{Value, json};
use tools::ToolBinary;

use super::schema::Schema;
use super::{Path, at, leaves, render, schema_and_defaults, sections, with};
use crate::context::{VerifyContext, in_parallel};
use crate::report::Outcome;

/// Values with mistakes, and the places that must be named.
struct Batch {
    values: Value,
    diagnostics: Vec<Diagnostic>,
}

enum Diagnostic {
    /// A key that does not exist.
    Twin(Path),
    /// A value of a type that the place does not take.
    Type(Path),
}

pub(in super::super) fn typos(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let (schema, defaults) = schema_and_defaults(context)?;
    let manifests = context.manifests()?;
    let valid = &manifests.first().context("there is no case")?.values;
    let mut batches = vec![twins(valid, &defaults)];
    batches.extend(wrong_types(Schema::new(&schema), valid, &defaults));
    let helms = context.helms()?;
    let tasks: Vec<(&Batch, &ToolBinary)> =
        batches.iter().flat_map(|batch| helms.iter().map(move |helm| (batch, helm))).collect();
    let ask = |(batch, helm): &(&Batch, &ToolBinary)| -> anyhow::Result<Vec<String>> {
        // Nothing is said of values that are taken.
        let output = render(helm, &context.chart, &batch.values, &[])?.err().unwrap_or_default();
        Ok(missed(batch, &output)
            .into_iter()
            .map(|what| format!("{} {} {what}", helm.tool.title(), helm.version))
            .collect())
    };
    let found: Vec<Vec<String>> = in_parallel(&tasks, &context.progress, ask).into_iter().collect::<Result<_, _>>()?;
    let count = |is: fn(&Diagnostic) -> bool| {
        batches.iter().flat_map(|batch| &batch.diagnostics).filter(|diagnostic| is(diagnostic)).count()
    };
    let twins = count(|diagnostic| matches!(diagnostic, Diagnostic::Twin(_)));
    let types = count(|diagnostic| matches!(diagnostic, Diagnostic::Type(_)));
    let summary = format!("{twins} misspelt keys and {types} wrong types, each refused with its place by both");
    Ok(Outcome::of(summary).with(found.concat()))
}

/// Whether a key may have any name beside it: `global` takes other people's keys, since a parent chart passes its own down.
fn has_strangers(path: &[String]) -> bool {
    matches!(path, [global, _] if global == "global")
}

/// Beside every key one more letter.
fn twins(valid: &Value, defaults: &Value) -> Batch {
    let mut batch = Batch { values: valid.clone(), diagnostics: Vec::new() };
    let all = sections(defaults).into_iter().chain(leaves(defaults));
    for path in all.filter(|path| !has_strangers(path)) {
        let mut twin = path.clone();
        if let (Some(last), Some(value)) = (twin.last_mut(), at(valid, &path)) {
            last.push('x');
            batch.values = with(&batch.values, &twin, value.clone());
            batch.diagnostics.push(Diagnostic::Twin(twin));
        }
    }
    batch
}

/// All leaves at once; then sections, those of one depth at once. Helm joins the topmost ones with the charts' own before it looks at the schema,
/// and stops at the first that is none, so each of them goes alone.
fn wrong_types(schema: Schema<'_>, valid: &Value, defaults: &Value) -> Vec<Batch> {
    let mut groups: Vec<Vec<Path>> = vec![leaves(defaults)];
    let sections = sections(defaults);
    let deepest = sections.iter().map(Vec::len).max().unwrap_or_default();
    groups.extend(sections.iter().filter(|path| path.len() == 1).map(|path| vec![path.clone()]));
    groups.extend((2..=deepest).map(|depth| sections.iter().filter(|path| path.len() == depth).cloned().collect()));
    let batch = |paths: Vec<Path>| {
        let mut batch = Batch { values: valid.clone(), diagnostics: Vec::new() };
        for path in paths {
            let types = schema.path(&path).map(Schema::types).unwrap_or_default();
            batch.values = with(&batch.values, &path, wrong(&types));
            batch.diagnostics.push(Diagnostic::Type(path));
        }
        batch
    };
    groups.into_iter().filter(|paths| !paths.is_empty()).map(batch).collect()
}

/// A value of none of these types.
fn wrong(types: &[&str]) -> Value {
    let takes = |one: &str| types.contains(&one);
    if !takes("string") {
        return json!("wrong");
    }
    if !takes("number") && !takes("integer") { json!(5) } else { json!([true]) }
}

/// Mistakes that are not named in what Helm says.
fn missed(batch: &Batch, output: &str) -> Vec<String> {
    let mut unknown: BTreeSet<String> = BTreeSet::new();
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for (pointer, what) in
        output.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("at '")?.split_once("': "))
    {
        named.insert(pointer);
        if let Some(list) = what.strip_prefix("additional properties ") {
            unknown.extend(list.split('\'').skip(1).step_by(2).map(|key| format!("{pointer}/{key}")));
        }
    }
    let mut missed = Vec::new();
    for diagnostic in &batch.diagnostics {
        let (path, what) = match diagnostic {
            Diagnostic::Twin(path) => (path, "takes the key"),
            Diagnostic::Type(path) => (path, "takes a wrong type at"),
        };
        let pointer = format!("/{}", path.join("/"));
        let is_named = match diagnostic {
            Diagnostic::Twin(_) => unknown.contains(&pointer),
            // Of the topmost sections Helm itself says that they are no tables.
            Diagnostic::Type(path) => {
                named.contains(pointer.as_str()) || path.len() == 1 && !output.is_empty() && output.contains(&path[0])
            }
        };
        if !is_named {
            missed.push(format!("{what} {}, or does not name it", path.join(".")));
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nx:\n\
        - at '/a': additional properties 'bx', 'dx' not allowed\n  - at '/a/b': got string, want integer\n";

    fn path(text: &str) -> Path {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn a_mistake_that_is_not_named_is_missed() {
        let batch = |diagnostics| Batch { values: json!({}), diagnostics };
        let named =
            batch(vec![Diagnostic::Twin(path("a.bx")), Diagnostic::Twin(path("a.dx")), Diagnostic::Type(path("a.b"))]);
        assert!(missed(&named, SAID).is_empty());
        let unnamed = batch(vec![Diagnostic::Twin(path("a.ex")), Diagnostic::Type(path("a.c"))]);
        assert_eq!(
            missed(&unnamed, SAID),
            ["takes the key a.ex, or does not name it", "takes a wrong type at a.c, or does not name it"]
        );
        // Values that are taken are said nothing about.
        assert_eq!(missed(&named, "").len(), 3);
    }

    #[test]
    fn every_key_gets_a_twin_but_those_that_anybody_may_stand_beside() {
        let values = json!({ "global": { "a": { "b": 1 } }, "shop": { "c": true } });
        let places: Vec<String> = twins(&values, &values)
            .diagnostics
            .iter()
            .map(|diagnostic| match diagnostic {
                Diagnostic::Twin(path) | Diagnostic::Type(path) => path.join("."),
            })
            .collect();
        assert_eq!(places, ["globalx", "shopx", "global.a.bx", "shop.cx"]);
        assert_eq!(twins(&values, &values).values["global"]["a"], json!({ "b": 1, "bx": 1 }));
    }

    #[test]
    fn a_wrong_type_is_one_that_is_not_taken() {
        assert_eq!(
            [wrong(&["boolean"]), wrong(&["string"]), wrong(&["string", "number", "null"])],
            [json!("wrong"), json!(5), json!([true])]
        );
    }
}
