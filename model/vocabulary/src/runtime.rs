//! What runs a service's program.

/// What runs the program in a service's image. The chart sets what that runtime needs in a cluster, and can trace its programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Runtime {
    /// Anything that the chart does not treat specially.
    #[default]
    Other,
    /// `CPython` from version 3.9, started as `python3` or by a script of it, in an image with glibc, whose entrypoint does not set `PYTHONPATH`
    /// itself. Its output is not buffered, and OpenTelemetry can trace it without a change to the program.
    Python,
}

impl Runtime {
    /// The folder in which the instrumentation is mounted, read-only.
    pub const INSTRUMENTATION_FOLDER: &'static str = "/otel";

    /// The folder in which the additions to the instrumentation are mounted, read-only.
    pub const INSTRUMENTATION_ADDITIONS_FOLDER: &'static str = "/otel-additions";

    /// The volumes of these folders.
    pub const VOLUMES: [&'static str; 2] = ["otel", "otel-additions"];

    /// The name of the init container with the instrumentation.
    pub const INIT_CONTAINER: &'static str = "instrumentation";

    /// Whether the chart itself sets this variable.
    #[must_use]
    pub fn sets(self, variable: &str) -> bool {
        match self {
            Self::Other => false,
            Self::Python => ["PYTHONPATH", "PYTHONUNBUFFERED"].contains(&variable) || variable.starts_with("OTEL_"),
        }
    }
}
