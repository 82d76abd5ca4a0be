//! The errors of finding, building and running tools and of preparing schemas.

use std::fmt;

use camino::Utf8PathBuf;

use crate::Tool;

/// Why a tool or a set of schemas is not available, or why a tool failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// A tool is not on `PATH` in a supported version, and could not be built.
    #[error("{}", unavailable(*.tool, .attempts))]
    Unavailable {
        /// The tool.
        tool: Tool,
        /// All attempts, in order.
        attempts: Vec<Attempt>,
    },
    /// A Go module with schemas could not be downloaded.
    #[error("Go cannot download {module} {version}, which contains the needed schemas: {reason}")]
    Module {
        /// The module's path.
        module: String,
        /// Its version.
        version: String,
        /// The reason.
        #[source]
        reason: GoError,
    },
    /// The checksum of a module differs from the pinned one. The module was not used.
    #[error(
        "{module} {version} has the checksum {found}, but xtask/tools/modules.sum pins {pinned}: \
        the module, or the module proxy's copy of it, was changed; do not use it until you know the reason"
    )]
    Checksum {
        /// The module's path.
        module: String,
        /// Its version.
        version: String,
        /// The checksum in `modules.sum`.
        pinned: String,
        /// The checksum of the downloaded module.
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
        /// The reason.
        #[source]
        reason: schemas::ConvertError,
    },
    /// A tool failed.
    #[error("{path} failed: {output}")]
    Failed {
        /// The program.
        path: Utf8PathBuf,
        /// Its output.
        output: String,
    },
    /// A file or folder could not be read, written, locked or run.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// The action, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: Utf8PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

impl ToolError {
    pub(crate) fn io(action: &'static str, path: impl Into<Utf8PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// An attempt to find or build a tool, and why it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The attempt.
    pub tried: String,
    /// Why it failed.
    pub outcome: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.tried, self.outcome.replace('\n', "\n    "))
    }
}

/// Why Go could not build a tool or download a module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GoError {
    /// There is no `go` on `PATH`.
    #[error("there is no `go` on PATH; install Go {needed} or newer")]
    Missing {
        /// The oldest supported Go.
        needed: String,
    },
    /// The `go` on `PATH` is too old and does not download a newer toolchain.
    #[error("{path} is {found}, which is too old; install Go {needed} or newer")]
    TooOld {
        /// The `go` on `PATH`.
        path: Utf8PathBuf,
        /// Its version, such as `go1.24.2`.
        found: String,
        /// The oldest supported Go.
        needed: String,
    },
    /// The command failed.
    #[error("`{command}` failed:\n{output}")]
    Failed {
        /// The command, with its arguments.
        command: String,
        /// The end of its output.
        output: String,
    },
}

fn unavailable(tool: Tool, attempts: &[Attempt]) -> String {
    let (title, fitting, pinned) = (tool.title(), tool.fitting(), tool.pinned());
    let tried: String = attempts.iter().flat_map(|attempt| ["\n  tried ".to_owned(), attempt.to_string()]).collect();
    let go = crate::go::oldest_go(tool.go_mod());
    let install = format!("install Go {go} or newer, which builds {pinned} from its Go module");
    if tool.names().is_empty() {
        return format!("{title} is needed but could not be built{tried}\n  to do: {install}");
    }
    let names = tool.names().join("` or `");
    format!(
        "{title}, version {fitting}, is needed but was not found{tried}\n  to do: put {title} ({fitting}) on PATH as \
        `{names}`, or {install}"
    )
}
