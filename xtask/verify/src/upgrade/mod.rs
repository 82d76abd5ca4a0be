//! The step `upgrade`: compares what the charts of the last release render with what they render now. A change that the API server refuses, or with which
//! data is lost, needs a migration note of the platform.

mod differences;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use release::{LastRelease, Released};
use render::cases::Case;
use render::objects;
use vocabulary::{EarlierVersion, MigrationNote, ObjectChange};

use super::context::{VerifyContext, in_parallel};
use super::report::{Outcome, by_finding};
use differences::{Difference, differences};

pub(super) fn upgrade(context: &VerifyContext) -> anyhow::Result<Outcome> {
    let released = match LastRelease::before_head(&context.root)? {
        LastRelease::Tagged(released) => released,
        LastRelease::None => {
            let why = "nothing compared: no commit before this one has the tag of a version, such as v1.0.0";
            let notes = context.platform.platform().earlier_versions.iter().filter(|one| !one.migrations.is_empty());
            let notes = notes.map(|one| format!("the migration notes of version {} are not checked", one.version));
            return Ok(Outcome::of(why).noting(notes.collect()));
        }
        LastRelease::Unknown(why) => {
            let outcome = Outcome::of("nothing compared");
            return Ok(if context.strict { outcome.with(vec![why]) } else { outcome.noting(vec![why]) });
        }
    };
    let earlier = context.platform.platform().earlier_versions;
    let Released { tag, version } = &released;
    if earlier.iter().any(|one| one.version == *version && one.reinstallation.is_some()) {
        return Ok(Outcome::of(format!("nothing compared: a release of {tag} is reinstalled, not upgraded")));
    }
    let Some((_folder, old)) = released.files(&context.root)? else {
        let why = format!("nothing compared: the commit of {tag} has no folder {}", owned_tree::FOLDER);
        return Ok(Outcome::of(why));
    };
    let comparison = Comparison::of(context, &old, tag)?;
    let mut wrong = Vec::new();
    if comparison.compared.is_empty() {
        wrong.push(format!("no case renders with the chart of {tag}, so nothing was compared"));
    }
    let notes = earlier.iter().find(|one| one.version == *version).map_or(&[][..], |one| one.migrations);
    wrong.extend(comparison.undeclared(notes, tag));
    wrong.extend(comparison.without_change(notes, tag));
    wrong.extend(of_unreleased(earlier, &released));
    let summary = format!("{} objects in {} cases of {tag}", comparison.objects, comparison.compared.len());
    Ok(Outcome::of(summary).with(wrong).noting(comparison.left_out))
}

/// What became of the objects of the last release.
struct Comparison {
    /// The names of the cases that both charts render.
    compared: Vec<String>,
    /// The cases that were not compared, with the reason.
    left_out: Vec<String>,
    /// The number of objects of the last release in the compared cases.
    objects: usize,
    /// The differences, each with the name of its case.
    found: Vec<(String, Difference)>,
}

impl Comparison {
    fn of(context: &VerifyContext, old: &Utf8Path, tag: &str) -> anyhow::Result<Self> {
        let helm = context.batch()?;
        let results = in_parallel(context.manifests()?, &context.progress, |new| {
            let case = match earlier_case(&new.case, &context.folder, old) {
                Ok(case) => case,
                Err(missing) => return Ok(Err(format!("{tag} has no {missing}"))),
            };
            let manifest = match case.render(helm) {
                Ok(manifest) => manifest,
                // Helm's message can name a temporary folder.
                Err(error) => return Ok(Err(refusal(&format!("{error:#}").replace(old.as_str(), tag), tag))),
            };
            let objects = objects(&manifest).with_context(|| format!("case {} of {tag}", case.name))?;
            Ok::<_, anyhow::Error>(Ok((objects.len(), differences(&objects, &new.objects, &case.release))))
        });
        let mut comparison = Self { compared: Vec::new(), left_out: Vec::new(), objects: 0, found: Vec::new() };
        let mut left_out = Vec::new();
        for (case, result) in context.cases.iter().zip(results) {
            match result? {
                Ok((objects, found)) => {
                    comparison.objects += objects;
                    comparison.compared.push(case.name.clone());
                    comparison.found.extend(found.into_iter().map(|one| (case.name.clone(), one)));
                }
                Err(reason) => left_out.push((case.name.as_str(), format!("not compared: {reason}"))),
            }
        }
        comparison.left_out = by_finding(left_out, context.cases.len());
        comparison.left_out.extend(gone(context, old, tag)?);
        Ok(comparison)
    }

