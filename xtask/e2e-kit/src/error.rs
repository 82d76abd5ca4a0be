//! What can go wrong with the tools of the proof, as opposed to what the proof finds.

use std::time::Duration;

use camino::Utf8PathBuf;

/// A tool of the end-to-end tests could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program could not be started.
    #[error("cannot run `{what}`: {source}; is it on PATH?")]
    CannotRun {
        /// The command.
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// A program ended with an error.
    #[error("{what} failed: {output}")]
    Failed {
        /// The command, or what it was for.
        what: String,
        /// What it said.
        output: String,
    },
    /// A program was ended after its time.
    #[error("`{what}` took longer than {} s", limit.as_secs())]
    TooLong {
        /// The command.
        what: String,
        /// The time it had.
        limit: Duration,
    },
    /// What was waited for did not come.
    #[error("after {} s still: {lacking}", limit.as_secs())]
    NotInTime {
        /// What is lacking.
        lacking: String,
        /// The time it had.
        limit: Duration,
    },
    /// Somebody wants the run to end.
    #[error("interrupted")]
    Interrupted,
    /// The handler of signals could not be installed.
    #[error("cannot listen for signals: {0}")]
    Signals(String),
    /// A line of an image map is not `repository = image`.
    #[error("{file}, line {line}: `{text}` is not `repository = image[:tag]`")]
    MapLine {
        /// The file.
        file: Utf8PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A repository stands twice in an image map.
    #[error("{file}, line {line}: `{repository}` has an image already")]
    MapTwice {
        /// The file.
        file: Utf8PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// The repository.
        repository: String,
    },
    /// A program of the scenarios has no image.
    #[error(
        "the scenarios need an image for `{name}` (xtask/e2e/{short}), which nobody publishes: make one (xtask/e2e/images for the cluster \
         beside the checkout, xtask/e2e/Dockerfile for Docker) and add the line `{name} = <image>` to the file of --images",
        short = name.rsplit('/').next().unwrap_or(name)
    )]
    NoImage {
        /// Its name in the map.
        name: String,
    },
    /// Images of which nothing says what build is to run.
    #[error(
        "the chart has no default tag for {}: add a line for each to the file of --images, such as `{} = <image>:<tag>` (stand-ins are in \
         xtask/e2e)", repositories.join(", "), repositories.first().map_or("", String::as_str)
    )]
    NoTag {
        /// Their repositories.
        repositories: Vec<String>,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A text is not what it should be.
    #[error("{what}: {why}")]
    Unreadable {
        /// Whose text.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// No version in history gives other objects than today's.
    #[error(
        "none of the {looked_at} versions of {path} in history renders other objects than today's, so there is nothing to upgrade from \
         (a shallow clone has no history: `git fetch --unshallow`)"
    )]
    NoOlderVersion {
        /// How many were rendered.
        looked_at: usize,
        /// The folder whose history was walked.
        path: String,
    },
}
