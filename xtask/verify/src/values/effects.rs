//! The step `values`: every value changes objects in at least one case, and only the objects that it may change.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;

use render::objects;
use serde_json::Value;
use tools::ToolBinary;

use super::schema::Schema;
use super::scope::{About, acts_only_on_a_cluster, may_change};
use super::{Path, at, leaves, other, render, schema_and_defaults, with};
use crate::context::{Rendered, VerifyContext, in_parallel};
use crate::report::Outcome;

pub(in super::super) fn effects(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let mut wrong = Vec::new();
    let (mut keys, mut shown, mut fixed, mut on_clusters) = (0, 0, 0, 0);
    let mut cases: BTreeSet<&str> = BTreeSet::new();
    for chart in &context.charts {
        let (schema, defaults) = schema_and_defaults(chart)?;
        let trial = Trial {
            context,
            helm: context.batch()?,
            schema: Schema::new(&schema),
            manifests: context.manifests_of(chart)?,
            worked: Mutex::default(),
        };
        let leaves = leaves(&defaults);
        let groups = same_in_several_charts(&leaves);
        let found = in_parallel(&groups, &context.progress, |group| trial.of_all(group));
        let found = found.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        keys += leaves.len();
        for (key, found) in groups.into_iter().flatten().zip(found.into_iter().flatten()) {
            match found {
                Effect::Shown { case, wrong: more } => {
                    shown += 1;
                    cases.insert(case);
                    wrong.extend(more.into_iter().map(|what| format!("{}: {what}", key.join("."))));
                }
                Effect::Permits(case) => {
                    shown += 1;
                    cases.insert(case);
                }
                Effect::NoChoice => fixed += 1,
                Effect::OnACluster => on_clusters += 1,
                Effect::None(why) => wrong.push(format!("{}: {why}", key.join("."))),
            }
        }
    }
    let one_choice = if fixed > 0 { format!("; {fixed} allow only one value") } else { String::new() };
    let on_a_cluster = if on_clusters > 0 { format!("; {on_clusters} act only on a cluster") } else { String::new() };
    let summary = format!(
        "{shown} of {keys} values change only the objects that they may change, or permit others, in {} cases{one_choice}{on_a_cluster}",
        cases.len()
    );
    Ok(Outcome::of(summary).with(wrong))
}

/// The keys, grouped by their path below the chart: the same key of several charts is one group.
fn same_in_several_charts(keys: &[Path]) -> Vec<Vec<&Path>> {
    let mut groups: BTreeMap<&[String], Vec<&Path>> = BTreeMap::new();
    for key in keys {
        groups.entry(&key[1..]).or_default().push(key);
    }
    groups.into_values().collect()
}

/// The part of Helm's message that says that the chart's checks refuse the values.
const CHECKS: &str = "cannot be installed with these values";

/// The effect of another value at a path.
enum Effect<'a> {
    /// The value changes objects in this case; `wrong` lists the objects that it must not change.
    Shown {
        case: &'a str,
        wrong: Vec<String>,
    },
    /// The value is a switch without which the chart's checks refuse other values, as in this case; it changes no object itself.
    Permits(&'a str),
    /// The schema allows only one value.
    NoChoice,
    /// The template asks the cluster for objects, so a rendering without a cluster cannot show the effect.
    OnACluster,
    None(String),
}

struct Trial<'a, 's> {
    context: &'a VerifyContext,
    helm: &'a ToolBinary,
    schema: Schema<'s>,
    /// The cases of one chart.
    manifests: Vec<&'a Rendered>,
    /// The case in which a key of this name had an effect. It is tried first.
    worked: Mutex<BTreeMap<String, usize>>,
}

