//! Failures of the test tools, as opposed to faults of the chart.

use std::time::Duration;

use camino::Utf8PathBuf;

/// A failure of a tool that the end-to-end tests use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program could not be started.
    #[error("cannot run `{what}`: {source}; is it on PATH?")]
    CannotRun {
        /// The command.
        what: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A program exited with an error.
    #[error("{what} failed: {output}")]
    Failed {
        /// The command, or its purpose.
        what: String,
        /// Its output.
        output: String,
    },
    /// A program exceeded its time limit and was killed.
    #[error("`{what}` took longer than {} s", limit.as_secs())]
    TooLong {
        /// The command.
        what: String,
        /// The time limit.
        limit: Duration,
    },
    /// An expected state was not reached within the time limit.
    #[error("timed out after {} s: {lacking}", limit.as_secs())]
    NotInTime {
        /// The last observed deviation from the expected state.
        lacking: String,
        /// The time limit.
        limit: Duration,
    },
    /// A signal interrupted the run.
    #[error("interrupted")]
    Interrupted,
    /// The signal handler could not be installed.
    #[error("cannot listen for signals: {0}")]
    Signals(String),
    /// A line of an image map that is not `repository = image`.
    #[error("{file}, line {line}: `{text}` is not `repository = image[:tag]`")]
    MapLine {
        /// The file.
        file: Utf8PathBuf,
        /// The line number, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// An image map names a repository twice.
    #[error("{file}, line {line}: `{repository}` is named twice")]
    MapTwice {
        /// The file.
        file: Utf8PathBuf,
        /// The line number, from 1.
        line: usize,
        /// The repository.
        repository: String,
    },
    /// The image map lacks an image of the scenarios' own programs.
    #[error(
        "the scenarios need an image for `{name}` (xtask/e2e/{short}), which is not published: build it (xtask/e2e/images for an offline \
         cluster, xtask/e2e/Dockerfile for Docker) and add the line `{name} = <image>` to the file of --images",
        short = name.rsplit('/').next().unwrap_or(name)
    )]
    NoImage {
        /// The program's name in the image map.
        name: String,
    },
    /// Images without a tag or digest in the chart and in the image map.
    #[error(
        "the chart has no default tag for {}: add a line for each to the file of --images, such as `{} = <image>:<tag>` (stand-ins are in \
         xtask/e2e)", repositories.join(", "), repositories.first().map_or("", String::as_str)
    )]
    NoTag {
        /// The repositories of these images.
        repositories: Vec<String>,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A text that cannot be parsed.
    #[error("{what}: {why}")]
    Unreadable {
        /// The source of the text.
        what: String,
        /// The parser's message.
        why: String,
    },
    /// Every version of the chart in git history renders the same objects as the current one.
    #[error(
        "all {looked_at} versions of {path} in git history render the same objects as the current chart: no version to upgrade from \
         (a shallow clone has no history: `git fetch --unshallow`)"
    )]
    NoOlderVersion {
        /// The number of versions that were rendered.
        looked_at: usize,
        /// The path whose history was searched.
        path: String,
    },
}
