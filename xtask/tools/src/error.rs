//! What can go wrong on the way to a tool or a schema.

use std::fmt;

use camino::Utf8PathBuf;

use crate::Tool;

/// Why a tool or a set of schemas is not there, or did not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// A tool is neither on `PATH` in a fitting version nor could it be built.
    #[error("{}", unavailable(*.tool, .attempts))]
    Unavailable {
        /// The tool that is needed.
        tool: Tool,
        /// Everything that was tried, in order.
        attempts: Vec<Attempt>,
    },
    /// A Go module that schemas are read from could not be had.
    #[error("the schemas in {module} {version} are needed, which Go fetches: {reason}")]
    Module {
        /// The module's path.
        module: String,
        /// Its version.
        version: String,
        /// What went wrong.
        #[source]
        reason: GoError,
    },
    /// A module's content is not what was pinned. Nothing of it was used.
    #[error(
        "{module} {version} has the checksum {found}, and xtask/tools/modules.sum pins {pinned}: \
         the module or the module proxy's copy of it was changed; do not use it before it is known why"
    )]
    Checksum {
        /// The module's path.
        module: String,
        /// Its version.
        version: String,
        /// The checksum in `modules.sum`.
        pinned: String,
        /// The checksum of what was fetched.
        found: String,
    },
    /// A module has no checksum in `modules.sum`.
    #[error("{module} {version} has no checksum: add its line to xtask/tools/modules.sum, in go.sum's format")]
    NotPinned {
        /// The module's path.
        module: String,
        /// Its version.
        version: String,
    },
    /// A schema could not be converted.
    #[error("{file} cannot be converted into JSON schemas for kubeconform: {reason}")]
    Convert {
        /// The file with the schema.
        file: Utf8PathBuf,
        /// What about it is not understood.
        #[source]
        reason: crate::convert::ConvertError,
    },
    /// A tool was there and did not do what it was asked to.
    #[error("{path} failed: {output}")]
    Failed {
        /// The program.
        path: Utf8PathBuf,
        /// What it said.
        output: String,
    },
    /// A file or folder could not be read, written, locked or run.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was to be done, such as `write`.
        action: &'static str,
        /// With which file.
        path: Utf8PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
}

impl ToolError {
    pub(crate) fn io(action: &'static str, path: impl Into<Utf8PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// One thing that was tried to get a tool, and why it did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What was tried.
    pub tried: String,
    /// What came of it.
    pub outcome: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.tried, self.outcome.replace('\n', "\n    "))
    }
}

/// Why Go did not build or fetch what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GoError {
    /// There is no `go` on `PATH`.
    #[error("there is no `go` on PATH; install Go {needed} or newer")]
    Missing {
        /// The oldest Go that does.
        needed: String,
    },
    /// There is one, which is too old and does not fetch a newer one by itself.
    #[error("{path} is {found}, which is too old; install Go {needed} or newer")]
    TooOld {
        /// The `go` on `PATH`.
        path: Utf8PathBuf,
        /// Its version, such as `go1.24.2`.
        found: String,
        /// The oldest Go that does.
        needed: String,
    },
    /// It failed.
    #[error("`{command}` failed:\n{output}")]
    Failed {
        /// The command, with its arguments.
        command: String,
        /// The end of what it said.
        output: String,
    },
}

fn unavailable(tool: Tool, attempts: &[Attempt]) -> String {
    let (title, fitting, pinned) = (tool.title(), tool.fitting(), tool.pinned());
    let tried: String = attempts.iter().flat_map(|attempt| ["\n  tried ".to_owned(), attempt.to_string()]).collect();
    let names = tool.names().join("` or `");
    let go = crate::go::oldest_go(tool.go_mod());
    format!(
        "{title} is needed, version {fitting}, and is not there{tried}\n  to do: put {title} ({fitting}) on PATH as \
         `{names}`, or install Go {go} or newer, with which {pinned} is built from its Go module"
    )
}
