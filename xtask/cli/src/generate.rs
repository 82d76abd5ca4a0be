//! `cargo xtask generate`: updates the generated chart from the model, or reports the differences.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use camino::Utf8Path;
use owned_tree::{FOLDER, HandEdits, OwnedTree, State, Wanted};

use crate::Project;

/// Writes generated-chart/ from the model
///
/// Exit codes: 0 the chart is up to date, or was updated; 1 the command failed; 2 invalid command line; 4 with --check, the chart is not up to
/// date.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct Arguments {
    /// Change nothing; print a diff of each file that differs, and exit with 4 if there are any
    #[arg(long)]
    pub check: bool,

    /// Overwrite hand-edited files, and delete hand-edited files that are no longer generated
    #[arg(long, conflicts_with = "check")]
    pub force: bool,

    /// Replace the chart of another platform in generated-chart/
    #[arg(long, conflicts_with = "check")]
    pub replace_platform: bool,
}

/// The result of a command that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The files on disk equal the generated files.
    UpToDate,
    /// The files differ, and `--check` was set.
    Differs,
}

impl Outcome {
    /// The exit code of the process. The codes 1 (failed) and 2 (invalid command line) are already taken.
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

/// Renders the platform, and writes or checks the repository's `generated-chart/`.
///
/// # Errors
/// If the declaration has mistakes, and the errors of [`run_on`].
pub(crate) fn run(arguments: Arguments, project: &Project, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let wanted = generator::generate(&project.resolved()?).into_files();
    run_on(&project.root.join(FOLDER), &wanted, arguments, out)
}

/// Writes or checks the files `wanted` below `root`, and reports changes or differences to `out`.
///
/// # Errors
/// If the folder contains the chart of another platform, writing is refused, the record cannot be read or the disk fails
/// ([`owned_tree::Error`] for the last three), or `out` cannot be written.
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

/// Fails if writing would delete the chart of another platform.
fn refuse_to_replace(root: &Utf8Path, wanted: &Wanted) -> anyhow::Result<()> {
    let tree = OwnedTree::open(root)?;
    let plan = tree.plan(wanted)?;
    let orphaned = plan.states().filter(|(_, state)| matches!(state, State::Orphaned | State::HandEditedOrphan));
    let orphaned: Vec<_> = orphaned.map(|(path, _)| path).collect();
    let Some(other) = orphaned.iter().find_map(|path| chart_of(path)) else { return Ok(()) };
    let Some(own) = wanted.keys().find_map(|path| chart_of(path)) else { return Ok(()) };
    // Where this platform's chart is already, the other one is a chart beside it that the platform no longer has.
    let is_new = |(path, state): (&Utf8Path, State)| chart_of(path) == Some(own) && state == State::Missing;
    if !plan.states().any(is_new) {
        return Ok(());
    }
    let folder = root.file_name().unwrap_or(FOLDER);
    bail!(
        "nothing was written: {folder}/ contains the chart `{other}` of another platform; this platform's chart is `{own}`\n  \
         Writing `{own}` deletes {} files of `{other}`. If you want this, for example after renaming the platform, run \
         `cargo xtask generate --replace-platform`.\n  \
         To keep both charts, give each platform a repository of its own.",
        orphaned.len()
    )
}

/// The name of a chart, if the path is its `Chart.yaml`: the first folder of the path. The umbrella's name is the beginning of the others'.
fn chart_of(path: &Utf8Path) -> Option<&str> {
    let mut parts = path.as_str().split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(chart), Some("Chart.yaml"), None) => Some(chart),
        _ => None,
    }
}
