//! `cargo xtask generate [--check] [--force]`: brings the generated chart up to date with the model, or says how it
//! differs.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use camino::Utf8Path;
use owned_tree::{FOLDER, HandEdits, OwnedTree, State, Wanted};

use crate::Project;

/// Writes generated-chart/ from the model
///
/// Exit codes: 0 the chart is up to date (or now is); 4 it is not (--check); 1 the command failed; 2 it was called
/// wrongly.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct Arguments {
    /// Change nothing: report each file that differs, with a diff, and exit with 4 if there is one
    #[arg(long)]
    pub check: bool,

    /// Overwrite hand-edited files, and delete hand-edited ones that the model no longer has
    #[arg(long, conflicts_with = "check")]
    pub force: bool,

    /// Delete the chart of another platform that this folder holds, and write this platform's
    #[arg(long, conflicts_with = "check")]
    pub replace_platform: bool,
}

/// How the command ended, if it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The files on disk are what the model gives.
    UpToDate,
    /// They are not, and the command was only to look.
    Differs,
}

impl Outcome {
    /// The exit code of the process. A failed command exits with 1 and a wrong command line with 2, so neither is used
    /// here.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::UpToDate => 0,
            Self::Differs => 4,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.code())
    }
}

/// Renders the platform and writes, or checks, the repository's `generated-chart/`.
///
/// # Errors
/// When the declaration has mistakes, and those of [`run_on`].
pub(crate) fn run(arguments: Arguments, project: &Project, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let wanted = generator::generate(&project.resolved()?).into_files();
    run_on(&project.root.join(FOLDER), &wanted, arguments, out)
}

/// Writes, or checks, the files `wanted` below `root`, and says on `out` what was done or what differs.
///
/// # Errors
/// When the folder holds another platform's chart, writing is refused, the record cannot be read, the disk fails ([`owned_tree::Error`] in each case), or `out`
/// does.
pub fn run_on(root: &Utf8Path, wanted: &Wanted, arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    if arguments.check {
        let tree = OwnedTree::open(root)?;
        let plan = tree.plan(wanted)?;
        write!(out, "{}", plan.report())?;
        Ok(if plan.is_up_to_date() { Outcome::UpToDate } else { Outcome::Differs })
    } else {
        if !arguments.replace_platform {
            refuse_to_replace(root, wanted)?;
        }
        let hand_edits = if arguments.force { HandEdits::Overwrite } else { HandEdits::Keep };
        let summary = owned_tree::write_tree(root, wanted, hand_edits)?;
        write!(out, "{summary}")?;
        Ok(Outcome::UpToDate)
    }
}

/// Fails when writing would delete the chart of a platform that is not this one.
fn refuse_to_replace(root: &Utf8Path, wanted: &Wanted) -> anyhow::Result<()> {
    let tree = OwnedTree::open(root)?;
    let plan = tree.plan(wanted)?;
    let orphaned = plan.states().filter(|(_, state)| matches!(state, State::Orphaned | State::HandEditedOrphan));
    let orphaned: Vec<_> = orphaned.map(|(path, _)| path).collect();
    let Some(other) = orphaned.iter().find_map(|path| chart_of(path)) else { return Ok(()) };
    let Some(own) = wanted.keys().find_map(|path| chart_of(path)) else { return Ok(()) };
    let folder = root.file_name().unwrap_or(FOLDER);
    bail!(
        "nothing was written: {folder}/ holds the chart `{other}` of another platform, and this platform's chart is `{own}`\n  \
         Writing `{own}` there deletes {} files of `{other}`. If that is meant, such as after renaming the platform, run \
         `cargo xtask generate --replace-platform`.\n  \
         To keep both charts, give each platform a repository of its own.",
        orphaned.len()
    )
}

/// The chart whose `Chart.yaml` this is: an umbrella chart, whose folder is the first of the path.
fn chart_of(path: &Utf8Path) -> Option<&str> {
    let mut parts = path.as_str().split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(chart), Some("Chart.yaml"), None) => Some(chart),
        _ => None,
    }
}
