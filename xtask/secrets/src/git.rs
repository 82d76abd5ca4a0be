//! What git does with a file.

use std::io::ErrorKind;
use std::process::{Command, Output};

use super::Error;
use super::file::SourceLocation;

/// Fails if git tracks the file, or would add it: a clear password must not be one `git add` away from a commit.
///
/// Outside a work tree, and without git, nothing can be committed.
pub(super) fn must_ignore(place: &SourceLocation) -> Result<(), Error> {
    let file = place.shown.clone();
    // A git that refuses the work tree, for example since another user owns it, refuses commits as well, but its owner may make them.
    let Some(inside) = run(place, &["rev-parse", "--is-inside-work-tree"])? else { return Ok(()) };
    if !inside.status.success() {
        let is_elsewhere = String::from_utf8_lossy(&inside.stderr).contains("not a git repository");
        return if is_elsewhere { Ok(()) } else { Err(Error::Git { file }) };
    }
    let asked = [
        run(place, &["ls-files", "--error-unmatch", "--", &place.name])?,
        run(place, &["check-ignore", "--quiet", "--", &place.name])?,
    ];
    match asked.map(|output| output.and_then(|output| output.status.code())) {
        [Some(0), _] => Err(Error::Tracked { file }),
        [Some(1), Some(0)] => Ok(()),
        [Some(1), Some(1)] => Err(Error::NotIgnored { file, line: place.name.clone() }),
        _ => Err(Error::Git { file }),
    }
}

/// Runs git in the folder of the file; `None` if there is no git.
fn run(place: &SourceLocation, arguments: &[&str]) -> Result<Option<Output>, Error> {
    // The messages in English.
    match Command::new("git").args(arguments).current_dir(&place.folder).env("LC_ALL", "C").output() {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::Io { action: "run", path: "git".into(), cause }),
    }
}
