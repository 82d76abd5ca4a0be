//! The formats of log lines: where a line has its severity, and which lines continue a record.

/// The format of a program's log. The patterns are regular expressions of Go (RE2).
#[derive(Clone, Copy)]
pub(crate) struct LogFormat {
    /// The beginning of a record. The group `level` is the word for the severity, a group `logger` the name of the logger.
    pub(crate) record: &'static str,
    /// The words of each severity.
    pub(crate) levels: &'static [(Severity, &'static [&'static str])],
    /// The beginning of a line that continues the record before it; a line that begins with a blank always does.
    pub(crate) continuation: Option<&'static str>,
    /// What of users the log can contain, and how to leave it out, as sentences of Markdown.
    pub(crate) personal: Option<&'static str>,
}

/// A severity, as OpenTelemetry names it.
#[derive(Clone, Copy)]
pub(crate) enum Severity {
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl Severity {
    /// Its key in a mapping of the OpenTelemetry Collector.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}
