//! The step `values`: every value changes objects in at least one case, and only the objects that it may change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use render::objects;
use serde_json::Value;
use tools::ToolBinary;

use super::schema::Schema;
use super::scope::{About, may_change};
use super::{Path, at, leaves, other, render, schema_and_defaults, with};
use crate::context::{Rendered, VerifyContext, in_parallel};
use crate::report::Outcome;

pub(in super::super) fn effects(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let (schema, defaults) = schema_and_defaults(context)?;
    let trial = Trial {
        context,
        helm: context.helm()?,
        schema: Schema::new(&schema),
        manifests: context.manifests()?,
        worked: Mutex::default(),
    };
    let keys = leaves(&defaults);
    let found = in_parallel(&keys, &context.progress, |key| trial.of(key));
    let mut wrong = Vec::new();
    let (mut shown, mut fixed) = (0, 0);
    let mut cases: BTreeMap<&str, usize> = BTreeMap::new();
    for (key, found) in keys.iter().zip(found) {
        match found? {
            Effect::Shown { case, wrong: more } => {
                shown += 1;
                *cases.entry(case).or_default() += 1;
                wrong.extend(more.into_iter().map(|what| format!("{}: {what}", key.join("."))));
            }
            Effect::NoChoice => fixed += 1,
            Effect::None(why) => wrong.push(format!("{}: {why}", key.join("."))),
        }
    }
    let one_choice = if fixed > 0 { format!("; {fixed} allow only one value") } else { String::new() };
    let summary = format!(
        "{shown} of {} values change only the objects that they may change, in {} cases{one_choice}",
        keys.len(),
        cases.len()
    );
    Ok(Outcome::of(summary).with(wrong))
}

/// The effect of another value at a path.
enum Effect<'a> {
    /// The value changes objects in this case; `wrong` lists the objects that it must not change.
    Shown {
        case: &'a str,
        wrong: Vec<String>,
    },
    /// The schema allows only one value.
    NoChoice,
    None(String),
}

struct Trial<'a> {
    context: &'a VerifyContext,
    helm: &'a ToolBinary,
    schema: Schema<'a>,
    manifests: &'a [Rendered],
    /// The case in which the same key of another chart had an effect. It is tried first.
    worked: Mutex<BTreeMap<Path, usize>>,
}

impl<'a> Trial<'a> {
    fn of(&self, key: &Path) -> anyhow::Result<Effect<'a>> {
        let Some(schema) = self.schema.path(key) else {
            return Ok(Effect::None("it is not in the schema".to_owned()));
        };
        let mut last_refusal = None;
        for position in self.order(key) {
            let one = &self.manifests[position];
            let Some(is) = at(&one.values, key) else { continue };
            let others = other::others(schema, is);
            if others.is_empty() {
                return Ok(Effect::NoChoice);
            }
            for value in others {
                let values = with(&one.values, key, value);
                match self.render(one, &values)? {
                    Ok(manifest) if manifest != one.manifest => {
                        if let Ok(mut worked) = self.worked.lock() {
                            worked.insert(key[1..].to_vec(), position);
                        }
                        let wrong = self.judge(key, one, &manifest)?;
                        return Ok(Effect::Shown { case: &one.case.name, wrong });
                    }
                    Ok(_) => {}
                    Err(refusal) => last_refusal = Some(refusal),
                }
            }
        }
        let why = "a different value changes no object in any case".to_owned();
        Ok(Effect::None(match last_refusal {
            Some(refusal) => {
                format!("{why}; Helm rejected one value: {}", refusal.trim().lines().last().unwrap_or_default())
            }
            None => why,
        }))
    }

    /// The cases in the order in which they are tried for a key: the case in which the same key of another chart had an effect, the defaults, the
    /// cases whose arguments mention its section, then the rest.
    fn order(&self, key: &Path) -> Vec<usize> {
        let known = self.worked.lock().ok().and_then(|worked| worked.get(&key[1..]).copied());
        let about = |position: &usize| {
            let section = key[..key.len() - 1].join(".");
            self.manifests[*position].case.arguments.iter().any(|argument| argument.contains(&section))
        };
        let all = || 0..self.manifests.len();
        let mut order: Vec<usize> = known.into_iter().chain([0]).chain(all().filter(about)).chain(all()).collect();
        let mut seen = BTreeSet::new();
        order.retain(|position| seen.insert(*position));
        order
    }

    fn render(&self, one: &Rendered, values: &Value) -> anyhow::Result<tools::Rendered> {
        let arguments = one.case.arguments.iter().map(String::as_str);
        let apis: Vec<_> = arguments.filter(|argument| argument.starts_with("--api-versions")).collect();
        render(self.helm, &self.context.chart, &one.case.release, values, &apis)
    }

    /// The objects that changed although the value must not change them.
    fn judge(&self, key: &Path, before: &Rendered, after: &str) -> anyhow::Result<Vec<String>> {
        let mut wrong = BTreeSet::new();
        for text in changed(&before.manifest, after) {
            for object in objects(text)? {
                let what = match may_change(&self.context.traffic, key, &About::new(&object, &before.case.release)) {
                    Ok(true) => continue,
                    Ok(false) => format!("changes {} {}, which it must not change", object.kind, object.name),
                    Err(unknown) => unknown,
                };
                wrong.insert(what);
            }
        }
        Ok(wrong.into_iter().collect())
    }
}

/// The documents that occur in only one of the two manifests.
fn changed<'a>(before: &'a str, after: &'a str) -> Vec<&'a str> {
    // The first document may begin with the separator.
    let documents = |manifest: &'a str| {
        manifest.trim_start_matches("---\n").split("\n---\n").map(str::trim).collect::<BTreeSet<_>>()
    };
    let (before, after) = (documents(before), documents(after));
    before.symmetric_difference(&after).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn only_what_differs_is_looked_at() {
        let (before, after) = ("a: 1\n---\nb: 2\n---\nc: 3\n", "a: 1\n---\nb: 3\n---\nc: 3\n---\nd: 4\n");
        assert_eq!(changed(before, after), ["b: 2", "b: 3", "d: 4"]);
        assert!(changed(before, before).is_empty());
        // The position of a document does not matter.
        assert_eq!(changed("---\na: 1\n---\nb: 2\n", "---\nb: 2\n"), ["a: 1"]);
    }
}