impl<'a> Trial<'a, '_> {
    /// The effects of a key of several charts. One rendering shows those that it can tell apart; the others are tried one by one.
    fn of_all(&self, keys: &[&Path]) -> anyhow::Result<Vec<Effect<'a>>> {
        let together = if keys.len() > 1 { self.together(keys)? } else { BTreeMap::new() };
        let defaults = self.manifests[0];
        let effect = |key: &&Path| match together.get(key[0].as_str()) {
            Some(documents) => {
                Ok(Effect::Shown { case: &defaults.case.name, wrong: self.judge(key, defaults, documents)? })
            }
            None => self.of(key),
        };
        keys.iter().map(effect).collect()
    }

    /// The documents that differ from the defaults when all of these keys have another value, by subchart.
    ///
    /// A template of a subchart reads only the values of its own chart and `global`. So a changed document of a subchart is the effect of that
    /// chart's key. A changed document of the umbrella can be the effect of any of the keys; then the result is empty.
    fn together(&self, keys: &[&Path]) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
        let defaults = self.manifests[0];
        let mut values = defaults.values.clone();
        for key in keys {
            let schema = self.schema.path(key);
            let others = schema.zip(at(&values, key)).map(|(schema, is)| other::others(schema, is));
            if let Some(other) = others.unwrap_or_default().into_iter().next() {
                values = with(&values, key, other);
            }
        }
        let Ok(manifest) = self.render(defaults, &values)? else { return Ok(BTreeMap::new()) };
        let mut effects: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for document in changed(&defaults.manifest, &manifest) {
            let Some(chart) = subchart(document).filter(|chart| keys.iter().any(|key| key[0] == *chart)) else {
                return Ok(BTreeMap::new());
            };
            effects.entry(chart.to_owned()).or_default().push(document.to_owned());
        }
        Ok(effects)
    }

    fn of(&self, key: &Path) -> anyhow::Result<Effect<'a>> {
        let Some(schema) = self.schema.path(key) else {
            return Ok(Effect::None("it is not in the schema".to_owned()));
        };
        if acts_only_on_a_cluster(key) {
            return Ok(Effect::OnACluster);
        }
        let mut last_refusal = None;
        let mut permits = None;
        let mut order = self.order(key);
        while let Some(position) = order.pop_front() {
            let one = self.manifests[position];
            if permits.is_some() && !is_about(one, key) {
                // The cases that are left do not use what the value permits.
                break;
            }
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
                            worked.insert(key[key.len() - 1].clone(), position);
                        }
                        let wrong = self.judge(key, one, &changed(&one.manifest, &manifest))?;
                        return Ok(Effect::Shown { case: &one.case.name, wrong });
                    }
                    Ok(_) => {}
                    Err(refusal) => {
                        if (is.is_boolean() || schema.word("enum").is_some())
                            && refusal.contains(CHECKS)
                            && refusal.contains(&key[1..].join("."))
                        {
                            permits = Some(one.case.name.as_str());
                        }
                        // The refusal names the values that this one needs.
                        order.make_contiguous().sort_by_key(|next| !is_named(self.manifests[*next], &refusal));
                        last_refusal = Some(refusal);
                    }
                }
            }
        }
        if let Some(case) = permits {
            return Ok(Effect::Permits(case));
        }
        let why = "a different value changes no object in any case".to_owned();
        Ok(Effect::None(match last_refusal {
            Some(refusal) => {
                format!("{why}; Helm rejected one value: {}", refusal.trim().lines().last().unwrap_or_default())
            }
            None => why,
        }))
    }

    /// The cases in the order in which they are tried for a key:
    /// 1. the case in which a key of this name had an effect
    /// 2. the cases that switch a section of the key on
    /// 3. the defaults
    /// 4. the other cases; those with an argument closest to the key's path come first
    fn order(&self, key: &Path) -> VecDeque<usize> {
        let known = self.worked.lock().ok().and_then(|worked| worked.get(&key[key.len() - 1]).copied());
        let closeness = |position: &usize| closeness(&self.manifests[*position].case.arguments, key);
        let mut all: Vec<usize> = (0..self.manifests.len()).collect();
        all.sort_by_key(|position| std::cmp::Reverse(closeness(position)));
        let switched = all.iter().copied().filter(|position| closeness(position) == Closeness::SwitchedOn);
        let mut order: VecDeque<usize> =
            known.into_iter().chain(switched).chain([0]).chain(all.iter().copied()).collect();
        let mut seen = BTreeSet::new();
        order.retain(|position| seen.insert(*position));
        order
    }

    fn render(&self, one: &Rendered, values: &Value) -> anyhow::Result<tools::Rendered> {
        let arguments = one.case.arguments.iter().map(String::as_str);
        let apis: Vec<_> = arguments.filter(|argument| argument.starts_with("--api-versions")).collect();
        render(self.helm, &one.case.chart, &one.case.release, values, &apis)
    }

    /// The objects in these changed documents that the value must not change.
    ///
    /// A chart beside the umbrella has one component, and each of its values may change all of it.
    fn judge(&self, key: &Path, before: &Rendered, documents: &[impl AsRef<str>]) -> anyhow::Result<Vec<String>> {
        if before.case.chart != self.context.umbrella() {
            return Ok(Vec::new());
        }
        let mut wrong = BTreeSet::new();
        for text in documents {
            for object in objects(text.as_ref())? {
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

/// How close the arguments of a case are to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    /// An argument has this many parts of the key's path.
    Parts(usize),
    /// An argument is the switch `enabled` of a section of the key.
    SwitchedOn,
}

fn closeness(arguments: &[String], key: &Path) -> Closeness {
    let of = |argument: &String| {
        let (path, value) = argument.split_once('=').and_then(|(_, set)| set.split_once('='))?;
        let parts: Vec<&str> = path.split('.').collect();
        let common = parts.iter().zip(key).take_while(|(one, other)| *one == other).count();
        let is_switch = common > 0 && parts[common..] == ["enabled"] && value == "true" && key[common..] != ["enabled"];
        Some(if is_switch { Closeness::SwitchedOn } else { Closeness::Parts(common) })
    };
    arguments.iter().filter_map(of).max().unwrap_or(Closeness::Parts(0))
}

/// Whether an argument of the case sets a value in the section of this key.
fn is_about(one: &Rendered, key: &Path) -> bool {
    let section = key[..key.len() - 1].join(".");
    one.case.arguments.iter().any(|argument| argument.contains(&section))
}

/// Whether the message names a value that the case sets, such as `a.b` by the argument `--set=a.b=c`.
fn is_named(one: &Rendered, message: &str) -> bool {
    one.case.arguments.iter().filter_map(|argument| argument.split('=').nth(1)).any(|path| message.contains(path))
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

/// The subchart that a document comes from, by the comment that Helm writes into it; none for a template of the umbrella.
fn subchart(document: &str) -> Option<&str> {
    let source = document.lines().find_map(|line| line.strip_prefix("# Source: "))?;
    source.split_once("/charts/")?.1.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::{Closeness, Path, changed, closeness, same_in_several_charts, subchart};

    #[test]
    fn a_document_belongs_to_the_chart_of_its_template() {
        assert_eq!(
            subchart("# Source: platform/charts/shop/templates/deployment.yaml\nkind: Deployment"),
            Some("shop")
        );
        assert_eq!(subchart("# Source: platform/templates/networkpolicies/shop.yaml\nkind: NetworkPolicy"), None);
        assert_eq!(subchart("kind: Deployment"), None);
    }

    #[test]
    fn a_case_that_switches_the_section_of_a_key_on_is_closest() {
        let of = |arguments: &[&str], key: &str| {
            let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
            closeness(&arguments, &key.split('.').map(str::to_owned).collect::<Path>())
        };
        let on = ["--set=db.size=1", "--set=db.backup.enabled=true"];
        assert_eq!(of(&on, "db.backup.retention.days"), Closeness::SwitchedOn);
        assert_eq!(of(&on, "db.backup.enabled"), Closeness::Parts(3));
        assert_eq!(of(&on, "db.image.tag"), Closeness::Parts(1));
        assert_eq!(of(&["--api-versions=a/v1/B"], "db.image.tag"), Closeness::Parts(0));
        assert!(Closeness::SwitchedOn > Closeness::Parts(9) && Closeness::Parts(2) > Closeness::Parts(1));
    }

    #[test]
    fn the_same_key_of_several_charts_is_one_group() {
        let keys =
            ["a.replicas", "a.image.tag", "b.replicas"].map(|key| key.split('.').map(str::to_owned).collect::<Path>());
        assert_eq!(same_in_several_charts(&keys), [vec![&keys[1]], vec![&keys[0], &keys[2]]]);
    }

    #[test]
    fn only_what_differs_is_looked_at() {
        let (before, after) = ("a: 1\n---\nb: 2\n---\nc: 3\n", "a: 1\n---\nb: 3\n---\nc: 3\n---\nd: 4\n");
        assert_eq!(changed(before, after), ["b: 2", "b: 3", "d: 4"]);
        assert!(changed(before, before).is_empty());
        // The position of a document does not matter.
        assert_eq!(changed("---\na: 1\n---\nb: 2\n", "---\nb: 2\n"), ["a: 1"]);
    }
}