    /// The differences without a note.
    fn undeclared(&self, notes: &[MigrationNote], tag: &str) -> Vec<String> {
        let undeclared = self.found.iter().filter(|(_, found)| !notes.iter().any(|note| found.is_of(note)));
        let told = undeclared.map(|(case, found)| (case.as_str(), found.told(tag)));
        by_finding(told, self.compared.len())
    }

    /// The notes without a difference.
    fn without_change(&self, notes: &[MigrationNote], tag: &str) -> Vec<String> {
        let idle = notes.iter().filter(|note| !self.found.iter().any(|(_, found)| found.is_of(note)));
        let told = |note: &MigrationNote| {
            let MigrationNote { kind, object, location, .. } = note;
            let change = match note.change {
                ObjectChange::Field(path) => format!("{path} of {kind} <release>-{object} does not differ from {tag}"),
                ObjectChange::Removed => {
                    format!("{kind} <release>-{object} is not one that {tag} has and this chart lacks")
                }
            };
            format!("{change}, but the migration note at {location} says so\n  Remove the note, or correct it.")
        };
        idle.map(told).collect()
    }
}

/// The versions above the last release that have migration notes: no installed release has such a version.
fn of_unreleased(earlier: &[EarlierVersion], released: &Released) -> Vec<String> {
    let above =
        earlier.iter().filter(|one| !one.migrations.is_empty() && one.version.cmp_precedence(released.version).is_gt());
    let told = above.map(|one| {
        format!(
            "version {} has migration notes, but the last release is {}\n  Move the notes at {} to version {}.",
            one.version, released.tag, one.location, released.version
        )
    });
    told.collect()
}

/// The same case with chart and values of the last release, or the file that this release lacks.
fn earlier_case(case: &Case, now: &Utf8Path, old: &Utf8Path) -> Result<Case, Utf8PathBuf> {
    let earlier = |path: &Utf8PathBuf| {
        // A values file beside the generated ones is that of the maintainer, for both versions.
        let Ok(relative) = path.strip_prefix(now) else { return Ok(path.clone()) };
        let path = old.join(relative);
        if path.exists() { Ok(path) } else { Err(relative.to_owned()) }
    };
    let values = case.values.iter().map(earlier).collect::<Result<_, _>>()?;
    Ok(Case { chart: earlier(&case.chart)?, values, ..case.clone() })
}

/// Charts and environments that only the last release has.
fn gone(context: &VerifyContext, old: &Utf8Path, tag: &str) -> anyhow::Result<Vec<String>> {
    let mut gone = BTreeSet::new();
    for entry in old.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.join("Chart.yaml").exists() && !context.folder.join(path.file_name().unwrap_or_default()).exists() {
            gone.insert(format!(
                "not compared: the chart {}, which only {tag} has",
                path.file_name().unwrap_or_default()
            ));
        }
    }
    let overlays = old.join("environments");
    if overlays.exists() {
        for entry in overlays.read_dir_utf8()? {
            let path = entry?.into_path();
            let relative = Utf8Path::new("environments").join(path.file_name().unwrap_or_default());
            if path.extension() == Some("yaml") && !context.folder.join(&relative).exists() {
                gone.insert(format!("not compared: {relative}, which only {tag} has"));
            }
        }
    }
    Ok(gone.into_iter().collect())
}

/// What Helm's message says against the values, in one line.
fn refusal(message: &str, tag: &str) -> String {
    let lines = || message.lines().map(str::trim).filter(|line| !line.is_empty());
    // The schema and the checks of the chart list what is wrong, below the name of the case.
    let listed = lines().find_map(|line| line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")));
    let first = || lines().next().map(|line| line.split_once("rejects ").map_or(line, |(_, said)| said));
    format!("the chart of {tag} rejects the values: {}", listed.or_else(first).unwrap_or_default())
}
